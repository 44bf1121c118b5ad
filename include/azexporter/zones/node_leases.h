#pragma once

// Which nodes have stopped renewing their Leases though they still count as ready: seen after 20 s,
// where kube-controller-manager waits for 40 s (50 s since 1.32, --node-monitor-grace-period) until
// it calls a silent node unknown.
//
// How old a renewal is, is measured up to the API server's last word on Leases and not up to now:
// where azexporter itself hears nothing, no node grows silent. It compares two clocks, that of
// azexporter and that of the node; a node whose clock is wrong by more than a renewal is told of.
//
// Thread safety: pure functions.

#include <cstdint>
#include <string>
#include <vector>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::zones {

struct NodeLeaseAge {
  const kube::Node* node = nullptr;  // never null; of the cluster
  std::int64_t age_ms = 0;           // since its last renewal, at least 0
  bool silent = false;               // it missed two renewals: half of the Lease's duration is over
};

// Of the nodes that have a Lease, by name. Empty where Leases are not watched; a file's are as old
// as the file and say nothing.
std::vector<NodeLeaseAge> NodeLeaseAgesOf(const kube::ClusterState& cluster);

// Ready nodes of one zone that are silent.
struct SilentNodes {
  std::string zone;  // empty: of none
  std::int64_t nodes = 0;
  std::string longest;  // the name of the one that is silent for longest
  std::int64_t longest_ms = 0;
};

// Sorted by zone; zones without any are absent.
std::vector<SilentNodes> SilentNodesOf(const kube::ClusterState& cluster);

}  // namespace azexporter::zones
