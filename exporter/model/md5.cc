#include "md5.h"

#include <array>
#include <bit>
#include <cmath>
#include <string>

namespace azexporter::model {
namespace {

using State = std::array<std::uint32_t, 4>;

constexpr std::size_t kBlockBytes = 64;
constexpr int kShifts[4][4] = {{7, 12, 17, 22}, {5, 9, 14, 20}, {4, 11, 16, 23}, {6, 10, 15, 21}};

std::array<std::uint32_t, 64> MakeSines() {
  std::array<std::uint32_t, 64> sines{};
  for (std::size_t i = 0; i < sines.size(); ++i) {
    sines[i] = static_cast<std::uint32_t>(
        std::floor(std::fabs(std::sin(static_cast<double>(i + 1))) * 4294967296.0));
  }
  return sines;
}

std::uint32_t LittleEndian(std::string_view bytes) {
  std::uint32_t word = 0;
  for (std::size_t i = 4; i > 0; --i) {
    word = word << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return word;
}

// The mixed bits of step `i`, and which word of the block it takes.
std::uint32_t Mix(std::size_t i, const State& s, std::size_t& word) {
  const auto [a, b, c, d] = s;
  switch (i / 16) {
    case 0:
      word = i;
      return (b & c) | (~b & d);
    case 1:
      word = (5 * i + 1) % 16;
      return (d & b) | (~d & c);
    case 2:
      word = (3 * i + 5) % 16;
      return b ^ c ^ d;
    default:
      word = (7 * i) % 16;
      return c ^ (b | ~d);
  }
}

void AddBlock(std::string_view block, State& state) {
  static const std::array<std::uint32_t, 64> kSines = MakeSines();
  State s = state;
  for (std::size_t i = 0; i < 64; ++i) {
    std::size_t word = 0;
    const std::uint32_t mixed = Mix(i, s, word);
    const std::uint32_t sum = s[0] + mixed + kSines[i] + LittleEndian(block.substr(4 * word, 4));
    s = {s[3], s[1] + std::rotl(sum, kShifts[i / 16][i % 4]), s[1], s[2]};
  }
  for (std::size_t i = 0; i < state.size(); ++i) state[i] += s[i];
}

std::uint64_t Swapped(std::uint32_t word) {
  return (word & 0xff) << 24 | (word & 0xff00) << 8 | (word >> 8 & 0xff00) | word >> 24;
}

}  // namespace

std::uint64_t Md5Tail(std::string_view text) {
  std::string padded(text);
  padded += '\x80';
  while (padded.size() % kBlockBytes != kBlockBytes - 8) padded += '\0';
  for (std::uint64_t bits = std::uint64_t{text.size()} * 8, i = 0; i < 8; ++i, bits >>= 8) {
    padded += static_cast<char>(bits & 0xff);
  }
  State state = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476};
  for (std::size_t at = 0; at < padded.size(); at += kBlockBytes) {
    AddBlock(std::string_view(padded).substr(at, kBlockBytes), state);
  }
  return Swapped(state[2]) << 32 | Swapped(state[3]);
}

}  // namespace azexporter::model
