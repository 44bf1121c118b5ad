#pragma once

// The pods that have a node, in groups of those that are the same to the scheduler and to their
// controller. Placement works on groups.
//
// Thread safety: one thread only.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/workload_pods.h"
#include "label_index.h"
#include "node_domains.h"

namespace azexporter::zones {

// What becomes of a pod when its node goes.
enum class PodRole {
  kMoves,  // its controller makes another one
  kStays,  // bound to the node: of a DaemonSet, or static
  kBare,   // lost
  kEnds,   // not missed: terminating, or of a finished Job
};

struct PodGroup {
  const kube::Pod* pod = nullptr;  // one of them
  std::uint32_t workload = WorkloadFinder::kNone;
  PodRole role = PodRole::kMoves;
  // In PodGroups::NodesOf.
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

class PodGroups {
 public:
  PodGroups(const kube::ClusterState& cluster, const NodeDomains& nodes, WorkloadFinder& finder);

  // By namespace and name of their pods: pods of one group stand together in the cluster's list.
  const std::vector<PodGroup>& groups() const { return groups_; }
  // Node by pod.
  std::span<const std::uint32_t> NodesOf(const PodGroup& group) const {
    return {nodes_.data() + group.first, group.count};
  }
  // Active pods without a node.
  std::int64_t pending() const { return pending_; }

  // Those of the namespace with matching labels, in order.
  std::vector<std::uint32_t> Matching(const std::string& ns, const kube::LabelSelector& selector);
  std::vector<std::string_view> Namespaces() const;

 private:
  struct Namespace {
    std::uint32_t first = 0;
    std::uint32_t end = 0;
    std::optional<LabelIndex> by_labels;  // made when first asked for
  };

  void Add(const kube::Pod& pod, std::uint32_t node, WorkloadFinder& finder);

  std::vector<PodGroup> groups_;
  std::vector<std::uint32_t> nodes_;
  std::unordered_map<std::string_view, Namespace> namespaces_;
  std::int64_t pending_ = 0;
};

}  // namespace azexporter::zones
