#pragma once

// Values between two samples, and arithmetic of histograms that says what came up.
//
// Thread safety: one thread only, for the annotations.
// Semantics: prometheus/promql/functions.go, interpolate, interpolateHistograms.

#include <optional>
#include <string_view>

#include "azexporter/model/histogram.h"
#include "evaluator.h"
#include "function_body.h"

namespace azexporter::promql {

// On the line from `before` to `after`. A counter that falls between them began anew at 0.
double Interpolate(const model::FPoint& before, const model::FPoint& after, model::TimestampMs t,
                   bool counter);

// Where annotations of histograms of a series belong.
struct HistogramNotes {
  Annotations& annotations;
  std::string_view metric;
  PositionRange position;
};

// base += other, base -= other. False, with a warning and nothing changed, where one has custom
// buckets and the other exponential ones.
bool AddTo(model::FloatHistogram& base, const model::FloatHistogram& other,
           const HistogramNotes& notes);
bool SubtractFrom(model::FloatHistogram& base, const model::FloatHistogram& other,
                  const HistogramNotes& notes);

// nullopt, with a warning, where the two do not go together.
std::optional<model::FloatHistogram> Interpolate(const model::HPoint& before,
                                                 const model::HPoint& after, model::TimestampMs t,
                                                 bool counter, const HistogramNotes& notes);

// What a smoothed instant selector gives of a series at a step.
RangeValue SmoothedAt(const RangeSeries& series, const Windows& windows, std::size_t step,
                      const PositionRange& position, Annotations& annotations);

// rate, increase and delta of an anchored or smoothed range.
struct ExtendedRate {
  bool counter = false;
  bool per_second = false;
};
RangeValue ExtendedChange(const RangeArgs& args, const ExtendedRate& kind);

// The samples of an anchored or smoothed range itself: one at each end, and those between.
std::vector<model::FPoint> ExtendedPoints(std::span<const model::FPoint> points,
                                          model::TimestampMs start, model::TimestampMs end,
                                          bool smoothed);

}  // namespace azexporter::promql
