#pragma once

// Numbers by symbol: an open-addressing table that holds the symbols themselves, so that a look-up
// touches one place in memory.
//
// Thread safety: thread-compatible.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "azexporter/model/symbol.h"

namespace azexporter::model {

class SymbolMap {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  // The number of `symbol`, which may be Symbol(); `number` where it had none so far.
  // REQUIRES: number != kNone.
  std::uint32_t FindOrInsert(Symbol symbol, std::uint32_t number) {
    if (2 * (size_ + 1) > slots_.size()) Grow();
    Slot& slot = SlotOf(symbol);
    if (slot.number == kNone) {
      slot = {symbol, number};
      ++size_;
    }
    return slot.number;
  }
  // kNone where it has none.
  std::uint32_t Find(Symbol symbol) const { return slots_.empty() ? kNone : SlotOf(symbol).number; }

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  struct Slot {
    Symbol symbol;
    std::uint32_t number = kNone;
  };

  // That of `symbol`, or the free one where it belongs. REQUIRES: slots_ is not empty.
  const Slot& SlotOf(Symbol symbol) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t i = base::MixHash(0, symbol.IdentityHash()) & mask;
    while (slots_[i].number != kNone && slots_[i].symbol != symbol) i = (i + 1) & mask;
    return slots_[i];
  }
  Slot& SlotOf(Symbol symbol) { return const_cast<Slot&>(std::as_const(*this).SlotOf(symbol)); }

  void Grow() {
    const std::size_t larger = slots_.empty() ? 16 : 2 * slots_.size();
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(larger));
    for (const Slot& slot : old) {
      if (slot.number != kNone) SlotOf(slot.symbol) = slot;
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, never more than half full
  std::size_t size_ = 0;
};

}  // namespace azexporter::model
