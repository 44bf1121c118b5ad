#pragma once

// Finds nodes for the pods of one mover after the other, by the scheduler's filters, and says of
// those that find none why.
//
// Thread safety: one thread only.

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "lost_nodes.h"
#include "placement_facts.h"
#include "placement_room.h"
#include "placing.h"
#include "tally_counts.h"

namespace azexporter::zones {

class MoverPlacer {
 public:
  // All must outlive this.
  MoverPlacer(const PlacementFacts& facts, LostNodes& lost, PlacementRoom& room)
      : facts_(facts), lost_(lost), room_(room), next_node_(facts.nodes().parts().size()) {}

  // Before the first mover, whenever the order is gone through.
  void Begin();
  // Takes room and adds to the counts. `counts`: of the mover's plan, as the movers before it leave
  // them. REQUIRES: none of its pods is placed.
  void Place(const MoverRef& ref, TallyCounts& counts, Placing& placing);

 private:
  // Where the filters stopped a node.
  struct Stop {
    PlacementReason reason = PlacementReason::kNoNodes;
    std::uint32_t resource = 0;  // NodeRoom's number
    std::size_t rule = 0;        // of the group's exclusions or spread rules
    std::uint32_t node = 0;
    bool FurtherThan(const Stop& other) const {
      return std::tie(reason, resource) > std::tie(other.reason, other.resource);
    }
  };
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr std::int64_t kOpen = -1;
  static constexpr std::int64_t kFull = -2;

  // What returns a part or a node returns kNone where there is none.
  void BeginParts();
  std::uint32_t FindNode();
  std::uint32_t BestPart() const;
  std::uint32_t NodeIn(std::uint32_t part);
  void Take(std::uint32_t node);
  void NoteRoom(std::uint32_t part);
  const Request* BeyondRoom(std::uint32_t part) const;
  void NoteAsked(const NodeRange& range);
  // Grows with the least counts of the spread rules that each node is asked about.
  std::int64_t NodeSpreadLevel() const;

  // The filters.
  bool Reaches(std::uint32_t node) const;
  bool ReachesPart(std::uint32_t part) const;
  bool Fits(std::uint32_t node) const;
  bool PartAllows(std::uint32_t part) const;
  bool NodeAllows(std::uint32_t node) const;
  bool Allows(const SpreadRule& rule, std::size_t number, std::uint32_t node) const;
  bool Allows(const Exclusion& rule, std::uint32_t node) const;
  bool AffinityAllows(std::uint32_t node) const;
  const Tally& TallyOf(std::uint32_t number) const { return plan_->rules().tallies()[number]; }

  // Why they refuse.
  Stop WhyNot();
  Stop WhyNotStatic() const;
  Stop StopOf(std::uint32_t node) const;
  std::string DetailOf(const Stop& stop) const;
  std::string SpreadDetail(const SpreadRule& rule, std::size_t number, std::uint32_t node) const;
  std::string VolumeDetail() const;

  const PlacementFacts& facts_;
  LostNodes& lost_;
  PlacementRoom& room_;
  // Of a class's nodes in a part: by resource, no more than this is free on any of them. Found when
  // they were looked through in vain.
  std::map<std::pair<const NodeClass*, std::uint32_t>, std::vector<std::int64_t>> most_free_;

  // Of the mover at hand.
  MoverRef ref_;
  const PlacementPlan* plan_ = nullptr;
  const Mover* mover_ = nullptr;
  const GroupRules* rules_ = nullptr;
  TallyCounts* counts_ = nullptr;
  Placing* placing_ = nullptr;
  std::vector<std::int64_t> spread_domains_;  // by spread rule
  std::size_t leading_ = 0;                   // first spread rule over zones; none: their number
  // Whose turn it is: the part, and by part the node.
  std::uint32_t next_part_ = 0;
  std::vector<std::uint32_t> next_node_;
  // By part: kFull where a request is more than is free on any node; NodeSpreadLevel when no node
  // would do; kOpen before. Only what raises that level makes a node acceptable that was refused:
  // room shrinks, counts grow.
  std::vector<std::int64_t> full_at_;
};

}  // namespace azexporter::zones
