#include "histogram_message.h"

#include <bit>

#include "azexporter/base/protobuf_reader.h"
#include "azexporter/base/protobuf_writer.h"
#include "malformed.h"

namespace azexporter::exposition {

namespace {

using base::Result;
using base::protobuf::AppendBytes;
using base::protobuf::AppendDouble;
using base::protobuf::AppendDoubles;
using base::protobuf::AppendNumber;
using base::protobuf::Field;
using base::protobuf::FieldReader;
using base::protobuf::FromZigZag;
using base::protobuf::ToZigZag;
using base::protobuf::WireType;
using model::BucketCounts;
using model::FloatHistogram;

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
};

// A message has no more buckets than bytes; this bounds what spans alone may claim.
constexpr std::uint64_t kMostBuckets = 1 << 20;

double AsDouble(const Field& field) { return std::bit_cast<double>(field.value); }

Result<model::BucketSpan> DecodeSpan(std::string_view message) {
  model::BucketSpan span;
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

// Counts told by their differences.
bool TakeDeltas(const Field& field, std::int64_t& last, std::vector<double>& out) {
  const auto take = [&](std::uint64_t value) {
    last += FromZigZag(value);
    out.push_back(static_cast<double>(last));
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

class Decoder {
 public:
  Result<model::HPoint> Decode(std::string_view message) {
    FieldReader reader(message);
    for (Field field; reader.Next(field);) {
      AZX_ASSIGN_OR_RETURN(const bool fits, Take(field));
      if (!fits) return Malformed("Histogram");
    }
    if (reader.failed()) return Malformed("Histogram");
    return model::HPoint{t_, std::make_shared<const FloatHistogram>(std::move(out_))};
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
    if (field.number == kTimestamp) t_ = static_cast<model::TimestampMs>(field.value);
    if (field.number == kResetHint) {
      // UNKNOWN, YES, NO, GAUGE: in the order of the enum.
      if (field.value > static_cast<std::uint64_t>(model::CounterResetHint::kGauge)) return false;
      out_.hint = static_cast<model::CounterResetHint>(field.value);
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
    AZX_ASSIGN_OR_RETURN(const model::BucketSpan span, DecodeSpan(field.bytes));
    side.spans.push_back(span);
    return true;
  }

  FloatHistogram out_;
  model::TimestampMs t_ = 0;
  std::int64_t last_negative_ = 0;
  std::int64_t last_positive_ = 0;
};

void AppendSide(std::string& out, Number spans, Number counts, const BucketCounts& side) {
  for (const model::BucketSpan& span : side.spans) {
    std::string message;
    AppendNumber(message, 1, ToZigZag(span.offset));
    AppendNumber(message, 2, span.length);
    AppendBytes(out, spans, message);
  }
  AppendDoubles(out, counts, side.counts);
}

}  // namespace

Result<model::HPoint> DecodeHistogram(std::string_view message) {
  return Decoder().Decode(message);
}

std::string EncodeHistogram(const model::HPoint& point) {
  const FloatHistogram& histogram = *point.h;
  std::string out;
  AppendDouble(out, kCountFloat, histogram.count);
  AppendDouble(out, kSum, histogram.sum);
  AppendNumber(out, kSchema, ToZigZag(histogram.schema));
  AppendDouble(out, kZeroThreshold, histogram.zero_threshold);
  AppendDouble(out, kZeroCountFloat, histogram.zero_count);
  AppendSide(out, kNegativeSpans, kNegativeCounts, histogram.negative);
  AppendSide(out, kPositiveSpans, kPositiveCounts, histogram.positive);
  AppendNumber(out, kResetHint, static_cast<std::uint64_t>(histogram.hint));
  AppendNumber(out, kTimestamp, static_cast<std::uint64_t>(point.t));
  AppendDoubles(out, kCustomValues, histogram.custom_bounds);
  return out;
}

}  // namespace azexporter::exposition
