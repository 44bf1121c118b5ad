#pragma once

// The pods of one namespace as the parts of its report look at them, and those parts. A selector,
// and an owner, reach no further than their namespace: that is why a report is made namespace by
// namespace, and only for those in which something changed.
//
// Thread safety: one thread only.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/budgets.h"
#include "azexporter/zones/distribution.h"
#include "azexporter/zones/spread.h"
#include "azexporter/zones/spread_gaps.h"
#include "azexporter/zones/workload_pods.h"
#include "label_sets.h"
#include "namespace_pods.h"
#include "node_domains.h"
#include "volume_places.h"

namespace azexporter::zones {

struct NamespaceView {
  // Both must outlive this. `node_domains`: of the same nodes.
  NamespaceView(const kube::ClusterState& whole, std::string_view name, NodeDomains& node_domains)
      : cluster(whole),
        ns(name),
        nodes(node_domains),
        finder(whole, name),
        pods(SeePods(whole, name, nodes, &finder)),
        runs(RunsOf(pods)),
        workloads(GroupPods(runs, finder)),
        sets(runs) {}
  NamespaceView(const NamespaceView&) = delete;
  NamespaceView& operator=(const NamespaceView&) = delete;

  const kube::ClusterState& cluster;
  const std::string ns;
  NodeDomains& nodes;
  WorkloadFinder finder;
  const std::vector<SeenPod> pods;
  const std::vector<PodRun> runs;
  const std::vector<WorkloadPods> workloads;
  const LabelSets sets;
};

// Sorted by workload; workloads without pods, too, but no finished Jobs.
std::vector<WorkloadDistribution> DistributionIn(const NamespaceView& view);

SpreadReport SpreadIn(const NamespaceView& view, const SpreadOptions& options);

// Sorted by workload.
std::vector<UnspreadWorkload> UnspreadIn(const NamespaceView& view,
                                         const DefaultConstraints& defaults);

// Sorted by workload.
std::vector<AntiAffinityViolation> AntiAffinityIn(const NamespaceView& view);

// Sorted by name.
std::vector<BudgetStatus> BudgetsIn(const NamespaceView& view);

// Sorted by name. `places`: of the same nodes.
std::vector<PinnedClaim> PinnedClaimsIn(const NamespaceView& view, VolumePlaces& places);

}  // namespace azexporter::zones
