#pragma once

// The pods that have a node, in groups of those that are the same to the scheduler and to their
// controller. Placement works on groups.
//
// Thread safety: NamespaceGroups: immutable after construction; PodGroups: one thread only.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/placement.h"
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
  std::shared_ptr<const kube::Pod> pod;  // one of them
  std::uint32_t workload = WorkloadFinder::kNone;
  PodRole role = PodRole::kMoves;
  // In PodGroups::NodesOf.
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// A required term that looks for pods in other namespaces.
struct OutwardTerm {
  bool every_namespace = false;
  std::vector<std::string> namespaces;  // else these; sorted
  kube::LabelSelector selector;         // as it is for the pods that carry the term

  bool LooksInto(std::string_view ns) const;
  bool operator==(const OutwardTerm&) const = default;
};

// What may keep the pods of a namespace from being placed without a look at those of others.
struct Outward {
  std::vector<OutwardTerm> terms;  // no two the same
  bool holds_ports = false;        // of the host
  bool moves_ports = false;        // pods that move do
};

// Those of one namespace.
class NamespaceGroups {
 public:
  NamespaceGroups() = default;
  // `seen`: all `pods`, in their order, numbered by the finder.
  NamespaceGroups(kube::ObjectList<kube::Pod>::Range pods, const std::vector<SeenPod>& seen,
                  const WorkloadFinder& finder);

  // By name of their pods; PodGroup::workload is a number in `workloads`.
  const std::vector<PodGroup>& groups() const { return groups_; }
  const std::vector<std::uint32_t>& nodes() const { return nodes_; }
  const std::vector<WorkloadRef>& workloads() const { return workloads_; }
  std::int64_t pending() const { return pending_; }
  const Outward& outward() const { return outward_; }
  // One of its pods is among those that one of the other's terms looks for.
  bool SoughtBy(const Outward& other, std::string_view own_name) const;

  // Whether the scheduler would treat them the same.
  friend bool operator==(const NamespaceGroups& a, const NamespaceGroups& b);

 private:
  void Add(const std::shared_ptr<const kube::Pod>& pod, const SeenPod& seen,
           const WorkloadFinder& finder, bool same_group);
  void LookOutward(const PodGroup& group);

  std::vector<PodGroup> groups_;
  std::vector<std::uint32_t> nodes_;
  std::vector<WorkloadRef> workloads_;
  std::int64_t pending_ = 0;
  Outward outward_;
};

// Of all pods.
GroupsByNamespace GroupsOf(const kube::ClusterState& cluster, const NodeDomains& nodes);

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
  // Lets go of what makes Matching quick.
  void ForgetLabels();
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
