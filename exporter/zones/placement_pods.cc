#include "placement_pods.h"

#include <algorithm>

namespace azexporter::zones {
namespace {

bool SameOwner(const kube::Pod& a, const kube::Pod& b) {
  const kube::Owner* owner_a = kube::ControllerOf(a.owners);
  const kube::Owner* owner_b = kube::ControllerOf(b.owners);
  if (owner_a == nullptr || owner_b == nullptr) return owner_a == owner_b;
  return owner_a->name == owner_b->name && owner_a->kind == owner_b->kind;
}

bool SameGroup(const kube::Pod& a, const kube::Pod& b) {
  return a.spec == b.spec && a.meta.terminating == b.meta.terminating &&
         a.pinned_node.empty() == b.pinned_node.empty() && a.claims == b.claims &&
         a.meta.ns == b.meta.ns && SameOwner(a, b) && a.meta.labels == b.meta.labels;
}

PodRole RoleOf(const kube::Pod& pod, const kube::Workload* workload) {
  const kube::Owner* owner = kube::ControllerOf(pod.owners);
  if (pod.meta.terminating) return PodRole::kEnds;
  if (!pod.pinned_node.empty()) return PodRole::kStays;
  if (owner == nullptr) return PodRole::kBare;
  if (owner->kind == "DaemonSet" || owner->kind == "Node") return PodRole::kStays;
  return workload != nullptr && workload->finished ? PodRole::kEnds : PodRole::kMoves;
}

}  // namespace

PodGroups::PodGroups(const kube::ClusterState& cluster, const NodeDomains& nodes,
                     WorkloadFinder& finder) {
  nodes_.reserve(cluster.pods().size());
  for (const auto& pod : cluster.pods()) {
    if (!pod->is_active()) continue;
    if (pod->node_name.empty()) {
      if (!pod->meta.terminating) ++pending_;
      continue;
    }
    const std::uint32_t node = nodes.NumberOf(pod->node_name);
    if (node != NodeDomains::kNone) Add(*pod, node, finder);
  }
}

void PodGroups::Add(const kube::Pod& pod, std::uint32_t node, WorkloadFinder& finder) {
  if (groups_.empty() || !SameGroup(*groups_.back().pod, pod)) {
    const auto number = static_cast<std::uint32_t>(groups_.size());
    const auto known = namespaces_.try_emplace(pod.meta.ns, Namespace{number, 0, {}});
    known.first->second.end = number + 1;
    const std::uint32_t workload = finder.Of(pod);
    const PodRole role =
        RoleOf(pod, workload == WorkloadFinder::kNone ? nullptr : finder.workload(workload));
    groups_.push_back({&pod, workload, role, static_cast<std::uint32_t>(nodes_.size()), 0});
  }
  ++groups_.back().count;
  nodes_.push_back(node);
}

std::vector<std::uint32_t> PodGroups::Matching(const std::string& ns,
                                               const kube::LabelSelector& selector) {
  std::vector<std::uint32_t> matching;
  const auto found = namespaces_.find(ns);
  if (found == namespaces_.end()) return matching;
  Namespace& in = found->second;
  if (!in.by_labels) {
    in.by_labels.emplace();
    for (std::uint32_t i = in.first; i < in.end; ++i) {
      in.by_labels->Add(groups_[i].pod->meta.labels, i);
    }
  }
  const auto take = [&](std::uint32_t number) {
    if (selector.Matches(groups_[number].pod->meta.labels)) matching.push_back(number);
  };
  const auto* candidates = in.by_labels->Candidates(selector.match_labels, selector.requirements);
  if (candidates == nullptr) {
    for (std::uint32_t i = in.first; i < in.end; ++i) take(i);
  } else {
    std::for_each(candidates->begin(), candidates->end(), take);
  }
  return matching;
}

std::vector<std::string_view> PodGroups::Namespaces() const {
  std::vector<std::string_view> names;
  for (const auto& [name, range] : namespaces_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace azexporter::zones
