#include "placement_rules.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <string_view>

#include "affinity_terms.h"
#include "azexporter/zones/workload_pods.h"

namespace azexporter::zones {
namespace {

using kube::NodeInclusionPolicy;

std::uint64_t HashOf(const std::vector<std::string>& namespaces,
                     const std::optional<kube::LabelSelector>& selector) {
  std::uint64_t hash = namespaces.size();
  for (const std::string& ns : namespaces) hash = base::MixHash(hash, base::HashText(ns));
  if (!selector) return hash;
  for (const auto& [key, value] : selector->match_labels) {
    hash = base::MixHash(base::MixHash(hash, base::HashText(key)), base::HashText(value));
  }
  for (const kube::Requirement& requirement : selector->requirements) {
    hash = base::MixHash(hash, base::HashText(requirement.key));
    for (const std::string& value : requirement.values)
      hash = base::MixHash(hash, base::HashText(value));
  }
  return hash;
}

bool Hard(const kube::TopologySpreadConstraint& constraint) {
  return constraint.when_unsatisfiable == kube::WhenUnsatisfiable::kDoNotSchedule;
}

Eligibility EligibilityOf(const kube::PodSpec& spec,
                          const kube::TopologySpreadConstraint& constraint,
                          std::vector<std::string> keys) {
  Eligibility eligibility;
  eligibility.keys = std::move(keys);
  if (constraint.node_affinity_policy == NodeInclusionPolicy::kHonor) {
    eligibility.node_selector = spec.node_selector;
    eligibility.node_affinity = spec.required_node_affinity;
  }
  if (constraint.node_taints_policy == NodeInclusionPolicy::kHonor) {
    eligibility.honor_taints = true;
    eligibility.tolerations = spec.tolerations;
  }
  return eligibility;
}

// The ports exclude each other on a node.
bool Clash(const kube::HostPort& a, const kube::HostPort& b) {
  const auto any = [](const std::string& ip) { return ip.empty() || ip == "0.0.0.0"; };
  return a.port == b.port && a.protocol == b.protocol && (any(a.ip) || any(b.ip) || a.ip == b.ip);
}

}  // namespace

PlacementRules::PlacementRules(const kube::ClusterState& cluster, PodGroups& pods,
                               NodeDomains& domains, const DefaultConstraints& defaults)
    : pods_(pods), domains_(domains), making_(std::make_unique<Making>(cluster)) {
  const auto groups = static_cast<std::uint32_t>(pods.groups().size());
  rules_.resize(groups);
  tallies_of_.resize(groups);
  for (std::uint32_t group = 0; group < groups; ++group) {
    CollectTerms(group);
    if (!Moves(group)) continue;
    if (group > 0 && SpreadAlike(group - 1, group)) {
      TakeOverSpread(group);
    } else {
      AddSpread(group, defaults);
    }
    AddAffinity(group);
  }
  AddAntiAffinity();
  AddHostPorts(cluster.nodes().size());
  for (std::uint32_t tally = 0; tally < tallies_.size(); ++tally) {
    for (const std::uint32_t group : tallies_[tally].groups) {
      if (Moves(group)) tallies_of_[group].push_back(tally);
    }
  }
  making_.reset();
}

bool PlacementRules::Moves(std::uint32_t group) const {
  return pods_.groups()[group].role == PodRole::kMoves;
}

// Pods of one spec, such as those of a StatefulSet, whose labels do not make their rules others: by
// narrowing a selector, or by what default constraints go by.
bool PlacementRules::SpreadAlike(std::uint32_t before, std::uint32_t group) const {
  const kube::Pod& pod = *pods_.groups()[group].pod;
  const kube::Pod& last = *pods_.groups()[before].pod;
  const auto& constraints = pod.spec->spread_constraints;
  return Moves(before) && pod.spec == last.spec && pod.meta.ns == last.meta.ns &&
         !constraints.empty() &&
         std::all_of(constraints.begin(), constraints.end(),
                     [](const auto& constraint) { return constraint.match_label_keys.empty(); });
}

// From the group before it.
void PlacementRules::TakeOverSpread(std::uint32_t group) {
  std::vector<SpreadRule>& rules = rules_[group].spread;
  rules = rules_[group - 1].spread;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const std::vector<std::uint32_t>& found = making_->matches[making_->spread_matches[i]].groups;
    rules[i].self = std::binary_search(found.begin(), found.end(), group);
  }
}

void PlacementRules::AddSpread(std::uint32_t group, const DefaultConstraints& defaults) {
  const kube::Pod& pod = *pods_.groups()[group].pod;
  const auto& own = pod.spec->spread_constraints;
  if (!own.empty()) {
    AddSpread(group, own, nullptr);
  } else if (std::any_of(defaults.constraints.begin(), defaults.constraints.end(), Hard)) {
    const std::optional<kube::LabelSelector> selector = making_->default_selectors.Of(pod);
    if (selector) AddSpread(group, defaults.constraints, &selector);
  }
}

void PlacementRules::AddSpread(std::uint32_t group,
                               const std::vector<kube::TopologySpreadConstraint>& all,
                               const std::optional<kube::LabelSelector>* selector) {
  const kube::Pod& pod = *pods_.groups()[group].pod;
  making_->spread_matches.clear();
  std::set<std::string> keys;
  for (const kube::TopologySpreadConstraint& constraint : all) {
    if (Hard(constraint)) keys.insert(constraint.topology_key);
  }
  for (const kube::TopologySpreadConstraint& constraint : all) {
    if (!Hard(constraint)) continue;
    Ground& ground =
        domains_.GroundOf(EligibilityOf(*pod.spec, constraint, {keys.begin(), keys.end()}));
    const std::uint32_t match =
        MatchOf({pod.meta.ns}, false,
                selector == nullptr ? EffectiveSelector(constraint, pod.meta.labels) : *selector);
    making_->spread_matches.push_back(match);
    const auto [made, added] =
        making_->spread_tallies.try_emplace({match, constraint.topology_key, &ground}, 0);
    if (added) {
      std::vector<std::uint32_t> counted;
      for (const std::uint32_t other : making_->matches[match].groups) {
        if (!pods_.groups()[other].pod->meta.terminating) counted.push_back(other);
      }
      made->second = TallyOf(std::move(counted), constraint.topology_key, &ground,
                             kube::SelectorText(making_->matches[match].selector));
    }
    rules_[group].spread.push_back(
        {made->second, constraint.max_skew, constraint.min_domains.value_or(1),
         kube::Matches(making_->matches[match].selector, pod.meta.labels),
         IsZoneKey(constraint.topology_key), DomainsOf(ground, constraint.topology_key)});
  }
}

std::int64_t PlacementRules::DomainsOf(Ground& ground, const std::string& topology_key) {
  const auto [known, added] = making_->ground_domains.try_emplace({&ground, topology_key}, 0);
  if (added) {
    const auto& counts = domains_.EmptyCounts(ground, topology_key);
    known->second = std::count(counts.begin(), counts.end(), 0);
  }
  return known->second;
}

void PlacementRules::AddAffinity(std::uint32_t group) {
  const kube::Pod& pod = *pods_.groups()[group].pod;
  const auto& terms = pod.spec->required_affinity;
  if (terms.empty()) return;
  std::vector<std::pair<std::uint32_t, std::string>> key;
  for (const kube::PodAffinityTerm& term : terms) {
    key.emplace_back(MatchOf(term, pod), term.topology_key);
  }
  const auto [made, added] = making_->affinity_tallies.try_emplace(key);
  // Pods count where they match all terms.
  std::vector<std::uint32_t> counted = making_->matches[key[0].first].groups;
  for (const auto& [match, topology_key] : key) {
    const auto& others = making_->matches[match].groups;
    std::vector<std::uint32_t> both;
    std::set_intersection(counted.begin(), counted.end(), others.begin(), others.end(),
                          std::back_inserter(both));
    counted = std::move(both);
  }
  if (added) {
    std::set<std::string> done;
    for (const auto& [match, topology_key] : key) {
      if (!done.insert(topology_key).second) continue;
      made->second.push_back(TallyOf(counted, topology_key, nullptr,
                                     kube::SelectorText(making_->matches[match].selector)));
    }
  }
  const bool self = std::binary_search(counted.begin(), counted.end(), group);
  rules_[group].affinity = AffinityRule{made->second, self};
}

void PlacementRules::CollectTerms(std::uint32_t group) {
  const kube::Pod& pod = *pods_.groups()[group].pod;
  for (const kube::PodAffinityTerm& term : pod.spec->required_anti_affinity) {
    const std::pair<std::uint32_t, std::string> key(MatchOf(term, pod), term.topology_key);
    const auto [made, added] =
        making_->term_numbers.try_emplace(key, static_cast<std::uint32_t>(making_->terms.size()));
    if (added) making_->terms.push_back({key.first, key.second, {}});
    auto& carriers = making_->terms[made->second].carriers;
    if (carriers.empty() || carriers.back() != group) carriers.push_back(group);
  }
}

void PlacementRules::AddAntiAffinity() {
  for (const Term& term : making_->terms) {
    const Match& match = making_->matches[term.match];
    const bool by_zone = IsZoneKey(term.topology_key);
    const auto exclude = [&](const std::vector<std::uint32_t>& from, std::uint32_t tally,
                             ExclusionKind kind) {
      for (const std::uint32_t group : from) {
        if (Moves(group)) rules_[group].exclusions.push_back({tally, kind, by_zone});
      }
    };
    const std::string selector = kube::SelectorText(match.selector);
    exclude(term.carriers, TallyOf(match.groups, term.topology_key, nullptr, selector),
            ExclusionKind::kOwn);
    // Where those that carry the term are those it forbids, one count tells both.
    if (term.carriers == match.groups) continue;
    exclude(match.groups, TallyOf(term.carriers, term.topology_key, nullptr, selector),
            ExclusionKind::kOfOthers);
  }
}

void PlacementRules::AddHostPorts(std::size_t nodes) {
  std::vector<kube::HostPort> ports;
  std::vector<std::vector<std::uint32_t>> holders;
  const auto groups = static_cast<std::uint32_t>(pods_.groups().size());
  for (std::uint32_t group = 0; group < groups; ++group) {
    for (const kube::HostPort& port : pods_.groups()[group].pod->spec->host_ports) {
      const auto known = std::find(ports.begin(), ports.end(), port);
      const auto number = static_cast<std::size_t>(known - ports.begin());
      if (known == ports.end()) {
        ports.push_back(port);
        holders.emplace_back();
      }
      if (holders[number].empty() || holders[number].back() != group) {
        holders[number].push_back(group);
      }
    }
  }
  if (ports.empty()) return;
  for (std::uint32_t node = 0; node < nodes; ++node) each_node_.of_node.push_back(node);
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const std::uint32_t tally = TallyOf(
        holders[i], "", nullptr,
        std::to_string(ports[i].port) + (ports[i].protocol.empty() ? "" : "/") + ports[i].protocol);
    for (std::size_t j = 0; j < ports.size(); ++j) {
      if (!Clash(ports[i], ports[j])) continue;
      for (const std::uint32_t group : holders[j]) {
        if (Moves(group)) {
          rules_[group].exclusions.push_back({tally, ExclusionKind::kHostPort, false});
        }
      }
    }
  }
}

std::uint32_t PlacementRules::MatchOf(std::vector<std::string> namespaces, bool every_namespace,
                                      std::optional<kube::LabelSelector> selector) {
  const std::uint64_t hash = HashOf(namespaces, selector);
  const std::uint32_t known = making_->match_index.Find(hash, [&](std::uint32_t i) {
    return making_->matches[i].every_namespace == every_namespace &&
           making_->matches[i].namespaces == namespaces && making_->matches[i].selector == selector;
  });
  if (known != base::HashIndex::kNone) return known;
  const auto number = static_cast<std::uint32_t>(making_->matches.size());
  making_->match_index.Insert(hash, number);
  Match& made = making_->matches.emplace_back(
      Match{std::move(namespaces), every_namespace, std::move(selector), {}});
  if (!made.selector) return number;
  const auto look_into = [&](const std::string& ns) {
    const auto found = pods_.Matching(ns, *made.selector);
    made.groups.insert(made.groups.end(), found.begin(), found.end());
  };
  if (every_namespace) {
    for (const std::string_view ns : pods_.Namespaces()) look_into(std::string(ns));
  } else {
    for (const std::string& ns : made.namespaces) look_into(ns);
  }
  return number;
}

std::uint32_t PlacementRules::MatchOf(const kube::PodAffinityTerm& term, const kube::Pod& pod) {
  const bool every = EveryNamespace(term);
  return MatchOf(every ? std::vector<std::string>() : NamespacesOf(term, pod.meta.ns), every,
                 EffectiveSelector(term, pod.meta.labels));
}

std::uint32_t PlacementRules::TallyOf(std::vector<std::uint32_t> groups,
                                      const std::string& topology_key, const Ground* ground,
                                      std::string selector) {
  const Domains& domains = topology_key.empty() ? each_node_ : domains_.Of(topology_key);
  tallies_.push_back({&domains, ground, std::move(groups), topology_key, std::move(selector)});
  return static_cast<std::uint32_t>(tallies_.size() - 1);
}

}  // namespace azexporter::zones
