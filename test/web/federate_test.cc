// GET /federate.

#include "azexporter/exposition/metric_message.h"
#include "server_fixture.h"

namespace azexporter::web {
namespace {

class FederateTest : public ServerTest {
 protected:
  void Append(const model::Labels& labels, model::TimestampMs t, double value) {
    const auto appender = store_.NewAppender();
    ASSERT_EQ(appender->Append(labels, t, value), storage::AppendOutcome::kAppended);
    ASSERT_TRUE(appender->Commit());
  }
};

TEST_F(FederateTest, WritesTheNewestSamplesWithTheirTimes) {
  Append(model::Labels::Of({{"__name__", "other"}, {"text", "a\"\\\n"}, {"instance", "x:1"}}),
         kNow - 300'000, 3);
  Append(model::Labels::Of({{"__name__", "größe"}, {"a b", "c"}}), kNow, 4);
  Append(model::Labels::Of({{"__name__", "old"}}), kNow - 300'001, 1);
  Append(model::Labels::Of({{"__name__", "ended"}}), kNow - 1, 1);
  Append(model::Labels::Of({{"__name__", "ended"}}), kNow, model::StaleNaN());
  ServerDeps deps = Deps();
  deps.config = [] {
    return ConfigView{.external_labels = model::Labels::Of({{"cluster", "c"}, {"zone", "never"}})};
  };
  Listen(std::move(deps), {});
  const auto response =
      Ask(Encode("/federate?match[]={__name__=~\"up|old|ended\"}&match[]=up&match[]=other&"
                 "match[]={\"größe\"}"));
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.Header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(response.body,
            "# TYPE \"größe\" untyped\n"
            "{\"größe\",\"a b\"=\"c\",cluster=\"c\",instance=\"\",zone=\"never\"} 4 1800000000000\n"
            "# TYPE other untyped\n"
            "other{instance=\"x:1\",text=\"a\\\"\\\\\\n\",cluster=\"c\",zone=\"never\"} 3 "
            "1799999700000\n"
            "# TYPE up untyped\n"
            "up{zone=\"a\",cluster=\"c\",instance=\"\"} 0.5 1800000000000\n"
            "up{zone=\"b\",cluster=\"c\",instance=\"\"} 1e+21 1800000000000\n");
}

// A native histogram with exponential buckets has no place in the text format, one with custom
// buckets has; in protobuf both have.
TEST_F(FederateTest, WritesNativeHistogramsWhereTheFormatHasThem) {
  const auto append = [&](const char* name, model::FloatHistogram histogram) {
    const auto appender = store_.NewAppender();
    const auto labels = model::Labels::Of({{"__name__", name}});
    const auto value = std::make_shared<const model::FloatHistogram>(std::move(histogram));
    ASSERT_EQ(appender->AppendDetailed(labels, kNow, 0, {value}),
              storage::AppendOutcome::kAppended);
    ASSERT_TRUE(appender->Commit());
  };
  model::FloatHistogram native;
  native.Observe(3);
  append("lat", native);
  model::FloatHistogram gauge;
  gauge.hint = model::CounterResetHint::kGauge;
  append("size", gauge);
  model::FloatHistogram custom;
  custom.schema = model::FloatHistogram::kCustomSchema;
  custom.custom_bounds = {0.5};
  custom.count = 3;
  custom.sum = 2;
  custom.positive = {{{0, 2}}, {1, 2}};
  append("nhcb", custom);
  Append(model::Labels::Of({{"__name__", "lat"}, {"zone", "a"}}), kNow, 4);
  Listen(Deps(), {});
  const std::string path = Encode("/federate?match[]={__name__=~\"lat|nhcb|size\"}");
  EXPECT_EQ(Ask(path).body,
            "# TYPE lat untyped\nlat{zone=\"a\",instance=\"\"} 4 1800000000000\n"
            "# TYPE nhcb histogram\n"
            "nhcb_bucket{instance=\"\",le=\"0.5\"} 1 1800000000000\n"
            "nhcb_bucket{instance=\"\",le=\"+Inf\"} 3 1800000000000\n"
            "nhcb_sum{instance=\"\"} 2 1800000000000\n"
            "nhcb_count{instance=\"\"} 3 1800000000000\n");

  using exposition::FamilyType;
  const auto response = Send({.url = path,
                              .headers = {{"Accept",
                                           "application/vnd.google.protobuf;proto=io.prometheus."
                                           "client.MetricFamily;encoding=delimited"}}});
  EXPECT_EQ(response.Header("content-type"), exposition::kProtobufContentType);
  std::string page;
  const auto add = [&page](const char* name, FamilyType type,
                           const model::FloatHistogram* histogram) {
    exposition::MetricMessage metric;
    if (histogram == nullptr) metric.AddLabel({"zone", "a"});
    metric.AddLabel({"instance", ""});
    metric.SetTime(kNow);
    if (histogram == nullptr) {
      metric.SetValue(model::MetricType::kUnknown, 4);
    } else {
      metric.SetHistogram(*histogram);
    }
    std::string family = exposition::FamilyHead(name, "", type);
    metric.AppendTo(family);
    exposition::AppendDelimited(page, family);
  };
  add("lat", FamilyType::kHistogram, &native);
  add("lat", FamilyType::kUntyped, nullptr);
  add("nhcb", FamilyType::kHistogram, &custom);
  add("size", FamilyType::kGaugeHistogram, &gauge);
  EXPECT_EQ(response.body, page);
}

TEST_F(FederateTest, IsEmptyWithoutASelectorAndRefusesABadOne) {
  const auto nothing = Ask("/federate");
  EXPECT_EQ(nothing.status, 200);
  EXPECT_EQ(nothing.body, "");
  const auto bad = Ask(Encode("/federate?match[]=up{"));
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, "1:4: parse error: unexpected end of input inside braces\n");
}

}  // namespace
}  // namespace azexporter::web
