#include "node_domains.h"

#include <algorithm>

namespace azexporter::zones {
namespace {

bool KeepsPodsOff(const kube::Taint& taint) {
  return taint.effect == "NoSchedule" || taint.effect == "NoExecute";
}

}  // namespace

bool Eligibility::AffinityAdmits(std::string_view node_name, const kube::StringMap& labels) const {
  return kube::MatchesLabels(labels, node_selector) &&
         (!node_affinity || node_affinity->Matches(node_name, labels));
}

bool Eligibility::Admits(const kube::Node& node) const {
  const auto has = [&](const std::string& key) {
    return kube::Find(node.meta.labels, key) != nullptr;
  };
  if (!std::all_of(keys.begin(), keys.end(), has)) return false;
  if (!AffinityAdmits(node.meta.name, node.meta.labels)) return false;
  const auto repels = [&](const kube::Taint& taint) {
    return KeepsPodsOff(taint) && !kube::Tolerates(tolerations, taint);
  };
  return !honor_taints || std::none_of(node.taints.begin(), node.taints.end(), repels);
}

NodeDomains::NodeDomains(const kube::ClusterState& cluster) : cluster_(cluster) {
  numbers_.reserve(nodes().size());
  std::uint32_t number = 0;
  for (const auto& node : nodes()) numbers_[node->meta.name] = number++;
}

std::uint32_t NodeDomains::NumberOf(std::string_view node_name) const {
  const auto found = node_name.empty() ? numbers_.end() : numbers_.find(node_name);
  return found == numbers_.end() ? kNone : found->second;
}

const Domains& NodeDomains::Of(std::string_view topology_key) {
  std::unique_ptr<Domains>& domains = domains_[std::string(topology_key)];
  if (domains) return *domains;
  domains = std::make_unique<Domains>();
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  for (const auto& node : nodes()) {
    const std::string* value = kube::Find(node->meta.labels, topology_key);
    if (value == nullptr) {
      domains->of_node.push_back(Domains::kNone);
      continue;
    }
    const auto [found, added] =
        numbers.emplace(*value, static_cast<std::uint32_t>(domains->names.size()));
    if (added) domains->names.push_back(*value);
    domains->of_node.push_back(found->second);
  }
  return *domains;
}

const std::vector<bool>& NodeDomains::Eligible(const Eligibility& eligibility) {
  for (const auto& answer : answers_) {
    if (answer->question == eligibility) return answer->nodes;
  }
  auto answer = std::make_unique<Answer>(Answer{eligibility, {}});
  answer->nodes.reserve(nodes().size());
  for (const auto& node : nodes()) answer->nodes.push_back(eligibility.Admits(*node));
  return answers_.emplace_back(std::move(answer))->nodes;
}

}  // namespace azexporter::zones
