#pragma once

// All series of one metric with the same label names: a table, a row a series, a column a label. A
// query goes through the rows of the tables of its metric; rows never move, so that whoever holds a
// series may keep a pointer to it.
//
// Thread safety: guarded by the store's mutex, but for the shape; readers make postings among
// themselves.

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "azexporter/base/large_array.h"
#include "azexporter/base/mutex.h"
#include "azexporter/model/label_view.h"
#include "azexporter/model/matcher.h"
#include "memory_series.h"
#include "postings.h"

namespace azexporter::storage {

class SeriesTable {
 public:
  // `names`: sorted by text. `metric`: the name that all rows have; Symbol() where they have none.
  SeriesTable(std::span<const model::Symbol> names, model::Symbol metric);

  const model::Shape& shape() const { return shape_; }
  model::Symbol metric() const { return metric_; }
  // Rows in use.
  std::size_t size() const { return size_; }
  std::size_t bytes() const;

  // A new series in a row that nobody uses; `values` in the order of the shape's columns. `hash`
  // and `number`: see MemorySeries.
  MemorySeries& Add(std::span<const model::Symbol> values, std::uint64_t hash,
                    std::uint32_t number);
  // Ends a series. Readers may go on holding its row...
  void Remove(MemorySeries& series);
  // ...until the caller knows that none does any more: only then is it used again.
  void Reuse(MemorySeries& row) { free_.push_back(&row); }
  // No row is in use or held.
  bool unused() const { return free_.size() == rows_; }

  // The rows among which all are that have `value` at `place`, where that is a small part of the
  // table; nothing where all rows may as well be looked at. Rows may be among them that have
  // another value, that are not alive, and that are there twice.
  std::optional<std::vector<const MemorySeries*>> RowsWith(std::uint32_t place,
                                                           model::Symbol value) const;

  // The rows alive: for (MemorySeries& series : table.rows()).
  class Rows;
  Rows rows() const;

 private:
  struct Block {
    base::LargeArray<MemorySeries> rows;
    base::LargeArray<SeriesData> data;
    base::LargeArray<model::Symbol> values;  // rows x columns
    std::size_t size = 0;
    std::size_t used = 0;
  };
  class Iterator;

  const model::Shape shape_;
  const model::Symbol metric_;
  std::vector<Block> blocks_;  // each twice the size of the one before, up to a limit
  std::vector<MemorySeries*> free_;
  // The rows that Add took from free_ in this epoch.
  std::vector<const MemorySeries*> reused_;
  std::uint64_t epoch_ = 0;
  std::size_t size_ = 0;  // rows in use
  std::size_t rows_ = 0;  // rows that ever were in use

  // Guarded by postings_mu_.
  struct Column {
    Postings postings;
    std::uint64_t epoch = 0;
    std::size_t rows_seen = 0;    // of all rows that ever were in use
    std::size_t reused_seen = 0;  // of reused_
    bool useless = false;         // too few different values
  };
  void CatchUpLocked(Column& column, std::uint32_t place) const AZX_REQUIRES(postings_mu_);
  mutable base::Mutex postings_mu_;
  mutable std::unordered_map<std::uint32_t, Column> columns_ AZX_GUARDED_BY(postings_mu_);
};

class SeriesTable::Iterator {
 public:
  Iterator(const Block* block, const Block* end) : block_(block), end_(end) { SkipDead(); }
  MemorySeries& operator*() const { return block_->rows[i_]; }
  Iterator& operator++() {
    ++i_;
    SkipDead();
    return *this;
  }
  friend bool operator==(const Iterator& a, const Iterator& b) {
    return a.block_ == b.block_ && a.i_ == b.i_;
  }

 private:
  void SkipDead() {
    while (block_ != end_) {
      while (i_ < block_->used && !block_->rows[i_].alive()) ++i_;
      if (i_ < block_->used) return;
      ++block_;
      i_ = 0;
    }
  }

  const Block* block_;
  const Block* end_;
  std::size_t i_ = 0;
};

class SeriesTable::Rows {
 public:
  explicit Rows(std::span<const Block> blocks)
      : begin_(blocks.data()), end_(blocks.data() + blocks.size()) {}
  Iterator begin() const { return {begin_, end_}; }
  Iterator end() const { return {end_, end_}; }

 private:
  const Block* begin_;
  const Block* end_;
};

inline SeriesTable::Rows SeriesTable::rows() const { return Rows(blocks_); }

}  // namespace azexporter::storage
