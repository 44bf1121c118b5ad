#pragma once

// The rules between pods, made ready for placing: which counts of pods by domain must be kept, and
// what each group of pods demands of them.
//
// A tally is such a count: pods of certain groups, by their nodes' value of a topology key. Rules
// with the same selector, key and nodes have one tally, whoever carries them. Host ports are
// counted, too: by node, the pods that hold the port.
//
// Thread safety: one thread only.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "azexporter/base/hash_index.h"
#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/spread.h"
#include "default_selectors.h"
#include "node_domains.h"
#include "placement_pods.h"

namespace azexporter::zones {

struct Tally {
  const Domains* domains = nullptr;
  const Ground* ground = nullptr;     // nodes that count; nullptr: all
  std::vector<std::uint32_t> groups;  // that are counted
  std::string topology_key;           // empty: of a host port
  std::string selector;               // for people
};

struct SpreadRule {
  std::uint32_t tally = 0;
  std::int64_t max_skew = 1;
  std::int64_t min_domains = 1;
  bool self = false;         // the group's pods are counted
  bool by_zone = false;      // the key is a zone's: the same for all nodes of a part
  std::int64_t domains = 0;  // with a node that counts, before any loss
};

enum class ExclusionKind { kHostPort, kOwn, kOfOthers };

// No pod may be counted in the domain.
struct Exclusion {
  std::uint32_t tally = 0;
  ExclusionKind kind = ExclusionKind::kOwn;
  bool by_zone = false;
};

// In each tally a pod must be counted in the domain; or in none at all, where the pods match their
// own terms: then any domain will do for the first.
struct AffinityRule {
  std::vector<std::uint32_t> tallies;
  bool self = false;
};

struct GroupRules {
  std::vector<SpreadRule> spread;
  std::vector<Exclusion> exclusions;
  std::optional<AffinityRule> affinity;
};

class PlacementRules {
 public:
  // `pods` and `domains` must outlive this.
  PlacementRules(const kube::ClusterState& cluster, PodGroups& pods, NodeDomains& domains,
                 const DefaultConstraints& defaults);

  const std::vector<Tally>& tallies() const { return tallies_; }
  // By group; of those that move.
  const GroupRules& RulesOf(std::uint32_t group) const { return rules_[group]; }
  // The tallies that count the group.
  const std::vector<std::uint32_t>& TalliesOf(std::uint32_t group) const {
    return tallies_of_[group];
  }

 private:
  // Pods that a selector finds.
  struct Match {
    std::vector<std::string> namespaces;
    bool every_namespace = false;
    std::optional<kube::LabelSelector> selector;
    std::vector<std::uint32_t> groups;  // in order
  };
  // An anti-affinity term, the same one for all that carry it.
  struct Term {
    std::uint32_t match = 0;
    std::string topology_key;
    std::vector<std::uint32_t> carriers;
  };

  // What is only needed to make the rules.
  struct Making {
    explicit Making(const kube::ClusterState& cluster) : default_selectors(cluster) {}

    DefaultSelectors default_selectors;
    std::vector<Match> matches;
    base::HashIndex match_index;
    std::vector<Term> terms;
    std::vector<std::uint32_t> spread_matches;  // of the last spread rules that were added
    // What was made already: a constraint's tally and number of domains, a term, an affinity's
    // tallies.
    std::map<std::tuple<std::uint32_t, std::string, const Ground*>, std::uint32_t> spread_tallies;
    std::map<std::pair<const Ground*, std::string>, std::int64_t> ground_domains;
    std::map<std::pair<std::uint32_t, std::string>, std::uint32_t> term_numbers;
    std::map<std::vector<std::pair<std::uint32_t, std::string>>, std::vector<std::uint32_t>>
        affinity_tallies;
  };

  bool SpreadAlike(std::uint32_t before, std::uint32_t group) const;
  void TakeOverSpread(std::uint32_t group);
  void AddSpread(std::uint32_t group, const DefaultConstraints& defaults);
  void AddSpread(std::uint32_t group, const std::vector<kube::TopologySpreadConstraint>& all,
                 const std::optional<kube::LabelSelector>* selector);
  // With a node that counts.
  std::int64_t DomainsOf(Ground& ground, const std::string& topology_key);
  void AddAffinity(std::uint32_t group);
  void CollectTerms(std::uint32_t group);
  void AddAntiAffinity();
  void AddHostPorts(std::size_t nodes);
  bool Moves(std::uint32_t group) const;

  std::uint32_t MatchOf(std::vector<std::string> namespaces, bool every_namespace,
                        std::optional<kube::LabelSelector> selector);
  std::uint32_t MatchOf(const kube::PodAffinityTerm& term, const kube::Pod& pod);
  std::uint32_t TallyOf(std::vector<std::uint32_t> groups, const std::string& topology_key,
                        const Ground* ground, std::string selector);

  PodGroups& pods_;
  NodeDomains& domains_;
  Domains each_node_;  // each a domain, where there are host ports
  std::vector<Tally> tallies_;
  std::vector<GroupRules> rules_;
  std::vector<std::vector<std::uint32_t>> tallies_of_;
  std::unique_ptr<Making> making_;  // null once they are made
};

}  // namespace azexporter::zones
