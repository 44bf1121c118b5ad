#include "azexporter/zones/placement.h"

#include <vector>

#include "namespace_pods.h"
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

namespace {

// What a cluster alone says of its nodes and pods.
struct Found {
  explicit Found(const kube::ClusterState& cluster) : domains(cluster.nodes()) {
    const auto& pods = cluster.pods();
    for (std::size_t i = 0; i < pods.size();) {
      const std::string& ns = pods[i]->meta.ns;
      WorkloadFinder finder(cluster);
      const std::vector<SeenPod> seen = SeePods(cluster, ns, domains, &finder);
      groups.push_back(std::make_unique<const NamespaceGroups>(seen, finder));
      namespaces.push_back(groups.back().get());
      i += seen.size();
    }
  }

  NodeDomains domains;
  std::vector<std::unique_ptr<const NamespaceGroups>> groups;
  std::vector<const NamespaceGroups*> namespaces;
};

}  // namespace

struct PlacementModel::Impl {
  std::unique_ptr<Found> found;  // null: the caller has it
  PlacementFacts facts;
};

PlacementModel::PlacementModel(const kube::ClusterState& cluster,
                               const DefaultConstraints& defaults) {
  auto found = std::make_unique<Found>(cluster);
  Found& all = *found;
  impl_.reset(
      new Impl{std::move(found), PlacementFacts(cluster, all.domains, all.namespaces, defaults)});
}
PlacementModel::PlacementModel(const kube::ClusterState& cluster,
                               const DefaultConstraints& defaults, NodeDomains& domains,
                               std::span<const NamespaceGroups* const> namespaces)
    : impl_(new Impl{nullptr, PlacementFacts(cluster, domains, namespaces, defaults)}) {}
PlacementModel::~PlacementModel() = default;

Placement PlacementModel::Without(std::string_view zone, LossKind kind) const {
  return PlacementRun(impl_->facts, zone, kind).Run();
}

bool PlacementModel::KindsAlike() const { return impl_->facts.KindsAlike(); }

}  // namespace azexporter::zones
