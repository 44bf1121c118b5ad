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

  // Calls `visit(series)` for each row alive.
  template <class Visit>
  void ForEach(Visit visit) {
    for (Block& block : blocks_) {
      for (std::size_t i = 0; i < block.used; ++i) {
        if (block.rows[i].alive()) visit(block.rows[i]);
      }
    }
  }

 private:
  struct Block {
    std::unique_ptr<MemorySeries[]> rows;
    std::unique_ptr<model::Symbol[]> values;  // rows x columns
    std::size_t size = 0;
    std::size_t used = 0;
  };

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

}  // namespace azexporter::storage
