#include "placement_pods.h"

#include <algorithm>
#include <iterator>

#include "affinity_terms.h"

namespace azexporter::zones {
namespace {

bool SameOwner(const kube::Pod& a, const kube::Pod& b) {
  if (&a.owners.get() == &b.owners.get()) return true;
  const kube::Owner* owner_a = kube::ControllerOf(a.owners);
  const kube::Owner* owner_b = kube::ControllerOf(b.owners);
  if (owner_a == nullptr || owner_b == nullptr) return owner_a == owner_b;
  return owner_a->name == owner_b->name && owner_a->kind == owner_b->kind;
}

// Beyond what pods of one template share.
bool SameState(const kube::Pod& a, const kube::Pod& b) {
  return a.meta.terminating == b.meta.terminating && a.claims == b.claims;
}

bool SameGroup(const kube::Pod& a, const kube::Pod& b) {
  return a.spec == b.spec && SameState(a, b) && a.pinned_node.empty() == b.pinned_node.empty() &&
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

NamespaceGroups::NamespaceGroups(kube::ObjectList<kube::Pod>::Range pods,
                                 const std::vector<SeenPod>& seen, const WorkloadFinder& finder) {
  nodes_.reserve(seen.size());
  workloads_.reserve(finder.size());
  for (std::uint32_t i = 0; i < finder.size(); ++i) workloads_.push_back(finder.ref(i));
  const SeenPod* last = nullptr;  // that was added
  auto one = seen.begin();
  for (const auto& pod : pods) {
    const SeenPod& of_pod = *one++;
    if (!of_pod.active) continue;
    if (!of_pod.bound) {
      if (of_pod.counted) ++pending_;
    } else if (of_pod.node != NodeDomains::kNone) {
      const bool next = last != nullptr && last + 1 == &of_pod && of_pod.as_before;
      const bool same = next ? SameState(*last->pod, *pod)
                             : !groups_.empty() && SameGroup(*groups_.back().pod, *pod);
      Add(pod, of_pod, finder, same);
      last = &of_pod;
    }
  }
}

void NamespaceGroups::Add(const std::shared_ptr<const kube::Pod>& pod, const SeenPod& seen,
                          const WorkloadFinder& finder, bool same_group) {
  if (!same_group) {
    const PodRole role = RoleOf(
        *pod, seen.workload == WorkloadFinder::kNone ? nullptr : finder.workload(seen.workload));
    groups_.push_back({pod, seen.workload, role, static_cast<std::uint32_t>(nodes_.size()), 0});
    LookOutward(groups_.back());
  }
  ++groups_.back().count;
  nodes_.push_back(seen.node);
}

void NamespaceGroups::LookOutward(const PodGroup& group) {
  const kube::PodSpec& spec = *group.pod->spec;
  const bool moves = group.role == PodRole::kMoves;
  const auto look = [&](const std::vector<kube::PodAffinityTerm>& terms) {
    for (const kube::PodAffinityTerm& term : terms) {
      if (!LooksOutside(term, group.pod->meta.ns)) continue;
      auto selector = EffectiveSelector(term, group.pod->meta.labels);
      if (!selector) continue;
      OutwardTerm outward{EveryNamespace(term), NamespacesOf(term, group.pod->meta.ns),
                          std::move(*selector)};
      const auto& known = outward_.terms;
      if (std::find(known.begin(), known.end(), outward) == known.end()) {
        outward_.terms.push_back(std::move(outward));
      }
    }
  };
  look(spec.required_anti_affinity);
  if (moves) look(spec.required_affinity);
  if (spec.host_ports.empty()) return;
  outward_.holds_ports = true;
  outward_.moves_ports = outward_.moves_ports || moves;
}

bool OutwardTerm::LooksInto(std::string_view ns) const {
  return every_namespace || std::binary_search(namespaces.begin(), namespaces.end(), ns);
}

bool NamespaceGroups::SoughtBy(const Outward& other, std::string_view own_name) const {
  return std::any_of(other.terms.begin(), other.terms.end(), [&](const OutwardTerm& term) {
    return term.LooksInto(own_name) &&
           std::any_of(groups_.begin(), groups_.end(), [&](const PodGroup& group) {
             return term.selector.Matches(group.pod->meta.labels);
           });
  });
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

GroupsByNamespace GroupsOf(const kube::ClusterState& cluster, const NodeDomains& nodes) {
  GroupsByNamespace namespaces;
  const auto& pods = cluster.pods();
  for (auto at = pods.begin(); at != pods.end();) {
    const std::string& ns = (*at)->meta.ns;
    WorkloadFinder finder(cluster);
    const std::vector<SeenPod> seen = SeePods(cluster, ns, nodes, &finder);
    namespaces[ns] = std::make_shared<const NamespaceGroups>(cluster.PodsIn(ns), seen, finder);
    std::advance(at, seen.size());
  }
  return namespaces;
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

void PodGroups::ForgetLabels() {
  for (auto& [ns, range] : namespaces_) range.by_labels.reset();
}

std::vector<std::string_view> PodGroups::Namespaces() const {
  std::vector<std::string_view> names;
  for (const auto& [name, range] : namespaces_) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace azexporter::zones
