#include "node_domains.h"

#include <algorithm>

#include "azexporter/zones/workload_pods.h"

namespace azexporter::zones {
namespace {

bool MayLieIn(const Eligibility& eligibility, const std::string& zone) {
  const kube::StringMap labels = {{"failure-domain.beta.kubernetes.io/zone", zone},
                                  {"topology.kubernetes.io/zone", zone}};
  const auto fits = [&](const auto& wanted) {
    return !IsZoneKey(wanted.first) || wanted.second == zone;
  };
  const auto admits = [&](const kube::Requirement& requirement) {
    return !IsZoneKey(requirement.key) || requirement.Matches(labels);
  };
  const auto term_admits = [&](const kube::NodeSelectorTerm& term) {
    return std::all_of(term.match_expressions.begin(), term.match_expressions.end(), admits);
  };
  const auto& selector = eligibility.node_selector;
  if (!std::all_of(selector.begin(), selector.end(), fits)) return false;
  if (!eligibility.node_affinity) return true;
  const auto& terms = eligibility.node_affinity->terms;
  return std::any_of(terms.begin(), terms.end(), term_admits);
}

// Not of all that makes them differ: of what most do.
std::uint64_t HashOf(const Eligibility& eligibility) {
  std::uint64_t hash = eligibility.tolerations.size();
  const auto mix = [&](std::string_view text) { hash = base::MixHash(hash, base::HashText(text)); };
  for (const std::string& key : eligibility.keys) mix(key);
  for (const auto& [key, value] : eligibility.node_selector) mix(value);
  for (const kube::Toleration& toleration : eligibility.tolerations) mix(toleration.value);
  if (!eligibility.node_affinity) return hash;
  for (const kube::NodeSelectorTerm& term : eligibility.node_affinity->terms) {
    for (const kube::Requirement& requirement : term.match_expressions) {
      for (const std::string& value : requirement.values) mix(value);
    }
  }
  return hash;
}

}  // namespace

bool KeepsPodsOff(const kube::Taint& taint) {
  return taint.effect == "NoSchedule" || taint.effect == "NoExecute";
}

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

NodeDomains::NodeDomains(const kube::ObjectList<kube::Node>& nodes) : nodes_(nodes) {
  for (const auto& node : nodes_) {
    numbers_.Insert(base::HashText(node->meta.name), static_cast<std::uint32_t>(names_.size()));
    names_.push_back(node->meta.name);
    const std::string_view zone = node->zone();
    if (zone.empty()) {
      zone_of_.push_back(kNoZone);
      continue;
    }
    ZoneNodes& in_zone = by_zone_[zone];
    if (in_zone.nodes.empty()) {
      in_zone.number = static_cast<std::uint32_t>(zones_.size());
      zones_.push_back(zone);
    }
    in_zone.nodes.push_back(node.get());
    zone_of_.push_back(in_zone.number);
  }
}

std::uint32_t NodeDomains::NumberOf(std::string_view node_name) const {
  static_assert(kNone == base::HashIndex::kNone);
  return numbers_.Find(base::HashText(node_name),
                       [&](std::uint32_t number) { return names_[number] == node_name; });
}

const Domains& NodeDomains::Of(const std::string& topology_key) {
  std::unique_ptr<Domains>& domains = domains_[topology_key];
  if (domains) return *domains;
  domains = std::make_unique<Domains>();
  std::unordered_map<std::string_view, std::uint32_t> numbers;
  for (const auto& node : nodes_) {
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

Ground& NodeDomains::GroundOf(const Eligibility& eligibility) {
  const std::uint64_t hash = HashOf(eligibility);
  const std::uint32_t known = ground_index_.Find(
      hash, [&](std::uint32_t i) { return grounds_[i]->eligibility == eligibility; });
  if (known != base::HashIndex::kNone) return *grounds_[known];
  ground_index_.Insert(hash, static_cast<std::uint32_t>(grounds_.size()));
  Ground& made = *grounds_.emplace_back(std::make_unique<Ground>());
  made.eligibility = eligibility;
  FindNodes(made);
  return made;
}

void NodeDomains::FindNodes(Ground& ground) {
  ground.nodes.assign(nodes_.size(), false);
  const auto ask = [&](std::uint32_t node) {
    ground.nodes[node] = ground.eligibility.Admits(*nodes_[node]);
  };
  const kube::StringMap& selector = ground.eligibility.node_selector;
  const auto& affinity = ground.eligibility.node_affinity;
  const std::vector<std::uint32_t>* candidates = nullptr;
  if (affinity && affinity->terms.size() == 1) {
    candidates = Candidates(selector, affinity->terms[0].match_expressions);
  } else if (!selector.empty()) {
    candidates = Candidates(selector, {});
  }
  if (candidates == nullptr) {
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) ask(node);
  } else {
    std::for_each(candidates->begin(), candidates->end(), ask);
  }
}

const std::vector<std::uint32_t>* NodeDomains::Candidates(
    const kube::StringMap& pairs, std::span<const kube::Requirement> requirements) {
  if (!by_labels_) {
    by_labels_.emplace();
    for (std::uint32_t node = 0; node < nodes_.size(); ++node) {
      by_labels_->Add(nodes_[node]->meta.labels, node);
    }
  }
  return by_labels_->Candidates(pairs, requirements);
}

const std::vector<std::int64_t>& NodeDomains::EmptyCounts(Ground& ground,
                                                          const std::string& topology_key) {
  const auto [found, added] = ground.empty_counts.try_emplace(topology_key);
  if (!added) return found->second;
  const Domains& domains = Of(topology_key);
  found->second.assign(domains.names.size(), Ground::kNotEligible);
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    if (ground.nodes[node]) found->second[domains.of_node[node]] = 0;
  }
  return found->second;
}

bool NodeDomains::MayUseZone(Ground& ground, const std::string& zone) const {
  const auto [found, added] = ground.may_use.try_emplace(zone, false);
  if (!added) return found->second;
  const auto nodes = by_zone_.find(zone);
  const auto admits = [&](const kube::Node* node) {
    return ground.eligibility.AffinityAdmits(node->meta.name, node->meta.labels);
  };
  found->second = nodes == by_zone_.end()
                      ? MayLieIn(ground.eligibility, zone)
                      : std::any_of(nodes->second.nodes.begin(), nodes->second.nodes.end(), admits);
  return found->second;
}

}  // namespace azexporter::zones
