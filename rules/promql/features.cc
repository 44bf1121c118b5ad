#include "azexporter/promql/features.h"

#include <algorithm>

namespace azexporter::promql {
namespace {

void AlwaysOn(EngineOptions&) {}

constexpr Feature kFeatures[] = {
    {"native-histograms", "always on", AlwaysOn},
    {"promql-at-modifier", "always on", AlwaysOn},
    {"promql-binop-fill-modifiers", "fill, fill_left and fill_right of binary operators",
     [](EngineOptions& options) { options.parser.fill_modifiers = true; }},
    {"promql-delayed-name-removal", "metric names are dropped at the end of a query",
     [](EngineOptions& options) { options.delayed_name_removal = true; }},
    {"promql-duration-expr", "always on", AlwaysOn},
    {"promql-experimental-functions", "experimental functions and aggregators",
     [](EngineOptions& options) { options.parser.experimental_functions = true; }},
    {"promql-extended-range-selectors", "anchored and smoothed selectors",
     [](EngineOptions& options) { options.parser.extended_range_selectors = true; }},
    {"promql-negative-offset", "always on", AlwaysOn},
    {"type-and-unit-labels", "counters are known by the label __type__",
     [](EngineOptions& options) { options.type_and_unit_labels = true; }},
    {"use-start-timestamps", "start timestamps tell of counter resets",
     [](EngineOptions& options) { options.use_start_timestamps = true; }},
};

}  // namespace

std::span<const Feature> AllFeatures() { return kFeatures; }

base::Result<void> EnableFeature(std::string_view name, EngineOptions& options) {
  const auto found = std::ranges::find(kFeatures, name, &Feature::name);
  if (found != std::end(kFeatures)) {
    found->enable(options);
    return {};
  }
  std::string known;
  for (const Feature& feature : kFeatures) {
    known += (known.empty() ? "" : ", ") + std::string(feature.name);
  }
  return base::BadData("there is no feature \"" + std::string(name) + "\"; there are " + known);
}

}  // namespace azexporter::promql
