// What azexporter writes and what protoc writes is read back, as a page of text would be.

#include "azexporter/exposition/message_reader.h"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "azexporter/base/float_format.h"
#include "azexporter/exposition/metric_message.h"
#include "exposition/metrics.pb.h"

namespace azexporter::exposition {
namespace {

namespace pb = test::metrics;

constexpr double kInf = std::numeric_limits<double>::infinity();

// "lat_bucket{le="1"} 2 @5; ...".
std::string Text(const TextPage& page) {
  std::string text;
  for (const TextSample& sample : page.samples) {
    if (!text.empty()) text += "; ";
    text += sample.labels.ToString() + " ";
    text += sample.h != nullptr ? sample.h->ToNotation() : base::FormatFloatG(sample.value);
    if (sample.t) text += " @" + std::to_string(*sample.t);
  }
  return text;
}

std::string ReadText(const std::string& bytes) {
  const auto page = ReadPage(bytes);
  return page ? Text(*page) : "error: " + page.error().message();
}

// One family of one metric behind its length.
std::string PageOf(std::string_view name, FamilyType type, const MetricMessage& metric) {
  std::string family = FamilyHead(name, "Help.", type);
  metric.AppendTo(family);
  std::string page;
  AppendDelimited(page, family);
  return page;
}

std::string PageOf(const pb::MetricFamily& family) {
  std::string page;
  AppendDelimited(page, family.SerializeAsString());
  return page;
}

model::HistogramValue Observed(std::initializer_list<double> values) {
  model::FloatHistogram native;
  native.zero_threshold = 0.001;
  for (const double value : values) native.Observe(value);
  model::HistogramValue value{{{1, 1}, {kInf, values.size()}}, native.sum};
  value.native = std::make_shared<const model::FloatHistogram>(std::move(native));
  return value;
}

TEST(MessageReaderTest, ReadsWhatAzexporterWrites) {
  MetricMessage gauge;
  gauge.AddLabel({"zone", "ä"});
  gauge.AddLabel({"instance", ""});
  gauge.SetValue(model::MetricType::kGauge, -0.5);
  EXPECT_EQ(ReadText(PageOf("up", FamilyType::kGauge, gauge)), "up{zone=\"ä\"} -0.5");
  MetricMessage both;
  both.SetHistogram(Observed({0.5, 3, 3.5}));
  EXPECT_EQ(ReadText(PageOf("lat", FamilyType::kHistogram, both)),
            "lat {{count:3 sum:7 z_bucket_w:0.001 offset:-1 buckets:[1 0 0 2]}}; "
            "lat_bucket{le=\"1\"} 1; lat_bucket{le=\"+Inf\"} 3; lat_sum 7; lat_count 3");
  // A federated one: of floats, with a time, of no classic buckets.
  model::FloatHistogram part;
  part.count = 1.5;
  part.negative = {{{1, 1}}, {1.5}};
  MetricMessage federated;
  federated.SetTime(-7);
  federated.SetHistogram(part);
  EXPECT_EQ(ReadText(PageOf("size", FamilyType::kGaugeHistogram, federated)),
            "size {{count:1.5 counter_reset_hint:gauge n_offset:1 n_buckets:[1.5]}} @-7");
  const auto page = ReadPage(PageOf("lat", FamilyType::kHistogram, both) +
                             PageOf("up", FamilyType::kGauge, gauge));
  ASSERT_TRUE(page);
  ASSERT_EQ(page->families.size(), 2U);
  EXPECT_EQ(page->families[0].name + page->families[0].type + page->families[0].help,
            "lathistogramHelp.");
}

TEST(MessageReaderTest, ReadsWhatClientLibrariesWrite) {
  pb::MetricFamily summary;
  summary.set_name("rpc");
  summary.set_type(pb::SUMMARY);
  pb::Metric* metric = summary.add_metric();
  metric->mutable_summary()->set_sample_count(4);
  metric->mutable_summary()->set_sample_sum(2.5);
  pb::Quantile* quantile = metric->mutable_summary()->add_quantile();
  quantile->set_quantile(0.5);
  quantile->set_value(0.25);
  EXPECT_EQ(ReadText(PageOf(summary)), "rpc{quantile=\"0.5\"} 0.25; rpc_sum 2.5; rpc_count 4");
  pb::MetricFamily classic;
  classic.set_name("h");
  classic.set_type(pb::HISTOGRAM);
  pb::Histogram* histogram = classic.add_metric()->mutable_histogram();
  histogram->set_sample_count(3);
  histogram->add_bucket()->set_upper_bound(0.5);
  histogram->mutable_bucket(0)->set_cumulative_count(2);
  EXPECT_EQ(ReadText(PageOf(classic)),
            "h_bucket{le=\"0.5\"} 2; h_bucket{le=\"+Inf\"} 3; h_sum 0; h_count 3")
      << "client_golang leaves +Inf out";
}

TEST(MessageReaderTest, NamesWhatIsWrong) {
  const auto family = [](const auto& change) {
    pb::MetricFamily made;
    made.set_name("up");
    made.set_type(pb::GAUGE);
    pb::Metric* metric = made.add_metric();
    metric->mutable_gauge()->set_value(1);
    change(made, *metric);
    return PageOf(made);
  };
  const std::string good = family([](auto&, auto&) {});
  EXPECT_EQ(ReadText(good + good.substr(0, 9)), "error: byte 20: the message is cut short");
  EXPECT_EQ(ReadText(good + family([](auto& f, auto&) { f.clear_name(); })),
            "error: byte 20: the name of a family is none");
  EXPECT_EQ(ReadText(family([](auto&, auto& m) { m.clear_gauge(); })),
            "error: byte 0: a metric of family \"up\" has no value");
  EXPECT_EQ(ReadText(family([](auto&, auto& m) {
              for (int i = 0; i < 2; ++i) m.add_label()->set_name("zone");
            })),
            "error: byte 0: a label of family \"up\" is empty, repeated or not valid UTF-8");
  EXPECT_EQ(ReadText(family([](auto&, auto& m) {
              m.clear_gauge();
              m.mutable_histogram()->add_positive_span()->set_length(2);
            })),
            "error: byte 0: up: positive side: spans need 2 buckets, have 0");
  const auto few = ReadFamilyMessages(good + good, 1);
  ASSERT_FALSE(few);
  EXPECT_EQ(few.error().message(), "byte 20: more than 1 samples");
}

TEST(MessageReaderTest, TextIsNotTakenForMessages) {
  for (const char* text : {"", "#", "#\n", "\n\n\n", "up 1\n", "# HELP up \x12\n", "up{a=\"\"} 1\n",
                           "#\n# TYPE a gauge\na 1\n", "\x0a\x0a\x0a"}) {
    EXPECT_FALSE(BeginsWithFamilyMessage(text)) << text;
  }
}

// Cut or changed anywhere, a page is read, or refused; nothing else.
TEST(MessageReaderTest, AnyBytesAreReadOrRefused) {
  MetricMessage metric;
  metric.AddLabel({"zone", "a"});
  metric.SetHistogram(Observed({0, 0.5, 3}));
  const std::string page = PageOf("lat", FamilyType::kHistogram, metric);
  for (std::size_t cut = 1; cut < page.size(); ++cut) {
    EXPECT_FALSE(ReadFamilyMessages(page.substr(0, cut), 100)) << cut;
  }
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::string changed = page;
    for (std::uint64_t k = random() % 3 + 1; k > 0; --k) {
      changed[random() % changed.size()] = static_cast<char>(random());
    }
    if (const auto read = ReadFamilyMessages(changed, 100)) {
      for (const TextSample& sample : read->samples) {
        ASSERT_TRUE(sample.h == nullptr || sample.h->Validate());
      }
    }
  }
}

}  // namespace
}  // namespace azexporter::exposition
