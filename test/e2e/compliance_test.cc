// The scenarios of Prometheus's alert-generator compliance, played whole: samples come in by remote
// write, rules are evaluated, alerts go out to a receiver, and both APIs and ALERTS are asked at
// every evaluation. On a clock that the test moves, in a second; or in real time, in an hour and a
// half:
//
//   AZX_REAL_TIME=1 build/ci/test/compliance_test
//
// Semantics: github.com/prometheus/compliance, alert_generator/specification.md.

#include <gtest/gtest.h>

#include <cctype>
#include <chrono>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "azexporter/base/time_text.h"
#include "azexporter/net/http_client.h"
#include "azexporter/notify/sender.h"
#include "azexporter/promql/series_notation.h"
#include "azexporter/rules/manager.h"
#include "azexporter/storage/memory_store.h"
#include "azexporter/web/server.h"
#include "simulator/http_server.h"
#include "support/eventually.h"
#include "support/write_body.h"

namespace azexporter {
namespace {

using nlohmann::json;

constexpr std::int64_t kSampleMs = 15'000;
constexpr std::int64_t kEvaluationMs = 30'000;
constexpr std::int64_t kResendMs = 60'000;
constexpr std::int64_t kResolvedMs = 15 * 60'000;

bool InRealTime() { return std::getenv("AZX_REAL_TIME") != nullptr; }

// A letter an evaluation: - nothing, p pending, F firing, r resolved and still told of.
struct AlertIs {
  std::string zone;
  std::string states;
};

struct Scenario {
  std::string name;
  std::string rule;                 // but for its name
  std::vector<std::string> series;  // in the notation of unit tests, a value every 15 s
  std::vector<AlertIs> alerts;
};

void PrintTo(const Scenario& scenario, std::ostream* out) { *out << scenario.name; }

// What came by POST to /api/v2/alerts.
class Receiver {
 public:
  Receiver() {
    auto server = simulator::HttpServer::Start({}, [this](const simulator::HttpRequest& request) {
      const json alerts = json::parse(request.body, nullptr, false);
      std::lock_guard lock(mu_);
      for (const json& alert : alerts) came_.push_back(alert);
      return simulator::HttpResponse();
    });
    EXPECT_TRUE(server);
    if (server) server_ = std::move(*server);
  }
  ~Receiver() { server_->Stop(); }

  std::string url() const { return server_->url(); }
  std::vector<json> Take() {
    std::lock_guard lock(mu_);
    return std::exchange(came_, {});
  }
  std::size_t size() {
    std::lock_guard lock(mu_);
    return came_.size();
  }

 private:
  std::mutex mu_;
  std::vector<json> came_;
  std::unique_ptr<simulator::HttpServer> server_;
};

// An alert as it is to be, evaluation by evaluation.
struct Expected {
  char state = '-';
  std::int64_t active_at = 0;
  std::int64_t fired_at = 0;
  std::int64_t resolved_at = 0;
  std::int64_t sent_at = 0;

  // The step into the state; whether the alert is to be sent.
  bool Follow(char next, std::int64_t t) {
    if (next == 'p' || (next == 'F' && state != 'p' && state != 'F')) active_at = Begin(t, next);
    if (next == 'F' && state != 'F') fired_at = t;
    if (next == 'r' && state != 'r') resolved_at = t;
    const bool turned = next != state && (next == 'F' || next == 'r');
    state = next;
    if (next != 'F' && next != 'r') return false;
    if (!turned && t <= sent_at + kResendMs) return false;
    sent_at = t;
    return true;
  }

 private:
  std::int64_t Begin(std::int64_t t, char next) const {
    return state == 'p' && next == 'p' ? active_at : t;
  }
};

class ComplianceTest : public testing::TestWithParam<Scenario> {
 protected:
  void SetUp() override {
    const Scenario& scenario = GetParam();
    auto groups = rules::ParseRuleFile(
        "groups: [{name: g, interval: 30s, rules: [{alert: A, " + scenario.rule + "}]}]",
        "compliance.yaml");
    ASSERT_TRUE(groups) << groups.error().message();
    rules_.SetGroups(std::move(*groups), Options());
    sender_.Configure({{.url = receiver_.url() + "/api/v2/alerts"}}, {});
    auto server = web::Server::Listen({.listen_address = "127.0.0.1:0", .version = "1"},
                                      {.latest = latest_,
                                       .store = store_,
                                       .engine = engine_,
                                       .rules = rules_,
                                       .clock = clock_,
                                       .log = base::Logger::Silent(),
                                       .remote_write = &store_});
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
    server_->Start();
    for (const std::string& line : scenario.series) {
      const auto series = promql::ParseSeriesNotation(line);
      ASSERT_TRUE(series) << series.error().message();
      series_.push_back(*series);
    }
  }
  void TearDown() override {
    sender_.Stop();
    server_->Stop();
  }

  static rules::ManagerOptions Options() { return {.resend_delay_ms = kResendMs}; }

  void Send(const std::vector<rules::Alert>& alerts) {
    std::vector<notify::Alert> out;
    for (const rules::Alert& alert : alerts) {
      out.push_back({.labels = alert.labels,
                     .annotations = alert.annotations,
                     .starts_at = alert.fired_at,
                     .ends_at = alert.resolved_at != 0 ? alert.resolved_at : alert.valid_until,
                     .generator_url = "http://azexporter.example/graph"});
    }
    sender_.Send(std::move(out));
  }

  // The samples of a moment.
  void Write(std::size_t step) {
    std::string body;
    for (const promql::SeriesNotation& series : series_) {
      if (step >= series.values.size() || !series.values[step]) continue;
      test::LabelPairs labels;
      for (const model::Label label : series.labels) labels.emplace_back(label.name, label.value);
      body += test::SeriesField(labels, {{clock_.NowMs(), series.values[step]->f}});
    }
    net::HttpRequest request{.method = "POST", .url = server_->url() + "/api/v1/write"};
    request.body = test::Snappy(body);
    request.headers = {{"Content-Type", "application/x-protobuf"},
                       {"Content-Encoding", "snappy"},
                       {"X-Prometheus-Remote-Write-Version", "0.1.0"}};
    request.fresh_connection = true;
    const auto answer = http_.Fetch(request);
    ASSERT_TRUE(answer) << answer.error().message();
    ASSERT_EQ(answer->status, 204) << answer->body;
  }

  json Data(const std::string& path) {
    net::HttpRequest request{.method = "GET", .url = server_->url() + path};
    request.fresh_connection = true;
    const auto answer = http_.Fetch(request);
    EXPECT_TRUE(answer && answer->status == 200) << path;
    return answer ? json::parse(answer->body)["data"] : json();
  }

  // "a pending since T; b firing since T", in the order of zones, of a list of alerts in the API.
  static std::string Told(const json& alerts) {
    std::map<std::string, std::string> by_zone;
    for (const json& alert : alerts) {
      by_zone[alert["labels"].value("zone", "")] =
          alert["state"].get<std::string>() + " since " + alert["activeAt"].get<std::string>();
    }
    std::string text;
    for (const auto& [zone, state] : by_zone) text += zone + " " + state + "; ";
    return text;
  }

  // The same from the series ALERTS and ALERTS_FOR_STATE.
  std::string ToldBySeries() {
    const std::string at = std::to_string(clock_.NowMs() / 1000);
    std::map<std::string, std::string> by_zone;
    const json states = Data("/api/v1/query?query=ALERTS&time=" + at);
    for (const json& sample : states["result"]) {
      EXPECT_EQ(sample["value"][1], "1");
      by_zone[sample["metric"].value("zone", "")] += sample["metric"]["alertstate"];
    }
    const json times = Data("/api/v1/query?query=ALERTS_FOR_STATE&time=" + at);
    for (const json& sample : times["result"]) {
      const auto since = std::atoll(sample["value"][1].get<std::string>().c_str()) * 1000;
      by_zone[sample["metric"].value("zone", "")] += " since " + base::FormatRfc3339(since);
    }
    std::string text;
    for (const auto& [zone, state] : by_zone) text += zone + " " + state + "; ";
    return text;
  }

  void Check(std::size_t evaluation) {
    const std::int64_t t = clock_.NowMs();
    std::string active;
    std::map<std::string, std::string> sent;
    for (const AlertIs& alert : GetParam().alerts) {
      Expected& expected = expected_[alert.zone];
      if (expected.Follow(alert.states[evaluation], t)) {
        const bool over = expected.state == 'r';
        sent[alert.zone] = "from " + base::FormatRfc3339(expected.fired_at) + " to " +
                           base::FormatRfc3339(over ? expected.resolved_at : t + 4 * kResendMs);
      }
      if (expected.state != 'p' && expected.state != 'F') continue;
      active += alert.zone + (expected.state == 'p' ? " pending" : " firing") + " since " +
                base::FormatRfc3339(expected.active_at) + "; ";
    }
    SCOPED_TRACE("evaluation " + std::to_string(evaluation));
    const json alerts = Data("/api/v1/alerts");
    EXPECT_EQ(Told(alerts["alerts"]), active);
    const json rules = Data("/api/v1/rules");
    const json& rule = rules["groups"][0]["rules"][0];
    EXPECT_EQ(Told(rule["alerts"]), active);
    EXPECT_EQ(rule["health"], "ok");
    EXPECT_EQ(rule["state"], active.find("firing") != std::string::npos    ? "firing"
                             : active.find("pending") != std::string::npos ? "pending"
                                                                           : "inactive");
    EXPECT_EQ(ToldBySeries(), active);
    CheckSent(sent);
  }

  void CheckSent(const std::map<std::string, std::string>& want) {
    test::Eventually([&] { return receiver_.size() >= want.size(); }, 5'000);
    std::map<std::string, std::string> came;
    for (const json& alert : receiver_.Take()) {
      const auto time = [&](const char* name) {
        return base::FormatRfc3339(base::ParseTimeMs(alert[name].get<std::string>()).value_or(0));
      };
      const std::string zone = alert["labels"]["zone"];
      EXPECT_FALSE(came.contains(zone)) << "twice";
      came[zone] = "from " + time("startsAt") + " to " + time("endsAt");
      EXPECT_EQ(alert["labels"]["alertname"], "A");
      EXPECT_EQ(alert["labels"]["severity"], "page of " + zone);
      EXPECT_EQ(alert["annotations"]["summary"].get<std::string>().substr(0, 7), "value: ");
      EXPECT_EQ(alert["generatorURL"], "http://azexporter.example/graph");
    }
    EXPECT_EQ(came, want);
  }

  void Pass(std::int64_t ms) {
    if (InRealTime()) std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    clock_.Advance(ms);
  }

  // Whole seconds, as ALERTS_FOR_STATE has them.
  base::FakeClock clock_{base::SystemClock().NowMs() / 1000 * 1000};
  storage::MemoryStore store_;
  const promql::Engine engine_{promql::EngineOptions{}, clock_};
  Receiver receiver_;
  notify::Sender sender_{{}, {clock_, base::Logger::Silent()}};
  rules::Manager rules_{
      Options(),
      {.engine = engine_,
       .queryable = store_,
       .appendable = store_,
       .clock = clock_,
       .log = base::Logger::Silent(),
       .notify = [this](const rules::Rule&, const std::vector<rules::Alert>& due) { Send(due); }}};
  collect::LatestRound latest_;
  std::unique_ptr<web::Server> server_;
  net::HttpClient http_{{.user_agent = "test"}};
  std::vector<promql::SeriesNotation> series_;
  std::map<std::string, Expected> expected_;
};

TEST_P(ComplianceTest, IsFollowedWhole) {
  const std::size_t evaluations = GetParam().alerts.front().states.size();
  for (std::size_t step = 0; step < 2 * evaluations; ++step) {
    ASSERT_NO_FATAL_FAILURE(Write(step));
    if (step % 2 == 1) {
      rules_.EvaluateAll(clock_.NowMs());
      Check(step / 2);
    }
    Pass(kSampleMs);
  }
}

const std::string kWords =
    ", labels: {severity: 'page of {{ $labels.zone }}'}, annotations: {summary: 'value: {{ $value "
    "}}'}";

std::string Times(char state, int count) {
  return std::string(static_cast<std::size_t>(count), state);
}

// A resolved alert is told of for 15 minutes: 30 evaluations after its end, then it is forgotten.
const std::vector<Scenario> kScenarios = {
    {"pending, firing, resolved, twice",
     "expr: v > 10, for: 2m" + kWords,
     {"v{zone=\"a\"} 0x3 11x19 0x69 12x19"},
     {{"a", Times('-', 2) + Times('p', 4) + Times('F', 6) + Times('r', 31) + Times('-', 4) +
                Times('p', 4) + Times('F', 6)}}},
    {"pending and gone, and never anything",
     "expr: v > 10, for: 3m" + kWords,
     {"v{zone=\"a\"} 0x3 11x7 0x19", "v{zone=\"b\"} 5x31"},
     {{"a", Times('-', 2) + Times('p', 4) + Times('-', 10)}, {"b", Times('-', 16)}}},
    {"for: 0",
     "expr: v > 10" + kWords,
     {"v{zone=\"a\"} 0x3 11x3 0x3 11x3 0x79"},
     {{"a", Times('-', 2) + Times('F', 2) + Times('r', 2) + Times('F', 2) + Times('r', 31) +
                Times('-', 3)}}},
    {"for: shorter than the interval",
     "expr: v > 10, for: 5s" + kWords,
     {"v{zone=\"a\"} 0x3 11x7 0x9"},
     {{"a", Times('-', 2) + "p" + Times('F', 3) + Times('r', 5)}}},
    {"for: 6m",
     "expr: v > 10, for: 6m" + kWords,
     {"v{zone=\"a\"} 11x31 0x7"},
     {{"a", Times('p', 12) + Times('F', 4) + Times('r', 4)}}},
    {"one more comes while one fires",
     "expr: v > 10, for: 1m" + kWords,
     {"v{zone=\"a\"} 11x19 0x19", "v{zone=\"b\"} _x10 11x19 0x9"},
     {{"a", "pp" + Times('F', 8) + Times('r', 10)},
      {"b", Times('-', 5) + "pp" + Times('F', 8) + Times('r', 5)}}},
    {"keep_firing_for",
     "expr: v > 10, for: 30s, keep_firing_for: 2m" + kWords,
     {"v{zone=\"a\"} 11x5 0x5 11x3 0x21"},
     {{"a", "p" + Times('F', 11) + Times('r', 8)}}},
    {"a series that ends, ends its alert",
     "expr: v > 10" + kWords,
     {"v{zone=\"a\"} 11x3 stale"},
     {{"a", "FF" + Times('r', 4)}}},
};

std::string NameOf(const testing::TestParamInfo<Scenario>& scenario) {
  std::string name;
  for (const char c : scenario.param.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ComplianceTest, testing::ValuesIn(kScenarios), NameOf);

}  // namespace
}  // namespace azexporter
