#pragma once

// What placement knows of a cluster, kept up with it namespace by namespace.
//
// Thread safety: one thread only.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/placement.h"
#include "azexporter/zones/spread.h"
#include "node_domains.h"
#include "placement_nodes.h"
#include "placement_plan.h"

namespace azexporter::zones {

struct MoverRef {
  std::uint32_t slot = 0;    // of its plan, see PlacementFacts::plans
  std::uint32_t number = 0;  // in the plan

  bool operator==(const MoverRef&) const = default;
};

class PlacementFacts {
 public:
  using Names = PlacementModel::Names;

  // Of the cluster's nodes and storage classes, without pods. `domains`: of the same nodes. Both
  // must outlive this.
  PlacementFacts(const kube::ClusterState& cluster, NodeDomains& domains,
                 DefaultConstraints defaults);
  PlacementFacts(const PlacementFacts&) = delete;
  PlacementFacts& operator=(const PlacementFacts&) = delete;

  // `namespaces`: all that there are now. `changed`: those in which pods, or what they are placed
  // by (claims, volumes, Services, selectors of workloads), are others than at the last update.
  // `now` need not outlive this.
  void Update(const kube::ClusterState& now, const GroupsByNamespace& namespaces,
              const Names& changed);

  const kube::Node& node(std::uint32_t number) const { return *cluster_.nodes()[number]; }
  const PlacementNodes& nodes() const { return nodes_; }
  const NodeRoom& room() const { return room_; }
  // Of the plan of each namespace.
  const std::map<std::string, std::uint32_t, std::less<>>& slots() const { return slots_; }
  // By slot; null in one that is free. A plan stays in its slot, and does not change.
  const std::vector<std::shared_ptr<const PlacementPlan>>& plans() const { return plans_; }
  const Mover& mover(const MoverRef& ref) const { return plans_[ref.slot]->movers()[ref.number]; }
  // In the order in which they are placed. Those that stay, stay in their order.
  const std::vector<MoverRef>& order() const { return order_; }
  // A mover's place there.
  std::uint32_t RankOf(const MoverRef& ref) const { return ranks_[ref.slot][ref.number]; }
  // Of one that is not there (any more): that of the first behind it.
  std::uint32_t RankOf(const PlacementPlan& plan, const Mover& mover) const;

 private:
  // Which namespaces have pods that the terms of others look for.
  void UpdateSought(const GroupsByNamespace& namespaces, const Names& changed);
  // Namespaces that have one plan together.
  Names FindJoined(const GroupsByNamespace& namespaces) const;
  void UpdateRoom(const GroupsByNamespace& namespaces, const Names& changed);
  void DropPlans(const std::function<bool(const std::string&)>& stale);
  // Those that are missing; their slots.
  std::vector<std::uint32_t> MakePlans(const kube::ClusterState& now,
                                       const GroupsByNamespace& namespaces);
  std::uint32_t Add(std::shared_ptr<const PlacementPlan> plan);
  void AddToOrder(std::span<const std::uint32_t> slots);

  const kube::ClusterState& cluster_;
  NodeDomains& domains_;
  const DefaultConstraints defaults_;
  PlacementNodes nodes_;
  NodeRoom room_;
  GroupsByNamespace known_;
  std::map<std::string, Names, std::less<>> sought_;  // by namespace: those its terms find pods in
  Names joined_;
  std::map<std::string, std::uint32_t, std::less<>> slots_;  // by namespace; of all joined the same
  std::vector<std::shared_ptr<const PlacementPlan>> plans_;
  std::vector<std::uint32_t> free_slots_;
  std::vector<MoverRef> order_;
  std::vector<std::vector<std::uint32_t>> ranks_;  // by slot and number
};

}  // namespace azexporter::zones
