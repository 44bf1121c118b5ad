#pragma once

// A cluster of three zones for benchmarks, with all that a report looks at: Deployments with their
// ReplicaSets and StatefulSets with volumes, budgets, Services and their slices.

#include <cstdint>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::bench {

inline constexpr std::int64_t kNowMs = 1'800'000'000'000;

struct ZoneCluster {
  kube::ClusterState::Parts parts;  // every resource synced, and just heard of
};

// 30 pods on a node, 50 of a workload, 20 workloads in a namespace. Of 20 workloads one is a
// StatefulSet; 14 are spread hard over zones, 4 keep their pods apart by host; each has a budget,
// and a Service.
ZoneCluster MakeZoneCluster(int pods);

}  // namespace azexporter::bench
