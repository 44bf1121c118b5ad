#pragma once

// Quantiles of plain values and of classic histograms.
// Semantics: prometheus/promql/quantile.go.

#include <vector>

#include "annotations.h"

namespace azexporter::promql {

// The q-quantile of `values`, which are sorted on the way (NaN first). Between two values it is
// weighted between them.
// NaN when `values` is empty or q is NaN; -Inf when q < 0; +Inf when q > 1.
double Quantile(double q, std::vector<double>& values);

// A bucket of a classic histogram: how many observations were at most `upper_bound`.
struct Bucket {
  double upper_bound;
  double count;
};

struct BucketQuantileResult {
  double value = 0;
  // The counts had to be made monotonic; `fixed` tells where.
  bool forced_monotonic = false;
  Annotations::Monotonicity fixed;
};

// The q-quantile of a histogram, whose buckets are sorted, and those of the same bound added up, on
// the way. Linear within a bucket; the lowest one begins at 0 where its bound is above 0. Counts
// that go down are raised to the highest before, differences below 1e-12 (relative) are rounding.
//   q is NaN                          NaN
//   q < 0, q > 1                      -Inf, +Inf
//   no bucket with bound +Inf         NaN
//   fewer than two buckets            NaN
//   no observations                   NaN
//   q falls into the +Inf bucket      the bound of the one before
//   ... into the lowest, bound <= 0   that bound
// REQUIRES: buckets is not empty, no bound is NaN.
BucketQuantileResult BucketQuantile(double q, std::vector<Bucket>& buckets);

// The share of observations between two values.
//   a bound is NaN, no +Inf bucket, no observations   NaN
//   lower >= upper                                    0
// REQUIRES: as BucketQuantile.
double BucketFraction(double lower, double upper, std::vector<Bucket>& buckets);

}  // namespace azexporter::promql
