#pragma once

// Samples: a value of a series at a time. The value is a float, or a native histogram
// (histogram.h).
//
// Thread safety: values; thread-compatible.

#include <bit>
#include <cstdint>
#include <memory>

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

struct FloatHistogram;

// One sample with its series.
struct Sample {
  Labels labels;
  TimestampMs t = 0;
  double f = 0;
  // The value, where it is a native histogram; else null.
  std::shared_ptr<const FloatHistogram> h = nullptr;
};

// The NaN that marks the end of a series. Only the exact bits count: any other NaN is a value.
// Source: prometheus/model/value/value.go.
inline constexpr std::uint64_t kStaleNaNBits = 0x7ff0000000000002;
inline double StaleNaN() { return std::bit_cast<double>(kStaleNaNBits); }
inline bool IsStaleNaN(double value) {
  return std::bit_cast<std::uint64_t>(value) == kStaleNaNBits;
}

// Stands for a native histogram in a sequence of floats; the histogram itself lies beside it. Never
// a value: a store refuses it from outside. Only the exact bits count.
inline constexpr std::uint64_t kHistogramNaNBits = 0x7ff0000000000004;
inline double HistogramNaN() { return std::bit_cast<double>(kHistogramNaNBits); }
inline bool IsHistogramNaN(double value) {
  return std::bit_cast<std::uint64_t>(value) == kHistogramNaNBits;
}

}  // namespace azexporter::model
