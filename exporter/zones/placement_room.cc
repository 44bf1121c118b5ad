#include "placement_room.h"

#include <algorithm>

namespace azexporter::zones {
namespace {

constexpr std::uint32_t kFits = PlacementRoom::kFits;

// Of so much each, and what pods and their differences add to it, sums stay within 64 bits.
constexpr std::int64_t kLargest = std::int64_t{1} << 60;

bool Moderate(const std::vector<std::int64_t>& amounts) {
  return std::all_of(amounts.begin(), amounts.end(),
                     [](std::int64_t amount) { return amount >= -kLargest && amount <= kLargest; });
}

std::uint32_t LackingIn(const std::int64_t* free, const std::vector<Request>& requests) {
  for (const Request& request : requests) {
    if (request.resource > NodeRoom::kPods && free[NodeRoom::kPods] < 1) break;
    if (request.amount > free[request.resource]) return request.resource;
  }
  return free[NodeRoom::kPods] < 1 ? NodeRoom::kPods : kFits;
}

void Add(const std::vector<Request>& requests, std::int64_t pods, std::int64_t* amounts) {
  for (const Request& request : requests) amounts[request.resource] += pods * request.amount;
  amounts[NodeRoom::kPods] += pods;
}

}  // namespace

void PlacementRoom::Begin() {
  resources_ = facts_.room().names;
  base_ = facts_.room().free;
  free_ = base_;
  takers_.clear();
  different_.clear();
}

bool PlacementRoom::CanGoOn() const {
  return resources_ == facts_.room().names && Moderate(base_) && Moderate(facts_.room().free);
}

void PlacementRoom::GoOn() {
  different_.clear();
  const std::size_t width = facts_.room().width();
  const std::vector<std::int64_t>& now = facts_.room().free;
  for (std::uint32_t node = 0; node < facts_.nodes().size(); ++node) {
    const std::size_t first = node * width;
    if (std::equal(&now[first], &now[first] + width, &base_[first])) continue;
    Amounts more(width);
    for (std::size_t i = 0; i < width; ++i) {
      more[i] = now[first + i] - base_[first + i];
      base_[first + i] += more[i];
      free_[first + i] += more[i];
    }
    if (!facts_.room().unlimited[node]) different_.emplace(node, std::move(more));
  }
}

void PlacementRoom::Forget(std::uint32_t slot, const Mover& mover, std::uint32_t node) {
  if (facts_.room().unlimited[node]) return;
  Add(mover.spec->requests, 1, &free_[node * facts_.room().width()]);
  if (!notes_takers()) return;
  std::erase_if(takers_[node], [&](const MoverRef& ref) { return ref.slot == slot; });
}

void PlacementRoom::NoteTaker(const MoverRef& ref, std::uint32_t node) {
  if (!facts_.room().unlimited[node]) takers_[node].push_back(ref);
}

void PlacementRoom::Take(const MoverRef& ref, std::uint32_t node) {
  if (facts_.room().unlimited[node]) return;
  Add(facts_.mover(ref).spec->requests, -1, &free_[node * facts_.room().width()]);
  if (!notes_takers()) return;
  std::vector<MoverRef>& takers = takers_[node];
  const std::uint32_t rank = facts_.RankOf(ref);
  auto at = takers.end();
  while (at != takers.begin() && facts_.RankOf(*std::prev(at)) > rank) --at;
  takers.insert(at, ref);
}

void PlacementRoom::GiveBack(const MoverRef& ref, std::uint32_t node) {
  if (facts_.room().unlimited[node]) return;
  Add(facts_.mover(ref).spec->requests, 1, &free_[node * facts_.room().width()]);
  if (!notes_takers()) return;
  takers_[node].erase(std::find(takers_[node].begin(), takers_[node].end(), ref));
}

std::uint32_t PlacementRoom::Lacking(std::uint32_t node,
                                     const std::vector<Request>& requests) const {
  if (facts_.room().unlimited[node]) return kFits;
  const std::uint32_t lacking = LackingIn(Row(node), requests);
  // What fits when all are placed fitted before.
  if (lacking == kFits || !notes_takers()) return lacking;
  return LackingIn(Free(node), requests);
}

const std::int64_t* PlacementRoom::Free(std::uint32_t node) const {
  return notes_takers() ? FreeAt(node, turn_).data() : Row(node);
}

void PlacementRoom::NoteDifference(std::uint32_t node, const Mover& mover, std::int64_t pods) {
  if (facts_.room().unlimited[node]) return;
  const auto found = different_.try_emplace(node, facts_.room().width()).first;
  Amounts& more = found->second;
  Add(mover.spec->requests, pods, more.data());
  if (std::all_of(more.begin(), more.end(), [](std::int64_t amount) { return amount == 0; })) {
    different_.erase(found);
  }
}

std::vector<std::uint32_t> PlacementRoom::Different() const {
  std::vector<std::uint32_t> nodes;
  for (const auto& [node, more] : different_) nodes.push_back(node);
  return nodes;
}

bool PlacementRoom::AnswersOtherwise(std::uint32_t node, const MoverRef& ref) const {
  const std::vector<Request>& requests = facts_.mover(ref).spec->requests;
  const Amounts& more = different_.at(node);
  const auto lacking_before = [&](const std::int64_t* now) {
    Amounts before(now, now + more.size());
    for (std::size_t i = 0; i < more.size(); ++i) before[i] -= more[i];
    return LackingIn(before.data(), requests);
  };
  // Another pod would fit even when all are placed, now as before: then all did.
  if (LackingIn(Row(node), requests) == kFits && lacking_before(Row(node)) == kFits) return false;
  Amounts now = FreeAt(node, facts_.RankOf(ref));
  if (LackingIn(now.data(), requests) != lacking_before(now.data())) return true;
  const std::vector<MoverRef>& takers = takers_[node];
  if (std::find(takers.begin(), takers.end(), ref) == takers.end()) return false;
  Add(requests, 1, now.data());
  return LackingIn(now.data(), requests) != kFits;
}

const PlacementRoom::Amounts& PlacementRoom::FreeAt(std::uint32_t node, std::uint32_t rank) const {
  row_.assign(Row(node), Row(node) + facts_.room().width());
  const std::vector<MoverRef>& takers = takers_[node];
  for (auto at = takers.rbegin(); at != takers.rend() && facts_.RankOf(*at) > rank; ++at) {
    Add(facts_.mover(*at).spec->requests, 1, row_.data());
  }
  return row_;
}

}  // namespace azexporter::zones
