#include "script_nhcb.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <optional>
#include <unordered_map>

#include "azexporter/base/float_format.h"

namespace azexporter::promql {
namespace {

// A classic histogram at one step.
struct Classic {
  std::map<double, double> buckets;  // how many observations were at most that
  std::optional<double> count;
  double sum = 0;
};

base::Result<model::HistogramPtr> Convert(Classic classic) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  if (!classic.count) {
    classic.count = classic.buckets.empty() ? 0 : classic.buckets.rbegin()->second;
  }
  classic.buckets.try_emplace(kInf, *classic.count);
  model::FloatHistogram native;
  native.schema = model::FloatHistogram::kCustomSchema;
  native.count = *classic.count;
  native.sum = classic.sum;
  double before = 0;
  for (const auto& [bound, count] : classic.buckets) {
    if (count < before) {
      return base::BadData(fmt::format("the counts of its buckets fall at {}", bound));
    }
    if (bound != kInf) native.custom_bounds.push_back(bound);
    native.positive.counts.push_back(count - before);
    before = count;
  }
  if (before != native.count) {
    return base::BadData(
        fmt::format("it has {} observations but {} in its buckets", native.count, before));
  }
  native.positive.spans = {{0, static_cast<std::uint32_t>(native.positive.counts.size())}};
  native.Compact();
  AZX_RETURN_IF_ERROR(native.Validate());
  return std::make_shared<const model::FloatHistogram>(std::move(native));
}

enum class Part { kBucket, kCount, kSum };

// Takes the part that a series is of its histogram off its name.
std::optional<Part> TakePart(std::string_view& name) {
  const std::pair<std::string_view, Part> parts[] = {
      {"_bucket", Part::kBucket}, {"_count", Part::kCount}, {"_sum", Part::kSum}};
  for (const auto& [suffix, part] : parts) {
    if (!name.ends_with(suffix)) continue;
    name.remove_suffix(suffix.size());
    return part;
  }
  return std::nullopt;
}

using Steps = std::map<std::size_t, Classic>;
using BySeries = std::unordered_map<model::Labels, Steps, model::LabelsHash>;

void Gather(const SeriesNotation& series, BySeries& all) {
  std::string_view name = series.labels.Get(model::kMetricName);
  const std::optional<Part> part = TakePart(name);
  if (!part) return;
  double bound = 0;
  if (*part == Part::kBucket) {
    const auto parsed = base::ParseFloat(series.labels.Get(model::kBucketLabel));
    if (!parsed || std::isnan(*parsed)) return;
    bound = *parsed;
  }
  model::LabelsBuilder labels(series.labels);
  labels.Set(model::kMetricName, name).Remove(model::kBucketLabel);
  Steps& steps = all[labels.Build()];
  for (std::size_t i = 0; i < series.values.size(); ++i) {
    const auto& value = series.values[i];
    if (!value || value->h != nullptr) continue;
    Classic& classic = steps[i];
    if (*part == Part::kBucket) classic.buckets.try_emplace(bound, value->f);
    if (*part == Part::kCount) classic.count = value->f;
    if (*part == Part::kSum) classic.sum = value->f;
  }
}

}  // namespace

std::vector<CustomSeries> ToCustomBuckets(std::span<const SeriesNotation> series,
                                          std::vector<std::string>& notes) {
  BySeries all;
  for (const SeriesNotation& one : series) Gather(one, all);
  std::vector<CustomSeries> converted;
  for (const auto& [labels, steps] : all) {
    CustomSeries& custom = converted.emplace_back(CustomSeries{labels, {}});
    for (const auto& [i, classic] : steps) {
      auto histogram = Convert(classic);
      if (histogram) {
        custom.points.emplace(i, std::move(*histogram));
      } else {
        notes.push_back(labels.ToString() + ": " + histogram.error().message());
      }
    }
  }
  return converted;
}

}  // namespace azexporter::promql
