#include "series_table.h"

#include <algorithm>

namespace azexporter::storage {
namespace {

constexpr std::size_t kSmallestBlock = 1;
constexpr std::size_t kLargestBlock = 32 * 1024;

// Smaller tables are gone through row by row.
constexpr std::size_t kSmallTable = 1024;
// A value that so large a part of the rows has is not looked up; nor is a column of so few values.
constexpr std::size_t kLargePart = 8;
// After so many rows were used again postings are made anew.
constexpr std::size_t kMostReused = 4096;

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
  const std::size_t row =
      sizeof(MemorySeries) + sizeof(SeriesData) + shape_.columns().size() * sizeof(model::Symbol);
  std::size_t bytes = sizeof(SeriesTable) + free_.capacity() * sizeof(MemorySeries*);
  for (const Block& block : blocks_) bytes += block.size * row;
  const base::MutexLock lock(postings_mu_);
  for (const auto& [place, column] : columns_) bytes += column.postings.bytes();
  return bytes;
}

MemorySeries& SeriesTable::Add(std::span<const model::Symbol> values, std::uint64_t hash,
                               std::uint32_t number) {
  ++size_;
  const auto begin = [&](Block& block, std::size_t i) -> MemorySeries& {
    model::Symbol* const row_values = block.values.get() + i * values.size();
    std::ranges::copy(values, row_values);
    block.rows[i].Begin(block.data[i], {&shape_, row_values}, hash, number);
    return block.rows[i];
  };
  if (!free_.empty()) {
    const MemorySeries* const row = free_.back();
    free_.pop_back();
    if (reused_.size() == kMostReused) {
      reused_.clear();
      ++epoch_;
    }
    reused_.push_back(row);
    Block& block = *std::ranges::find_if(blocks_, [&](const Block& candidate) {
      return row >= candidate.rows.get() && row < candidate.rows.get() + candidate.size;
    });
    return begin(block, static_cast<std::size_t>(row - block.rows.get()));
  }
  if (blocks_.empty() || blocks_.back().used == blocks_.back().size) {
    const std::size_t size =
        blocks_.empty() ? kSmallestBlock : std::min(2 * blocks_.back().size, kLargestBlock);
    blocks_.push_back({base::LargeArray<MemorySeries>(size), base::LargeArray<SeriesData>(size),
                       base::LargeArray<model::Symbol>(size * values.size()), size, 0});
  }
  ++rows_;
  return begin(blocks_.back(), blocks_.back().used++);
}

std::optional<std::vector<const MemorySeries*>> SeriesTable::RowsWith(std::uint32_t place,
                                                                      model::Symbol value) const {
  if (size_ < kSmallTable) return std::nullopt;
  const base::MutexLock lock(postings_mu_);
  Column& column = columns_[place];
  CatchUpLocked(column, place);
  if (column.useless || column.postings.CountOf(value) > size_ / kLargePart) return std::nullopt;
  return column.postings.Find(value);
}

void SeriesTable::CatchUpLocked(Column& column, std::uint32_t place) const {
  if (column.epoch != epoch_) column = {.epoch = epoch_};
  if (column.useless) return;
  std::size_t block_begin = 0;
  for (const Block& block : blocks_) {
    const std::size_t seen = std::max(column.rows_seen, block_begin) - block_begin;
    for (std::size_t i = seen; i < block.used; ++i) {
      column.postings.Add(block.rows[i].labels().values()[place], block.rows[i]);
    }
    block_begin += block.used;
    column.rows_seen = std::max(column.rows_seen, block_begin);
  }
  for (; column.reused_seen < reused_.size(); ++column.reused_seen) {
    const MemorySeries& row = *reused_[column.reused_seen];
    column.postings.Add(row.labels().values()[place], row);
  }
  if (column.postings.distinct_values() > kLargePart) return;
  column.postings = {};
  column.useless = true;
}

void SeriesTable::Remove(MemorySeries& series) {
  series.End();
  --size_;
}

}  // namespace azexporter::storage
