#include "affinity_terms.h"

#include <algorithm>

namespace azexporter::zones {

std::optional<kube::LabelSelector> EffectiveSelector(const kube::PodAffinityTerm& term,
                                                     const kube::StringMap& labels) {
  std::optional<kube::LabelSelector> selector = term.selector;
  if (!selector) return selector;
  const auto narrow = [&](const std::vector<std::string>& keys, kube::SelectorOp op) {
    for (const std::string& key : keys) {
      if (const std::string* value = kube::Find(labels, key)) {
        selector->requirements.push_back({key, op, {*value}});
      }
    }
  };
  narrow(term.match_label_keys, kube::SelectorOp::kIn);
  narrow(term.mismatch_label_keys, kube::SelectorOp::kNotIn);
  return selector;
}

bool EveryNamespace(const kube::PodAffinityTerm& term) {
  return term.namespace_selector && term.namespace_selector->empty();
}

bool LooksOutside(const kube::PodAffinityTerm& term, const std::string& own) {
  return EveryNamespace(term) || std::any_of(term.namespaces.begin(), term.namespaces.end(),
                                             [&](const std::string& ns) { return ns != own; });
}

std::vector<std::string> NamespacesOf(const kube::PodAffinityTerm& term, const std::string& own) {
  if (term.namespaces.empty() && !term.namespace_selector) return {own};
  std::vector<std::string> namespaces = term.namespaces;
  std::sort(namespaces.begin(), namespaces.end());
  namespaces.erase(std::unique(namespaces.begin(), namespaces.end()), namespaces.end());
  return namespaces;
}

}  // namespace azexporter::zones
