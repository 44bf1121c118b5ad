#pragma once

// Quantiles and the like of native histograms.
//
// Thread safety: pure functions.
// Semantics: prometheus/promql/quantile.go, HistogramQuantile, HistogramFraction.

#include "azexporter/model/histogram.h"

namespace azexporter::promql {

// What observations of NaN did to a result. They count in the histogram but fall into no bucket.
enum class NaNEffect { kNone, kIsNaN, kIsSkewed };

struct NativeQuantile {
  double value = 0;
  NaNEffect effect = NaNEffect::kNone;
};

// The q-quantile. Within a bucket it is interpolated: logarithmically, but linearly in a custom
// bucket and in the zero bucket, which reaches only to the side that has observations.
//   q < 0, q > 1                              -Inf, +Inf
//   q is NaN, no observations                 NaN
//   q falls into a custom bucket without end  its finite bound
NativeQuantile QuantileOf(double q, const model::FloatHistogram& histogram);

struct NativeFraction {
  double value = 0;
  bool leaves_nans_out = false;
};

// The share of observations between two values.
//   a bound is NaN, no observations   NaN
//   lower >= upper                    0
NativeFraction FractionOf(double lower, double upper, const model::FloatHistogram& histogram);

// The estimated variance: each observation stands in the middle of its bucket.
double VarianceOf(const model::FloatHistogram& histogram);

}  // namespace azexporter::promql
