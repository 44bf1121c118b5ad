// What is written is read back by code that protoc makes.

#include "azexporter/exposition/metric_message.h"

#include <gtest/gtest.h>

#include <limits>

#include "exposition/metrics.pb.h"

namespace azexporter::exposition {
namespace {

namespace pb = test::metrics;

constexpr double kInf = std::numeric_limits<double>::infinity();

pb::Metric Read(const MetricMessage& metric) {
  std::string family = FamilyHead("m", "", FamilyType::kUntyped);
  metric.AppendTo(family);
  pb::MetricFamily read;
  EXPECT_TRUE(read.ParseFromString(family));
  EXPECT_EQ(read.metric_size(), 1);
  return read.metric_size() == 1 ? read.metric(0) : pb::Metric();
}

TEST(MetricMessageTest, WritesValuesByTheirType) {
  const auto read = [](model::MetricType type) {
    MetricMessage metric;
    metric.AddLabel({"zone", "ä"});
    metric.AddLabel({"node", "n"});
    metric.SetValue(type, -0.5);
    return Read(metric);
  };
  const pb::Metric gauge = read(model::MetricType::kGauge);
  ASSERT_EQ(gauge.label_size(), 2);
  EXPECT_EQ(gauge.label(0).name(), "zone");
  EXPECT_EQ(gauge.label(0).value(), "ä");
  EXPECT_EQ(gauge.gauge().value(), -0.5);
  EXPECT_FALSE(gauge.has_timestamp_ms());
  EXPECT_EQ(read(model::MetricType::kCounter).counter().value(), -0.5);
  EXPECT_EQ(read(model::MetricType::kUnknown).untyped().value(), -0.5);
}

TEST(MetricMessageTest, WritesAHistogramWithItsNativePart) {
  model::FloatHistogram native;
  native.schema = 3;
  native.zero_threshold = 0x1p-128;
  native.zero_count = 2;
  native.positive = {{{-4, 2}, {3, 1}}, {1, 5, 4}};
  model::HistogramValue value{{{0.5, 3}, {kInf, 12}}, 7.25};
  MetricMessage classic;
  classic.SetHistogram(value);
  EXPECT_FALSE(Read(classic).histogram().has_schema());
  value.native = std::make_shared<const model::FloatHistogram>(native);
  MetricMessage metric;
  metric.SetHistogram(value);
  const pb::Histogram read = Read(metric).histogram();
  EXPECT_EQ(read.sample_count(), 12u);
  EXPECT_EQ(read.sample_sum(), 7.25);
  ASSERT_EQ(read.bucket_size(), 2);
  EXPECT_EQ(read.bucket(0).cumulative_count(), 3u);
  EXPECT_EQ(read.bucket(1).upper_bound(), kInf);
  EXPECT_EQ(read.schema(), 3);
  EXPECT_EQ(read.zero_threshold(), 0x1p-128);
  EXPECT_EQ(read.zero_count(), 2u);
  ASSERT_EQ(read.positive_span_size(), 2);
  EXPECT_EQ(read.positive_span(0).offset(), -4);
  EXPECT_EQ(read.positive_span(1).offset(), 3);
  EXPECT_EQ(read.positive_span(0).length(), 2u);
  ASSERT_EQ(read.positive_delta_size(), 3);
  EXPECT_EQ(read.positive_delta(0), 1);
  EXPECT_EQ(read.positive_delta(1), 4);
  EXPECT_EQ(read.positive_delta(2), -1);
}

// Without a bucket and with a zero bucket of no width it would look like a classic one.
TEST(MetricMessageTest, AnEmptyNativeHistogramHasASpanOfNothing) {
  model::HistogramValue value{{{kInf, 0}}, 0};
  value.native = std::make_shared<const model::FloatHistogram>();
  MetricMessage metric;
  metric.SetHistogram(value);
  const pb::Histogram read = Read(metric).histogram();
  ASSERT_EQ(read.positive_span_size(), 1);
  EXPECT_EQ(read.positive_span(0).length(), 0u);
  EXPECT_EQ(read.positive_delta_size(), 0);
}

TEST(MetricMessageTest, WritesFloatHistogramsWithTheirTime) {
  model::FloatHistogram native;
  native.schema = -2;
  native.count = 4.5;
  native.sum = -1;
  native.zero_count = 0.5;
  native.negative = {{{1, 1}}, {1.5}};
  native.positive = {{{0, 2}}, {0.5, 2}};
  MetricMessage metric;
  metric.SetTime(1'800'000'000'000);
  metric.SetHistogram(native);
  const pb::Metric read = Read(metric);
  EXPECT_EQ(read.timestamp_ms(), 1'800'000'000'000);
  EXPECT_EQ(read.histogram().sample_count_float(), 4.5);
  EXPECT_EQ(read.histogram().schema(), -2);
  EXPECT_EQ(read.histogram().zero_count_float(), 0.5);
  ASSERT_EQ(read.histogram().negative_count_size(), 1);
  EXPECT_EQ(read.histogram().negative_count(0), 1.5);
  ASSERT_EQ(read.histogram().positive_count_size(), 2);
  EXPECT_EQ(read.histogram().positive_count(1), 2);
}

TEST(MetricMessageTest, CustomBucketsBecomeAClassicHistogram) {
  model::FloatHistogram custom;
  custom.schema = model::FloatHistogram::kCustomSchema;
  custom.custom_bounds = {1, 5, 10};
  custom.count = 6;
  custom.positive = {{{0, 1}, {1, 2}}, {1, 2, 3}};  // nothing between 1 and 5
  MetricMessage metric;
  metric.SetHistogram(custom);
  const pb::Histogram read = Read(metric).histogram();
  EXPECT_EQ(read.sample_count_float(), 6);
  ASSERT_EQ(read.bucket_size(), 3);
  const double counts[] = {1, 1, 3};
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(read.bucket(i).upper_bound(), custom.custom_bounds[static_cast<std::size_t>(i)]);
    EXPECT_EQ(read.bucket(i).cumulative_count_float(), counts[i]);
  }
  EXPECT_FALSE(read.has_schema());
}

TEST(MetricMessageTest, AFamilyStandsBehindItsLength) {
  const std::string message =
      FamilyHead("az_x", std::string(200, 'h'), FamilyType::kGaugeHistogram);
  std::string page;
  AppendDelimited(page, message);
  EXPECT_EQ(page.substr(0, 2), "\xD3\x01") << "211";
  pb::MetricFamily read;
  ASSERT_TRUE(read.ParseFromString(page.substr(2)));
  EXPECT_EQ(read.name(), "az_x");
  EXPECT_EQ(read.help().size(), 200u);
  EXPECT_EQ(read.type(), pb::GAUGE_HISTOGRAM);
}

constexpr std::string_view kDelimited =
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

TEST(NegotiateTest, ServesWhatIsWantedMost) {
  const std::string protobuf(kDelimited);
  const std::string wishes[] = {
      // Prometheus 2.42 with native histograms, and 3.x.
      protobuf +
          ",application/openmetrics-text;version=1.0.0;q=0.8,application/openmetrics-text;"
          "version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
      protobuf +
          ";q=0.6,application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"
          "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
      "text/plain;q=0.5, " + protobuf + "; q=\"0.6\"",
      "application/vnd.google.protobuf ; proto=\"io.prometheus.client.MetricFamily\" ; "
      "encoding=delimited",
      protobuf + ", text/plain",
  };
  for (const std::string& accept : wishes) {
    EXPECT_EQ(Negotiate(accept), PageFormat::kProtobuf) << accept;
  }
  const std::string others[] = {
      "",
      "*/*",
      "text/html,*/*;q=0.8",
      "text/plain, " + protobuf,
      "text/*;q=0.9, " + protobuf + ";q=0.8",
      protobuf + ";q=0",
      protobuf + ";q=x",
      protobuf + ";q=0.1,text/plain;version=0.0.4;q=0.2",
      "application/openmetrics-text;version=1.0.0",
      "application/vnd.google.protobuf",
      "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text",
      ";;,=,;q",
  };
  for (const std::string& accept : others) {
    EXPECT_EQ(Negotiate(accept), PageFormat::kText) << accept;
  }
}

}  // namespace
}  // namespace azexporter::exposition
