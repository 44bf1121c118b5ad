#pragma once

// What became of a mover.
//
// Thread safety: thread-compatible.

#include <cstdint>
#include <memory>
#include <vector>

#include "azexporter/zones/placement.h"

namespace azexporter::zones {

// Nodes of a part, of the class that is open to a mover: by number, both ends included.
struct NodeRange {
  static constexpr std::uint32_t kEnd = 0xffffffff;

  std::uint32_t part = 0;
  std::uint32_t first = 0;
  std::uint32_t last = kEnd;

  bool operator==(const NodeRange&) const = default;
};

struct Placing {
  std::int64_t pods = 0;                     // that were on lost nodes
  std::vector<std::uint32_t> nodes;          // that took one, in order
  std::vector<NodeRange> asked;              // whose room decided that
  std::shared_ptr<const UnplacedPods> rest;  // that found no node; null: none

  std::int64_t unplaced() const { return pods - static_cast<std::int64_t>(nodes.size()); }
};

}  // namespace azexporter::zones
