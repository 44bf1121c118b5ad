#pragma once

// The conversion of `load_with_nhcb`: classic histograms, series by the label `le`, to native ones
// with custom buckets.
//
// Thread safety: pure functions.
// Semantics: prometheus/util/convertnhcb.

#include <map>
#include <span>
#include <string>
#include <vector>

#include "azexporter/promql/series_notation.h"

namespace azexporter::promql {

struct CustomSeries {
  model::Labels labels;
  std::map<std::size_t, model::HistogramPtr> points;  // by step
};

// Of the series whose names end in _bucket, _sum and _count. What cannot be converted is left out,
// with a note.
std::vector<CustomSeries> ToCustomBuckets(std::span<const SeriesNotation> series,
                                          std::vector<std::string>& notes);

}  // namespace azexporter::promql
