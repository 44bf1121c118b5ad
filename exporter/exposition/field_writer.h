#pragma once

// Puts protobuf messages together, field by field. Private to `exposition`.
//
// Thread safety: pure functions.

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace azexporter::exposition {

// Protobuf's wire types. Source: protobuf.dev/programming-guides/encoding.
inline constexpr std::uint32_t kVarint = 0;
inline constexpr std::uint32_t kFixed64 = 1;
inline constexpr std::uint32_t kBytes = 2;

inline void AppendVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

inline void AppendTag(std::string& out, std::uint32_t number, std::uint32_t type) {
  AppendVarint(out, std::uint64_t{number} << 3 | type);
}

inline void AppendBytes(std::string& out, std::uint32_t number, std::string_view bytes) {
  AppendTag(out, number, kBytes);
  AppendVarint(out, bytes.size());
  out += bytes;
}

// A default is not written.
inline void AppendNumber(std::string& out, std::uint32_t number, std::uint64_t value) {
  if (value == 0) return;
  AppendTag(out, number, kVarint);
  AppendVarint(out, value);
}

inline void AppendFixed64(std::string& out, std::uint64_t bits) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(bits >> (8 * i));
}

// Always written: -0 is not the default.
inline void AppendDouble(std::string& out, std::uint32_t number, double value) {
  AppendTag(out, number, kFixed64);
  AppendFixed64(out, std::bit_cast<std::uint64_t>(value));
}

// Packed; nothing where there are none.
inline void AppendDoubles(std::string& out, std::uint32_t number, std::span<const double> values) {
  if (values.empty()) return;
  std::string packed;
  for (const double value : values) AppendFixed64(packed, std::bit_cast<std::uint64_t>(value));
  AppendBytes(out, number, packed);
}

// Of type sint32 or sint64.
inline std::uint64_t ToZigZag(std::int64_t value) {
  return static_cast<std::uint64_t>(value) << 1 ^ static_cast<std::uint64_t>(value >> 63);
}

}  // namespace azexporter::exposition
