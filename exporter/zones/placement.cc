#include "azexporter/zones/placement.h"

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

struct PlacementModel::Impl {
  PlacementFacts facts;
};

PlacementModel::PlacementModel(const kube::ClusterState& cluster,
                               const DefaultConstraints& defaults)
    : impl_(new Impl{PlacementFacts(cluster, defaults)}) {}
PlacementModel::~PlacementModel() = default;

Placement PlacementModel::Without(std::string_view zone, LossKind kind) const {
  return PlacementRun(impl_->facts, zone, kind).Run();
}

}  // namespace azexporter::zones
