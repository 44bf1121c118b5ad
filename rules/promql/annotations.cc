#include "annotations.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "azexporter/base/float_format.h"
#include "civil_time.h"
#include "literals.h"

namespace azexporter::promql {
namespace {

std::string ForMetric(std::string_view metric_name) {
  return metric_name.empty() ? "" : " for metric name " + Quoted(metric_name);
}

std::string At(const PositionRange& position) {
  return fmt::format(" ({}:{})", position.line, position.column);
}

}  // namespace

void Annotations::Warn(std::string_view text, const PositionRange& position) {
  ++noted_;
  warnings_[fmt::format("PromQL warning: {}", text)] = position;
}

void Annotations::Inform(std::string_view text, const PositionRange& position) {
  ++noted_;
  infos_[fmt::format("PromQL info: {}", text)] = position;
}

void Annotations::InvalidQuantile(double q, const PositionRange& position) {
  Warn("quantile value should be between 0 and 1, got " + base::FormatFloatG(q), position);
}

void Annotations::BadBucketLabel(std::string_view metric_name, std::string_view label,
                                 const PositionRange& position) {
  Warn(fmt::format("bucket label \"le\" is missing or has a malformed value of {}{}", Quoted(label),
                   ForMetric(metric_name)),
       position);
}

void Annotations::SortInRangeQuery(const PositionRange& position) {
  Warn("sort is ineffective for range queries since results are always ordered by labels",
       position);
}

void Annotations::PossibleNonCounter(std::string_view metric_name, const PositionRange& position) {
  Inform(fmt::format("metric might not be a counter, name does not end in "
                     "_total/_sum/_count/_bucket: {}",
                     Quoted(metric_name)),
         position);
}

void Annotations::PossibleNonCounterType(std::string_view metric_name, std::string_view type,
                                         const PositionRange& position) {
  Inform(fmt::format("metric might not be a counter, __type__ label is not set to \"counter\" or "
                     "\"histogram\", got {}: {}",
                     Quoted(type), Quoted(metric_name)),
         position);
}

void Annotations::InvalidRatio(double ratio, double capped, const PositionRange& position) {
  Warn(fmt::format("ratio value should be between -1 and 1, got {}, capping to {}",
                   base::FormatFloatG(ratio), base::FormatFloatG(capped)),
       position);
}

void Annotations::IncompatibleTypes(std::string_view lhs, std::string_view op, std::string_view rhs,
                                    const PositionRange& position) {
  Inform(
      fmt::format("incompatible sample types encountered for binary operator \"{1}\": {0} {1} {2}",
                  lhs, op, rhs),
      position);
}

void Annotations::IncompatibleBuckets(std::string_view op, const PositionRange& position) {
  Warn(fmt::format("incompatible bucket layout encountered for binary operator {}", op), position);
}

void Annotations::MixedSamples(std::string_view metric_name, const PositionRange& position) {
  Warn("encountered a mix of histograms and floats for metric name " + Quoted(metric_name),
       position);
}

void Annotations::MixedSamplesInAggregation(const PositionRange& position) {
  Warn("encountered a mix of histograms and floats for aggregation", position);
}

void Annotations::MixedSchemas(std::string_view metric_name, const PositionRange& position) {
  Warn(
      "vector contains a mix of histograms with exponential and custom buckets schemas for metric "
      "name " +
          Quoted(metric_name),
      position);
}

void Annotations::MixedClassicAndNative(std::string_view metric_name,
                                        const PositionRange& position) {
  Warn("vector contains a mix of classic and native histograms" + ForMetric(metric_name), position);
}

void Annotations::HistogramNotCounter(std::string_view metric_name, const PositionRange& position) {
  Warn("this native histogram metric is not a counter: " + Quoted(metric_name), position);
}

void Annotations::HistogramNotGauge(std::string_view metric_name, const PositionRange& position) {
  Warn("this native histogram metric is not a gauge: " + Quoted(metric_name), position);
}

void Annotations::IgnoredInAggregation(std::string_view aggregation,
                                       const PositionRange& position) {
  Inform(fmt::format("ignored histogram in {} aggregation", aggregation), position);
}

void Annotations::IgnoredInMixedRange(std::string_view metric_name, const PositionRange& position) {
  Inform("ignored histograms in a range containing both floats and histograms for metric name " +
             Quoted(metric_name),
         position);
}

void Annotations::ResetCollision(std::string_view operation, const PositionRange& position) {
  Warn(fmt::format("conflicting counter resets during histogram {}", operation), position);
}

void Annotations::BoundsReconciled(std::string_view operation, const PositionRange& position) {
  Inform(fmt::format("mismatched custom buckets were reconciled during {}", operation), position);
}

void Annotations::QuantileIsNaN(std::string_view metric_name, const PositionRange& position) {
  Inform("input to histogram_quantile has NaN observations, result is NaN" + ForMetric(metric_name),
         position);
}

void Annotations::QuantileIsSkewed(std::string_view metric_name, const PositionRange& position) {
  Inform("input to histogram_quantile has NaN observations, result is skewed higher" +
             ForMetric(metric_name),
         position);
}

void Annotations::FractionLeavesNaNsOut(std::string_view metric_name,
                                        const PositionRange& position) {
  Inform("input to histogram_fraction has NaN observations, which are excluded from all fractions" +
             ForMetric(metric_name),
         position);
}

void Annotations::StartTimeOverlap(std::string_view metric_name, const PositionRange& position) {
  ++noted_;
  Overlaps& overlaps =
      overlaps_[fmt::format("PromQL warning: sample has start time that overlaps with previous "
                            "sample timestamp for metric "
                            "{}",
                            Quoted(metric_name))];
  ++overlaps.count;
  overlaps.position = position;
}

void Annotations::ForcedMonotonicity(std::string_view metric_name, const Monotonicity& fixed,
                                     model::TimestampMs t, const PositionRange& position) {
  ++noted_;
  const std::string text =
      "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
      "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)" +
      ForMetric(metric_name);
  const auto [entry, is_new] = forced_.try_emplace(text, Forced{fixed, t, t, 0, position});
  Forced& all = entry->second;
  ++all.count;
  if (is_new) return;
  all.fixed.min_bucket = std::min(all.fixed.min_bucket, fixed.min_bucket);
  all.fixed.max_bucket = std::max(all.fixed.max_bucket, fixed.max_bucket);
  all.fixed.max_diff = std::max(all.fixed.max_diff, fixed.max_diff);
  all.min_t = std::min(all.min_t, t);
  all.max_t = std::max(all.max_t, t);
}

void Annotations::MoveTo(QueryNotes& notes) {
  for (const auto& [text, position] : warnings_) notes.warnings.push_back(text + At(position));
  for (const auto& [text, overlaps] : overlaps_) {
    const std::string times =
        overlaps.count > 1 ? fmt::format(" ({} occurrences)", overlaps.count) : "";
    notes.warnings.push_back(text + times + At(overlaps.position));
  }
  std::ranges::sort(notes.warnings);
  for (const auto& [text, position] : infos_) notes.infos.push_back(text + At(position));
  for (const auto& [text, forced] : forced_) {
    notes.infos.push_back(fmt::format(
        "{}, from buckets {} to {}, with a max diff of {:.2g}, over {} samples from {} to {}{}",
        text, base::FormatFloatG(forced.fixed.min_bucket),
        base::FormatFloatG(forced.fixed.max_bucket), forced.fixed.max_diff, forced.count,
        FormatRfc3339(forced.min_t), FormatRfc3339(forced.max_t), At(forced.position)));
  }
  std::ranges::sort(notes.infos);
}

}  // namespace azexporter::promql
