#pragma once

// MD5 (RFC 1321), which relabelling spreads series by. It protects nothing. Private to `model`.
//
// Thread safety: pure functions.

#include <cstdint>
#include <string_view>

namespace azexporter::model {

// The second half of the sum, its first byte the most significant one.
std::uint64_t Md5Tail(std::string_view text);

}  // namespace azexporter::model
