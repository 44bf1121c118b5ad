#include "quantile.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace azexporter::promql {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
// Relative differences below this are rounding, not observations.
constexpr double kSmallDelta = 1e-12;

// Semantics: prometheus/util/almost, Equal.
bool AlmostEqual(double a, double b, double tolerance) {
  if (a == b) return true;
  const double sum = std::abs(a) + std::abs(b);
  const double difference = std::abs(a - b);
  if (a == 0 || b == 0 || sum < std::numeric_limits<double>::min()) {
    return difference < tolerance * std::numeric_limits<double>::min();
  }
  return difference / std::min(sum, std::numeric_limits<double>::max()) < tolerance;
}

// False when there is no bucket with bound +Inf.
bool SortAndMerge(std::vector<Bucket>& buckets) {
  std::ranges::stable_sort(buckets, {}, &Bucket::upper_bound);
  if (buckets.back().upper_bound != kInf) return false;
  std::size_t last = 0;
  for (std::size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].upper_bound == buckets[last].upper_bound) {
      buckets[last].count += buckets[i].count;
    } else {
      buckets[++last] = buckets[i];
    }
  }
  buckets.resize(last + 1);
  return true;
}

void MakeMonotonic(std::vector<Bucket>& buckets, BucketQuantileResult& result) {
  result.fixed = {kInf, -kInf, 0};
  double highest = buckets[0].count;
  for (Bucket& bucket : buckets) {
    if (bucket.count == highest) continue;
    if (AlmostEqual(highest, bucket.count, kSmallDelta)) {
      bucket.count = highest;
    } else if (bucket.count < highest) {
      result.forced_monotonic = true;
      result.fixed.min_bucket = std::min(result.fixed.min_bucket, bucket.upper_bound);
      result.fixed.max_bucket = std::max(result.fixed.max_bucket, bucket.upper_bound);
      result.fixed.max_diff = std::max(result.fixed.max_diff, highest - bucket.count);
      bucket.count = highest;
    } else {
      highest = bucket.count;
    }
  }
}

double Interpolate(double q, const std::vector<Bucket>& buckets) {
  double rank = q * buckets.back().count;
  const auto found = std::ranges::find_if(buckets.begin(), buckets.end() - 1,
                                          [&](const Bucket& b) { return b.count >= rank; });
  if (found == buckets.end() - 1) return buckets[buckets.size() - 2].upper_bound;
  if (found == buckets.begin() && found->upper_bound <= 0) return found->upper_bound;
  double start = 0;
  double count = found->count;
  if (found != buckets.begin()) {
    const Bucket& before = *(found - 1);
    start = before.upper_bound;
    count -= before.count;
    rank -= before.count;
  }
  return start + (found->upper_bound - start) * (rank / count);
}

// How many observations were below `value`, the counts being linear within a bucket.
double RankOf(double value, const std::vector<Bucket>& buckets) {
  // Buckets of positive bounds only begin at 0, else nothing is known of where the lowest begins.
  double lower = buckets[0].upper_bound > 0 ? 0 : -kInf;
  double below = 0;
  for (const Bucket& bucket : buckets) {
    if (lower >= value) return below;
    if (bucket.upper_bound > value) {
      // Nothing can be said of a place within a bucket without end: all of the lowest counts, and
      // nothing of the highest.
      if (lower == -kInf) return bucket.count;
      return below + (bucket.count - below) * (value - lower) / (bucket.upper_bound - lower);
    }
    below = bucket.count;
    lower = bucket.upper_bound;
  }
  return buckets.back().count;
}

}  // namespace

double Quantile(double q, std::vector<double>& values) {
  if (values.empty() || std::isnan(q)) return kNaN;
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  std::ranges::sort(values,
                    [](double a, double b) { return std::isnan(a) ? !std::isnan(b) : a < b; });
  const double last = static_cast<double>(values.size()) - 1;
  const double rank = q * last;
  const double lower = std::max(0.0, std::floor(rank));
  const double upper = std::min(last, lower + 1);
  const double weight = rank - std::floor(rank);
  return values[static_cast<std::size_t>(lower)] * (1 - weight) +
         values[static_cast<std::size_t>(upper)] * weight;
}

BucketQuantileResult BucketQuantile(double q, std::vector<Bucket>& buckets) {
  BucketQuantileResult result;
  if (std::isnan(q)) {
    result.value = kNaN;
  } else if (q < 0 || q > 1) {
    result.value = q < 0 ? -kInf : kInf;
  } else if (!SortAndMerge(buckets)) {
    result.value = kNaN;
  } else {
    MakeMonotonic(buckets, result);
    const bool known = buckets.size() >= 2 && buckets.back().count != 0;
    result.value = known ? Interpolate(q, buckets) : kNaN;
  }
  return result;
}

double BucketFraction(double lower, double upper, std::vector<Bucket>& buckets) {
  if (!SortAndMerge(buckets)) return kNaN;
  const double count = buckets.back().count;
  if (count == 0 || std::isnan(lower) || std::isnan(upper)) return kNaN;
  if (lower >= upper) return 0;
  const double below_lower = std::min(RankOf(lower, buckets), count);
  const double below_upper = std::min(RankOf(upper, buckets), count);
  return (below_upper - below_lower) / count;
}

}  // namespace azexporter::promql
