#pragma once

// The notation of PromQL scripts and of promtool's `input_series` for a series and its points:
//
//   http_requests_total{zone="a"} 1+2x3 _ 4 _x2 5x1 stale NaN -1
//
// stands for 1 3 5 7, nothing, 4, nothing twice, 5 5, a staleness marker, NaN, -1, at equal steps.
// `axn` is n+1 times a; `a+bxn` and `a-bxn` are a and n more values, each b further; `_xn` is n
// times nothing. Native histograms ({{...}}) are refused until the engine knows them.
//
// Thread safety: may be called from any thread.
// Semantics: prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series.

#include <optional>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"

namespace azexporter::promql {

// Longer sequences are refused.
inline constexpr std::size_t kMaxSequence = 1'000'000;

// A value a step; nothing where there is no point.
using Sequence = std::vector<std::optional<double>>;

struct SeriesNotation {
  model::Labels labels;
  Sequence values;
};

// kBadData, naming the item, when malformed.
base::Result<Sequence> ParseSequence(std::string_view text);
// The two halves of a line, neither looked into: `up{a="b"}` and ` 1 2`.
struct SeriesLine {
  std::string_view series;
  std::string_view points;
};
SeriesLine SplitSeriesNotation(std::string_view line);
// A series, blanks, a sequence.
base::Result<SeriesNotation> ParseSeriesNotation(std::string_view line);

}  // namespace azexporter::promql
