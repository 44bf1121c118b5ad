#include "azexporter/zones/placement.h"

#include <algorithm>
#include <utility>

#include "placement_run.h"

namespace azexporter::zones {

std::string_view LossKindName(LossKind kind) {
  switch (kind) {
    case LossKind::kFailure:
      return "failure";
    case LossKind::kEvacuation:
      return "evacuation";
  }
  return "failure";
}

std::string_view PlacementReasonName(PlacementReason reason) {
  switch (reason) {
    case PlacementReason::kNoNodes:
      return "no_nodes";
    case PlacementReason::kNodeAffinity:
      return "node_affinity";
    case PlacementReason::kVolumeZone:
      return "volume_zone";
    case PlacementReason::kTaints:
      return "taints";
    case PlacementReason::kInsufficientCpu:
      return "insufficient_cpu";
    case PlacementReason::kInsufficientMemory:
      return "insufficient_memory";
    case PlacementReason::kTooManyPods:
      return "too_many_pods";
    case PlacementReason::kInsufficientResource:
      return "insufficient_resource";
    case PlacementReason::kHostPorts:
      return "host_ports";
    case PlacementReason::kPodAffinity:
      return "pod_affinity";
    case PlacementReason::kAntiAffinity:
      return "anti_affinity";
    case PlacementReason::kTopologySpread:
      return "topology_spread";
  }
  return "no_nodes";
}

UnplacedInNamespace::UnplacedInNamespace(Rows sorted) : rows(std::move(sorted)) {
  std::map<PlacementReason, std::pair<Sum, const UnplacedPods*>> reasons;  // and the last row
  for (const auto& row : rows) {
    auto& [sum, last] = reasons[row->reason];
    sum.reason = row->reason;
    sum.pods += row->pods;
    if (last == nullptr || last->workload != row->workload) ++sum.workloads;
    last = row.get();
    if (sum.largest == nullptr || row->pods > sum.largest->pods) sum.largest = row.get();
  }
  for (const auto& [reason, of] : reasons) sums.push_back(of.first);
}

struct PlacementModel::Impl {
  std::unique_ptr<NodeDomains> own_domains;  // null: the caller has them
  PlacementFacts facts;
  std::map<std::pair<std::string, LossKind>, PlacementRun> runs;
};

PlacementModel::PlacementModel(const kube::ClusterState& cluster,
                               const DefaultConstraints& defaults) {
  auto domains = std::make_unique<NodeDomains>(cluster.nodes());
  NodeDomains& of_nodes = *domains;
  impl_.reset(new Impl{std::move(domains), PlacementFacts(cluster, of_nodes, defaults), {}});
  const GroupsByNamespace namespaces = GroupsOf(cluster, of_nodes);
  Names names;
  for (const auto& [ns, groups] : namespaces) names.insert(ns);
  Update(cluster, namespaces, names);
}
PlacementModel::PlacementModel(const kube::ClusterState& cluster,
                               const DefaultConstraints& defaults, NodeDomains& domains)
    : impl_(new Impl{nullptr, PlacementFacts(cluster, domains, defaults), {}}) {}
PlacementModel::~PlacementModel() = default;

void PlacementModel::Update(const kube::ClusterState& now, const GroupsByNamespace& namespaces,
                            const Names& changed) {
  impl_->facts.Update(now, namespaces, changed);
}

Placement PlacementModel::Without(std::string_view zone, LossKind kind) {
  const auto made = impl_->runs.try_emplace({std::string(zone), kind}, impl_->facts, zone, kind);
  return made.first->second.Update();
}

bool PlacementModel::KindsAlike() const {
  const auto& plans = impl_->facts.plans();
  return std::all_of(plans.begin(), plans.end(),
                     [](const auto& plan) { return plan == nullptr || plan->kinds_alike(); });
}

}  // namespace azexporter::zones
