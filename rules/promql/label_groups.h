#pragma once

// Sorts label sets into groups by some of their labels: `by (zone)`, `without (pod)`,
// `on (instance)`, `ignoring (code)`. Groups are found by hash and compared in place; no key is
// built for a series that falls into a group already known.
//
// Thread safety: thread-compatible.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "azexporter/model/labels.h"

namespace azexporter::promql {

// Which labels count.
class LabelChoice {
 public:
  // Only those named.
  static LabelChoice Only(std::vector<std::string> names);
  // All but those named, and but the metric name.
  static LabelChoice AllBut(std::vector<std::string> names);

  std::uint64_t Hash(const model::Labels& labels) const;
  bool Same(const model::Labels& a, const model::Labels& b) const;
  // Only the labels that count.
  model::Labels Project(const model::Labels& labels) const;

 private:
  LabelChoice(bool only, std::vector<std::string> names);
  bool Counts(std::string_view name) const;

  bool only_;
  std::vector<std::string> names_;  // sorted, unique
};

class LabelGroups {
 public:
  explicit LabelGroups(LabelChoice choice) : choice_(std::move(choice)) {}

  // The number of the group that `labels` falls into; groups are numbered as they come up.
  std::size_t IndexOf(const model::Labels& labels);
  std::size_t size() const { return members_.size(); }
  // The label set that opened the group.
  const model::Labels& first_member(std::size_t group) const { return members_[group]; }
  model::Labels LabelsOf(std::size_t group) const { return choice_.Project(members_[group]); }

 private:
  // Of an open-addressing table, whose size is a power of two and which is never more than half
  // full.
  struct Slot {
    std::uint64_t hash = 0;
    std::size_t group = kFree;
  };
  static constexpr std::size_t kFree = static_cast<std::size_t>(-1);
  // Where a set of this hash is to be put: the first free slot from its place on.
  std::size_t FreeSlot(std::uint64_t hash) const;
  void Grow();

  LabelChoice choice_;
  std::vector<model::Labels> members_;
  std::vector<Slot> slots_ = std::vector<Slot>(16);
};

// Without __name__, __type__ and __unit__: what a function leaves of the labels of a metric that
// its result no longer is. Semantics: prometheus/schema/labels.go.
model::Labels WithoutMetadata(const model::Labels& labels);

}  // namespace azexporter::promql
