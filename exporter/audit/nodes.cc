#include "nodes.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "fields.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

std::vector<kube::Toleration> TolerationsAt(const YamlNode& pod_spec) {
  using Op = kube::Toleration::Op;
  std::vector<kube::Toleration> tolerations;
  for (const YamlNode& item : ItemsAt(pod_spec, {"tolerations"})) {
    tolerations.push_back({.key = TextAt(item, {"key"}),
                           .op = TextAt(item, {"operator"}) == "Exists" ? Op::kExists : Op::kEqual,
                           .value = TextAt(item, {"value"}),
                           .effect = TextAt(item, {"effect"})});
  }
  return tolerations;
}

using Distinct = std::unordered_map<std::string_view, std::unordered_set<std::string_view>>;

std::map<std::string, std::int64_t, std::less<>> CountsOf(const Distinct& values) {
  std::map<std::string, std::int64_t, std::less<>> counts;
  for (const auto& [key, distinct] : values) {
    counts.emplace(key, static_cast<std::int64_t>(distinct.size()));
  }
  return counts;
}

std::int64_t CountOf(const std::map<std::string, std::int64_t, std::less<>>& counts,
                     std::string_view key) {
  const auto found = counts.find(key);
  return found == counts.end() ? 0 : found->second;
}

}  // namespace

bool IsLasting(const kube::Taint& taint) {
  return taint.effect != "PreferNoSchedule" && !taint.key.starts_with("node.kubernetes.io/") &&
         !taint.key.starts_with("node.cloudprovider.kubernetes.io/");
}

std::set<std::string> ZonesOf(const kube::NodeSelector& selector) {
  std::set<std::string> zones;
  for (const kube::NodeSelectorTerm& term : selector.terms) {
    const auto zone = std::ranges::find_if(term.match_expressions, [](const auto& requirement) {
      return requirement.op == kube::SelectorOp::kIn && requirement.key.ends_with("/zone");
    });
    if (zone == term.match_expressions.end()) return {};  // one of the terms leaves it free
    zones.insert(zone->values.begin(), zone->values.end());
  }
  return zones;
}

bool NodeDemands::Admit(const NodeView& node) const {
  return std::ranges::all_of(
             node.taints,
             [&](const kube::Taint& taint) { return kube::Tolerates(tolerations, taint); }) &&
         kube::MatchesLabels(node.labels, node_selector) &&
         (!required || required->Matches(node.name, node.labels));
}

NodeDemands DemandsOf(const YamlNode& pod_spec) {
  return {.node_selector = StringMapAt(pod_spec, {"nodeSelector"}),
          .required = NodeSelectorAt(pod_spec, {"affinity", "nodeAffinity",
                                                "requiredDuringSchedulingIgnoredDuringExecution"}),
          .tolerations = TolerationsAt(pod_spec)};
}

Nodes::Nodes(std::vector<NodeView> nodes) : nodes_(std::move(nodes)) {
  Distinct values;
  Distinct open_values;
  for (const NodeView& node : nodes_) {
    if (!node.zone.empty()) zones_.insert(node.zone);
    for (const auto& [key, value] : node.labels) {
      values[key].insert(value);
      if (node.taints.empty()) open_values[key].insert(value);
    }
  }
  values_ = CountsOf(values);
  open_values_ = CountsOf(open_values);
}

std::int64_t Nodes::Values(std::string_view key) const { return CountOf(values_, key); }

std::int64_t Nodes::ValuesFor(const NodeDemands& demands, std::string_view key) const {
  if (demands.node_selector.empty() && !demands.required && demands.tolerations.empty()) {
    return CountOf(open_values_, key);
  }
  std::unordered_set<std::string_view> distinct;
  for (const NodeView& node : nodes_) {
    const std::string* value = kube::Find(node.labels, key);
    if (value != nullptr && demands.Admit(node)) distinct.insert(*value);
  }
  return static_cast<std::int64_t>(distinct.size());
}

}  // namespace azexporter::audit
