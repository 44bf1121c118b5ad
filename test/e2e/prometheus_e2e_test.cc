// azexporter beside Debian's Prometheus 2.42: what one sends by remote write the other takes, and
// on the same samples both answer alike.
//
// Prometheus 3, whose language azexporter speaks, leaves out a sample that lies exactly at the left
// end of a range or a look-back; 2.42 takes it. No sample here ever lies at such an end: samples
// are taken at whole seconds and 321 ms, subqueries are evaluated at whole seconds, and the others
// at whole seconds and 123 ms.

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "azexporter/base/clock.h"
#include "azexporter/base/float_format.h"
#include "azexporter/base/text.h"
#include "azexporter/net/http_client.h"
#include "e2e/prometheus_queries.h"
#include "support/azexporter_process.h"
#include "support/eventually.h"
#include "support/temp_folder.h"
#include "support/write_body.h"

namespace azexporter {
namespace {

using nlohmann::json;
using test::Eventually;
using test::LabelPairs;
using test::SeriesField;

constexpr int kWaitMs = 30'000;
constexpr std::int64_t kStepMs = 15'000;
constexpr int kSteps = 172;  // 43 minutes

// --- the samples ---------------------------------------------------------------------------------

// Whole numbers that look random and are the same in every run.
std::uint64_t Mix(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
  return x ^ (x >> 31);
}

class Samples {
 public:
  // The first of `kSteps` steps, at a whole minute and 321 ms.
  explicit Samples(std::int64_t start_ms) : start_ms_(start_ms) {
    for (const char* zone : {"a", "b", "c"}) {
      const auto seed = static_cast<std::uint64_t>(zone[0]);
      AddTemperatures(zone, seed);
      AddCounters(zone, seed);
      AddHistogram(zone, seed);
      Add({{"__name__", "limits"}, {"zone", zone}}, [=](int i) {
        return static_cast<double>(20 + seed % 7 + static_cast<unsigned>(i) / 60);
      });
      Add({{"__name__", "info"}, {"version", std::string("v") + zone}, {"zone", zone}},
          [](int) { return 1; });
    }
    AddOddities();
  }

  // The samples of the steps [from, to) as the body of a request.
  std::string Body(int from, int to) const {
    std::string message;
    for (const Series& series : series_) {
      std::vector<model::FPoint> points;
      for (int i = from; i < to; ++i) {
        const auto& value = series.values[static_cast<std::size_t>(i)];
        if (value) points.push_back({start_ms_ + i * kStepMs, *value});
      }
      if (!points.empty()) message += SeriesField(series.labels, points);
    }
    return test::Snappy(message);
  }

 private:
  struct Series {
    LabelPairs labels;
    std::vector<std::optional<double>> values;
  };

  template <class ValueAt>
  void Add(LabelPairs labels, ValueAt value_at) {
    Series& series = series_.emplace_back(Series{std::move(labels), {}});
    for (int i = 0; i < kSteps; ++i) series.values.emplace_back(value_at(i));
  }

  void AddTemperatures(const char* zone, std::uint64_t seed) {
    for (std::uint64_t n = 1; n <= 3; ++n) {
      Add({{"__name__", "temp"}, {"node", "n" + std::to_string(n)}, {"zone", zone}}, [=](int i) {
        const auto noise =
            static_cast<double>(Mix(seed * 1'000 + n * 100'000 + static_cast<std::uint64_t>(i)) %
                                1'000) /
            250;
        return 20 + 8 * std::sin(0.1 * i + static_cast<double>(seed * n)) + noise;
      });
    }
  }

  // They start over now and then.
  void AddCounters(const char* zone, std::uint64_t seed) {
    for (const char* code : {"200", "500"}) {
      double total = 0;
      Add({{"__name__", "reqs_total"}, {"code", code}, {"zone", zone}}, [=](int i) mutable {
        if (i % 67 == static_cast<int>(seed % 13) + 20) total = 0;
        total += static_cast<double>(Mix(seed + static_cast<std::uint64_t>(code[0]) * 7'919 +
                                         static_cast<std::uint64_t>(i)) %
                                     (code[0] == '2' ? 50 : 5));
        return total;
      });
    }
  }

  void AddHistogram(const char* zone, std::uint64_t seed) {
    const std::pair<const char*, std::uint64_t> buckets[] = {
        {"0.1", 3}, {"0.5", 9}, {"1", 14}, {"2.5", 15}, {"+Inf", 16}};
    for (const auto& bucket : buckets) {
      const char* const bound = bucket.first;
      const std::uint64_t share = bucket.second;
      double total = 0;
      Add({{"__name__", "lat_bucket"}, {"le", bound}, {"zone", zone}}, [=](int i) mutable {
        for (std::uint64_t k = 0; k < 20; ++k) {
          const std::uint64_t hit = Mix(seed * 31 + static_cast<std::uint64_t>(i) * 1'009 + k) % 16;
          total += hit < share ? 1 : 0;
        }
        return total;
      });
    }
    Add({{"__name__", "lat_count"}, {"zone", zone}}, [](int i) { return 20.0 * (i + 1); });
    Add({{"__name__", "lat_sum"}, {"zone", zone}},
        [=](int i) { return 11.5 * (i + 1) + static_cast<double>(seed % 5); });
  }

  void AddOddities() {
    // Ends in the middle, with a staleness marker.
    Add({{"__name__", "gone"}}, [](int i) -> std::optional<double> {
      if (i > 80) return std::nullopt;
      return i == 80 ? model::StaleNaN() : i;
    });
    // One sample in ten minutes.
    Add({{"__name__", "sparse"}}, [](int i) -> std::optional<double> {
      if (i % 40 != 3) return std::nullopt;
      return i;
    });
    constexpr double kInf = std::numeric_limits<double>::infinity();
    const double values[] = {std::nan(""), kInf, -kInf, 0, -0.0, 1e-9, 1e300};
    for (std::size_t k = 0; k < std::size(values); ++k) {
      Add({{"__name__", "special"}, {"kind", std::to_string(k)}},
          [&](int i) { return i % 10 == 9 ? 1 : values[k]; });
    }
  }

  const std::int64_t start_ms_;
  std::vector<Series> series_;
};

// --- comparing -----------------------------------------------------------------------------------

bool NearlyEqual(const std::string& a, const std::string& b) {
  if (a == b) return true;
  const auto x = base::ParseFloat(a);
  const auto y = base::ParseFloat(b);
  if (!x || !y || !std::isfinite(*x) || !std::isfinite(*y)) return false;
  // Sums of different orders.
  constexpr double kRelative = 1e-9;
  constexpr double kAbsolute = 1e-9;
  return std::fabs(*x - *y) <= kAbsolute + kRelative * std::max(std::fabs(*x), std::fabs(*y));
}

bool Same(const json& a, const json& b);

bool SameArray(const json& a, const json& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!Same(a[i], b[i])) return false;
  }
  return true;
}

bool Same(const json& a, const json& b) {
  if (a.is_string() && b.is_string()) {
    return NearlyEqual(a.get<std::string>(), b.get<std::string>());
  }
  if (a.is_array() && b.is_array()) return SameArray(a, b);
  if (a.is_object() && b.is_object()) {
    if (a.size() != b.size()) return false;
    for (const auto& [key, value] : a.items()) {
      if (!b.contains(key) || !(key == "metric" ? value == b[key] : Same(value, b[key]))) {
        return false;
      }
    }
    return true;
  }
  return a == b;
}

// An answer in a form that compares: series sorted by their labels, unless the query sorts them;
// of a refusal only its kind, since the texts of the versions differ.
json Comparable(const net::HttpResponse& response, bool keep_order) {
  json answer = json::parse(response.body, nullptr, false);
  EXPECT_NE(response.status, 0) << "no answer";
  if (response.status != 200) {
    return {{"status", response.status}, {"errorType", answer.value("errorType", "")}};
  }
  json data = std::move(answer["data"]);
  EXPECT_FALSE(data.is_null()) << response.body;
  if (!keep_order && data.contains("result") && data["result"].is_array() &&
      !data["result"].empty() && data["result"][0].is_object()) {
    std::sort(data["result"].begin(), data["result"].end(),
              [](const json& a, const json& b) { return a["metric"].dump() < b["metric"].dump(); });
  }
  return data;
}

class PrometheusTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::PrometheusProcess::Installed()) GTEST_SKIP() << "skipped: no Prometheus";
    const std::string config = folder_.Write(
        "azexporter.yaml",
        "global: {external_labels: {cluster: test}, collect_interval: 500ms}\nrule_files: []\n");
    azexporter_ = std::make_unique<test::AzexporterProcess>(
        config,
        std::vector<std::string>{"--kube.snapshot", "/dev/null",
                                 "--web.enable-remote-write-receiver", "--storage.keep=all"});
    ASSERT_FALSE(azexporter_->url().empty());
  }

  void TearDown() override {
    prometheus_.reset();
    azexporter_.reset();
  }

  void StartPrometheus(const std::string& config) {
    prometheus_ = std::make_unique<test::PrometheusProcess>(
        folder_.path(), config, std::vector<std::string>{"--web.enable-remote-write-receiver"});
    ASSERT_FALSE(prometheus_->api().url().empty());
    ASSERT_TRUE(Eventually(
        [&] { return Fetch(prometheus_->api().url() + "/-/ready").status == 200; }, kWaitMs));
  }

  net::HttpResponse Fetch(const std::string& url) {
    const auto response = http_.Fetch({.url = url});
    return response ? *response : net::HttpResponse();
  }
  net::HttpResponse Ask(const std::string& server, const std::string& path,
                        const std::vector<std::pair<std::string, std::string>>& params) {
    std::string query;
    for (const auto& [name, value] : params) {
      query += (query.empty() ? "?" : "&") + base::UrlEscape(name) + "=" + base::UrlEscape(value);
    }
    return Fetch(server + path + query);
  }
  net::HttpResponse Write(const std::string& server, const std::string& body) {
    const auto response = http_.Fetch({.method = "POST",
                                       .url = server + "/api/v1/write",
                                       .headers = {{"Content-Type", "application/x-protobuf"},
                                                   {"Content-Encoding", "snappy"},
                                                   {"X-Prometheus-Remote-Write-Version", "0.1.0"}},
                                       .body = body});
    return response ? *response : net::HttpResponse();
  }

  const test::TempFolder folder_;
  net::HttpClient http_{{.user_agent = "test"}};
  std::unique_ptr<test::AzexporterProcess> azexporter_;
  std::unique_ptr<test::PrometheusProcess> prometheus_;
};

constexpr char kQuietConfig[] =
    "global: {scrape_interval: 1h, evaluation_interval: 1m, external_labels: {cluster: test}}\n";

class SameAnswersTest : public PrometheusTest {
 protected:
  void SetUp() override {
    PrometheusTest::SetUp();
    if (IsSkipped()) return;
    ASSERT_NO_FATAL_FAILURE(StartPrometheus(kQuietConfig));
    servers_ = {azexporter_->url(), prometheus_->api().url()};
    const base::SystemClock clock;
    // The newest sample is between one and two minutes old.
    start_ms_ = clock.NowMs() / 60'000 * 60'000 - 44 * 60'000 + 321;
    const Samples samples(start_ms_);
    constexpr int kPerRequest = 20;
    for (int from = 0; from < kSteps; from += kPerRequest) {
      const std::string body = samples.Body(from, std::min(from + kPerRequest, kSteps));
      for (const std::string& server : servers_) {
        const auto response = Write(server, body);
        ASSERT_EQ(response.status, 204) << server << ": " << response.body;
      }
    }
  }

  // At a whole second and 123 ms.
  std::string TimeAt(int seconds) const {
    return base::FormatFloatF(static_cast<double>(start_ms_ - 321 + 123 + seconds * 1'000) / 1000);
  }
  // "" where both answer alike, else both answers.
  std::string Difference(const std::string& path,
                         const std::vector<std::pair<std::string, std::string>>& params,
                         bool keep_order) {
    const json ours = Comparable(Ask(servers_[0], path, params), keep_order);
    const json theirs = Comparable(Ask(servers_[1], path, params), keep_order);
    if (Same(ours, theirs)) return "";
    return "azexporter: " + ours.dump().substr(0, 1'500) +
           "\nPrometheus: " + theirs.dump().substr(0, 1'500);
  }
  // All differences of a query: at several times, and over a range.
  std::string Differences(const std::string& query) {
    const bool sorts =
        query.starts_with("sort") || query.starts_with("topk") || query.starts_with("bottomk");
    std::string found;
    for (const int seconds : {1'237, 1'804, 2'400}) {
      const std::string one =
          Difference("/api/v1/query", {{"query", query}, {"time", TimeAt(seconds)}}, sorts);
      if (!one.empty()) found += "at " + std::to_string(seconds) + " s:\n" + one + "\n";
    }
    const std::string range = Difference(
        "/api/v1/query_range",
        {{"query", query}, {"start", TimeAt(1'261)}, {"end", TimeAt(2'500)}, {"step", "37"}},
        false);
    if (!range.empty()) found += "range:\n" + range + "\n";
    return found;
  }

  std::int64_t start_ms_ = 0;
  std::vector<std::string> servers_;
};

TEST_F(SameAnswersTest, Queries) {
  for (const std::string_view query : test::ComparedQueries()) {
    const std::string difference = Differences(std::string(query));
    EXPECT_EQ(difference, "") << query;
  }
}

// To the byte, where no version and no order of series comes between.
TEST_F(SameAnswersTest, Texts) {
  for (const char* query : {R"(special{kind="0"})",
                            R"(special{kind="1"}[1m])",
                            R"(special{kind="4"})",
                            R"(special{kind="5"})",
                            R"(special{kind="6"})",
                            R"(info{zone="b"}[50s])",
                            "vector(1e21)",
                            "1e21",
                            "1e-7",
                            "0.1 + 0.2",
                            "\"a\\n\"",
                            "nothing",
                            "temp{",
                            "sum(",
                            "rate(temp)",
                            "1 +",
                            "foo(temp)",
                            "{}",
                            "sum(temp[1m])",
                            "temp[1m] + 1"}) {
    const std::vector<std::pair<std::string, std::string>> params = {{"query", query},
                                                                     {"time", TimeAt(1'200)}};
    const auto ours = Ask(servers_[0], "/api/v1/query", params);
    const auto theirs = Ask(servers_[1], "/api/v1/query", params);
    EXPECT_EQ(ours.body, theirs.body);
    EXPECT_EQ(ours.status, theirs.status) << query;
    EXPECT_EQ(ours.Header("content-type"), theirs.Header("content-type"));
  }
}

// Each is still a difference: what is none any more leaves the table.
TEST_F(SameAnswersTest, KnownDifferencesAreDifferences) {
  for (const test::KnownDifference& known : test::KnownDifferences()) {
    EXPECT_NE(Differences(std::string(known.query)), "") << known.query << ": " << known.reason;
  }
}

TEST_F(SameAnswersTest, SeriesLabelsAndFederation) {
  const std::string all = R"({__name__=~"temp|limits|info|special|gone"})";
  for (const char* path : {"/api/v1/series", "/api/v1/labels", "/api/v1/label/zone/values",
                           "/api/v1/label/__name__/values"}) {
    const std::vector<std::pair<std::string, std::string>> params = {
        {"match[]", all}, {"start", TimeAt(0)}, {"end", TimeAt(3'000)}};
    json ours = Comparable(Ask(servers_[0], path, params), true);
    json theirs = Comparable(Ask(servers_[1], path, params), true);
    std::sort(theirs.begin(), theirs.end());
    std::sort(ours.begin(), ours.end());
    EXPECT_EQ(ours, theirs) << path;
  }
  const std::vector<std::pair<std::string, std::string>> match = {
      {"match[]", "info"}, {"match[]", "limits"}, {"match[]", R"(special{kind=~"[0123]"})"}};
  const auto ours = Ask(servers_[0], "/federate", match);
  const auto theirs = Ask(servers_[1], "/federate", match);
  EXPECT_EQ(ours.status, 200);
  EXPECT_FALSE(ours.body.empty());
  EXPECT_EQ(ours.body, theirs.body);
}

// The same refusals, and nothing stored of a request that is refused.
TEST_F(SameAnswersTest, Refusals) {
  const std::string fresh = SeriesField({{"__name__", "fresh"}}, {{start_ms_ + 2'700'000, 1}});
  const std::int64_t last = start_ms_ + (kSteps - 1) * kStepMs;
  const LabelPairs info = {{"__name__", "info"}, {"version", "va"}, {"zone", "a"}};
  struct RefusedCase {
    const char* name;
    std::string body;
  };
  const RefusedCase cases[] = {
      {"out of order", test::Snappy(fresh + SeriesField(info, {{last - 1, 1}}))},
      {"another value", test::Snappy(fresh + SeriesField(info, {{last, 2}}))},
      {"no snappy", "no snappy"},
      {"no protobuf", test::Snappy("no protobuf")},
  };
  for (const RefusedCase& c : cases) {
    EXPECT_EQ(Write(servers_[0], c.body).status, 400) << c.name;
    EXPECT_EQ(Write(servers_[1], c.body).status, 400) << c.name;
  }
  EXPECT_EQ(azexporter_->api().Count("fresh"), 0);
  EXPECT_EQ(prometheus_->api().Count("fresh"), 0);
  // Equal to the newest is no fault; nor is what an earlier sample of the request has overtaken.
  const std::string good =
      test::Snappy(SeriesField(info, {{last, 1}, {last + 10, 1}, {last + 5, 1}}));
  EXPECT_EQ(Write(servers_[0], good).status, 204);
  EXPECT_EQ(Write(servers_[1], good).status, 204);
  EXPECT_EQ(Difference("/api/v1/query", {{"query", "info[1h]"}, {"time", TimeAt(2'700)}}, false),
            "");
}

TEST_F(PrometheusTest, SendsItsSamplesToAzexporter) {
  ASSERT_NO_FATAL_FAILURE(StartPrometheus(
      "global: {scrape_interval: 1s, external_labels: {cluster: test}}\n"
      "scrape_configs:\n"
      "- {job_name: azexporter, static_configs: [{targets: ['" +
      azexporter_->url().substr(std::string("http://").size()) +
      "']}]}\n"
      "remote_write:\n"
      "- {url: " +
      azexporter_->url() + "/api/v1/write, queue_config: {batch_send_deadline: 500ms}}\n"));
  ASSERT_TRUE(Eventually(
      [&] { return azexporter_->api().Count("up{job=\"azexporter\",cluster=\"test\"} == 1") == 1; },
      kWaitMs));
  EXPECT_TRUE(Eventually(
      [&] { return azexporter_->api().Count("azexporter_remote_write_samples_total > 0") >= 1; },
      kWaitMs));
  EXPECT_EQ(azexporter_->api().Count("azexporter_remote_write_requests_refused_total > 0"), 0);
}

}  // namespace
}  // namespace azexporter
