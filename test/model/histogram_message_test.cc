#include "azexporter/model/histogram_message.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace azexporter::model {
namespace {

HPoint PointOf(FloatHistogram histogram) {
  return {1'800'000'000'000, std::make_shared<const FloatHistogram>(std::move(histogram))};
}

FloatHistogram Observed(std::initializer_list<double> values) {
  FloatHistogram histogram;
  histogram.schema = 3;
  histogram.zero_threshold = 0.001;
  for (const double value : values) histogram.Observe(value);
  return histogram;
}

struct MessageCase {
  const char* name;
  FloatHistogram histogram;
  bool whole;
};

std::vector<MessageCase> Cases() {
  std::vector<MessageCase> cases = {{"empty", {}, true}, {"observed", Observed({0, 3, 90}), true}};
  FloatHistogram part = Observed({3, 90});
  part.negative = {{{1, 1}, {7, 1}}, {5, 1e15}};
  part.count += 5 + 1e15;
  part.hint = CounterResetHint::kGauge;
  cases.push_back({"both sides", part, true});
  part.positive.counts[0] = 0.5;
  cases.push_back({"half an observation", part, false});
  FloatHistogram uneven = Observed({3});
  uneven.count = 2;
  cases.push_back({"a count that its buckets do not add up to", uneven, false});
  FloatHistogram minus = Observed({3});
  minus.zero_count = -0.0;
  cases.push_back({"a zero with a sign", minus, false});
  FloatHistogram custom;
  custom.schema = FloatHistogram::kCustomSchema;
  custom.custom_bounds = {0.1, 7};
  custom.count = 3;
  custom.sum = std::nan("");
  custom.positive = {{{1, 2}}, {1, 2}};
  cases.push_back({"custom buckets", custom, true});
  return cases;
}

TEST(HistogramMessageTest, ComesBackAsItWas) {
  for (const MessageCase& c : Cases()) {
    const HPoint point = PointOf(c.histogram);
    const std::string message = EncodeHistogram(point);
    const auto back = DecodeHistogram(message);
    ASSERT_TRUE(back) << c.name << ": " << back.error().message();
    EXPECT_EQ(back->point.t, point.t);
    EXPECT_TRUE(back->point.h->Equals(*point.h)) << c.name << ": " << back->point.h->ToNotation();
    EXPECT_EQ(back->point.h->hint, point.h->hint);
    EXPECT_EQ(message[0] == '\x08', c.whole) << c.name << ": count_int is field 1";
  }
}

TEST(HistogramMessageTest, WholeCountsTakeLessRoom) {
  FloatHistogram histogram;
  histogram.schema = 3;
  for (int i = 0; i < 1'000; ++i) histogram.Observe(1 + i / 100.0);
  EXPECT_LT(EncodeHistogram(PointOf(histogram)).size(), 110u);
  histogram.count += 1;
  EXPECT_GT(EncodeHistogram(PointOf(histogram)).size(), 8 * histogram.positive.counts.size());
}

// Bytes that were cut, changed or made up are refused, or read as some histogram.
TEST(HistogramMessageTest, AnyBytesAreReadOrRefused) {
  std::mt19937 random(3);
  for (const MessageCase& c : Cases()) {
    const std::string message = EncodeHistogram(PointOf(c.histogram));
    for (std::size_t cut = 0; cut < message.size(); ++cut) {
      if (const auto read = DecodeHistogram(message.substr(0, cut))) {
        static_cast<void>(read->point.h->Validate());
      }
    }
    for (int i = 0; i < 2'000; ++i) {
      std::string changed = message;
      changed[random() % changed.size()] = static_cast<char>(random());
      if (const auto read = DecodeHistogram(changed)) {
        static_cast<void>(read->point.h->Validate());
      }
    }
  }
  // Differences that leave the range of a count.
  std::string deltas;
  for (int i = 0; i < 3; ++i) deltas += "\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01";
  const auto read =
      DecodeHistogram("\x62" + std::string(1, static_cast<char>(deltas.size())) + deltas);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->point.h->Validate());
}

TEST(HistogramMessageTest, TellsSinceWhenItHasCounted) {
  const auto read = DecodeHistogram(EncodeHistogram(PointOf({})) + std::string("\x88\x01\x2a", 3));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->start_t, 42);
}

}  // namespace
}  // namespace azexporter::model
