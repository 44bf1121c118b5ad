#pragma once

// What is free on each node while the movers are placed in their order, and again when some of them
// are placed anew.
//
// The first time pods only come: free is what the movers so far left. When a run goes on after a
// change, what all movers took is taken already; for a mover in the middle of the order, those
// behind it give back what they took.
//
// A node differs where at this point of the order more or less is free on it than there was at the
// same point before the change: only movers that asked such a node may be placed otherwise.
//
// Thread safety: one thread only.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "placement_facts.h"

namespace azexporter::zones {

class PlacementRoom {
 public:
  static constexpr std::uint32_t kFits = 0xffffffff;

  // `facts` must outlive this.
  explicit PlacementRoom(const PlacementFacts& facts) : facts_(facts) {}

  // From the beginning: nothing is placed.
  void Begin();

  // Whether a run can go on from where it was: the resources are the same, and the amounts such
  // that they can be added up.
  bool CanGoOn() const;
  // It goes on with the pods that there are now. REQUIRES: CanGoOn; pods of movers that are gone
  // were forgotten.
  void GoOn();
  // A pod of a mover that is gone. `slot`: of the mover's plan, in which no other took room yet.
  void Forget(std::uint32_t slot, const Mover& mover, std::uint32_t node);
  // Who took what is noted from the first time on that a run goes on.
  bool notes_takers() const { return !takers_.empty(); }
  void NoteTakers() { takers_.resize(facts_.nodes().size()); }
  // REQUIRES: in order.
  void NoteTaker(const MoverRef& ref, std::uint32_t node);

  // A mover takes room for one pod, or gives it back.
  void Take(const MoverRef& ref, std::uint32_t node);
  void GiveBack(const MoverRef& ref, std::uint32_t node);

  // Whose turn it is.
  void SetTurn(const MoverRef& ref) { turn_ = facts_.RankOf(ref); }
  // Then: the first resource of which less is free than is asked for.
  std::uint32_t Lacking(std::uint32_t node, const std::vector<Request>& requests) const;
  // Then, by resource, until the next question; of a node that is not unlimited.
  const std::int64_t* Free(std::uint32_t node) const;
  // When all are placed, as NodeRoom::free.
  const std::vector<std::int64_t>& left() const { return free_; }

  // From this point of the order on the node has room for so many pods more.
  void NoteDifference(std::uint32_t node, const Mover& mover, std::int64_t pods);
  bool Differs(std::uint32_t node) const { return different_.contains(node); }
  std::vector<std::uint32_t> Different() const;
  // Whether the node, which differs, answers a mover otherwise than before: as often as it asked,
  // which is once for each pod that it took there and once more. REQUIRES: the mover took what it
  // took before.
  bool AnswersOtherwise(std::uint32_t node, const MoverRef& ref) const;

 private:
  using Amounts = std::vector<std::int64_t>;  // by resource

  // With what the movers of up to this rank took.
  const Amounts& FreeAt(std::uint32_t node, std::uint32_t rank) const;
  const std::int64_t* Row(std::uint32_t node) const { return &free_[node * facts_.room().width()]; }

  const PlacementFacts& facts_;
  std::vector<std::string> resources_;
  std::vector<std::int64_t> base_;  // before anything is placed, as NodeRoom::free
  std::vector<std::int64_t> free_;
  std::vector<std::vector<MoverRef>> takers_;             // by node: one for each pod, in order
  std::unordered_map<std::uint32_t, Amounts> different_;  // by node: how much more is free
  std::uint32_t turn_ = 0;
  mutable Amounts row_;  // of FreeAt
};

}  // namespace azexporter::zones
