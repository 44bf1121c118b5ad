#pragma once

// Where the pods of each workload are.
//
// Thread safety: values.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "azexporter/zones/workload_pods.h"

namespace azexporter::zones {

struct PodCounts {
  std::int64_t total = 0;  // neither finished nor terminating
  std::int64_t ready = 0;
  bool operator==(const PodCounts&) const = default;
};

struct WorkloadDistribution {
  WorkloadRef workload;
  std::optional<std::int64_t> desired;  // absent where the owner is not watched
  PodCounts pods;                       // everywhere
  // By zone; "" holds the pods without a node, or whose node has no zone.
  std::map<std::string, PodCounts, std::less<>> zones;

  std::int64_t ready_in(std::string_view zone) const;
  // Zones with a ready pod.
  std::int64_t ready_zones() const;

  bool operator==(const WorkloadDistribution&) const = default;
};

}  // namespace azexporter::zones
