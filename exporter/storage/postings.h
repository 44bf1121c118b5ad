#pragma once

// Which rows of a table have a value in a column: what finds the one series among 150,000 that a
// query names. Made when it is first asked for, since most columns never are.
//
// A posting is a hint: rows are given up and used again without being taken out, so that whoever
// follows one looks at the row itself.
//
// Thread safety: thread-compatible.

#include <cstdint>
#include <span>
#include <vector>

#include "azexporter/model/symbol_map.h"
#include "memory_series.h"

namespace azexporter::storage {

class Postings {
 public:
  // How many rows there may be with the value; Find() gives no more than that.
  std::size_t CountOf(model::Symbol value) const;
  // The rows that may have the value, in order of Add.
  std::vector<const MemorySeries*> Find(model::Symbol value) const;
  void Add(model::Symbol value, const MemorySeries& row);
  std::size_t distinct_values() const { return lists_.size(); }
  std::size_t bytes() const;

 private:
  static constexpr std::uint32_t kEnd = 0xffffffff;
  struct List {
    std::uint32_t first;
    std::uint32_t last;
    std::uint32_t count;
  };
  struct Row {
    const MemorySeries* series;
    std::uint32_t next;  // of the same value
  };
  const List* ListOf(model::Symbol value) const;

  model::SymbolMap index_;  // into lists_, by value
  std::vector<List> lists_;
  std::vector<Row> rows_;
};

}  // namespace azexporter::storage
