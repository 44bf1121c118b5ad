#pragma once

// Durations as Prometheus writes them: "5m", "1h30m", "250ms", "0". Units in falling order, each at
// most once: y w d h m s ms, with y = 365d. Values are milliseconds.
// Semantics: github.com/prometheus/common model.ParseDuration, model.Duration.String.

#include <cstdint>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"

namespace azexporter::base {

// Never negative. kBadData when malformed, empty, or over 292 years (Go's limit).
Result<std::int64_t> ParseDurationMs(std::string_view text);

// "0s" for zero; "1h30m", "1d", "100ms"; a leading '-' for negative values.
std::string FormatDurationMs(std::int64_t ms);

}  // namespace azexporter::base
