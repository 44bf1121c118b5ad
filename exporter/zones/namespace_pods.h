#pragma once

// The pods of one namespace with what is looked up of each by name: its node, the node's zone, its
// workload. Each part of a report asks for those, and a look-up costs more than what is done with
// its answer; hence it is made once.
//
// Thread safety: immutable after construction.

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/workload_pods.h"
#include "node_domains.h"

namespace azexporter::zones {

struct SeenPod {
  const kube::Pod* pod = nullptr;
  std::int64_t created_ms = 0;                // kube::ObjectMeta::created_ms
  std::uint32_t node = NodeDomains::kNone;    // NodeDomains::NumberOf; kNone for unknown nodes, too
  std::uint32_t zone = NodeDomains::kNoZone;  // NodeDomains::zones
  std::uint32_t workload = WorkloadFinder::kNone;
  bool active : 1 = false;         // kube::Pod::is_active
  bool counted : 1 = false;        // IsCounted
  bool ready : 1 = false;          // kube::Pod::is_ready
  bool bound : 1 = false;          // has a node, whether or not that is known
  bool has_claims : 1 = false;     // kube::Pod::claims
  bool unschedulable : 1 = false;  // kube::Pod::unschedulable
  // Shares labels, owners and spec with the pod before it, as pods of one template mostly do, and
  // is pinned to a node of its own as that is, or not.
  bool as_before : 1 = false;
};

// In order of names. Workloads are looked up where there is a finder.
std::vector<SeenPod> SeePods(const kube::ClusterState& cluster, std::string_view ns,
                             const NodeDomains& nodes, WorkloadFinder* finder = nullptr);

// Counted pods that follow one another, each but the first as_before; never empty. What follows
// from labels, owner and spec is asked once for all of them.
using PodRun = std::span<const SeenPod>;

// All counted pods. They must outlive the runs.
std::vector<PodRun> RunsOf(const std::vector<SeenPod>& pods);

struct WorkloadPods {
  WorkloadRef ref;
  const kube::Workload* workload = nullptr;  // null where the owner is not watched
  std::vector<PodRun> runs;                  // in order of names
};

// All that the finder knows, sorted by `ref`: those without pods, too. `runs`: of pods that it
// numbered.
std::vector<WorkloadPods> GroupPods(const std::vector<PodRun>& runs, const WorkloadFinder& finder);

}  // namespace azexporter::zones
