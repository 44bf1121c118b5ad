#pragma once

// Native histograms: counts of observations in buckets that are not series of their own. Buckets
// are either exponential (schema -4..8: each bound is the one before times 2^(2^-schema)), with a
// bucket around zero and mirrored ones below it, or custom (schema -53), with bounds as they are
// given and +Inf after the last.
//
// A histogram that is passed around is shared and never changed again (HistogramPtr); arithmetic
// takes a copy and works on that.
//
// Thread safety: values; thread-compatible.
// Semantics: prometheus/model/histogram/{float_histogram,generic}.go.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/sample.h"

namespace azexporter::model {

// A run of buckets. `offset` counts the buckets left out since the end of the span before; of the
// first span it is the index of its first bucket.
struct BucketSpan {
  std::int32_t offset = 0;
  std::uint32_t length = 0;
  friend bool operator==(const BucketSpan&, const BucketSpan&) = default;
};

// What is known of the histogram in relation to the one before it in its series.
enum class CounterResetHint : std::uint8_t {
  kUnknown,
  kReset,     // counting began anew between the two
  kNotReset,  // it did not
  kGauge,     // goes up and down as it likes; resets mean nothing
};
// As scripts write it: "unknown", "reset", "not_reset", "gauge".
std::string_view CounterResetHintText(CounterResetHint hint);

// One side of a histogram: the counts of the buckets that the spans name, one after the other.
struct BucketCounts {
  std::vector<BucketSpan> spans;
  std::vector<double> counts;
  friend bool operator==(const BucketCounts&, const BucketCounts&) = default;
};

// A bucket with its bounds worked out. Of exponential buckets the bound farther from zero is
// inclusive, of custom ones the upper one.
struct HistogramBucket {
  double lower = 0;
  double upper = 0;
  bool lower_inclusive = false;
  bool upper_inclusive = false;
  double count = 0;

  // The share of the bucket's width at or below `value`, on a linear or a logarithmic scale.
  // REQUIRES: lower < value < upper, both finite.
  double FractionBelow(double value, bool linear) const;
};

// What came up while two histograms were combined.
struct CombineNotes {
  bool reset_collision = false;    // one says that the counter was reset, the other that it was not
  bool bounds_reconciled = false;  // custom bounds differed: those that both have were kept
};

struct FloatHistogram {
  static constexpr std::int32_t kCustomSchema = -53;
  static constexpr std::int32_t kMinSchema = -4;
  static constexpr std::int32_t kMaxSchema = 8;

  CounterResetHint hint = CounterResetHint::kUnknown;
  std::int32_t schema = 0;
  // The zero bucket reaches from -zero_threshold to zero_threshold, both inclusive.
  double zero_threshold = 0;
  double zero_count = 0;
  double count = 0;
  double sum = 0;
  BucketCounts positive;  // of custom buckets: all of them
  BucketCounts negative;  // index 1 is the bucket below that around zero, and so on downwards
  // Upper bounds of custom buckets, ascending, without +Inf.
  std::vector<double> custom_bounds;

  bool has_custom_buckets() const { return schema == kCustomSchema; }

  // The buckets that have a place in the spans, and the zero bucket where it counts, in ascending
  // order. Buckets that reach into the zero bucket are cut off at its bounds.
  std::vector<HistogramBucket> Buckets() const;

  // Adds `other`, or takes it away. The result has the coarser of both resolutions, and the wider
  // zero bucket. nullopt, and nothing changed, where one has custom buckets and the other has not.
  std::optional<CombineNotes> Add(const FloatHistogram& other);
  std::optional<CombineNotes> Sub(const FloatHistogram& other);
  // The same with what rounding loses kept in `lost`, a histogram of the same layout that is made
  // where it is empty. See HistogramSum.
  std::optional<CombineNotes> AddCompensated(const FloatHistogram& other,
                                             std::unique_ptr<FloatHistogram>& lost);
  // A factor or divisor below zero makes a gauge of it. Division by zero leaves no buckets.
  void Mul(double factor);
  void Div(double divisor);

  // Counts an observation, in a bucket that is made where there is none yet.
  // REQUIRES: exponential buckets; value is finite and at least 0.
  void Observe(double value);
  // Leaves out buckets that are empty, joins spans that follow each other.
  void Compact();
  // Merges buckets. REQUIRES: exponential buckets; target <= schema.
  void ReduceResolution(std::int32_t target);
  // Whether counting began anew after `previous`: a hint says so, or any bucket has fallen.
  bool IsResetAfter(const FloatHistogram& previous) const;
  // Cuts off what lies above `bound` (below it), with what a bucket that the bound falls into has
  // there. Count and sum are estimated anew from the buckets where anything was cut off.
  void TrimAbove(double bound) { Trim(bound, true); }
  void TrimBelow(double bound) { Trim(bound, false); }

  // The same to the last bit, but for the hint. Spans may be cut differently.
  bool Equals(const FloatHistogram& other) const;
  // Any of its numbers is infinite.
  bool HasOverflow() const;
  // kBadData where it is none: spans and counts do not fit, negative counts, bounds out of order.
  base::Result<void> Validate() const;

  // "{count:3, sum:4.5, (1,2]:3}": as a label value of count_values.
  std::string ToString() const;
  // "{{schema:1 count:3 sum:4.5 buckets:[3]}}": the notation of scripts.
  std::string ToNotation() const;
  // How many values of 16 bytes it takes the room of, as query limits count.
  std::size_t SizeInSamples() const;

 private:
  std::optional<CombineNotes> Combine(const FloatHistogram& other, double sign,
                                      FloatHistogram* lost);
  void Trim(double bound, bool upper);
};

using HistogramPtr = std::shared_ptr<const FloatHistogram>;

// One histogram of a known series.
struct HPoint {
  TimestampMs t = 0;
  HistogramPtr h;
};

// The upper bound of the bucket with that index. REQUIRES: an exponential schema.
double ExponentialBound(std::int32_t index, std::int32_t schema);
// The index of the bucket that `value` falls into. REQUIRES: the same; value is finite, above 0.
std::int32_t ExponentialIndex(double value, std::int32_t schema);

// The hint that a histogram has as part of a series, after `previous`; null where none stands right
// before it. Never kReset: a reset shows when both are compared, and the one before may be gone by
// then. Semantics: prometheus/tsdb/chunkenc, what it gives back of what was appended.
CounterResetHint HintAfter(const FloatHistogram* previous, const FloatHistogram& next);

}  // namespace azexporter::model
