#include "series_table.h"

#include <algorithm>

namespace azexporter::storage {
namespace {

constexpr std::size_t kSmallestBlock = 1;
constexpr std::size_t kLargestBlock = 1024;

std::vector<model::Shape::Column> InOrder(std::span<const model::Symbol> names) {
  std::vector<model::Shape::Column> columns;
  columns.reserve(names.size());
  for (const model::Symbol name : names) {
    columns.push_back({name, static_cast<std::uint32_t>(columns.size())});
  }
  return columns;
}

}  // namespace

SeriesTable::SeriesTable(std::span<const model::Symbol> names, model::Symbol metric)
    : shape_(InOrder(names)), metric_(metric) {}

std::size_t SeriesTable::bytes() const {
  const std::size_t row = sizeof(MemorySeries) + shape_.columns().size() * sizeof(model::Symbol);
  std::size_t bytes = sizeof(SeriesTable) + free_.capacity() * sizeof(MemorySeries*);
  for (const Block& block : blocks_) bytes += block.size * row;
  return bytes;
}

MemorySeries& SeriesTable::Add(std::span<const model::Symbol> values, std::uint64_t hash,
                               std::uint32_t number) {
  ++size_;
  const auto begin = [&](Block& block, std::size_t i) -> MemorySeries& {
    model::Symbol* const row_values = block.values.get() + i * values.size();
    std::ranges::copy(values, row_values);
    block.rows[i].Begin({&shape_, row_values}, hash, number);
    return block.rows[i];
  };
  if (!free_.empty()) {
    const MemorySeries* const row = free_.back();
    free_.pop_back();
    Block& block = *std::ranges::find_if(blocks_, [&](const Block& candidate) {
      return row >= candidate.rows.get() && row < candidate.rows.get() + candidate.size;
    });
    return begin(block, static_cast<std::size_t>(row - block.rows.get()));
  }
  if (blocks_.empty() || blocks_.back().used == blocks_.back().size) {
    const std::size_t size =
        blocks_.empty() ? kSmallestBlock : std::min(2 * blocks_.back().size, kLargestBlock);
    blocks_.push_back({std::make_unique<MemorySeries[]>(size),
                       std::make_unique<model::Symbol[]>(size * values.size()), size, 0});
  }
  ++rows_;
  return begin(blocks_.back(), blocks_.back().used++);
}

void SeriesTable::Remove(MemorySeries& series) {
  series.End();
  --size_;
}

}  // namespace azexporter::storage
