#include "postings.h"

namespace azexporter::storage {
const Postings::List* Postings::ListOf(model::Symbol value) const {
  const std::uint32_t found = index_.Find(value);
  return found == model::SymbolMap::kNone ? nullptr : &lists_[found];
}

std::size_t Postings::CountOf(model::Symbol value) const {
  const List* const list = ListOf(value);
  return list == nullptr ? 0 : list->count;
}

std::vector<const MemorySeries*> Postings::Find(model::Symbol value) const {
  std::vector<const MemorySeries*> found;
  const List* const list = ListOf(value);
  if (list == nullptr) return found;
  for (std::uint32_t i = list->first; i != kEnd; i = rows_[i].next) {
    found.push_back(rows_[i].series);
  }
  return found;
}

void Postings::Add(model::Symbol value, const MemorySeries& row) {
  const auto number = static_cast<std::uint32_t>(rows_.size());
  rows_.push_back({&row, kEnd});
  const auto new_list = static_cast<std::uint32_t>(lists_.size());
  const std::uint32_t found = index_.FindOrInsert(value, new_list);
  if (found == new_list) {
    lists_.push_back({number, number, 1});
    return;
  }
  List& list = lists_[found];
  rows_[list.last].next = number;
  list.last = number;
  ++list.count;
}

std::size_t Postings::bytes() const {
  return index_.bytes() + lists_.capacity() * sizeof(List) + rows_.capacity() * sizeof(Row);
}

}  // namespace azexporter::storage
