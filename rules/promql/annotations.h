#pragma once

// The warnings and infos that a query gathers on its way, each text once.
// Semantics and texts: prometheus/util/annotations/annotations.go.
//
// Thread safety: one thread only.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/model/sample.h"
#include "azexporter/promql/ast.h"
#include "azexporter/promql/value.h"

namespace azexporter::promql {

class Annotations {
 public:
  void InvalidQuantile(double q, const PositionRange& position);
  // `metric_name`: "" where it is not known.
  void BadBucketLabel(std::string_view metric_name, std::string_view label,
                      const PositionRange& position);
  void SortInRangeQuery(const PositionRange& position);
  void PossibleNonCounter(std::string_view metric_name, const PositionRange& position);
  // The same by the label __type__, where that is what counts.
  void PossibleNonCounterType(std::string_view metric_name, std::string_view type,
                              const PositionRange& position);
  void InvalidRatio(double ratio, double capped, const PositionRange& position);

  // --- about native histograms
  // An operator that does not take these types ("float", "histogram"); the place is that of the
  // whole expression.
  void IncompatibleTypes(std::string_view lhs, std::string_view op, std::string_view rhs,
                         const PositionRange& position);
  // Exponential buckets on one side of an operator, custom ones on the other.
  void IncompatibleBuckets(std::string_view op, const PositionRange& position);
  // Floats and histograms in one range, or in one group of an aggregation.
  void MixedSamples(std::string_view metric_name, const PositionRange& position);
  void MixedSamplesInAggregation(const PositionRange& position);
  void MixedSchemas(std::string_view metric_name, const PositionRange& position);
  void MixedClassicAndNative(std::string_view metric_name, const PositionRange& position);
  void HistogramNotCounter(std::string_view metric_name, const PositionRange& position);
  void HistogramNotGauge(std::string_view metric_name, const PositionRange& position);
  void IgnoredInAggregation(std::string_view aggregation, const PositionRange& position);
  void IgnoredInMixedRange(std::string_view metric_name, const PositionRange& position);
  // `operation`: "addition", "subtraction", "aggregation".
  void ResetCollision(std::string_view operation, const PositionRange& position);
  void BoundsReconciled(std::string_view operation, const PositionRange& position);
  void QuantileIsNaN(std::string_view metric_name, const PositionRange& position);
  void QuantileIsSkewed(std::string_view metric_name, const PositionRange& position);
  void FractionLeavesNaNsOut(std::string_view metric_name, const PositionRange& position);
  // A sample began to count before the one before it was taken. Told once, with their number.
  void StartTimeOverlap(std::string_view metric_name, const PositionRange& position);

  // The counts of a classic histogram went down from one bucket to the next; where, and by how much
  // at most.
  struct Monotonicity {
    double min_bucket = 0;
    double max_bucket = 0;
    double max_diff = 0;
  };
  // Calls with the same name are told as one, with the extremes of all.
  void ForcedMonotonicity(std::string_view metric_name, const Monotonicity& fixed,
                          model::TimestampMs t, const PositionRange& position);

  // Grows whenever anything is noted, be it for the first time or not.
  std::size_t noted() const { return noted_; }

  // Moves the texts, with their positions, to the notes.
  void MoveTo(QueryNotes& notes);

 private:
  void Warn(std::string_view text, const PositionRange& position);
  void Inform(std::string_view text, const PositionRange& position);

  struct Overlaps {
    std::int64_t count = 0;
    PositionRange position;
  };
  struct Forced {
    Monotonicity fixed;
    model::TimestampMs min_t = 0;
    model::TimestampMs max_t = 0;
    std::int64_t count = 0;
    PositionRange position;
  };

  // text -> where; Prometheus too takes the same text at two places for one.
  std::map<std::string, PositionRange> warnings_;
  std::map<std::string, PositionRange> infos_;
  std::map<std::string, Forced> forced_;
  std::map<std::string, Overlaps> overlaps_;
  std::size_t noted_ = 0;
};

}  // namespace azexporter::promql
