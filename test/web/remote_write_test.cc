// POST /api/v1/write.

#include <limits>

#include "azexporter/exposition/remote_write_encode.h"
#include "azexporter/model/regexp.h"
#include "azexporter/remote/sender.h"
#include "server_fixture.h"
#include "support/write_body.h"

namespace azexporter::web {
namespace {

using collect::RemoteWriteReason;
using test::BytesField;
using test::LabelPairs;
using test::SeriesField;

const LabelPairs kLoad = {{"__name__", "load"}, {"zone", "a"}};

class RemoteWriteServerTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerDeps deps = Deps();
    deps.remote_write = &store_;
    Listen(std::move(deps), {});
  }

  net::HttpResponse Write(const std::string& message,
                          const std::string& type = "application/x-protobuf",
                          const std::string& encoding = "snappy") {
    return Send({.method = "POST",
                 .url = "/api/v1/write",
                 .headers = {{"Content-Type", type},
                             {"Content-Encoding", encoding},
                             {"X-Prometheus-Remote-Write-Version", "0.1.0"}},
                 .body = test::Snappy(message)});
  }

  // The points of load{zone="a"} as the store holds them.
  std::vector<model::FPoint> Stored() {
    const auto querier = store_.NewQuerier(kNow - 1'000'000, kNow + 1'000'000);
    const auto matcher =
        model::Matcher::Create(model::MatchType::kEqual, std::string(model::kMetricName), "load");
    const auto set = (*querier)->Select({&*matcher, 1});
    std::vector<model::FPoint> points;
    for (std::size_t i = 0; i < (*set)->size(); ++i) {
      (*set)->Read(i, kNow - 1'000'000, kNow + 1'000'000, points);
    }
    return points;
  }

  std::uint64_t Refused(RemoteWriteReason reason) {
    return server_->remote_write()->refused[static_cast<std::size_t>(reason)];
  }
  std::uint64_t Dropped(RemoteWriteReason reason) {
    return server_->remote_write()->dropped[static_cast<std::size_t>(reason)];
  }
};

TEST_F(RemoteWriteServerTest, StoresSamples) {
  const std::vector<model::FPoint> points = {{kNow - 2, 1}, {kNow - 1, 2.5}, {kNow, -3}};
  const auto response = Write(SeriesField(kLoad, points));
  EXPECT_EQ(response.status, 204) << response.body;
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(Stored(), points);
  EXPECT_EQ(server_->remote_write()->samples, 3U);
  EXPECT_EQ(Write(SeriesField(kLoad, points).substr(0, 0)).status, 204) << "an empty request";
  // Sent again, as after a lost answer, the newest is equal and the others are out of order.
  EXPECT_EQ(Write(SeriesField(kLoad, {points.back()})).status, 204);
  EXPECT_EQ(Write(SeriesField(kLoad, points)).status, 400);
  EXPECT_EQ(Stored(), points);
}

TEST_F(RemoteWriteServerTest, RefusesSamplesAsPrometheusAndStoresNothingOfTheRequest) {
  ASSERT_EQ(Write(SeriesField(kLoad, {{kNow - 10, 1}})).status, 204);
  const std::string other = SeriesField({{"__name__", "load"}, {"zone", "b"}}, {{kNow, 1}});
  struct RefusalCase {
    model::FPoint point;
    const char* text;
    RemoteWriteReason reason;
  };
  const RefusalCase cases[] = {
      {{kNow - 20, 1}, "out of order sample\n", RemoteWriteReason::kOutOfOrder},
      {{kNow - 10, 2}, "duplicate sample for timestamp\n", RemoteWriteReason::kDuplicate},
      {{kNow + 600'001, 1},
       "out of bounds: timestamp is too far in the future\n",
       RemoteWriteReason::kTooFarAhead},
  };
  for (const RefusalCase& c : cases) {
    const auto response = Write(other + SeriesField(kLoad, {c.point}));
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.body, c.text);
    EXPECT_EQ(response.Header("content-type"), "text/plain; charset=utf-8");
    EXPECT_EQ(Refused(c.reason), 1U) << c.text;
  }
  EXPECT_EQ(Stored(), (std::vector<model::FPoint>{{kNow - 10, 1}}));
}

TEST_F(RemoteWriteServerTest, LeavesOutWhatTheSameRequestHasOvertaken) {
  const auto response =
      Write(SeriesField(kLoad, {{kNow - 5, 1}, {kNow - 6, 2}, {kNow - 5, 3}, {kNow, 4}}));
  EXPECT_EQ(response.status, 204) << response.body;
  EXPECT_EQ(Stored(), (std::vector<model::FPoint>{{kNow - 5, 1}, {kNow, 4}}));
  EXPECT_EQ(server_->remote_write()->samples, 2U);
  EXPECT_EQ(Dropped(RemoteWriteReason::kOutOfOrder), 1U);
  EXPECT_EQ(Dropped(RemoteWriteReason::kDuplicate), 1U);
}

model::HistogramPtr NewHistogram(double first_bucket) {
  model::FloatHistogram histogram;
  histogram.count = 3;
  histogram.sum = 4.5;
  histogram.positive = {{{0, 2}}, {first_bucket, 2}};
  return std::make_shared<const model::FloatHistogram>(histogram);
}

std::string HistogramBody(double first_bucket) {
  const auto labels = model::Labels::Of({{"__name__", "load"}, {"zone", "a"}});
  return exposition::EncodeWriteRequest(
      {{exposition::WriteSeries{labels, {}, {{kNow, NewHistogram(first_bucket)}}}}});
}

TEST_F(RemoteWriteServerTest, StoresNativeHistograms) {
  const auto response = Write(HistogramBody(1));
  EXPECT_EQ(response.status, 204) << response.body;
  EXPECT_EQ(server_->remote_write()->samples, 1U);
  const auto answer = Send({.method = "GET", .url = "/api/v1/query?query=load"});
  EXPECT_NE(
      answer.body.find("{\"count\":\"3\",\"sum\":\"4.5\",\"buckets\":[[0,\"0.5\",\"1\",\"1\"],"
                       "[0,\"1\",\"2\",\"2\"]]}"),
      std::string::npos)
      << answer.body;
}

TEST_F(RemoteWriteServerTest, RefusesWhatIsNoHistogram) {
  const auto response = Write(HistogramBody(-1));
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body, "load{zone=\"a\"}: positive side: a bucket has a negative count\n");
  EXPECT_TRUE(Stored().empty());
  EXPECT_EQ(Refused(RemoteWriteReason::kNativeHistogram), 1U);
  EXPECT_EQ(Write(SeriesField(kLoad, {}, BytesField(4, "histogram"))).status, 400);
  EXPECT_EQ(Refused(RemoteWriteReason::kMalformed), 1U);
}

TEST_F(RemoteWriteServerTest, RefusesBadBodies) {
  const std::string good = SeriesField(kLoad, {{kNow, 1}});
  struct BodyCase {
    const char* type;
    const char* encoding;
    int status;
    const char* text;
  };
  const BodyCase cases[] = {
      {"text/plain", "snappy", 415,
       "expected application/x-protobuf as the first (media) part, got text/plain content-type\n"},
      {"application/x-protobuf;proto=io.prometheus.write.v3.Request", "snappy", 415,
       "io.prometheus.write.v3.Request protobuf message is not accepted by this server; only "
       "accepts prometheus.WriteRequest, io.prometheus.write.v2.Request\n"},
      {"application/x-protobuf", "zstd", 415,
       "zstd encoding (compression) is not accepted by this server; only snappy is acceptable\n"},
      {"application/x-protobuf;proto=prometheus.WriteRequest", "snappy", 204, ""},
  };
  for (const BodyCase& c : cases) {
    const auto response = Write(good, c.type, c.encoding);
    EXPECT_EQ(response.status, c.status) << c.type;
    EXPECT_EQ(response.body, c.text);
  }
  EXPECT_EQ(Refused(RemoteWriteReason::kEncoding), 3U);
  const auto broken =
      Send({.method = "POST",
            .url = "/api/v1/write",
            .headers = {{"Content-Encoding", "snappy"}, {"Content-Type", "application/x-protobuf"}},
            .body = "no snappy"});
  EXPECT_EQ(broken.status, 400);
  EXPECT_EQ(broken.body, "snappy: corrupt input\n");
  EXPECT_EQ(Write(SeriesField({{"__name__", "up"}, {"a", "1"}, {"a", "2"}}, {})).status, 400);
  EXPECT_EQ(Refused(RemoteWriteReason::kMalformed), 2U);
  EXPECT_EQ(server_->remote_write()->requests, 6U);
}

// "/samples/histograms/exemplars" as an answer says that they were written; "" where it does not.
std::string Written(const net::HttpResponse& response) {
  const std::string prefix = "x-prometheus-remote-write-";
  std::string text;
  for (const char* kind : {"samples", "histograms", "exemplars"}) {
    text += "/";
    text += response.Header(prefix + kind + "-written");
  }
  return text == "///" ? "" : text;
}

constexpr char kV2[] = "application/x-protobuf;proto=io.prometheus.write.v2.Request";

std::string BodyV2(const std::vector<exposition::WriteSeries>& series) {
  return exposition::EncodeWriteRequestV2(series, {});
}

const model::Labels kLoadLabels = model::Labels::Of({{"__name__", "load"}, {"zone", "a"}});

TEST_F(RemoteWriteServerTest, Version2SaysWhatWasWritten) {
  const std::vector<model::FPoint> points = {{kNow - 2, 1}, {kNow - 1, 2.5}};
  const auto response = Write(BodyV2({{kLoadLabels, points, {{kNow, NewHistogram(1)}}}}), kV2);
  EXPECT_EQ(response.status, 204) << response.body;
  EXPECT_EQ(Written(response), "/2/1/0");
  const auto stored = Stored();
  ASSERT_EQ(stored.size(), 3U);
  EXPECT_TRUE(model::IsHistogramNaN(stored[2].f));
  EXPECT_EQ(server_->remote_write()->samples, 3U);
  EXPECT_EQ(Written(Write("", kV2)), "/0/0/0") << "an empty request";
  EXPECT_EQ(Written(Write("")), "") << "version 1.0 does not say it";
  const auto malformed = Write("x", kV2);
  EXPECT_EQ(malformed.status, 400);
  EXPECT_EQ(Written(malformed), "/0/0/0");
}

// What can be stored is, whatever stands beside it.
TEST_F(RemoteWriteServerTest, Version2StoresWhatItCan) {
  ASSERT_EQ(Write(SeriesField(kLoad, {{kNow - 10, 1}})).status, 204);
  const auto other = model::Labels::Of({{"__name__", "other"}});
  const auto response =
      Write(BodyV2({{kLoadLabels,
                     {{kNow - 20, 1}, {kNow - 10, 2}, {kNow - 5, 3}, {kNow + 600'001, 4}},
                     {{kNow, NewHistogram(-1)}}},
                    {model::Labels::Of({{"zone", "nameless"}}), {{kNow, 1}, {kNow + 1, 1}}},
                    {other, {{kNow, 1}, {kNow - 1, 2}}}}),
            kV2);
  EXPECT_EQ(response.status, 400);
  EXPECT_EQ(response.body,
            "series without a metric name: {zone=\"nameless\"}\n"
            "out of order sample for series load{zone=\"a\"}\n"
            "duplicate sample for timestamp for series load{zone=\"a\"}\n"
            "out of bounds: timestamp is too far in the future for series load{zone=\"a\"}\n"
            "load{zone=\"a\"}: positive side: a bucket has a negative count\n"
            "out of order sample for series other\n");
  EXPECT_EQ(Written(response), "/2/0/0");
  EXPECT_EQ(Stored(), (std::vector<model::FPoint>{{kNow - 10, 1}, {kNow - 5, 3}}));
  EXPECT_EQ(server_->remote_write()->samples, 3U);
  EXPECT_EQ(Refused(RemoteWriteReason::kMalformed), 1U) << "the request, by its first fault";
  EXPECT_EQ(Dropped(RemoteWriteReason::kMalformed), 2U);
  EXPECT_EQ(Dropped(RemoteWriteReason::kOutOfOrder), 2U);
  EXPECT_EQ(Dropped(RemoteWriteReason::kDuplicate), 1U);
  EXPECT_EQ(Dropped(RemoteWriteReason::kTooFarAhead), 1U);
  EXPECT_EQ(Dropped(RemoteWriteReason::kNativeHistogram), 1U);
  std::vector<exposition::WriteSeries> many;
  for (int i = 0; i < 25; ++i) {
    many.push_back({model::Labels::Of({{"n", std::to_string(i)}}), {{kNow, 1}}});
  }
  EXPECT_TRUE(Write(BodyV2(many), kV2).body.ends_with("{n=\"9\"}\nand 15 more\n"));
}

TEST_F(RemoteWriteServerTest, Version2TellsSinceWhenACounterCounts) {
  std::string series = BytesField(1, std::string("\1\2", 2));
  std::string sample = test::SampleMessage({kNow, 5});
  sample += '\x18';  // field 3, a varint
  test::AppendVarint(sample, kNow - 1'000);
  const std::string body = BytesField(4, "") + BytesField(4, "__name__") + BytesField(4, "load") +
                           BytesField(5, series + BytesField(2, sample));
  ASSERT_EQ(Write(body, kV2).status, 204);
  const auto querier = store_.NewQuerier(kNow - 10, kNow);
  const auto matcher = model::Matcher::Create(model::MatchType::kEqual, "__name__", "load");
  const auto set = (*querier)->Select({&*matcher, 1});
  std::vector<storage::DetailPoint> details;
  (*set)->ReadDetails(0, kNow - 10, kNow, details);
  ASSERT_EQ(details.size(), 1U);
  EXPECT_EQ(details[0].detail.start_t, kNow - 1'000);
}

// azexporter to azexporter: nothing is lost, and both sides count alike.
TEST_F(RemoteWriteServerTest, TakesWhatItsOwnSenderSends) {
  remote::Sender sender({}, {clock_, base::Logger::Silent()});
  std::vector<remote::WriteTarget> targets(2);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets[i].endpoint.url = server_->url() + "/api/v1/write";
    targets[i].name = std::to_string(i);
    targets[i].batch_send_deadline_ms = 1;
    targets[i].send_native_histograms = true;
    targets[i].relabel = {
        *model::RelabelRule::Create({.target_label = "by", .replacement = i == 0 ? "one" : "two"})};
  }
  targets[1].message = remote::WriteMessage::kV2;
  sender.Configure(targets, {});
  const auto h = model::Labels::Of({{"__name__", "h"}});
  sender.Send(std::vector<model::Sample>{{kLoadLabels, kNow - 1, 1},
                                         {h, kNow - 1, 0, NewHistogram(1)},
                                         {kLoadLabels, kNow, model::StaleNaN()},
                                         {h, kNow, 0, NewHistogram(2)}});
  sender.Stop();
  for (const remote::WriteStats& stats : sender.Stats()) {
    EXPECT_EQ(stats.samples, 4U);
    EXPECT_EQ(stats.samples_failed, 0U);
    EXPECT_EQ(stats.pending, 0U);
  }
  EXPECT_EQ(server_->remote_write()->samples, 8U);
  const auto one = Ask(Encode("/api/v1/query_range?step=1&start=1799999999.999&end=1800000000"
                              "&query=h{by=\"one\"}"))
                       .body;
  const auto two = Ask(Encode("/api/v1/query_range?step=1&start=1799999999.999&end=1800000000"
                              "&query=h{by=\"two\"}"))
                       .body;
  EXPECT_NE(one.find("\"count\":\"3\""), std::string::npos) << one;
  EXPECT_EQ(two, *model::ReplaceAll("one", "two", one));
}

TEST_F(RemoteWriteServerTest, IsThereOnlyWhereEnabledAndByPostOnly) {
  EXPECT_EQ(Ask("/api/v1/write").status, 405);
  Listen(Deps(), {});
  const auto response = Write(SeriesField(kLoad, {{kNow, 1}}));
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body,
            "remote write receiver needs to be enabled with --web.enable-remote-write-receiver\n");
  EXPECT_FALSE(server_->remote_write());
}

}  // namespace
}  // namespace azexporter::web
