#include "native_quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "kahan.h"

namespace azexporter::promql {
namespace {

using model::FloatHistogram;
using model::HistogramBucket;

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

// The zero bucket reaches only to the side that has buckets, if it is only one.
void NarrowZeroBucket(const FloatHistogram& histogram, HistogramBucket& bucket) {
  const bool any_negative = !histogram.negative.counts.empty();
  const bool any_positive = !histogram.positive.counts.empty();
  if (!any_negative && any_positive) bucket.lower = 0;
  if (!any_positive && any_negative) bucket.upper = 0;
}

double CountOf(std::span<const HistogramBucket> buckets) {
  double count = 0;
  for (const HistogramBucket& bucket : buckets) count += bucket.count;
  return count;
}

// `fraction` of the way through a bucket.
double Interpolate(const FloatHistogram& histogram, const HistogramBucket& bucket,
                   double fraction) {
  if (histogram.has_custom_buckets() || (bucket.lower <= 0 && bucket.upper >= 0)) {
    return bucket.lower + (bucket.upper - bucket.lower) * fraction;
  }
  const double log_lower = std::log2(std::abs(bucket.lower));
  const double log_upper = std::log2(std::abs(bucket.upper));
  if (bucket.lower > 0) return std::exp2(log_lower + (log_upper - log_lower) * fraction);
  return -std::exp2(log_upper + (log_lower - log_upper) * (1 - fraction));
}

}  // namespace

NativeQuantile QuantileOf(double q, const FloatHistogram& histogram) {
  if (q < 0) return {-kInf};
  if (q > 1) return {kInf};
  if (histogram.count == 0 || std::isnan(q)) return {kNaN};

  // From the nearer end. Observations of NaN count as the largest, so that one has to count from
  // below where there may be any: then the sum is NaN.
  const bool has_nans = std::isnan(histogram.sum);
  const bool from_below = has_nans || q < 0.5;
  std::vector<HistogramBucket> buckets = histogram.Buckets();
  if (!from_below) std::ranges::reverse(buckets);
  double rank = (from_below ? q : 1 - q) * histogram.count;
  double count = 0;
  std::size_t next = 0;
  HistogramBucket bucket;
  while (next < buckets.size()) {
    bucket = buckets[next++];
    if (bucket.count == 0) continue;
    count += bucket.count;
    if (count >= rank) break;
  }
  if (histogram.has_custom_buckets()) {
    if (bucket.lower == -kInf) {
      if (bucket.upper <= 0) return {bucket.upper};
      bucket.lower = 0;
    } else if (bucket.upper == kInf) {
      return {bucket.lower};
    }
  } else if (bucket.lower < 0 && bucket.upper > 0) {
    NarrowZeroBucket(histogram, bucket);
  }
  count = std::min(count, histogram.count);
  if (count < rank) {
    if (has_nans) return {kNaN, NaNEffect::kIsNaN};
    return {bucket.upper};
  }
  rank = from_below ? rank - (count - bucket.count) : count - rank;
  NativeQuantile result{Interpolate(histogram, bucket, rank / bucket.count)};
  if (has_nans && count + CountOf(std::span(buckets).subspan(next)) < histogram.count) {
    result.effect = NaNEffect::kIsSkewed;
  }
  return result;
}

NativeFraction FractionOf(double lower, double upper, const FloatHistogram& histogram) {
  if (histogram.count == 0 || std::isnan(lower) || std::isnan(upper)) return {kNaN};
  if (lower >= upper) return {0};
  // How many observations lie below each bound, once that is known.
  std::optional<double> below_lower;
  std::optional<double> below_upper;
  double below = 0;  // in the buckets passed
  const std::vector<HistogramBucket> buckets = histogram.Buckets();
  for (HistogramBucket bucket : buckets) {
    const bool is_zero = bucket.lower <= 0 && bucket.upper >= 0;
    if (is_zero) NarrowZeroBucket(histogram, bucket);
    const auto look = [&](std::optional<double>& rank, double bound) {
      if (rank) return;
      if (bucket.lower >= bound) {
        rank = below;
      } else if (bucket.upper > bound) {
        const bool linear = histogram.has_custom_buckets() || is_zero;
        rank = linear && bucket.lower == -kInf
                   ? bucket.count
                   : below + bucket.count * bucket.FractionBelow(bound, linear);
      }
    };
    look(below_lower, lower);
    look(below_upper, upper);
    if (below_lower && below_upper) break;
    below += bucket.count;
  }
  NativeFraction result;
  double counted = histogram.count;
  if (std::isnan(histogram.sum)) {
    counted = CountOf(buckets);
    result.leaves_nans_out = counted < histogram.count;
  }
  const double to_lower = std::min(below_lower.value_or(counted), counted);
  const double to_upper = std::min(below_upper.value_or(counted), counted);
  result.value = (to_upper - to_lower) / histogram.count;
  return result;
}

double VarianceOf(const FloatHistogram& histogram) {
  const double mean = histogram.sum / histogram.count;
  KahanSum squares;
  for (const HistogramBucket& bucket : histogram.Buckets()) {
    if (bucket.count == 0) continue;
    double middle = 0;
    if (histogram.has_custom_buckets()) {
      middle = (bucket.upper + bucket.lower) / 2;
    } else if (bucket.lower > 0 || bucket.upper < 0) {
      middle = std::copysign(std::sqrt(bucket.upper * bucket.lower), bucket.upper);
    }
    const double delta = middle - mean;
    squares.Add(bucket.count * delta * delta);
  }
  return squares.Total() / histogram.count;
}

}  // namespace azexporter::promql
