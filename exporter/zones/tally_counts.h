#pragma once

// What the tallies of a plan count while its pods are placed.
//
// Thread safety: one thread only.

#include <cstdint>
#include <vector>

#include "domain_counts.h"
#include "lost_nodes.h"
#include "placement_plan.h"

namespace azexporter::zones {

class TallyCounts {
 public:
  // Once the pods of the lost nodes are gone. Both must outlive this.
  TallyCounts(const PlacementPlan& plan, const LostNodes& lost);

  // A pod of the mover on the node.
  void Add(const Mover& mover, std::uint32_t node);
  const DomainCounts& Of(std::uint32_t tally) const { return counts_[tally]; }

 private:
  const PlacementPlan* plan_;
  const LostNodes* lost_;
  std::vector<DomainCounts> counts_;  // by tally
};

}  // namespace azexporter::zones
