#pragma once

// What becomes of the nodes of a zone that is lost: they stay, with taints.
//
// Thread safety: pure functions.

#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/placement.h"
#include "node_domains.h"

namespace azexporter::zones {

// What the loss adds to the taints of the zone's nodes.
std::vector<kube::Taint> TaintsOf(LossKind kind);

// Whether nodes with these taints, too, count for a constraint.
bool KeepsNodes(const Eligibility& eligibility, const std::vector<kube::Taint>& taints);

}  // namespace azexporter::zones
