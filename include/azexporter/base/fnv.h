#pragma once

// A hash that is the same on every machine and in every version.
// Source: draft-eastlake-fnv, FNV-1a with 64 bits.
//
// Thread safety: may be called from any thread.

#include <cstdint>
#include <string_view>

namespace azexporter::base {

constexpr std::uint64_t Fnv1a(std::string_view text) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
  return hash;
}

}  // namespace azexporter::base
