#include "azexporter/model/histogram.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace azexporter::model {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

// Buckets from index `offset` on.
FloatHistogram Exponential(std::int32_t schema, std::int32_t offset, std::vector<double> counts) {
  FloatHistogram histogram;
  histogram.schema = schema;
  for (const double count : counts) histogram.count += count;
  histogram.positive.spans = {{offset, static_cast<std::uint32_t>(counts.size())}};
  histogram.positive.counts = std::move(counts);
  return histogram;
}

FloatHistogram Custom(std::vector<double> bounds, std::vector<double> counts) {
  FloatHistogram histogram = Exponential(FloatHistogram::kCustomSchema, 0, std::move(counts));
  histogram.custom_bounds = std::move(bounds);
  return histogram;
}

TEST(HistogramTest, BoundsAreExactPowersOfTwo) {
  EXPECT_EQ(ExponentialBound(0, 0), 1);
  EXPECT_EQ(ExponentialBound(3, 0), 8);
  EXPECT_EQ(ExponentialBound(-2, 0), 0.25);
  EXPECT_EQ(ExponentialBound(2, -2), 256);
  EXPECT_EQ(ExponentialBound(8, 3), 2);
  EXPECT_EQ(ExponentialBound(-8, 3), 0.5);
  EXPECT_DOUBLE_EQ(ExponentialBound(1, 1), std::sqrt(2));
  EXPECT_DOUBLE_EQ(ExponentialBound(-1, 1), std::sqrt(0.5));
  // The last bucket of numbers ends with the largest, the next one holds the infinities.
  EXPECT_EQ(ExponentialBound(1024, 0), std::numeric_limits<double>::max());
  EXPECT_EQ(ExponentialBound(1025, 0), kInf);
  EXPECT_EQ(ExponentialBound(64, -4), std::numeric_limits<double>::max());
  EXPECT_EQ(ExponentialBound(1024 * 256, 8), std::numeric_limits<double>::max());
}

TEST(HistogramTest, FindsTheBucketOfEachValue) {
  for (std::int32_t schema = FloatHistogram::kMinSchema; schema <= FloatHistogram::kMaxSchema;
       ++schema) {
    for (const double value : {1e-300, 0.001, 0.25, 0.3, 1.0, 1.0001, 2.0, 1e9, 1e300}) {
      const std::int32_t index = ExponentialIndex(value, schema);
      EXPECT_LE(value, ExponentialBound(index, schema)) << value << " in schema " << schema;
      EXPECT_GT(value, ExponentialBound(index - 1, schema)) << value << " in schema " << schema;
    }
    // A bound belongs to the bucket below it.
    EXPECT_EQ(ExponentialIndex(ExponentialBound(5, schema), schema), 5) << "schema " << schema;
  }
}

TEST(HistogramTest, CountsObservations) {
  FloatHistogram histogram;
  histogram.zero_threshold = 0.01;
  for (const double value : {3.0, 0.0, 0.01, 100.0, 3.5, 0.5}) histogram.Observe(value);
  EXPECT_EQ(histogram.ToString(),
            "{count:6, sum:107.01, [-0.01,0.01]:2, (0.25,0.5]:1, (2,4]:2, (64,128]:1}");
  EXPECT_EQ(histogram.positive.spans, (std::vector<BucketSpan>{{-1, 1}, {2, 1}, {4, 1}}));
  EXPECT_TRUE(histogram.Validate());
}

TEST(HistogramTest, ListsItsBucketsInOrder) {
  FloatHistogram histogram = Exponential(0, 1, {2, 3});
  histogram.negative = {{{1, 1}}, {4}};
  histogram.zero_threshold = 1.5;  // cuts into the buckets next to it
  histogram.zero_count = 5;
  std::vector<std::vector<double>> buckets;
  for (const HistogramBucket& b : histogram.Buckets())
    buckets.push_back({b.lower, b.upper, b.count});
  EXPECT_EQ(buckets, (std::vector<std::vector<double>>{
                         {-2, -1.5, 4}, {-1.5, 1.5, 5}, {1.5, 2, 2}, {2, 4, 3}}));
  EXPECT_EQ(histogram.ToString(), "{count:5, sum:0, [-2,-1):4, [-1.5,1.5]:5, (1,2]:2, (2,4]:3}");
  const FloatHistogram custom = Custom({1, 5}, {1, 0, 2});
  EXPECT_EQ(custom.ToString(), "{count:3, sum:0, [-Inf,1]:1, (5,+Inf]:2}");
}

struct Sum {
  const char* name;
  FloatHistogram a;
  FloatHistogram b;
  std::string sum;         // "" where they do not go together
  std::string difference;  // a - b
};

TEST(HistogramTest, AddsAndSubtracts) {
  FloatHistogram wide_zero = Exponential(0, 1, {3});
  wide_zero.zero_threshold = 1;
  wide_zero.zero_count = 2;
  wide_zero.count = 5;
  const Sum cases[] = {
      {"the same buckets", Exponential(0, 0, {1, 2}), Exponential(0, 0, {3, 1}),
       "{{count:7 buckets:[4 3]}}", "{{count:-1 buckets:[-2 1]}}"},
      {"before, between and after", Exponential(0, 2, {1}), Exponential(0, 0, {3, 0, 4, 5}),
       "{{count:13 buckets:[3 0 5 5]}}", "{{count:-11 buckets:[-3 0 -3 -5]}}"},
      {"another resolution", Exponential(1, 0, {1, 1, 1, 1}), Exponential(0, 0, {1, 1}),
       "{{count:6 buckets:[2 3 1]}}", "{{count:2 offset:1 buckets:[1 1]}}"},
      {"a wider zero bucket", Exponential(0, 0, {1, 1}), wide_zero,
       "{{count:7 z_bucket:3 z_bucket_w:1 offset:1 buckets:[4]}}",
       "{{count:-3 z_bucket:-1 z_bucket_w:1 offset:1 buckets:[-2]}}"},
      {"other custom bounds", Custom({1, 5, 9}, {1, 1, 1, 1}), Custom({5, 8}, {2, 2, 2}),
       "{{schema:-53 count:10 custom_values:[5] buckets:[4 6]}}",
       "{{schema:-53 count:-2 custom_values:[5] offset:1 buckets:[-2]}}"},
      {"custom and exponential", Custom({1}, {1}), Exponential(0, 0, {1}), "", ""},
  };
  for (const Sum& c : cases) {
    FloatHistogram sum = c.a;
    ASSERT_EQ(sum.Add(c.b).has_value(), !c.sum.empty()) << c.name;
    if (c.sum.empty()) continue;
    EXPECT_EQ(sum.ToNotation(), c.sum) << c.name;
    FloatHistogram difference = c.a;
    difference.Sub(c.b);
    EXPECT_EQ(difference.ToNotation(), c.difference) << c.name;
  }
}

TEST(HistogramTest, HintsOfBothSidesAreMerged) {
  using enum CounterResetHint;
  const struct {
    CounterResetHint a;
    CounterResetHint b;
    CounterResetHint sum;
    bool collision;
  } cases[] = {
      {kUnknown, kReset, kUnknown, false}, {kReset, kReset, kReset, false},
      {kReset, kNotReset, kUnknown, true}, {kNotReset, kUnknown, kUnknown, false},
      {kGauge, kReset, kGauge, false},     {kNotReset, kGauge, kGauge, false},
  };
  for (const auto& c : cases) {
    FloatHistogram a = Exponential(0, 0, {1});
    FloatHistogram b = a;
    a.hint = c.a;
    b.hint = c.b;
    const auto notes = a.Add(b);
    ASSERT_TRUE(notes);
    EXPECT_EQ(a.hint, c.sum);
    EXPECT_EQ(notes->reset_collision, c.collision);
  }
}

TEST(HistogramTest, MakesUpForWhatRoundingLoses) {
  FloatHistogram sum = Exponential(0, 0, {1e16});
  std::unique_ptr<FloatHistogram> lost;
  for (int i = 0; i < 10; ++i) sum.AddCompensated(Exponential(0, 0, {1}), lost);
  sum.Add(*lost);
  EXPECT_EQ(sum.count, 1e16 + 10);
  EXPECT_EQ(sum.positive.counts, (std::vector<double>{1e16 + 10}));
}

TEST(HistogramTest, FindsResets) {
  FloatHistogram gauge = Exponential(0, 0, {9});
  gauge.hint = CounterResetHint::kGauge;
  const struct {
    const char* name;
    FloatHistogram before;
    FloatHistogram now;
    bool reset;
    CounterResetHint hint;  // of the later one in a series
  } cases[] = {
      {"grew", Exponential(0, 0, {1, 2}), Exponential(0, 0, {1, 3}), false,
       CounterResetHint::kNotReset},
      {"fewer in all", Exponential(0, 0, {5}), Exponential(0, 0, {4}), true,
       CounterResetHint::kUnknown},
      {"fewer in one bucket", Exponential(0, 0, {3, 1}), Exponential(0, 0, {2, 9}), true,
       CounterResetHint::kUnknown},
      {"a bucket is gone", Exponential(0, 0, {3, 1}), Exponential(0, 1, {9}), true,
       CounterResetHint::kUnknown},
      {"a finer resolution", Exponential(0, 0, {1}), Exponential(1, 0, {2}), true,
       CounterResetHint::kUnknown},
      {"a coarser resolution", Exponential(1, 1, {1, 1}), Exponential(0, 1, {2}), false,
       CounterResetHint::kUnknown},
      {"other custom bounds", Custom({1, 5}, {1, 1, 1}), Custom({5}, {2, 1}), false,
       CounterResetHint::kUnknown},
      {"a gauge", Exponential(0, 0, {1}), gauge, false, CounterResetHint::kGauge},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(c.now.IsResetAfter(c.before), c.reset) << c.name;
    EXPECT_EQ(HintAfter(&c.before, c.now), c.hint) << c.name;
  }
  EXPECT_EQ(HintAfter(nullptr, Exponential(0, 0, {1})), CounterResetHint::kUnknown);
}

TEST(HistogramTest, TrimsAtABound) {
  FloatHistogram upper = Exponential(0, 0, {1, 4, 8});
  upper.TrimAbove(std::sqrt(2));  // half way through the bucket from 1 to 2
  EXPECT_EQ(upper.ToNotation().substr(0, 9), "{{count:3");
  EXPECT_EQ(upper.positive.counts.size(), 2u);
  EXPECT_DOUBLE_EQ(upper.positive.counts[1], 2);
  FloatHistogram lower = Custom({2, 4}, {1, 4, 8});
  lower.TrimBelow(3);
  EXPECT_EQ(lower.ToNotation(),
            "{{schema:-53 count:10 sum:39 custom_values:[2 4] offset:1 buckets:[2 8]}}");
  FloatHistogram none = Exponential(0, 0, {1});
  none.TrimAbove(8);
  EXPECT_EQ(none.ToNotation(), "{{count:1 buckets:[1]}}")
      << "nothing is cut off, so nothing changes";
}

TEST(HistogramTest, ValidatesWhatComesFromOutside) {
  EXPECT_TRUE(Exponential(3, -2, {1, 2}).Validate());
  EXPECT_TRUE(Custom({1, 2}, {1, 1, 1}).Validate());
  FloatHistogram far = Exponential(0, 0, {1, 1});
  far.positive.spans = {{0, 1}, {2'000'000'000, 1}};
  FloatHistogram negative_zero = Exponential(0, 0, {1});
  negative_zero.zero_count = -1;
  FloatHistogram bounded = Exponential(0, 0, {1});
  bounded.custom_bounds = {1};
  FloatHistogram two_sided = Custom({1}, {1});
  two_sided.negative = {{{1, 1}}, {1}};
  FloatHistogram short_of_counts = Exponential(0, 0, {1});
  short_of_counts.positive.spans = {{0, 2}};
  for (const FloatHistogram& bad :
       {far, negative_zero, bounded, two_sided, short_of_counts, Exponential(9, 0, {1}),
        Exponential(0, 0, {-1}), Custom({2, 1}, {1}), Custom({1}, {1, 1, 1}),
        Custom({kInf}, {1})}) {
    EXPECT_FALSE(bad.Validate()) << bad.schema;
  }
}

}  // namespace
}  // namespace azexporter::model
