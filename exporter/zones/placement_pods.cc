#include "placement_pods.h"

#include <algorithm>

namespace azexporter::zones {
namespace {

bool SameOwner(const kube::Pod& a, const kube::Pod& b) {
  if (&a.owners.get() == &b.owners.get()) return true;
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

NamespaceGroups::NamespaceGroups(const std::vector<SeenPod>& pods, const WorkloadFinder& finder) {
  nodes_.reserve(pods.size());
  workloads_.reserve(finder.size());
  for (std::uint32_t i = 0; i < finder.size(); ++i) workloads_.push_back(finder.ref(i));
  for (const SeenPod& seen : pods) {
    if (!seen.pod->is_active()) continue;
    if (seen.pod->node_name.empty()) {
      if (seen.counted) ++pending_;
    } else if (seen.node != NodeDomains::kNone) {
      Add(seen, finder);
    }
  }
}

void NamespaceGroups::Add(const SeenPod& seen, const WorkloadFinder& finder) {
  if (groups_.empty() || !SameGroup(*groups_.back().pod, *seen.pod)) {
    const PodRole role =
        RoleOf(*seen.pod,
               seen.workload == WorkloadFinder::kNone ? nullptr : finder.workload(seen.workload));
    groups_.push_back(
        {seen.pod, seen.workload, role, static_cast<std::uint32_t>(nodes_.size()), 0});
  }
  ++groups_.back().count;
  nodes_.push_back(seen.node);
}

bool operator==(const NamespaceGroups& a, const NamespaceGroups& b) {
  const auto same = [&](const PodGroup& one, const PodGroup& other) {
    const bool owned = one.workload != WorkloadFinder::kNone;
    return one.role == other.role && one.count == other.count &&
           owned == (other.workload != WorkloadFinder::kNone) &&
           (!owned || a.workloads_[one.workload] == b.workloads_[other.workload]) &&
           SameGroup(*one.pod, *other.pod);
  };
  return a.pending_ == b.pending_ && a.nodes_ == b.nodes_ &&
         std::equal(a.groups_.begin(), a.groups_.end(), b.groups_.begin(), b.groups_.end(), same);
}

PodGroups::PodGroups(std::span<const NamespaceGroups* const> namespaces) {
  for (const NamespaceGroups* const in : namespaces) {
    pending_ += in->pending();
    if (in->groups().empty()) continue;
    const auto first = static_cast<std::uint32_t>(groups_.size());
    const auto first_node = static_cast<std::uint32_t>(nodes_.size());
    const auto first_workload = static_cast<std::uint32_t>(workloads_.size());
    for (PodGroup group : in->groups()) {
      group.first += first_node;
      if (group.workload != WorkloadFinder::kNone) group.workload += first_workload;
      groups_.push_back(group);
    }
    nodes_.insert(nodes_.end(), in->nodes().begin(), in->nodes().end());
    for (const WorkloadRef& workload : in->workloads()) workloads_.push_back(&workload);
    const auto end = static_cast<std::uint32_t>(groups_.size());
    namespaces_.emplace(groups_.back().pod->meta.ns, Namespace{first, end, {}});
  }
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
