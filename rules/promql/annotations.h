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
  // An operator that takes no two floats; the place is that of the whole expression.
  void IncompatibleFloats(std::string_view op, const PositionRange& position);
  void PossibleNonCounter(std::string_view metric_name, const PositionRange& position);

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
  std::size_t noted_ = 0;
};

}  // namespace azexporter::promql
