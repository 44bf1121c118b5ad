#pragma once

// Samples: a value of a series at a time.
//
// Thread safety: values; thread-compatible.

#include <bit>
#include <cstdint>

#include "azexporter/model/labels.h"

namespace azexporter::model {

// Milliseconds since the Unix epoch, UTC. A plain integer, as in Prometheus: times, steps, ranges
// and offsets are added and divided all over the engine, and all of them are milliseconds.
using TimestampMs = std::int64_t;

// One sample of a known series.
struct FPoint {
  TimestampMs t = 0;
  double f = 0;
  friend bool operator==(const FPoint&, const FPoint&) = default;
};

// One sample with its series.
struct Sample {
  Labels labels;
  TimestampMs t = 0;
  double f = 0;
};

// The NaN that marks the end of a series. Only the exact bits count: any other NaN is a value.
// Source: prometheus/model/value/value.go.
inline constexpr std::uint64_t kStaleNaNBits = 0x7ff0000000000002;
inline double StaleNaN() { return std::bit_cast<double>(kStaleNaNBits); }
inline bool IsStaleNaN(double value) {
  return std::bit_cast<std::uint64_t>(value) == kStaleNaNBits;
}

}  // namespace azexporter::model
