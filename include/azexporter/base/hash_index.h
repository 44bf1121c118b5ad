#pragma once

// An open-addressing index over things that live elsewhere: it knows the hash and the number of
// each, and asks the caller whether number so-and-so is the thing looked for. Eight bytes a slot.
//
//   HashIndex index;
//   std::uint32_t n = index.Find(hash, [&](std::uint32_t i) { return things[i] == wanted; });
//   if (n == HashIndex::kNone) index.Insert(hash, n = Add(wanted));
//
// Thread safety: thread-compatible.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace azexporter::base {

// Spreads the bits of what makes a poor hash by itself: a pointer, a small number.
inline std::uint64_t MixHash(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  return hash ^ (hash >> 32);
}

// Of a text of a few words. The same only within a process.
inline std::uint64_t HashText(std::string_view text) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const auto word = [&](std::size_t at, std::size_t size) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + at, size);
    return bytes;
  };
  std::uint64_t hash = text.size();
  if (text.size() < kWord) return text.empty() ? hash : MixHash(hash, word(0, text.size()));
  for (std::size_t at = 0; at + kWord < text.size(); at += kWord)
    hash = MixHash(hash, word(at, kWord));
  return MixHash(hash, word(text.size() - kWord, kWord));
}

class HashIndex {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  std::size_t size() const { return size_; }
  std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

  // The number inserted under `hash` for which `same(number)`, else kNone.
  template <class Same>
  std::uint32_t Find(std::uint64_t hash, Same same) const {
    const std::size_t slot = FindSlot(hash, same);
    return slot == kNoSlot ? kNone : slots_[slot].number;
  }

  // REQUIRES: not there yet; number != kNone.
  void Insert(std::uint64_t hash, std::uint32_t number) {
    if (2 * (size_ + 1) > slots_.size()) Grow();
    Put({static_cast<std::uint32_t>(hash), number});
    ++size_;
  }

  // Whether there was one to erase.
  template <class Same>
  bool Erase(std::uint64_t hash, Same same) {
    std::size_t hole = FindSlot(hash, same);
    if (hole == kNoSlot) return false;
    // Moves back what was put further along because the hole was taken.
    for (std::size_t i = Next(hole); slots_[i].number != kNone; i = Next(i)) {
      const std::size_t home = slots_[i].hash & Mask();
      const bool may_move = ((i - home) & Mask()) >= ((i - hole) & Mask());
      if (!may_move) continue;
      slots_[hole] = slots_[i];
      hole = i;
    }
    slots_[hole].number = kNone;
    --size_;
    return true;
  }

 private:
  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t number = kNone;
  };
  static constexpr std::size_t kNoSlot = static_cast<std::size_t>(-1);

  std::size_t Mask() const { return slots_.size() - 1; }
  std::size_t Next(std::size_t i) const { return (i + 1) & Mask(); }

  template <class Same>
  std::size_t FindSlot(std::uint64_t hash, Same same) const {
    if (slots_.empty()) return kNoSlot;
    const auto short_hash = static_cast<std::uint32_t>(hash);
    for (std::size_t i = short_hash & Mask(); slots_[i].number != kNone; i = Next(i)) {
      if (slots_[i].hash == short_hash && same(slots_[i].number)) return i;
    }
    return kNoSlot;
  }

  void Put(const Slot& slot) {
    std::size_t i = slot.hash & Mask();
    while (slots_[i].number != kNone) i = Next(i);
    slots_[i] = slot;
  }

  void Grow() {
    const std::size_t larger = slots_.empty() ? 16 : 2 * slots_.size();
    const std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(larger));
    for (const Slot& slot : old) {
      if (slot.number != kNone) Put(slot);
    }
  }

  std::vector<Slot> slots_;  // a power of two of them, never more than half full
  std::size_t size_ = 0;
};

}  // namespace azexporter::base
