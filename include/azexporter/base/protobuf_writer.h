#pragma once

// Puts protobuf messages together, field by field, without generated code.
//
// Thread safety: pure functions.

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "azexporter/base/protobuf_reader.h"

namespace azexporter::base::protobuf {

inline void AppendVarint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

inline void AppendTag(std::string& out, std::uint32_t number, WireType type) {
  AppendVarint(out, std::uint64_t{number} << 3 | static_cast<std::uint64_t>(type));
}

inline void AppendBytes(std::string& out, std::uint32_t number, std::string_view bytes) {
  AppendTag(out, number, WireType::kBytes);
  AppendVarint(out, bytes.size());
  out += bytes;
}

// Whether it is the default or not.
inline void AppendAnyNumber(std::string& out, std::uint32_t number, std::uint64_t value) {
  AppendTag(out, number, WireType::kVarint);
  AppendVarint(out, value);
}
// A default is not written.
inline void AppendNumber(std::string& out, std::uint32_t number, std::uint64_t value) {
  if (value != 0) AppendAnyNumber(out, number, value);
}

inline void AppendFixed64(std::string& out, std::uint64_t bits) {
  for (int i = 0; i < 8; ++i) out += static_cast<char>(bits >> (8 * i));
}

// Always written: -0 is not the default.
inline void AppendDouble(std::string& out, std::uint32_t number, double value) {
  AppendTag(out, number, WireType::kFixed64);
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

}  // namespace azexporter::base::protobuf
