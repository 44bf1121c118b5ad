#include "namespace_pods.h"

#include <algorithm>
#include <iterator>

namespace azexporter::zones {
namespace {

// Whether both are of one template, by what they share.
bool SameTemplate(const kube::Pod& a, const kube::Pod& b) {
  return &a.owners.get() == &b.owners.get() && &a.meta.labels.get() == &b.meta.labels.get() &&
         a.spec == b.spec && a.pinned_node.empty() == b.pinned_node.empty();
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
    const bool same_owner = !seen.empty() && &seen.back().pod->owners.get() == &pod->owners.get();
    seen.push_back({.pod = pod.get(),
                    .created_ms = pod->meta.created_ms,
                    .node = node,
                    .zone = nodes.zone_of(node),
                    .workload = finder == nullptr ? WorkloadFinder::kNone
                                : same_owner      ? seen.back().workload
                                                  : finder->Of(*pod),
                    .active = pod->is_active(),
                    .counted = IsCounted(*pod),
                    .ready = pod->is_ready(),
                    .bound = !pod->node_name.empty(),
                    .has_claims = !pod->claims.empty(),
                    .unschedulable = pod->unschedulable,
                    .as_before = !seen.empty() && SameTemplate(*seen.back().pod, *pod)});
  }
  return seen;
}

std::vector<PodRun> RunsOf(const std::vector<SeenPod>& pods) {
  std::vector<PodRun> runs;
  const auto counted = [](const SeenPod& pod) { return pod.counted; };
  const auto breaks = [](const SeenPod& pod) { return !pod.counted || !pod.as_before; };
  auto at = std::find_if(pods.begin(), pods.end(), counted);
  while (at != pods.end()) {
    const auto end = std::find_if(std::next(at), pods.end(), breaks);
    runs.emplace_back(at, end);
    at = std::find_if(end, pods.end(), counted);
  }
  return runs;
}

std::vector<WorkloadPods> GroupPods(const std::vector<PodRun>& runs, const WorkloadFinder& finder) {
  std::vector<WorkloadPods> groups(finder.size());
  for (std::uint32_t i = 0; i < groups.size(); ++i) {
    groups[i].ref = finder.ref(i);
    groups[i].workload = finder.workload(i);
  }
  for (const PodRun& run : runs) {
    const std::uint32_t workload = run.front().workload;
    if (workload != WorkloadFinder::kNone) groups[workload].runs.push_back(run);
  }
  const auto by_ref = [](const WorkloadPods& a, const WorkloadPods& b) { return a.ref < b.ref; };
  // They are but for owners that are not watched.
  if (!std::is_sorted(groups.begin(), groups.end(), by_ref)) {
    std::sort(groups.begin(), groups.end(), by_ref);
  }
  return groups;
}

}  // namespace azexporter::zones
