#include "default_selectors.h"

namespace azexporter::zones {

DefaultSelectors::DefaultSelectors(const kube::ClusterState& cluster) : cluster_(cluster) {}

void DefaultSelectors::Index(std::string_view ns) {
  ns_ = ns;
  by_pair_.clear();
  for (const auto& service : cluster_.ServicesIn(ns)) {
    if (!service->selector.empty()) by_pair_[service->selector[0]].push_back(service.get());
  }
}

// What the Services that select a pod with these labels demand of it.
kube::StringMap DefaultSelectors::DemandedOf(const kube::StringMap& labels) const {
  std::map<std::string, std::string> demanded;
  for (const auto& label : labels) {
    const auto found = by_pair_.find(label);
    if (found == by_pair_.end()) continue;
    for (const kube::Service* service : found->second) {
      if (!kube::MatchesLabels(labels, service->selector)) continue;
      demanded.insert(service->selector.begin(), service->selector.end());
    }
  }
  return {demanded.begin(), demanded.end()};
}

std::optional<kube::LabelSelector> DefaultSelectors::Of(const kube::Pod& pod) {
  if (ns_ != pod.meta.ns) Index(pod.meta.ns);
  kube::LabelSelector selector;
  selector.match_labels = DemandedOf(pod.meta.labels);
  const kube::Owner* owner = kube::ControllerOf(pod.owners);
  const auto kind = owner == nullptr ? std::nullopt : kube::WorkloadKindOf(owner->kind);
  if (kind == kube::WorkloadKind::kReplicaSet || kind == kube::WorkloadKind::kStatefulSet) {
    const kube::Workload* workload = cluster_.FindWorkload(*kind, pod.meta.ns, owner->name);
    if (workload != nullptr && workload->selector) {
      const kube::LabelSelector& other = *workload->selector;
      for (const auto& [key, value] : other.match_labels) {
        selector.requirements.push_back({key, kube::SelectorOp::kIn, {value}});
      }
      selector.requirements.insert(selector.requirements.end(), other.requirements.begin(),
                                   other.requirements.end());
    }
  }
  if (selector.empty()) return std::nullopt;
  return selector;
}

}  // namespace azexporter::zones
