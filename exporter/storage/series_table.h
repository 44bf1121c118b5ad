#pragma once

// All series of one metric with the same label names: a table, a row a series, a column a label. A
// query goes through the rows of the tables of its metric; rows never move, so that whoever holds a
// series may keep a pointer to it.
//
// Thread safety: guarded by the store's mutex, but for the shape.

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "azexporter/model/label_view.h"
#include "azexporter/model/matcher.h"
#include "memory_series.h"

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
  std::size_t size_ = 0;  // rows in use
  std::size_t rows_ = 0;  // rows that ever were in use
};

}  // namespace azexporter::storage
