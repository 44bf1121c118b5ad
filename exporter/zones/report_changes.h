#pragma once

// What of a cluster changed, as far as a report depends on it.
//
// Thread safety: pure functions.

#include <string_view>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/placement.h"

namespace azexporter::zones {

inline constexpr std::string_view kMaintenanceAnnotation = "azexporter.io/maintenance-until";

// In all that the report, and the placement of pods, depend on.
bool SameForReport(const kube::ObjectList<kube::Node>& a, const kube::ObjectList<kube::Node>& b);

// In which namespaces something changed, beside the nodes.
struct Changes {
  PlacementModel::Names namespaces;
  // Those in which it is something that pods are placed by, beside the pods.
  PlacementModel::Names placement;
};
Changes ChangesBetween(const kube::ClusterState& before, const kube::ClusterState& after);

}  // namespace azexporter::zones
