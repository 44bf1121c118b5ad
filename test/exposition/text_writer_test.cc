#include "azexporter/exposition/text_writer.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>

namespace azexporter::exposition {
namespace {

using model::Labels;

constexpr std::array<std::string_view, 1> kZone = {"zone"};

TEST(TextWriterTest, WritesAGaugeWithEscapes) {
  const model::MetricDesc desc = {"az_x", "Help with \\ and\nline.", model::MetricType::kGauge,
                                  kZone};
  model::MetricFamily family{&desc, {{Labels::Of({{"zone", "a\"b\\c\nd"}}), 0.5}}, {}};
  std::string out;
  AppendText(out, family);
  EXPECT_EQ(out,
            "# HELP az_x Help with \\\\ and\\nline.\n"
            "# TYPE az_x gauge\n"
            "az_x{zone=\"a\\\"b\\\\c\\nd\"} 0.5\n");
}

TEST(TextWriterTest, WritesAHistogramWithItsSumAndCount) {
  const model::MetricDesc desc = {"az_h", "H.", model::MetricType::kHistogram, kZone};
  model::HistogramValue value{{{0.5, 1}, {std::numeric_limits<double>::infinity(), 3}}, 7.25};
  model::MetricFamily family{&desc, {}, {{Labels::Of({{"zone", "a"}}), value}}};
  std::string out;
  AppendText(out, family);
  EXPECT_EQ(out,
            "# HELP az_h H.\n# TYPE az_h histogram\n"
            "az_h_bucket{zone=\"a\",le=\"0.5\"} 1\n"
            "az_h_bucket{zone=\"a\",le=\"+Inf\"} 3\n"
            "az_h_sum{zone=\"a\"} 7.25\naz_h_count{zone=\"a\"} 3\n");
  std::vector<FlatSample> samples;
  AppendSamples(samples, family);
  ASSERT_EQ(samples.size(), 4u);
  EXPECT_EQ(samples[1].labels.ToString(), "az_h_bucket{le=\"+Inf\", zone=\"a\"}");
  EXPECT_EQ(samples[3].value, 3);
}

TEST(TextWriterTest, LeavesOutAFamilyWithoutMetrics) {
  const model::MetricDesc desc = {"az_x", "H.", model::MetricType::kGauge, {}};
  std::string out;
  AppendText(out, {&desc, {}, {}});
  EXPECT_EQ(out, "");
}

}  // namespace
}  // namespace azexporter::exposition
