// The trim operators: </ and >/ on native histograms.
// Semantics: prometheus/model/histogram/float_histogram.go, TrimBuckets.

#include <algorithm>
#include <cmath>
#include <limits>

#include "azexporter/model/histogram.h"
#include "histogram_cells.h"

namespace azexporter::model {
namespace {

// What is left of a bucket, and the value that stands for its observations.
struct Kept {
  double count = 0;
  double middle = 0;
};

double ZeroIfInfinite(double value) { return std::isinf(value) ? 0 : value; }

// On the bucket's own scale; where one end is infinite, the other stands for all of it.
double Middle(double lower, double upper, bool positive, bool linear) {
  if (std::isinf(lower)) {
    if (std::isinf(upper)) return 0;
    return upper > 0 ? upper / 2 : upper;
  }
  if (std::isinf(upper)) return lower;
  if (linear) return (lower + upper) / 2;
  const double mean = std::sqrt(std::abs(lower * upper));
  return positive ? mean : -mean;
}

// Of a bucket without a lower end. It is taken to begin at 0 where it ends above that.
Kept CutOpenBelow(const HistogramBucket& bucket, double bound, bool upper_trim) {
  const bool ends = !std::isinf(bucket.upper);
  if (upper_trim) {
    if (bound >= bucket.upper) return {bucket.count, 0};
    if (bound > 0 && bucket.upper > 0 && ends) {
      return {bucket.count * bound / bucket.upper, bound / 2};
    }
    if (bucket.upper <= 0) return {bucket.count, bound};
    return {0, ZeroIfInfinite(bucket.upper)};
  }
  if (bound <= bucket.lower) return {bucket.count, 0};
  if (bound >= 0 && bucket.upper > bound && ends) {
    return {bucket.count * (1 - bound / bucket.upper), (bound + bucket.upper) / 2};
  }
  return {0, ZeroIfInfinite(bucket.upper)};
}

// Of a bucket without an upper end.
Kept CutOpenAbove(const HistogramBucket& bucket, double bound, bool upper_trim) {
  if (!upper_trim && bound >= bucket.lower) return {bucket.count, bound};
  return {0, ZeroIfInfinite(bucket.lower)};
}

// Of a bucket that the bound falls into.
Kept Cut(const HistogramBucket& bucket, double bound, bool upper_trim, bool positive, bool linear) {
  if (std::isinf(bucket.lower)) return CutOpenBelow(bucket, bound, upper_trim);
  if (std::isinf(bucket.upper)) return CutOpenAbove(bucket, bound, upper_trim);
  double below = 0;
  if (bound >= bucket.upper) {
    below = bucket.count;
  } else if (bound > bucket.lower) {
    below = bucket.count * bucket.FractionBelow(bound, linear);
  }
  if (upper_trim) return {below, Middle(bucket.lower, bound, positive, linear)};
  return {bucket.count - below, Middle(bound, bucket.upper, positive, linear)};
}

// The zero bucket reaches only to the side that has observations, if it is only one.
Kept CutZero(double lower, double upper, double count, double bound, bool upper_trim) {
  if (upper_trim ? bound <= lower : bound >= upper) return {0, 0};
  if (upper_trim ? bound >= upper : bound <= lower) return {count, (lower + upper) / 2};
  if (upper_trim) return {count * (bound - lower) / (upper - lower), (lower + bound) / 2};
  return {count * (upper - bound) / (upper - lower), (bound + upper) / 2};
}

}  // namespace

void FloatHistogram::Trim(double bound, bool upper) {
  const bool linear = has_custom_buckets();
  double new_count = 0;
  double new_sum = 0;
  bool trimmed = false;
  const auto take = [&](const Kept& kept, double& count_now) {
    new_count += kept.count;
    new_sum += kept.middle * kept.count;
    if (count_now == kept.count) return;
    count_now = kept.count;
    trimmed = true;
  };
  // Returns whether there are observations on that side.
  const auto trim_side = [&](BucketCounts& side, bool positive_side) {
    FloatHistogram alone;  // nothing else, so that bounds are not cut off at the zero bucket
    alone.schema = schema;
    alone.custom_bounds = custom_bounds;
    (positive_side ? alone.positive : alone.negative) = side;
    std::vector<HistogramBucket> buckets = alone.Buckets();
    // In the order of the counts: away from zero.
    if (!positive_side) std::ranges::reverse(buckets);
    bool any = false;
    for (std::size_t i = 0; i < buckets.size(); ++i) {
      const HistogramBucket& bucket = buckets[i];
      if (bucket.count == 0) continue;
      any = true;
      if (upper ? bucket.upper <= bound : bucket.lower >= bound) {
        take({bucket.count, Middle(bucket.lower, bucket.upper, positive_side, linear)},
             side.counts[i]);
      } else if (upper ? bucket.lower < bound : bucket.upper > bound) {
        take(Cut(bucket, bound, upper, positive_side, linear), side.counts[i]);
      } else {
        side.counts[i] = 0;
        trimmed = true;
      }
    }
    return any;
  };
  const bool has_positive = trim_side(positive, true);
  const bool has_negative = trim_side(negative, false);
  if (zero_count > 0) {
    const double zero_lower = has_positive && !has_negative ? 0 : -zero_threshold;
    const double zero_upper = has_negative && !has_positive ? 0 : zero_threshold;
    take(CutZero(zero_lower, zero_upper, zero_count, bound, upper), zero_count);
  }
  if (!trimmed) return;
  count = new_count;
  sum = new_sum;
  Compact();
}

}  // namespace azexporter::model
