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

void Annotations::InvalidQuantile(double q, const PositionRange& position) {
  ++noted_;
  warnings_[fmt::format("PromQL warning: quantile value should be between 0 and 1, got {}",
                        base::FormatFloatG(q))] = position;
}

void Annotations::BadBucketLabel(std::string_view metric_name, std::string_view label,
                                 const PositionRange& position) {
  ++noted_;
  warnings_[fmt::format(
      "PromQL warning: bucket label \"le\" is missing or has a malformed value of {}{}",
      Quoted(label), ForMetric(metric_name))] = position;
}

void Annotations::SortInRangeQuery(const PositionRange& position) {
  ++noted_;
  warnings_
      ["PromQL warning: sort is ineffective for range queries since results are always ordered by "
       "labels"] = position;
}

void Annotations::IncompatibleFloats(std::string_view op, const PositionRange& position) {
  ++noted_;
  infos_[fmt::format(
      "PromQL info: incompatible sample types encountered for binary operator \"{0}\": float {0} "
      "float",
      op)] = position;
}

void Annotations::PossibleNonCounter(std::string_view metric_name, const PositionRange& position) {
  ++noted_;
  infos_[fmt::format(
      "PromQL info: metric might not be a counter, name does not end in "
      "_total/_sum/_count/_bucket: {}",
      Quoted(metric_name))] = position;
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
