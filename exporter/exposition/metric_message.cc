#include "azexporter/exposition/metric_message.h"

#include <cmath>
#include <optional>

#include "azexporter/base/float_format.h"
#include "azexporter/base/protobuf_writer.h"
#include "azexporter/base/text.h"
#include "azexporter/exposition/text_writer.h"
#include "azexporter/model/histogram_message.h"

namespace azexporter::exposition {

namespace {

using base::protobuf::AppendAnyNumber;
using base::protobuf::AppendBytes;
using base::protobuf::AppendDouble;
using base::protobuf::AppendDoubles;
using base::protobuf::AppendNumber;
using base::protobuf::AppendVarint;
using base::protobuf::ToZigZag;
using model::AppendDeltaFields;
using model::AppendSpanFields;

constexpr std::uint32_t kHistogramField = 7;  // of Metric

// The numbers of the fields of one side of a native histogram.
struct SideFields {
  std::uint32_t spans;
  std::uint32_t deltas;
  std::uint32_t counts;
};
constexpr SideFields kNegative = {9, 10, 11};
constexpr SideFields kPositive = {12, 13, 14};

void AppendNative(std::string& out, const model::FloatHistogram& native) {
  AppendAnyNumber(out, 5, ToZigZag(native.schema));
  AppendDouble(out, 6, native.zero_threshold);
  AppendNumber(out, 7, static_cast<std::uint64_t>(native.zero_count));
  AppendSpanFields(out, kNegative.spans, native.negative.spans);
  AppendDeltaFields(out, kNegative.deltas, native.negative.counts);
  AppendSpanFields(out, kPositive.spans, native.positive.spans);
  AppendDeltaFields(out, kPositive.deltas, native.positive.counts);
  // A span of nothing marks a histogram without buckets as a native one.
  if (native.positive.spans.empty() && native.negative.spans.empty()) {
    AppendBytes(out, kPositive.spans, "");
  }
}

std::string NativeMessage(const model::FloatHistogram& value) {
  std::string out;
  AppendDouble(out, 4, value.count);
  AppendDouble(out, 2, value.sum);
  AppendAnyNumber(out, 5, ToZigZag(value.schema));
  AppendDouble(out, 6, value.zero_threshold);
  AppendDouble(out, 8, value.zero_count);
  AppendSpanFields(out, kNegative.spans, value.negative.spans);
  AppendDoubles(out, kNegative.counts, value.negative.counts);
  AppendSpanFields(out, kPositive.spans, value.positive.spans);
  AppendDoubles(out, kPositive.counts, value.positive.counts);
  return out;
}

// The bucket of +Inf is left out, as Prometheus leaves it out.
std::string CustomMessage(const model::FloatHistogram& value) {
  std::string out;
  AppendDouble(out, 4, value.count);
  AppendDouble(out, 2, value.sum);
  for (const CumulativeBucket& bucket : CumulativeBuckets(value)) {
    if (std::isinf(bucket.upper_bound)) break;
    std::string message;
    AppendDouble(message, 4, bucket.count);
    AppendDouble(message, 2, bucket.upper_bound);
    AppendBytes(out, 3, message);
  }
  return out;
}

}  // namespace

FamilyType FamilyTypeOf(model::MetricType type) {
  switch (type) {
    case model::MetricType::kUnknown:
      return FamilyType::kUntyped;
    case model::MetricType::kCounter:
      return FamilyType::kCounter;
    case model::MetricType::kGauge:
      return FamilyType::kGauge;
    case model::MetricType::kHistogram:
      return FamilyType::kHistogram;
  }
  return FamilyType::kUntyped;
}

void MetricMessage::AddLabel(const model::Label& label) {
  std::string pair;
  AppendBytes(pair, 1, label.name);
  AppendBytes(pair, 2, label.value);
  AppendBytes(bytes_, 1, pair);
}

void MetricMessage::SetValue(model::MetricType type, double value) {
  std::string message;
  AppendDouble(message, 1, value);
  constexpr std::uint32_t kGauge = 2;
  constexpr std::uint32_t kCounter = 3;
  constexpr std::uint32_t kUntyped = 5;
  const FamilyType family = FamilyTypeOf(type);
  AppendBytes(bytes_,
              family == FamilyType::kGauge     ? kGauge
              : family == FamilyType::kCounter ? kCounter
                                               : kUntyped,
              message);
}

void MetricMessage::SetHistogram(const model::HistogramValue& value) {
  std::string out;
  if (!value.buckets.empty()) AppendAnyNumber(out, 1, value.buckets.back().cumulative_count);
  AppendDouble(out, 2, value.sum);
  for (const model::HistogramValue::Bucket& bucket : value.buckets) {
    std::string message;
    AppendAnyNumber(message, 1, bucket.cumulative_count);
    AppendDouble(message, 2, bucket.upper_bound);
    AppendBytes(out, 3, message);
  }
  if (value.native != nullptr) AppendNative(out, *value.native);
  AppendBytes(bytes_, kHistogramField, out);
}

void MetricMessage::SetHistogram(const model::FloatHistogram& value) {
  AppendBytes(bytes_, kHistogramField,
              value.has_custom_buckets() ? CustomMessage(value) : NativeMessage(value));
}

void MetricMessage::SetTime(model::TimestampMs t) {
  AppendAnyNumber(bytes_, 6, static_cast<std::uint64_t>(t));
}

void MetricMessage::AppendTo(std::string& family) const { AppendBytes(family, 4, bytes_); }

std::string FamilyHead(std::string_view name, std::string_view help, FamilyType type) {
  std::string out;
  AppendBytes(out, 1, name);
  if (!help.empty()) AppendBytes(out, 2, help);
  AppendAnyNumber(out, 3, static_cast<std::uint64_t>(type));
  return out;
}

std::string LengthOf(std::size_t bytes) {
  std::string length;
  AppendVarint(length, bytes);
  return length;
}

void AppendDelimited(std::string& out, std::string_view message) {
  out += LengthOf(message.size());
  out += message;
}

std::string_view ContentTypeOf(PageFormat format) {
  return format == PageFormat::kProtobuf ? kProtobufContentType : kTextContentType;
}

namespace {

// The text up to the next `separator`, trimmed, which is taken off `rest` with it.
std::string_view TakePart(std::string_view& rest, char separator) {
  const std::string_view part = rest.substr(0, rest.find(separator));
  rest.remove_prefix(std::min(part.size() + 1, rest.size()));
  return base::Trim(part, " \t");
}

// One of the media ranges of an Accept header.
struct MediaRange {
  std::optional<PageFormat> format;  // none: a format that is not served
  double quality = 1;
};

MediaRange ReadRange(std::string_view range) {
  MediaRange out;
  const std::string_view type = TakePart(range, ';');
  std::string_view proto;
  std::string_view encoding;
  std::string_view version;
  while (!range.empty()) {
    std::string_view value = TakePart(range, ';');
    const std::string_view name = TakePart(value, '=');
    value = base::Trim(value, " \"");
    if (name == "q") out.quality = base::ParseFloat(value).value_or(0);
    if (name == "proto") proto = value;
    if (name == "encoding") encoding = value;
    if (name == "version") version = value;
  }
  if (type == "*/*" || type == "text/*") out.format = PageFormat::kText;
  if (type == "text/plain" && (version.empty() || version == "0.0.4")) {
    out.format = PageFormat::kText;
  }
  if (type == "application/vnd.google.protobuf" && proto == "io.prometheus.client.MetricFamily" &&
      encoding == "delimited") {
    out.format = PageFormat::kProtobuf;
  }
  return out;
}

}  // namespace

PageFormat Negotiate(std::string_view accept) {
  PageFormat best = PageFormat::kText;
  double quality = 0;  // what has none is not acceptable
  while (!accept.empty()) {
    const MediaRange range = ReadRange(TakePart(accept, ','));
    // Of equals the first one, as there.
    if (!range.format || !(range.quality > quality)) continue;
    best = *range.format;
    quality = range.quality;
  }
  return best;
}

}  // namespace azexporter::exposition
