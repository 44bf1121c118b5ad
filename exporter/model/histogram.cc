// What a native histogram says: its buckets, its texts, whether it is one.

#include "azexporter/model/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "azexporter/base/float_format.h"
#include "histogram_cells.h"

namespace azexporter::model {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

bool SameBits(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

// Bounds of custom buckets: index -1 is what lies below the first, the last one ends at +Inf.
double CustomBound(std::int32_t index, const std::vector<double>& bounds) {
  if (index < 0) return -kInf;
  const auto at = static_cast<std::size_t>(index);
  return at < bounds.size() ? bounds[at] : kInf;
}

HistogramBucket BucketOf(const FloatHistogram& histogram, const Cell& cell, bool positive) {
  if (histogram.has_custom_buckets()) {
    return {CustomBound(cell.index - 1, histogram.custom_bounds),
            CustomBound(cell.index, histogram.custom_bounds), cell.index == 0, true, cell.count};
  }
  const double far = ExponentialBound(cell.index, histogram.schema);
  const double near = ExponentialBound(cell.index - 1, histogram.schema);
  return positive ? HistogramBucket{near, far, false, true, cell.count}
                  : HistogramBucket{-far, -near, true, false, cell.count};
}

// Cut off where it reaches into the zero bucket.
void ClipAtZero(HistogramBucket& bucket, double threshold) {
  if (bucket.upper < 0 && bucket.upper > -threshold) bucket.upper = -threshold;
  if (bucket.lower > 0 && bucket.lower < threshold) bucket.lower = threshold;
}

bool SameCells(const BucketCounts& a, const BucketCounts& b) {
  if (a.counts.size() != b.counts.size()) return false;
  return std::ranges::equal(ToCells(a), ToCells(b), [](const Cell& x, const Cell& y) {
    return x.index == y.index && SameBits(x.count, y.count);
  });
}

void AppendBucket(std::string& out, const HistogramBucket& bucket) {
  if (bucket.count == 0) return;
  out += bucket.lower_inclusive ? ", [" : ", (";
  base::AppendFloatG(out, bucket.lower);
  out += ',';
  base::AppendFloatG(out, bucket.upper);
  out += bucket.upper_inclusive ? "]:" : "):";
  base::AppendFloatG(out, bucket.count);
}

base::Result<void> CheckSide(const BucketCounts& side, const char* name) {
  // Far beyond the index of any number at the highest resolution.
  constexpr std::int64_t kFarthestIndex = 1'000'000;
  std::size_t places = 0;
  std::int64_t index = 0;
  for (std::size_t i = 0; i < side.spans.size(); ++i) {
    index += side.spans[i].offset;
    if (index < -kFarthestIndex || index > kFarthestIndex) {
      return base::BadData(std::string(name) + " side: a bucket has the index " +
                           std::to_string(index));
    }
    index += side.spans[i].length;
    if (i > 0 && side.spans[i].offset < 0) {
      return base::BadData(std::string(name) + " side: span number " + std::to_string(i + 1) +
                           " has a negative offset");
    }
    places += side.spans[i].length;
  }
  if (places != side.counts.size()) {
    return base::BadData(std::string(name) + " side: spans need " + std::to_string(places) +
                         " buckets, have " + std::to_string(side.counts.size()));
  }
  if (std::ranges::any_of(side.counts, [](double count) { return count < 0; })) {
    return base::BadData(std::string(name) + " side: a bucket has a negative count");
  }
  return {};
}

base::Result<void> CheckCustom(const FloatHistogram& histogram) {
  const std::vector<double>& bounds = histogram.custom_bounds;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i]) || (i > 0 && bounds[i] <= bounds[i - 1])) {
      return base::BadData("custom buckets: bounds must be finite and ascend");
    }
  }
  const Cells cells = ToCells(histogram.positive);
  if (!cells.empty() &&
      (cells.front().index < 0 || cells.back().index > static_cast<std::int32_t>(bounds.size()))) {
    return base::BadData("custom buckets: more buckets than bounds");
  }
  if (histogram.zero_count != 0 || histogram.zero_threshold != 0 ||
      !histogram.negative.spans.empty() || !histogram.negative.counts.empty()) {
    return base::BadData("custom buckets: neither a zero bucket nor negative buckets are allowed");
  }
  return {};
}

void AppendNumber(std::string& out, const char* key, double value) {
  if (value == 0) return;
  out += key;
  base::AppendFloatG(out, value);
}

void AppendNumbers(std::string& out, const char* key, const std::vector<double>& values) {
  if (values.empty()) return;
  out += key;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ' ';
    base::AppendFloatG(out, values[i]);
  }
  out += ']';
}

// The notation knows no gaps: empty buckets stand in them.
void AppendSide(std::string& out, const BucketCounts& side, const char* offset_key,
                const char* buckets_key) {
  const Cells cells = ToCells(side);
  if (cells.empty()) return;
  constexpr std::int32_t kMostGap = 1000;
  if (cells.front().index != 0) out += offset_key + std::to_string(cells.front().index);
  std::vector<double> counts;
  std::int32_t next = cells.front().index;
  for (const Cell& cell : cells) {
    if (cell.index - next > kMostGap) break;
    for (; next < cell.index; ++next) counts.push_back(0);
    counts.push_back(cell.count);
    ++next;
  }
  AppendNumbers(out, buckets_key, counts);
}

}  // namespace

std::string_view CounterResetHintText(CounterResetHint hint) {
  switch (hint) {
    case CounterResetHint::kUnknown:
      return "unknown";
    case CounterResetHint::kReset:
      return "reset";
    case CounterResetHint::kNotReset:
      return "not_reset";
    case CounterResetHint::kGauge:
      return "gauge";
  }
  return "";
}

double ExponentialBound(std::int32_t index, std::int32_t schema) {
  // The bucket before the one for infinities would end at 2^1024; it ends with the largest number.
  constexpr std::int64_t kLastExponent = 1024;
  if (schema <= 0) {
    const std::int64_t exponent = static_cast<std::int64_t>(index) * (std::int64_t{1} << -schema);
    if (exponent == kLastExponent) return std::numeric_limits<double>::max();
    return std::ldexp(1.0, static_cast<int>(std::clamp<std::int64_t>(exponent, -5000, 5000)));
  }
  const std::int32_t fraction = index & ((1 << schema) - 1);
  const std::int32_t exponent = index >> schema;
  if (fraction == 0 && exponent == kLastExponent) return std::numeric_limits<double>::max();
  return std::ldexp(std::exp2(static_cast<double>(fraction) / (1 << schema)), exponent);
}

std::int32_t ExponentialIndex(double value, std::int32_t schema) {
  // The logarithm is right but for rounding; the bounds decide.
  auto index = static_cast<std::int32_t>(std::ceil(std::ldexp(std::log2(value), schema)));
  while (value > ExponentialBound(index, schema)) ++index;
  while (value <= ExponentialBound(index - 1, schema)) --index;
  return index;
}

double HistogramBucket::FractionBelow(double value, bool linear) const {
  if (linear) return (value - lower) / (upper - lower);
  const double log_lower = std::log2(std::abs(lower));
  const double log_upper = std::log2(std::abs(upper));
  const double log_value = std::log2(std::abs(value));
  if (value > 0) return (log_value - log_lower) / (log_upper - log_lower);
  return 1 - (log_value - log_upper) / (log_lower - log_upper);
}

std::vector<HistogramBucket> FloatHistogram::Buckets() const {
  std::vector<HistogramBucket> buckets;
  buckets.reserve(negative.counts.size() + positive.counts.size() + 1);
  const Cells below = ToCells(negative);
  for (std::size_t i = below.size(); i-- > 0;) {
    buckets.push_back(BucketOf(*this, below[i], false));
    ClipAtZero(buckets.back(), zero_threshold);
  }
  if (zero_count > 0) {
    buckets.push_back({-zero_threshold, zero_threshold, true, true, zero_count});
  }
  for (const Cell& cell : ToCells(positive)) {
    buckets.push_back(BucketOf(*this, cell, true));
    if (!has_custom_buckets()) ClipAtZero(buckets.back(), zero_threshold);
  }
  return buckets;
}

void FloatHistogram::Observe(double value) {
  ++count;
  sum += value;
  if (value <= zero_threshold) {
    ++zero_count;
    return;
  }
  const std::int32_t index = ExponentialIndex(value, schema);
  Cells cells = ToCells(positive);
  const auto at = std::ranges::lower_bound(cells, index, {}, &Cell::index);
  if (at != cells.end() && at->index == index) {
    ++at->count;
  } else {
    cells.insert(at, {index, 1});
  }
  FromCells(cells, positive);
}

bool FloatHistogram::Equals(const FloatHistogram& other) const {
  return schema == other.schema && SameBits(count, other.count) && SameBits(sum, other.sum) &&
         zero_threshold == other.zero_threshold && SameBits(zero_count, other.zero_count) &&
         custom_bounds == other.custom_bounds && SameCells(negative, other.negative) &&
         SameCells(positive, other.positive);
}

bool FloatHistogram::HasOverflow() const {
  const auto infinite = [](double value) { return std::isinf(value); };
  return infinite(zero_count) || infinite(count) || infinite(sum) ||
         std::ranges::any_of(positive.counts, infinite) ||
         std::ranges::any_of(negative.counts, infinite);
}

base::Result<void> FloatHistogram::Validate() const {
  if (schema != kCustomSchema && (schema < kMinSchema || schema > kMaxSchema)) {
    return base::BadData(
        "histogram has an invalid schema, which must be between -4 and 8 for "
        "exponential buckets, or -53 for custom buckets, got schema " +
        std::to_string(schema));
  }
  AZX_RETURN_IF_ERROR(CheckSide(positive, "positive"));
  AZX_RETURN_IF_ERROR(CheckSide(negative, "negative"));
  if (has_custom_buckets()) {
    AZX_RETURN_IF_ERROR(CheckCustom(*this));
  } else if (!custom_bounds.empty()) {
    return base::BadData("exponential buckets have no custom bounds");
  }
  if (count < 0 || zero_count < 0) return base::BadData("a count is negative");
  return {};
}

std::string FloatHistogram::ToString() const {
  std::string out = "{count:" + base::FormatFloatG(count) + ", sum:" + base::FormatFloatG(sum);
  const Cells below = ToCells(negative);
  for (std::size_t i = below.size(); i-- > 0;) AppendBucket(out, BucketOf(*this, below[i], false));
  AppendBucket(out, {-zero_threshold, zero_threshold, true, true, zero_count});
  for (const Cell& cell : ToCells(positive)) AppendBucket(out, BucketOf(*this, cell, true));
  return out + "}";
}

std::string FloatHistogram::ToNotation() const {
  FloatHistogram compact = *this;
  compact.Compact();
  std::string out;
  if (schema != 0) out += " schema:" + std::to_string(schema);
  AppendNumber(out, " count:", count);
  AppendNumber(out, " sum:", sum);
  AppendNumber(out, " z_bucket:", zero_count);
  AppendNumber(out, " z_bucket_w:", zero_threshold);
  AppendNumbers(out, " custom_values:[", custom_bounds);
  if (hint != CounterResetHint::kUnknown) {
    out += " counter_reset_hint:" + std::string(CounterResetHintText(hint));
  }
  AppendSide(out, compact.positive, " offset:", " buckets:[");
  AppendSide(out, compact.negative, " n_offset:", " n_buckets:[");
  return "{{" + (out.empty() ? out : out.substr(1)) + "}}";
}

std::size_t FloatHistogram::SizeInSamples() const {
  constexpr std::size_t kFixedBytes = 176;
  const std::size_t numbers = positive.spans.size() + positive.counts.size() +
                              negative.spans.size() + negative.counts.size() + custom_bounds.size();
  return (kFixedBytes + 8 * numbers) / 16;
}

}  // namespace azexporter::model
