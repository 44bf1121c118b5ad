#pragma once

// Sizes as Prometheus's flags take them: "512MB", "4GB", "1000B"; a unit is 1024 times the one
// before (B, KB, MB, GB, TB, PB, EB). Semantics: prometheus/storage flags,
// github.com/alecthomas/units Base2Bytes.
//
// Thread safety: may be called from any thread.

#include <cstdint>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::base {

// kBadData when there is no number, no unit, or the size does not fit into 63 bits. "0" is 0.
Result<std::uint64_t> ParseByteSize(std::string_view text);

}  // namespace azexporter::base
