#pragma once

// The pods of one namespace with what is looked up of each by name: its node, the node's zone, its
// workload. Each part of a report asks for those, and a look-up costs more than what is done with
// its answer; hence it is made once.
//
// Thread safety: immutable after construction.

#include <cstdint>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/workload_pods.h"
#include "node_domains.h"

namespace azexporter::zones {

struct SeenPod {
  const kube::Pod* pod = nullptr;
  std::uint32_t node = NodeDomains::kNone;    // NodeDomains::NumberOf; kNone for unknown nodes, too
  std::uint32_t zone = NodeDomains::kNoZone;  // NodeDomains::zones
  std::uint32_t workload = WorkloadFinder::kNone;
  bool counted = false;  // IsCounted
  bool ready = false;    // kube::Pod::is_ready
};

// In order of names. Workloads are looked up where there is a finder.
std::vector<SeenPod> SeePods(const kube::ClusterState& cluster, std::string_view ns,
                             const NodeDomains& nodes, WorkloadFinder* finder = nullptr);

struct WorkloadPods {
  WorkloadRef ref;
  const kube::Workload* workload = nullptr;  // null where the owner is not watched
  std::vector<const SeenPod*> pods;          // all of them, finished and terminating ones, too
};

// Every workload of the namespace and every owner of its pods, sorted by `ref`: those without pods,
// too, but not the ReplicaSets and Jobs that belong to another workload and not ReplicaSets scaled
// to nothing. `pods`: of the namespace, numbered by the finder.
std::vector<WorkloadPods> GroupPods(const kube::ClusterState& cluster, std::string_view ns,
                                    const std::vector<SeenPod>& pods, WorkloadFinder& finder);

}  // namespace azexporter::zones
