#include "label_groups.h"

#include <algorithm>
#include <functional>
#include <utility>

namespace azexporter::promql {
namespace {

std::uint64_t Mix(std::uint64_t hash, std::string_view text) {
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  return (hash ^ std::hash<std::string_view>()(text)) * kGolden + (hash >> 29);
}

constexpr std::string_view kTypeLabel = "__type__";
constexpr std::string_view kUnitLabel = "__unit__";

}  // namespace

LabelChoice::LabelChoice(bool only, std::vector<std::string> names)
    : only_(only), names_(std::move(names)) {
  std::ranges::sort(names_);
  names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
}

LabelChoice LabelChoice::Only(std::vector<std::string> names) { return {true, std::move(names)}; }

LabelChoice LabelChoice::AllBut(std::vector<std::string> names) {
  names.emplace_back(model::kMetricName);
  return {false, std::move(names)};
}

bool LabelChoice::Counts(std::string_view name) const {
  return std::ranges::binary_search(names_, name, std::less<std::string_view>()) == only_;
}

std::uint64_t LabelChoice::Hash(const model::Labels& labels) const {
  std::uint64_t hash = 0;
  if (only_) {
    for (const std::string& name : names_) hash = Mix(hash, labels.Get(name));
    return hash;
  }
  for (const model::Label label : labels) {
    if (Counts(label.name)) hash = Mix(Mix(hash, label.name), label.value);
  }
  return hash;
}

bool LabelChoice::Same(const model::Labels& a, const model::Labels& b) const {
  if (only_) {
    return std::ranges::all_of(names_,
                               [&](const auto& name) { return a.Get(name) == b.Get(name); });
  }
  auto left = a.begin();
  auto right = b.begin();
  for (;;) {
    while (left != a.end() && !Counts((*left).name)) ++left;
    while (right != b.end() && !Counts((*right).name)) ++right;
    if (left == a.end() || right == b.end()) return left == a.end() && right == b.end();
    if (!(*left == *right)) return false;
    ++left;
    ++right;
  }
}

model::Labels LabelChoice::Project(const model::Labels& labels) const {
  std::vector<model::Label> kept;
  for (const model::Label label : labels) {
    if (Counts(label.name)) kept.push_back(label);
  }
  return model::Labels::Of(std::move(kept));
}

std::size_t LabelGroups::IndexOf(const model::Labels& labels) {
  const std::uint64_t hash = choice_.Hash(labels);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash & mask; slots_[i].group != kFree; i = (i + 1) & mask) {
    const Slot& slot = slots_[i];
    if (slot.hash == hash && choice_.Same(members_[slot.group], labels)) return slot.group;
  }
  if (2 * members_.size() >= slots_.size()) Grow();
  slots_[FreeSlot(hash)] = {hash, members_.size()};
  members_.push_back(labels);
  return members_.size() - 1;
}

std::size_t LabelGroups::FreeSlot(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash & mask;
  while (slots_[i].group != kFree) i = (i + 1) & mask;
  return i;
}

void LabelGroups::Grow() {
  const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(4 * slots_.size()));
  for (const Slot& slot : old) {
    if (slot.group != kFree) slots_[FreeSlot(slot.hash)] = slot;
  }
}

model::Labels WithoutMetadata(const model::Labels& labels) {
  std::vector<model::Label> kept;
  kept.reserve(labels.size());
  for (const model::Label label : labels) {
    if (label.name == model::kMetricName || label.name == kTypeLabel || label.name == kUnitLabel) {
      continue;
    }
    kept.push_back(label);
  }
  return kept.size() == labels.size() ? labels : model::Labels::Of(std::move(kept));
}

}  // namespace azexporter::promql
