#include "azexporter/model/histogram_message.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "azexporter/base/protobuf_reader.h"
#include "azexporter/base/protobuf_writer.h"

namespace azexporter::model {

namespace {

using base::Result;
using base::protobuf::AppendAnyNumber;
using base::protobuf::AppendBytes;
using base::protobuf::AppendDouble;
using base::protobuf::AppendDoubles;
using base::protobuf::AppendNumber;
using base::protobuf::AppendVarint;
using base::protobuf::Field;
using base::protobuf::FieldReader;
using base::protobuf::FromZigZag;
using base::protobuf::Malformed;
using base::protobuf::ToZigZag;
using base::protobuf::WireType;

// The numbers of the fields.
enum Number : std::uint32_t {
  kCountInt = 1,
  kCountFloat = 2,
  kSum = 3,
  kSchema = 4,
  kZeroThreshold = 5,
  kZeroCountInt = 6,
  kZeroCountFloat = 7,
  kNegativeSpans = 8,
  kNegativeDeltas = 9,
  kNegativeCounts = 10,
  kPositiveSpans = 11,
  kPositiveDeltas = 12,
  kPositiveCounts = 13,
  kResetHint = 14,
  kTimestamp = 15,
  kCustomValues = 16,
  kStartTimestamp = 17,
};

// A message has no more buckets than bytes; this bounds what spans alone may claim.
constexpr std::uint64_t kMostBuckets = 1 << 20;

double AsDouble(const Field& field) { return std::bit_cast<double>(field.value); }

Result<BucketSpan> DecodeSpan(std::string_view message) {
  BucketSpan span;
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    if (field.number > 2) continue;
    if (field.type != WireType::kVarint) return Malformed("BucketSpan");
    if (field.number == 1) {
      span.offset = static_cast<std::int32_t>(FromZigZag(field.value));
    } else {
      if (field.value > kMostBuckets) return Malformed("BucketSpan");
      span.length = static_cast<std::uint32_t>(field.value);
    }
  }
  if (reader.failed()) return Malformed("BucketSpan");
  return span;
}

// Doubles, packed or one by one.
bool TakeDoubles(const Field& field, std::vector<double>& out) {
  if (field.type == WireType::kFixed64) {
    out.push_back(AsDouble(field));
    return true;
  }
  if (field.type != WireType::kBytes) return false;
  FieldReader reader(field.bytes);
  for (std::uint64_t bits = 0; reader.NextFixed64(bits);)
    out.push_back(std::bit_cast<double>(bits));
  return !reader.failed();
}

// Counts told by their differences. The sum of these may leave the range of a count in a message
// that is meant to; it wraps around then, and the histogram is none.
bool TakeDeltas(const Field& field, std::uint64_t& last, std::vector<double>& out) {
  const auto take = [&](std::uint64_t value) {
    last += static_cast<std::uint64_t>(FromZigZag(value));
    out.push_back(static_cast<double>(static_cast<std::int64_t>(last)));
  };
  if (field.type == WireType::kVarint) {
    take(field.value);
    return true;
  }
  if (field.type != WireType::kBytes) return false;
  FieldReader reader(field.bytes);
  for (std::uint64_t value = 0; reader.NextVarint(value);) take(value);
  return !reader.failed();
}

// The number of a field of the exposition here; 0: none that is here.
std::uint32_t FromExposition(std::uint32_t number) {
  constexpr std::uint32_t kNumbers[] = {0,
                                        kCountInt,
                                        kSum,
                                        0 /* bucket */,
                                        kCountFloat,
                                        kSchema,
                                        kZeroThreshold,
                                        kZeroCountInt,
                                        kZeroCountFloat,
                                        kNegativeSpans,
                                        kNegativeDeltas,
                                        kNegativeCounts,
                                        kPositiveSpans,
                                        kPositiveDeltas,
                                        kPositiveCounts};
  return number < std::size(kNumbers) ? kNumbers[number] : 0;
}

class Decoder {
 public:
  Result<HistogramMessage> Decode(std::string_view message,
                                  std::uint32_t (*renumber)(std::uint32_t) = nullptr) {
    FieldReader reader(message);
    for (Field field; reader.Next(field);) {
      if (renumber != nullptr) field.number = renumber(field.number);
      AZX_ASSIGN_OR_RETURN(const bool fits, Take(field));
      if (!fits) return Malformed("Histogram");
    }
    if (reader.failed()) return Malformed("Histogram");
    return HistogramMessage{{t_, std::make_shared<const FloatHistogram>(std::move(out_))},
                            start_t_};
  }

 private:
  // False where the field has another type.
  Result<bool> Take(const Field& field) {
    switch (field.number) {
      case kCountFloat:
        return TakeDouble(field, out_.count);
      case kSum:
        return TakeDouble(field, out_.sum);
      case kZeroThreshold:
        return TakeDouble(field, out_.zero_threshold);
      case kZeroCountFloat:
        return TakeDouble(field, out_.zero_count);
      case kNegativeSpans:
        return TakeSpan(field, out_.negative);
      case kPositiveSpans:
        return TakeSpan(field, out_.positive);
      case kNegativeDeltas:
        return TakeDeltas(field, last_negative_, out_.negative.counts);
      case kPositiveDeltas:
        return TakeDeltas(field, last_positive_, out_.positive.counts);
      case kNegativeCounts:
        return TakeDoubles(field, out_.negative.counts);
      case kPositiveCounts:
        return TakeDoubles(field, out_.positive.counts);
      case kCustomValues:
        return TakeDoubles(field, out_.custom_bounds);
      case kCountInt:
      case kSchema:
      case kZeroCountInt:
      case kResetHint:
      case kTimestamp:
      case kStartTimestamp:
        return TakeWhole(field);
      default:
        return true;
    }
  }

  bool TakeWhole(const Field& field) {
    if (field.type != WireType::kVarint) return false;
    if (field.number == kCountInt) out_.count = static_cast<double>(field.value);
    if (field.number == kZeroCountInt) out_.zero_count = static_cast<double>(field.value);
    if (field.number == kSchema) out_.schema = static_cast<std::int32_t>(FromZigZag(field.value));
    if (field.number == kTimestamp) t_ = static_cast<TimestampMs>(field.value);
    if (field.number == kStartTimestamp) start_t_ = static_cast<TimestampMs>(field.value);
    if (field.number == kResetHint) {
      // UNKNOWN, YES, NO, GAUGE: in the order of the enum.
      if (field.value > static_cast<std::uint64_t>(CounterResetHint::kGauge)) return false;
      out_.hint = static_cast<CounterResetHint>(field.value);
    }
    return true;
  }

  static bool TakeDouble(const Field& field, double& out) {
    if (field.type != WireType::kFixed64) return false;
    out = AsDouble(field);
    return true;
  }

  static Result<bool> TakeSpan(const Field& field, BucketCounts& side) {
    if (field.type != WireType::kBytes) return false;
    AZX_ASSIGN_OR_RETURN(const BucketSpan span, DecodeSpan(field.bytes));
    side.spans.push_back(span);
    return true;
  }

  FloatHistogram out_;
  TimestampMs t_ = 0;
  TimestampMs start_t_ = 0;
  std::uint64_t last_negative_ = 0;
  std::uint64_t last_positive_ = 0;
};

// The fields of one side.
struct SideFields {
  Number spans;
  Number deltas;
  Number counts;
};

void AppendSide(std::string& out, const SideFields& fields, const BucketCounts& side, bool whole) {
  AppendSpanFields(out, fields.spans, side.spans);
  if (whole) {
    AppendDeltaFields(out, fields.deltas, side.counts);
  } else {
    AppendDoubles(out, fields.counts, side.counts);
  }
}

// Prometheus holds the count of whole counts against their sum, and refuses the histogram where
// they differ.
bool HasWholeCounts(const FloatHistogram& histogram) {
  constexpr double kMost = 1ll << 53;
  const auto whole = [](double value) {
    return value >= 0 && value <= kMost && value == std::trunc(value) && !std::signbit(value);
  };
  double total = histogram.zero_count;
  for (const BucketCounts* side : {&histogram.negative, &histogram.positive}) {
    if (!std::ranges::all_of(side->counts, whole)) return false;
    for (const double count : side->counts) total += count;
  }
  return whole(histogram.zero_count) && whole(histogram.count) && total == histogram.count;
}

}  // namespace

void AppendSpanFields(std::string& out, std::uint32_t number, std::span<const BucketSpan> spans) {
  for (const BucketSpan& span : spans) {
    std::string message;
    AppendNumber(message, 1, ToZigZag(span.offset));
    AppendNumber(message, 2, span.length);
    AppendBytes(out, number, message);
  }
}

void AppendDeltaFields(std::string& out, std::uint32_t number, std::span<const double> counts) {
  if (counts.empty()) return;
  std::string deltas;
  std::int64_t last = 0;
  for (const double count : counts) {
    const auto whole = static_cast<std::int64_t>(count);
    AppendVarint(deltas, ToZigZag(whole - last));
    last = whole;
  }
  AppendBytes(out, number, deltas);
}

Result<HistogramMessage> DecodeHistogram(std::string_view message) {
  return Decoder().Decode(message);
}

Result<FloatHistogram> DecodeExposedHistogram(std::string_view message) {
  AZX_ASSIGN_OR_RETURN(const HistogramMessage read, Decoder().Decode(message, &FromExposition));
  return *read.point.h;
}

std::string EncodeHistogram(const HPoint& point) {
  const FloatHistogram& histogram = *point.h;
  const bool whole = HasWholeCounts(histogram);
  std::string out;
  if (whole) {
    AppendAnyNumber(out, kCountInt, static_cast<std::uint64_t>(histogram.count));
  } else {
    AppendDouble(out, kCountFloat, histogram.count);
  }
  AppendDouble(out, kSum, histogram.sum);
  AppendNumber(out, kSchema, ToZigZag(histogram.schema));
  AppendDouble(out, kZeroThreshold, histogram.zero_threshold);
  if (whole) {
    AppendAnyNumber(out, kZeroCountInt, static_cast<std::uint64_t>(histogram.zero_count));
  } else {
    AppendDouble(out, kZeroCountFloat, histogram.zero_count);
  }
  AppendSide(out, {kNegativeSpans, kNegativeDeltas, kNegativeCounts}, histogram.negative, whole);
  AppendSide(out, {kPositiveSpans, kPositiveDeltas, kPositiveCounts}, histogram.positive, whole);
  AppendNumber(out, kResetHint, static_cast<std::uint64_t>(histogram.hint));
  AppendNumber(out, kTimestamp, static_cast<std::uint64_t>(point.t));
  AppendDoubles(out, kCustomValues, histogram.custom_bounds);
  return out;
}

}  // namespace azexporter::model
