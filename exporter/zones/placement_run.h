#pragma once

// The loss of a zone played through, and again when something changed.
//
// **Again.** Of every mover the run keeps where its pods went and which nodes it asked for that. A
// mover is placed again where its plan is new, where a node that it asked has other room than
// before and so answers otherwise, or where pods that its rules count went elsewhere; all others
// stay where they are, and are not even looked at. What follows from one mover is found among those
// behind it: hence the steps, in the order of the movers. What is told is what a run from the
// beginning would tell.
//
// Thread safety: one thread only.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <string_view>
#include <tuple>
#include <vector>

#include "azexporter/zones/placement.h"
#include "lost_nodes.h"
#include "mover_placer.h"
#include "placement_askers.h"
#include "placement_facts.h"
#include "placement_room.h"
#include "placing.h"
#include "tally_counts.h"

namespace azexporter::zones {

class PlacementRun {
 public:
  // `facts` must outlive this.
  PlacementRun(const PlacementFacts& facts, std::string_view zone, LossKind kind);
  PlacementRun(const PlacementRun&) = delete;
  PlacementRun& operator=(const PlacementRun&) = delete;

  // As the facts are now.
  Placement Update();

 private:
  // What the run knows of a plan.
  struct PlanRun {
    std::shared_ptr<const PlacementPlan> plan;
    std::uint32_t slot = 0;
    std::vector<Placing> placings;       // by mover
    std::vector<std::uint64_t> updates;  // by mover: the last one that places it
    std::int64_t displaced = 0;
    std::int64_t placed = 0;
    std::int64_t stateful = 0;
    std::int64_t bare = 0;
    // In an update that places one of them: with the pods of all movers before `counted`.
    std::optional<TallyCounts> counts;
    std::uint32_t counted = 0;
    // By tally: the movers whose rules look at it, in order. Made when first asked for.
    std::vector<std::vector<std::uint32_t>> readers;
    // By namespace, made anew where one of the placings has another rest.
    std::vector<std::shared_ptr<const UnplacedInNamespace>> unplaced;
    bool unplaced_changed = true;
  };
  // What is to be done when the order comes to a mover, in this order.
  struct Step {
    enum class Kind {
      kLeave,  // before it: a mover that is gone gives back its room; `number` in `leaving_`
      kPlace,  // it is placed
      kAsk,    // it is placed if the node `number` answers it otherwise
    };
    std::uint32_t rank = 0;
    Kind kind = Kind::kPlace;
    std::uint32_t number = 0;

    friend bool operator>(const Step& a, const Step& b) {
      return std::tie(a.rank, a.kind) > std::tie(b.rank, b.kind);
    }
  };

  void TakePlans();
  PlanRun Begin(std::shared_ptr<const PlacementPlan> plan, std::uint32_t slot) const;

  void PlaceAll();
  void PlaceChanged();
  void Forget(const PlanRun& gone);
  void NoteTakersAndAskers();
  void FindSteps();
  void Perform(const Step& step);
  void Leave(const Step& step);
  void Ask(const Step& step);

  // Again, or for the first time.
  void Place(const MoverRef& ref);
  void CountUpTo(PlanRun& run, std::uint32_t number);
  // What follows from it for those behind it, where its pods were on other nodes before.
  void NoteOtherRoom(const MoverRef& ref, const std::vector<std::uint32_t>& before);
  void NoteOtherCounts(const MoverRef& ref, const std::vector<std::uint32_t>& before);
  void PlaceLater(const MoverRef& ref);
  // From that rank on somebody may have asked the node.
  void AskLater(std::uint32_t node, std::uint32_t rank);
  const std::vector<std::uint32_t>& ReadersOf(PlanRun& run, std::uint32_t tally) const;

  void AddTotals();
  Headroom HeadroomOf(const std::vector<std::int64_t>& free) const;
  void AddUnplaced();
  static void Summarize(PlanRun& run);

  const PlacementFacts& facts_;
  LostNodes lost_;
  PlacementRoom room_;
  MoverPlacer placer_;
  PlacementAskers askers_;
  std::vector<std::uint32_t> limited_;  // nodes that receive pods, as many as they have room for
  Placement result_;

  std::uint64_t update_ = 0;
  std::vector<PlanRun> plans_;  // by slot

  // Of the update under way.
  std::vector<PlanRun> gone_;         // that were there the last time
  std::vector<std::uint32_t> begun_;  // slots of those that are new
  std::priority_queue<Step, std::vector<Step>, std::greater<>> steps_;
  struct Leaving {
    const Mover* mover = nullptr;
    const Placing* placing = nullptr;
  };
  std::vector<Leaving> leaving_;
  std::vector<bool> asking_;  // by node: a step asks it
};

}  // namespace azexporter::zones
