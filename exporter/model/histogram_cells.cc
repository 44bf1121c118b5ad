#include "histogram_cells.h"

#include <cmath>

namespace azexporter::model {

void KahanAdd(double increment, double& value, double& lost) {
  const double total = value + increment;
  if (std::isinf(total)) {
    lost = 0;
  } else if (std::abs(value) >= std::abs(increment)) {
    lost += (value - total) + increment;
  } else {
    lost += (increment - total) + value;
  }
  value = total;
}

Cells ToCells(const BucketCounts& side, const BucketCounts* lost) {
  Cells cells;
  cells.reserve(side.counts.size());
  std::int32_t index = 0;
  for (const BucketSpan& span : side.spans) {
    index += span.offset;
    for (std::uint32_t i = 0; i < span.length && cells.size() < side.counts.size(); ++i) {
      const std::size_t at = cells.size();
      cells.push_back({index++, side.counts[at], lost == nullptr ? 0 : lost->counts[at]});
    }
  }
  return cells;
}

void FromCells(const Cells& cells, BucketCounts& side, BucketCounts* lost) {
  side.spans.clear();
  side.counts.clear();
  side.counts.reserve(cells.size());
  std::int32_t next = 0;
  for (const Cell& cell : cells) {
    if (side.spans.empty() || cell.index != next) side.spans.push_back({cell.index - next, 0});
    ++side.spans.back().length;
    next = cell.index + 1;
    side.counts.push_back(cell.count);
  }
  if (lost == nullptr) return;
  lost->spans = side.spans;
  lost->counts.clear();
  for (const Cell& cell : cells) lost->counts.push_back(cell.lost);
}

std::int32_t CoarserIndex(std::int32_t index, std::int32_t from, std::int32_t to) {
  return ((index - 1) >> (from - to)) + 1;
}

Cells Coarser(const Cells& cells, std::int32_t from, std::int32_t to, bool compensated) {
  Cells merged;
  for (const Cell& cell : cells) {
    const std::int32_t index = CoarserIndex(cell.index, from, to);
    if (merged.empty() || merged.back().index != index) {
      merged.push_back({index, cell.count, cell.lost});
    } else if (compensated) {
      KahanAdd(cell.count, merged.back().count, merged.back().lost);
      KahanAdd(cell.lost, merged.back().count, merged.back().lost);
    } else {
      merged.back().count += cell.count;
    }
  }
  return merged;
}

}  // namespace azexporter::model
