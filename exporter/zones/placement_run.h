#pragma once

// The loss of a zone played through, and again when something changed.
//
// **Again.** Of every mover the run keeps where its pods went and which nodes it was asked about
// for that. In an update the movers come in their order as ever; one whose rules are the same and
// none of whose nodes has other room than the last time goes where it went. The nodes whose room
// differs at this point of the order are followed from mover to mover: a pod that comes or goes
// changes one, and each mover that is placed otherwise some more. Movers of a plan that is new are
// always placed. What is told is what a run from the beginning would tell.
//
// Thread safety: one thread only.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/zones/placement.h"
#include "domain_counts.h"
#include "placement_facts.h"

namespace azexporter::zones {

// Nodes of a part, by number, both ends included.
struct NodeRange {
  static constexpr std::uint32_t kEnd = 0xffffffff;

  std::uint32_t part = 0;
  std::uint32_t first = 0;
  std::uint32_t last = kEnd;
};

// What became of a mover.
struct Placing {
  std::int64_t pods = 0;             // that were on lost nodes
  std::vector<std::uint32_t> nodes;  // that took one, in order
  std::vector<NodeRange> asked;      // whose room decided that; of the class that is open to it
  std::shared_ptr<const UnplacedPods> rest;  // that found no node; null: none
  std::uint64_t update = 0;                  // the last one that came to it; 0: not placed yet

  std::int64_t unplaced() const { return pods - static_cast<std::int64_t>(nodes.size()); }
};

class PlacementRun {
 public:
  // `facts` must outlive this.
  PlacementRun(const PlacementFacts& facts, std::string_view zone, LossKind kind);
  // As the facts are now.
  Placement Update();

 private:
  // What the run knows of a plan.
  struct PlanRun {
    std::shared_ptr<const PlacementPlan> plan;
    std::vector<Placing> placings;  // by mover
    std::int64_t displaced = 0;
    std::int64_t stateful = 0;
    std::int64_t bare = 0;
    std::uint64_t counted = 0;         // the update that `counts` are of
    std::vector<DomainCounts> counts;  // by tally, as of the mover at hand
    // What `rest` of the placings comes to, in its order, made anew where one is another.
    std::vector<std::shared_ptr<const UnplacedPods>> unplaced;
    bool unplaced_changed = true;
  };
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

  // Before anything is placed.
  void CountNodes();
  void TakePlans();
  PlanRun Begin(std::shared_ptr<const PlacementPlan> plan) const;
  Headroom MakeHeadroom() const;
  void AddUnplaced();
  static void Summarize(PlanRun& run);

  // What differs from the last update at this point of the order.
  void FindChangedRoom();
  bool Touched(const MoverRef& ref, const Placing& placing) const;
  // The node may answer the mover otherwise.
  bool AnswersDifferently(std::uint32_t node, const Mover& mover, const Placing& placing) const;
  void Leave(const MoverRef& ref);
  // The node has so much more or, with -1, less than at the same point of the last update.
  void NoteRoomOf(std::uint32_t node, const std::vector<Request>& requests, std::int64_t times);

  // One mover after the other.
  void Repeat(const MoverRef& ref, PlanRun& run, const Placing& placing);
  void PlaceAgain(const MoverRef& ref, PlanRun& run, Placing& placing);
  void StartCounting(PlanRun& run);
  std::vector<DomainCounts> CountsOf(const PlacementPlan& plan) const;
  bool Counts(const Tally& tally, std::uint32_t node) const;
  void Count(PlanRun& run, const Mover& mover, std::uint32_t node) const;
  void Occupy(std::uint32_t node, const std::vector<Request>& requests);
  // With a node that counts after the loss.
  std::int64_t DomainsOf(const SpreadRule& rule);
  bool KeepsLostNodes(const Ground& ground) const;

  // Placing. What returns a part or a node returns kNone where there is none.
  void Place(Placing& placing);
  std::uint32_t FindNode();
  std::uint32_t BestPart() const;
  std::uint32_t NodeIn(std::uint32_t part);
  void Take(std::uint32_t node);
  void NoteRoom(std::uint32_t part);
  const Request* BeyondRoom(std::uint32_t part) const;
  void NoteAsked(const NodeRange& range);
  // Grows with the least counts of the spread rules that each node is asked about.
  std::int64_t NodeSpreadLevel() const;

  // The filters, for the mover at hand.
  bool Reaches(std::uint32_t node) const;
  bool ReachesPart(std::uint32_t part) const;
  bool Fits(std::uint32_t node) const;
  // The first resource of which less is free than is asked for; kNone where all fits.
  static std::uint32_t Lacking(const std::int64_t* free, const std::vector<Request>& requests);
  bool PartAllows(std::uint32_t part) const;
  bool NodeAllows(std::uint32_t node) const;
  bool Allows(const SpreadRule& rule, std::size_t number, std::uint32_t node) const;
  bool Allows(const Exclusion& rule, std::uint32_t node) const;
  bool AffinityAllows(std::uint32_t node) const;
  const Tally& TallyOf(std::uint32_t number) const { return plan_->rules().tallies()[number]; }
  const DomainCounts& CountsIn(std::uint32_t tally) const { return run_->counts[tally]; }

  // Why they refuse.
  Stop WhyNot();
  Stop WhyNotStatic() const;
  Stop StopOf(std::uint32_t node) const;
  std::string DetailOf(const Stop& stop) const;
  std::string SpreadDetail(const SpreadRule& rule, std::size_t number, std::uint32_t node) const;
  std::string VolumeDetail() const;

  const PlacementFacts& facts_;
  const std::vector<kube::Taint> taints_;  // that the lost nodes get
  Placement result_;
  std::vector<bool> lost_;                                                         // by node
  std::vector<bool> lost_parts_;                                                   // by part
  std::map<std::pair<const Ground*, const Domains*>, std::int64_t> domains_left_;  // see DomainsOf

  // Of the last update.
  std::uint64_t update_ = 0;
  std::vector<PlanRun> plans_;  // by slot
  std::vector<MoverRef> order_;
  std::vector<std::int64_t> room_;  // as NodeRoom::free, before anything was placed

  // Of the update under way.
  std::vector<std::int64_t> free_;                                // as NodeRoom::free
  std::unordered_map<const PlacementPlan*, PlanRun> gone_;        // that were there the last time
  std::map<std::uint32_t, std::vector<std::int64_t>> different_;  // by node: how much more is free
  // Of a class's nodes in a part: by resource, no more than this is free on any of them. Found when
  // they were looked through in vain.
  std::map<std::pair<const NodeClass*, std::uint32_t>, std::vector<std::int64_t>> most_free_;

  // Of the mover at hand.
  PlanRun* run_ = nullptr;
  const PlacementPlan* plan_ = nullptr;
  const Mover* mover_ = nullptr;
  const GroupRules* rules_ = nullptr;
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
