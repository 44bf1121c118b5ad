#pragma once

// The nodes by number, the domain of each under a topology key, and which of them count for a
// constraint. Each question is answered once for all nodes and then remembered.
//
// Thread safety: one thread only.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azexporter/base/hash_index.h"
#include "azexporter/kube/cluster_state.h"
#include "label_index.h"

namespace azexporter::zones {

// NoSchedule or NoExecute.
bool KeepsPodsOff(const kube::Taint& taint);

// Which nodes count for a constraint of a pod. The parts that a policy ignores are empty, so that
// constraints with the same answer have the same question.
struct Eligibility {
  std::vector<std::string> keys;  // that the node must have, sorted
  kube::StringMap node_selector;
  std::optional<kube::NodeSelector> node_affinity;
  bool honor_taints = false;
  std::vector<kube::Toleration> tolerations;

  bool AffinityAdmits(std::string_view node_name, const kube::StringMap& labels) const;
  bool Admits(const kube::Node& node) const;
  bool operator==(const Eligibility&) const = default;
};

struct Domains {
  static constexpr std::uint32_t kNone = 0xffffffff;
  std::vector<std::string_view> names;  // by domain
  std::vector<std::uint32_t> of_node;   // by node; kNone where the node lacks the key
};

// The nodes that count for a constraint, and what follows from that.
struct Ground {
  static constexpr std::int64_t kNotEligible = -1;

  Eligibility eligibility;
  std::vector<bool> nodes;  // whether the node counts
  // By topology key, then by domain: 0 where one of its nodes counts, else kNotEligible.
  std::unordered_map<std::string, std::vector<std::int64_t>> empty_counts;
  std::unordered_map<std::string, bool> may_use;  // by zone
};

class NodeDomains {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr std::uint32_t kNoZone = 0;

  explicit NodeDomains(const kube::ObjectList<kube::Node>& nodes);  // must outlive this

  std::uint32_t NumberOf(std::string_view node_name) const;
  // By number of zone, each once; the first is "", of nodes without one.
  const std::vector<std::string_view>& zones() const { return zones_; }
  // kNoZone for kNone, too.
  std::uint32_t zone_of(std::uint32_t node) const {
    return node == kNone ? kNoZone : zone_of_[node];
  }
  // The references stay valid.
  const Domains& Of(const std::string& topology_key);
  Ground& GroundOf(const Eligibility& eligibility);
  const std::vector<std::int64_t>& EmptyCounts(Ground& ground, const std::string& topology_key);
  // Whether node selector and required affinity leave the zone to the pods, taints aside. A zone
  // without nodes is known by its name only: what is demanded beyond the zone counts as fulfilled.
  bool MayUseZone(Ground& ground, const std::string& zone) const;
  // As LabelIndex::Candidates, of the nodes' labels.
  const std::vector<std::uint32_t>* Candidates(const kube::StringMap& pairs,
                                               std::span<const kube::Requirement> requirements);

 private:
  void FindNodes(Ground& ground);

  const kube::ObjectList<kube::Node>& nodes_;
  std::vector<std::string_view> names_;  // by number
  base::HashIndex numbers_;
  std::vector<std::string_view> zones_{""};
  std::vector<std::uint32_t> zone_of_;
  struct ZoneNodes {
    std::uint32_t number = kNoZone;
    std::vector<const kube::Node*> nodes;
  };
  std::unordered_map<std::string_view, ZoneNodes> by_zone_;
  std::unordered_map<std::string, std::unique_ptr<Domains>> domains_;
  std::vector<std::unique_ptr<Ground>> grounds_;
  base::HashIndex ground_index_;
  std::optional<LabelIndex> by_labels_;  // made when first asked for
};

}  // namespace azexporter::zones
