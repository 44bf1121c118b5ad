#pragma once

// Where the pods of each workload are.
//
// A pure function. Thread safety: values.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/kube/cluster_state.h"
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
  std::map<std::string, PodCounts> zones;

  std::int64_t ready_in(const std::string& zone) const;
  // Zones with a ready pod.
  std::int64_t ready_zones() const;
};

// Sorted by workload; workloads without pods, too, but no finished Jobs.
std::vector<WorkloadDistribution> DistributionOf(const kube::ClusterState& cluster);

}  // namespace azexporter::zones
