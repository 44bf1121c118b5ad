#pragma once

// The names of --enable-feature, which are Prometheus's.
//
// Thread safety: pure functions.
// Source: prometheus/cmd/prometheus/main.go, setFeatureListOptions.

#include <span>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/promql/engine.h"

namespace azexporter::promql {

struct Feature {
  std::string_view name;
  std::string_view help;
  void (*enable)(EngineOptions& options);
};

// Sorted by name. Some change nothing: what they turned on in Prometheus once is always on.
std::span<const Feature> AllFeatures();

// kBadData, with all names, where there is none of that name.
base::Result<void> EnableFeature(std::string_view name, EngineOptions& options);

}  // namespace azexporter::promql
