#pragma once

// Times as text.

#include <cstdint>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::base {

// "2026-11-22T07:03:39.123Z"; the fraction is left out where it is zero.
std::string FormatRfc3339(std::int64_t ms);

// As the HTTP API takes times: seconds since the epoch ("1435781451.781") or RFC 3339
// ("2015-07-01T20:10:51.781Z", with an offset or Z). kBadData otherwise.
Result<std::int64_t> ParseTimeMs(std::string_view text);

}  // namespace azexporter::base
