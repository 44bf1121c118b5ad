#pragma once

// The pods of one namespace as the parts of its report look at them, and those parts. A selector,
// and an owner, reach no further than their namespace: that is why a report is made namespace by
// namespace, and only for those in which something changed.
//
// Thread safety: immutable after construction; the functions are pure.

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
#include "node_domains.h"
#include "volume_places.h"

namespace azexporter::zones {

struct NamespaceView {
  NamespaceView(const kube::ClusterState& whole, std::string_view name)  // whole must outlive this
      : cluster(whole), ns(name), workloads(GroupPods(whole, name)), sets(whole.PodsIn(name)) {}

  const kube::ClusterState& cluster;
  const std::string ns;
  const std::vector<WorkloadPods> workloads;
  const LabelSets sets;
};

// Sorted by workload; workloads without pods, too, but no finished Jobs.
std::vector<WorkloadDistribution> DistributionIn(const NamespaceView& view);

// `nodes`: of the same cluster.
SpreadReport SpreadIn(const NamespaceView& view, NodeDomains& nodes, const SpreadOptions& options);

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
