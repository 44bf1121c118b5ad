#pragma once

// What would become of the pods if all nodes of a zone went now: which of them find no other node,
// and why.
// Semantics: the filters of kube-scheduler, kubernetes pkg/scheduler/framework/plugins:
// nodeaffinity, volumebinding, volumezone, tainttoleration, noderesources, nodeports,
// interpodaffinity, podtopologyspread.
//
// The zone's nodes take no pods any more, but their Node objects stay. A hard constraint over zones
// therefore goes on counting the zone, with 0 pods, unless it honors taints, and may keep the
// replacements out of the zones that are left.
//
// The pods of the zone:
//   displaced   a controller makes them anew; each is placed or unplaced
//   bare        without a controller: lost for good
//   staying     of a DaemonSet, or static: bound to their node, and still counted there
// Those that are finished, terminating or of a finished Job are gone and not missed. Pods that have
// no node before the loss stay pending, compete for nothing and are only counted.
//
// The nodes that receive pods: Ready, not cordoned, not of the zone; those without a zone, too.
// What is free there is allocatable less the requests of all active pods, terminating ones
// included. A node that reports nothing allocatable takes any number of pods, and adds nothing to
// the headroom.
//
// Displaced pods are placed one after the other: higher priority first, then the larger request
// (its largest share of what the whole cluster has of a resource), then by namespace and name. Of
// the zones with a node for it a pod goes to the one with the fewest pods of its first hard
// constraint over zones, else to the zones in turn; there to the nodes in turn. Each workload
// begins with a zone and a node of its own, which its name says, so that where a pod goes does not
// hang on pods that have nothing to do with it. What was placed counts for the next.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/spread.h"
#include "azexporter/zones/workload_pods.h"

namespace azexporter::zones {

// In what it differs from the cluster's own scheduler, in words for the user.
inline constexpr std::string_view kPlacementApproximation =
    "Pods are placed one after the other, by priority, then by size, and never moved again: a "
    "placement that only another order would find is missed. There is no preemption, no preferred "
    "term weighs, and no autoscaler adds nodes. A pod never goes to a node that is not ready or is "
    "cordoned, even if it tolerates that. All pods of the lost nodes count as gone, but those of "
    "DaemonSets and static ones: whoever tolerates an unreachable node is taken to be deleted, "
    "too. Pods of a StatefulSet on a failed node come back only when the old pod is deleted or the "
    "node is tainted as out of service; they are placed as if that was done, and as if their "
    "volumes were detached. Every pod is made anew as it was, though a rollout may be under way. A "
    "namespace selector that is not empty selects nothing, since namespaces are not watched; a "
    "claim or volume that is not known binds its pod to nothing. Limits on the number of volumes, "
    "dynamic resource claims, quotas and other schedulers than kube-scheduler are not considered.";

enum class LossKind {
  // The nodes are not ready and tainted node.kubernetes.io/unreachable, NoSchedule and NoExecute.
  kFailure,
  // The nodes are ready, cordoned (node.kubernetes.io/unschedulable:NoSchedule) and drained.
  kEvacuation,
};
std::string_view LossKindName(LossKind kind);

// Why a pod finds no node. Each node is put through these filters in this order, until one refuses
// it. The reason is the last one that refused any: the node that got so far passed all before it.
enum class PlacementReason {
  kNoNodes,               // no node is left that could receive pods
  kNodeAffinity,          // node selector or required node affinity
  kVolumeZone,            // a volume cannot be reached from there
  kTaints,                // NoSchedule or NoExecute, not tolerated
  kInsufficientCpu,       // less is free on the node than the pod requests
  kInsufficientMemory,    // the same
  kTooManyPods,           // the node has as many as it takes
  kInsufficientResource,  // any other: UnplacedPods::resource
  kHostPorts,             // taken on the node
  kPodAffinity,           // required; no such pod in the domain
  kAntiAffinity,          // required; of the pod, or of one that is there
  kTopologySpread,        // DoNotSchedule
};
std::string_view PlacementReasonName(PlacementReason reason);  // "insufficient_cpu"

// Pods of one workload that find no node for the same reason.
struct UnplacedPods {
  WorkloadRef workload;
  PlacementReason reason = PlacementReason::kNoNodes;
  std::string resource;  // "cpu"; empty unless it is about a resource
  // "DoNotSchedule over topology.kubernetes.io/zone (maxSkew 1), us-east-1a still counts with 0".
  // Empty where the reason says it all.
  std::string detail;
  std::int64_t pods = 0;

  bool operator==(const UnplacedPods&) const = default;
};

// All of those of one namespace.
struct UnplacedInNamespace {
  // What the rows of one reason come to.
  struct Sum {
    PlacementReason reason = PlacementReason::kNoNodes;
    std::int64_t pods = 0;
    std::int64_t workloads = 0;
    const UnplacedPods* largest = nullptr;  // the first of the rows with the most pods
  };
  // By workload, reason, resource, detail. Never null.
  using Rows = std::vector<std::shared_ptr<const UnplacedPods>>;

  explicit UnplacedInNamespace(Rows sorted);

  const Rows rows;
  std::vector<Sum> sums;  // by reason
};

// Of the nodes that receive pods. A node with more requested than it has counts as full.
struct Headroom {
  kube::Resources free;     // of all together
  kube::Resources largest;  // of each resource, what is most on one node
};

struct Placement {
  std::string zone;
  LossKind kind = LossKind::kFailure;

  std::int64_t lost_nodes = 0;
  std::int64_t receiving_nodes = 0;
  std::int64_t unlimited_nodes = 0;  // of those: nothing allocatable is reported

  std::int64_t displaced = 0;
  std::int64_t placed = 0;
  std::int64_t bare = 0;
  std::int64_t stateful = 0;  // displaced pods of StatefulSets, which wait for the old pod's end
  std::int64_t pending = 0;   // in the whole cluster without a node, before the loss

  // By namespace. Never null, and none without a row.
  std::vector<std::shared_ptr<const UnplacedInNamespace>> unplaced;
  Headroom before;  // the zone lost, nothing placed yet
  Headroom after;

  std::int64_t unplaced_pods() const { return displaced - placed; }
};

// Calls `visit(row)` for all unplaced pods, in order.
template <class Visit>
void ForEachUnplaced(const Placement& placement, Visit visit) {
  for (const auto& in_namespace : placement.unplaced) {
    for (const auto& row : in_namespace->rows) visit(*row);
  }
}

class NamespaceGroups;  // both private to `zones`
class NodeDomains;
using GroupsByNamespace =
    std::map<std::string, std::shared_ptr<const NamespaceGroups>, std::less<>>;

// A model goes along with the cluster: an update costs what changed, and so does the next question
// about a zone that was asked about before.
//
// Thread safety: one thread only.
class PlacementModel {
 public:
  using Names = std::set<std::string, std::less<>>;

  // Of the whole cluster as it is, which must outlive this. `defaults`: what the scheduler applies
  // to pods without spread constraints of their own; only hard ones matter.
  explicit PlacementModel(const kube::ClusterState& cluster,
                          const DefaultConstraints& defaults = {});
  // Of the cluster's nodes, and no pods yet. `domains`: of the same nodes. Both must outlive this.
  PlacementModel(const kube::ClusterState& cluster, const DefaultConstraints& defaults,
                 NodeDomains& domains);
  ~PlacementModel();
  PlacementModel(const PlacementModel&) = delete;
  PlacementModel& operator=(const PlacementModel&) = delete;

  // The same nodes with other pods: see PlacementFacts::Update.
  void Update(const kube::ClusterState& now, const GroupsByNamespace& namespaces,
              const Names& changed);

  // Of a zone that no node has, nothing is displaced.
  Placement Without(std::string_view zone, LossKind kind);
  // No constraint tells a failed node from a drained one: of any zone, both kinds come to the same.
  bool KindsAlike() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::zones
