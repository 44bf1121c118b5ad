#include "namespace_pods.h"

#include <algorithm>

namespace azexporter::zones {
namespace {

bool BelongsToAnother(const kube::ClusterState& cluster, const kube::Workload& workload) {
  const kube::Owner* owner = kube::ControllerOf(workload.owners);
  const auto kind = owner == nullptr ? std::nullopt : kube::WorkloadKindOf(owner->kind);
  return kind && cluster.FindWorkload(*kind, workload.meta.ns, owner->name) != nullptr;
}

template <class T>
void AddAll(const kube::ClusterState& cluster, std::string_view ns, const kube::ObjectList<T>& list,
            WorkloadFinder& finder) {
  for (const auto& workload : list.In(ns)) {
    const bool old_replica_set =
        workload->kind == kube::WorkloadKind::kReplicaSet && workload->desired == 0;
    if (!old_replica_set && !BelongsToAnother(cluster, *workload)) finder.Of(*workload);
  }
}

}  // namespace

std::vector<SeenPod> SeePods(const kube::ClusterState& cluster, std::string_view ns,
                             const NodeDomains& nodes, WorkloadFinder* finder) {
  const auto pods = cluster.PodsIn(ns);
  std::vector<SeenPod> seen;
  seen.reserve(pods.size());
  for (const auto& pod : pods) {
    const std::uint32_t node = nodes.NumberOf(pod->node_name);
    // In order of names, pods of one controller stand together.
    const bool as_before = !seen.empty() && &seen.back().pod->owners.get() == &pod->owners.get();
    seen.push_back({.pod = pod.get(),
                    .node = node,
                    .zone = nodes.zone_of(node),
                    .workload = finder == nullptr ? WorkloadFinder::kNone
                                : as_before       ? seen.back().workload
                                                  : finder->Of(*pod),
                    .counted = IsCounted(*pod),
                    .ready = pod->is_ready()});
  }
  return seen;
}

std::vector<WorkloadPods> GroupPods(const kube::ClusterState& cluster, std::string_view ns,
                                    const std::vector<SeenPod>& pods, WorkloadFinder& finder) {
  AddAll(cluster, ns, cluster.deployments(), finder);
  AddAll(cluster, ns, cluster.replica_sets(), finder);
  AddAll(cluster, ns, cluster.stateful_sets(), finder);
  AddAll(cluster, ns, cluster.daemon_sets(), finder);
  AddAll(cluster, ns, cluster.jobs(), finder);
  std::vector<std::size_t> sizes(finder.size());
  for (const SeenPod& pod : pods) {
    if (pod.workload != WorkloadFinder::kNone) ++sizes[pod.workload];
  }
  std::vector<WorkloadPods> groups(finder.size());
  for (std::uint32_t i = 0; i < groups.size(); ++i) {
    groups[i].ref = finder.ref(i);
    groups[i].workload = finder.workload(i);
    groups[i].pods.reserve(sizes[i]);
  }
  for (const SeenPod& pod : pods) {
    if (pod.workload != WorkloadFinder::kNone) groups[pod.workload].pods.push_back(&pod);
  }
  std::sort(groups.begin(), groups.end(),
            [](const WorkloadPods& a, const WorkloadPods& b) { return a.ref < b.ref; });
  return groups;
}

}  // namespace azexporter::zones
