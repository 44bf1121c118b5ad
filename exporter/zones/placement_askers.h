#pragma once

// Which movers asked a node whether it takes their pods: it is they that a change of its room may
// concern.
//
// Thread safety: one thread only.

#include <cstdint>
#include <vector>

#include "placement_facts.h"
#include "placing.h"

namespace azexporter::zones {

class PlacementAskers {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  // `facts` must outlive this.
  explicit PlacementAskers(const PlacementFacts& facts);

  void Clear();
  void Add(const MoverRef& ref, const std::vector<NodeRange>& asked);
  void Remove(const MoverRef& ref, const std::vector<NodeRange>& asked);
  // A plan is in the slot no more. `placings`: of its movers. REQUIRES: none of the next were
  // added.
  void Forget(std::uint32_t slot, const PlacementPlan& plan, const std::vector<Placing>& placings);

  // The rank of the first from this rank on that may have asked the node.
  std::uint32_t Next(std::uint32_t node, std::uint32_t rank) const;

 private:
  using List = std::vector<MoverRef>;  // in order

  // Calls visit(list, whether it is a part's) for each list in which the mover stands.
  template <class Visit>
  void ForEachList(const Mover& mover, const std::vector<NodeRange>& asked, Visit visit);
  List::const_iterator From(const List& list, std::uint32_t rank) const;

  const PlacementFacts& facts_;
  std::vector<List> by_node_;
  std::vector<List> by_part_;  // of those that asked many of its nodes
};

}  // namespace azexporter::zones
