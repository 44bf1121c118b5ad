#pragma once

// The notation of PromQL scripts and of promtool's `input_series` for a series and its points:
//
//   http_requests_total{zone="a"} 1+2x3 _ 4 _x2 5x1 stale NaN -1
//
// stands for 1 3 5 7, nothing, 4, nothing twice, 5 5, a staleness marker, NaN, -1, at equal steps.
// `axn` is n+1 times a; `a+bxn` and `a-bxn` are a and n more values, each b further; `_xn` is n
// times nothing. A native histogram is a value too, which histograms can be added to or taken from:
//
//   {{schema:1 sum:3 count:22 z_bucket:1 z_bucket_w:0.5 offset:-2 buckets:[5 10 7] n_buckets:[1]}}
//   {{schema:-53 sum:1 count:3 custom_values:[5 10] buckets:[1 2] counter_reset_hint:gauge}}
//
// The keys: schema, sum, count, z_bucket and z_bucket_w (count and width of the zero bucket),
// custom_values, buckets, offset (index of the first bucket), n_buckets, n_offset (the same below
// zero), counter_reset_hint (unknown, reset, not_reset, gauge).
//
// Thread safety: may be called from any thread.
// Semantics: prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series.

#include <optional>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/histogram.h"
#include "azexporter/model/labels.h"
#include "azexporter/storage/storage.h"

namespace azexporter::promql {

// Longer sequences are refused.
inline constexpr std::size_t kMaxSequence = 1'000'000;

// A float or a native histogram.
struct SequenceValue {
  double f = 0;
  model::HistogramPtr h = nullptr;
  bool names_hint = false;  // counter_reset_hint was among the keys
};

// A value a step; nothing where there is no point.
using Sequence = std::vector<std::optional<SequenceValue>>;

struct SeriesNotation {
  model::Labels labels;
  Sequence values;
};

// kBadData, naming the item, when malformed.
base::Result<Sequence> ParseSequence(std::string_view text);
// When counting began, relative to each point, ms: durations in the same notation, `-30s-1mx2 _ 0`.
base::Result<std::vector<std::optional<std::int64_t>>> ParseStartTimes(std::string_view text);
// Lays a value down. `start_t`: since when it has been counted, 0 where that is not known. kBadData
// where it is no histogram, or the store refuses it.
base::Result<void> AppendValue(storage::Appender& to, const model::Labels& labels,
                               model::TimestampMs t, const SequenceValue& value,
                               model::TimestampMs start_t = 0);
// The two halves of a line, neither looked into: `up{a="b"}` and ` 1 2`.
struct SeriesLine {
  std::string_view series;
  std::string_view points;
};
SeriesLine SplitSeriesNotation(std::string_view line);
// A series, blanks, a sequence.
base::Result<SeriesNotation> ParseSeriesNotation(std::string_view line);

}  // namespace azexporter::promql
