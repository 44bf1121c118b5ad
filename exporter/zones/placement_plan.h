#pragma once

// What placement knows of the pods of one namespace: which of them move, and the rules between
// them. Namespaces whose pods have an eye on each other have one plan together.
//
// Thread safety: immutable after construction.

#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/spread.h"
#include "node_domains.h"
#include "placement_nodes.h"
#include "placement_pods.h"
#include "placement_rules.h"

namespace azexporter::zones {

// What follows from a spec alone.
struct SpecFacts {
  const NodeClass* wanted = nullptr;  // node selector and affinity admit them
  const NodeClass* open = nullptr;    // of those: whose taints the pods tolerate
  std::vector<Request> requests;
  std::int64_t priority = 0;
  double share = 0;  // largest of its requests, as a share of what the cluster has
};

// A group whose pods move when their node goes.
struct Mover {
  std::uint32_t group = 0;
  const SpecFacts* spec = nullptr;
  std::uint64_t turn = 0;  // says with which zone and node it begins
  std::vector<std::pair<std::string_view, const VolumeReach*>> volumes;  // by claim
};

// What all plans have in common.
struct PlanBasis {
  NodeDomains& domains;
  PlacementNodes& nodes;
  const NodeRoom& room;
  const DefaultConstraints& defaults;
};

class PlacementPlan {
 public:
  using Namespaces = std::vector<std::shared_ptr<const NamespaceGroups>>;

  // `namespaces`: in order. What the basis refers to must outlive this; `now` need not.
  PlacementPlan(const kube::ClusterState& now, Namespaces namespaces, const PlanBasis& basis);
  PlacementPlan(const PlacementPlan&) = delete;
  PlacementPlan& operator=(const PlacementPlan&) = delete;

  const PodGroups& pods() const { return pods_; }
  const PlacementRules& rules() const { return rules_; }
  // In the order in which they are placed.
  const std::vector<Mover>& movers() const { return movers_; }
  // A zone that fails and one that is drained come to the same for these pods.
  bool kinds_alike() const { return kinds_alike_; }
  const PodGroup& GroupOf(const Mover& mover) const { return pods_.groups()[mover.group]; }

 private:
  void AddMovers(const kube::ClusterState& now, const PlanBasis& basis);

  const Namespaces namespaces_;
  PodGroups pods_;
  const PlacementRules rules_;
  std::unordered_map<const kube::PodSpec*, SpecFacts> specs_;
  std::vector<Mover> movers_;
  bool kinds_alike_ = false;
};

// Whether the mover of the one plan is placed before that of the other: higher priority first, then
// the larger request, then by namespace and name.
bool PlacedBefore(const PlacementPlan& plan, const Mover& mover, const PlacementPlan& other_plan,
                  const Mover& other);

}  // namespace azexporter::zones
