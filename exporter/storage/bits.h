#pragma once

// Bits in words of 64, the first one highest: what chunks are packed into. Private to `storage`.
//
// Thread safety: pure functions.

#include <cstdint>

namespace azexporter::storage {

// Sets `count` bits at `position`, the lowest of `bits`. REQUIRES: 1 <= count <= 64; they were 0;
// there is a word behind the last one that is written to.
inline void PutBits(std::uint64_t* words, std::uint32_t position, std::uint64_t bits,
                    std::uint32_t count) {
  bits <<= 64 - count;  // what lies above `count` goes
  const std::uint32_t word = position / 64;
  const std::uint32_t offset = position % 64;
  words[word] |= bits >> offset;
  if (offset + count > 64) words[word + 1] |= bits << (64 - offset);
}

// The 64 bits from `position` on, whatever they are. REQUIRES: there is a word behind the first.
inline std::uint64_t PeekBits(const std::uint64_t* words, std::uint32_t position) {
  const std::uint32_t word = position / 64;
  const std::uint32_t offset = position % 64;
  return (words[word] << offset) | (words[word + 1] >> 1 >> (63 - offset));
}

}  // namespace azexporter::storage
