#pragma once

// The pods that have a node, in groups of those that are the same to the scheduler and to their
// controller. Placement works on groups.
//
// Thread safety: NamespaceGroups: immutable after construction; PodGroups: one thread only.

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
#include "namespace_pods.h"
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

// Those of one namespace, whose pods must outlive this.
class NamespaceGroups {
 public:
  NamespaceGroups() = default;
  // `pods`: all of the namespace, numbered by the finder.
  NamespaceGroups(const std::vector<SeenPod>& pods, const WorkloadFinder& finder);

  // By name of their pods; PodGroup::workload is a number in `workloads`.
  const std::vector<PodGroup>& groups() const { return groups_; }
  const std::vector<std::uint32_t>& nodes() const { return nodes_; }
  const std::vector<WorkloadRef>& workloads() const { return workloads_; }
  std::int64_t pending() const { return pending_; }

  // Whether the scheduler would treat them the same.
  friend bool operator==(const NamespaceGroups& a, const NamespaceGroups& b);

 private:
  void Add(const SeenPod& seen, const WorkloadFinder& finder);

  std::vector<PodGroup> groups_;
  std::vector<std::uint32_t> nodes_;
  std::vector<WorkloadRef> workloads_;
  std::int64_t pending_ = 0;
};

class PodGroups {
 public:
  // By namespace, in order; they must outlive this.
  explicit PodGroups(std::span<const NamespaceGroups* const> namespaces);

  // By namespace and name of their pods: those of one group stand together in the cluster's list.
  const std::vector<PodGroup>& groups() const { return groups_; }
  // Node by pod.
  std::span<const std::uint32_t> NodesOf(const PodGroup& group) const {
    return {nodes_.data() + group.first, group.count};
  }
  const WorkloadRef& workload(std::uint32_t number) const { return *workloads_[number]; }
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

  std::vector<PodGroup> groups_;
  std::vector<std::uint32_t> nodes_;
  std::vector<const WorkloadRef*> workloads_;
  std::unordered_map<std::string_view, Namespace> namespaces_;
  std::int64_t pending_ = 0;
};

}  // namespace azexporter::zones
