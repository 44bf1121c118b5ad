#include "azexporter/exposition/message_reader.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <iterator>
#include <limits>

#include "azexporter/base/protobuf_reader.h"
#include "azexporter/base/utf8.h"
#include "azexporter/exposition/text_writer.h"
#include "azexporter/model/histogram_message.h"

namespace azexporter::exposition {
namespace {

using base::BadData;
using base::Result;
using base::protobuf::Field;
using base::protobuf::FieldReader;
using base::protobuf::Malformed;
using base::protobuf::WireType;

// As the formats of text write it, by the number of the message.
constexpr std::string_view kTypes[] = {"counter", "gauge",     "summary",
                                       "untyped", "histogram", "gaugehistogram"};
constexpr std::uint64_t kGaugeHistogram = 5;

double AsDouble(const Field& field) { return std::bit_cast<double>(field.value); }

// One of the numbers of a message: double, or integer. nullopt where it is of another type.
std::optional<double> NumberOf(const Field& field) {
  if (field.type == WireType::kFixed64) return AsDouble(field);
  if (field.type == WireType::kVarint) return static_cast<double>(field.value);
  return std::nullopt;
}

// The numbers of a message by their field; 0 for what is not there.
struct Numbers {
  double at[9] = {};
};
Result<Numbers> ReadNumbers(std::string_view message, const char* what) {
  Numbers numbers;
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    if (field.number >= std::size(numbers.at)) continue;
    if (const auto number = NumberOf(field)) numbers.at[field.number] = *number;
  }
  if (reader.failed()) return Malformed(what);
  return numbers;
}

class FamilyReader {
 public:
  FamilyReader(TextPage& page, std::size_t max_samples) : page_(page), max_samples_(max_samples) {}

  Result<void> Read(std::string_view message);

 private:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  Result<void> ReadMetric(std::string_view message);
  Result<void> ReadLabel(std::string_view message);
  Result<void> ReadValue(const Field& field);
  Result<void> ReadSummary(std::string_view message);
  Result<void> ReadHistogram(std::string_view message);
  Result<void> AddBuckets(const std::vector<std::string_view>& buckets, double count);
  // A sample of the metric that is being read, with another label where its name is not empty.
  Result<void> Add(std::string_view suffix, double value, std::string_view label = "",
                   std::string_view label_value = "", model::HistogramPtr histogram = nullptr);

  TextPage& page_;
  const std::size_t max_samples_;
  std::string_view name_;
  std::uint64_t type_ = 0;  // COUNTER, as protobuf has it where nothing is said
  // Of the metric that is being read.
  Labels labels_;
  std::optional<model::TimestampMs> t_;
};

Result<void> FamilyReader::Read(std::string_view message) {
  TextFamily family;
  std::vector<std::string_view> metrics;  // the type may stand behind them
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    const bool is_type = field.number == 3;
    if (field.number > 5) continue;
    if (field.type != (is_type ? WireType::kVarint : WireType::kBytes)) {
      return Malformed("MetricFamily");
    }
    if (field.number == 1) name_ = field.bytes;
    if (field.number == 2) family.help = field.bytes;
    if (is_type) type_ = field.value;
    if (field.number == 4) metrics.push_back(field.bytes);
    if (field.number == 5) family.unit = field.bytes;
  }
  if (reader.failed()) return Malformed("MetricFamily");
  if (name_.empty() || !base::IsValidUtf8(name_)) return BadData("the name of a family is none");
  if (type_ >= std::size(kTypes)) {
    return BadData("the type of family \"" + std::string(name_) + "\" is " + std::to_string(type_));
  }
  family.name = name_;
  family.type = kTypes[type_];
  // What is federated may have floats and histograms of one name, one behind the other.
  const bool goes_on = !page_.families.empty() && page_.families.back().name == name_;
  if (!goes_on) page_.families.push_back(std::move(family));
  for (const std::string_view metric : metrics) AZX_RETURN_IF_ERROR(ReadMetric(metric));
  return {};
}

Result<void> FamilyReader::ReadMetric(std::string_view message) {
  labels_.clear();
  t_.reset();
  std::optional<Field> value;  // labels and time may stand behind it
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    const bool is_time = field.number == 6;
    if (field.number > 7) continue;
    if (field.type != (is_time ? WireType::kVarint : WireType::kBytes)) return Malformed("Metric");
    if (field.number == 1) {
      AZX_RETURN_IF_ERROR(ReadLabel(field.bytes));
    } else if (is_time) {
      t_ = static_cast<model::TimestampMs>(field.value);
    } else {
      value = field;
    }
  }
  if (reader.failed()) return Malformed("Metric");
  if (!value) return BadData("a metric of family \"" + std::string(name_) + "\" has no value");
  return ReadValue(*value);
}

Result<void> FamilyReader::ReadLabel(std::string_view message) {
  std::string_view name;
  std::string_view value;
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    if (field.number > 2) continue;
    if (field.type != WireType::kBytes) return Malformed("LabelPair");
    (field.number == 1 ? name : value) = field.bytes;
  }
  if (reader.failed()) return Malformed("LabelPair");
  const bool known =
      std::ranges::any_of(labels_, [&](const auto& label) { return label.first == name; });
  if (name.empty() || name == model::kMetricName || known || !base::IsValidUtf8(name) ||
      !base::IsValidUtf8(value)) {
    return BadData("a label of family \"" + std::string(name_) +
                   "\" is empty, repeated or not valid UTF-8");
  }
  labels_.emplace_back(name, value);
  return {};
}

Result<void> FamilyReader::ReadValue(const Field& field) {
  constexpr std::uint32_t kSummary = 4;
  constexpr std::uint32_t kHistogram = 7;
  if (field.number == kSummary) return ReadSummary(field.bytes);
  if (field.number == kHistogram) return ReadHistogram(field.bytes);
  AZX_ASSIGN_OR_RETURN(const Numbers numbers, ReadNumbers(field.bytes, "Gauge"));
  return Add("", numbers.at[1]);
}

Result<void> FamilyReader::ReadSummary(std::string_view message) {
  AZX_ASSIGN_OR_RETURN(const Numbers numbers, ReadNumbers(message, "Summary"));
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    if (field.number != 3 || field.type != WireType::kBytes) continue;
    AZX_ASSIGN_OR_RETURN(const Numbers quantile, ReadNumbers(field.bytes, "Quantile"));
    AZX_RETURN_IF_ERROR(
        Add("", quantile.at[2], model::kQuantileLabel, BucketBoundText(quantile.at[1])));
  }
  AZX_RETURN_IF_ERROR(Add("_sum", numbers.at[2]));
  return Add("_count", numbers.at[1]);
}

Result<void> FamilyReader::ReadHistogram(std::string_view message) {
  std::vector<std::string_view> buckets;
  bool is_native = false;
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    if (field.number == 3 && field.type == WireType::kBytes) buckets.push_back(field.bytes);
    // Spans, or a zero bucket of some width or with some count.
    const bool spans = field.number == 9 || field.number == 12;
    const bool zero = field.number >= 6 && field.number <= 8 && NumberOf(field).value_or(0) > 0;
    is_native = is_native || spans || zero;
  }
  AZX_ASSIGN_OR_RETURN(model::FloatHistogram native, model::DecodeExposedHistogram(message));
  const double count = native.count;
  const double sum = native.sum;
  if (is_native) {
    if (auto valid = native.Validate(); !valid) {
      return base::Fail(valid.error().WithContext(std::string(name_)));
    }
    if (type_ == kGaugeHistogram) native.hint = model::CounterResetHint::kGauge;
    AZX_RETURN_IF_ERROR(
        Add("", 0, "", "", std::make_shared<const model::FloatHistogram>(std::move(native))));
  }
  if (is_native && buckets.empty()) return {};
  AZX_RETURN_IF_ERROR(AddBuckets(buckets, count));
  AZX_RETURN_IF_ERROR(Add("_sum", sum));
  return Add("_count", count);
}

// The bucket of +Inf may be left out.
Result<void> FamilyReader::AddBuckets(const std::vector<std::string_view>& buckets, double count) {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  bool has_all = false;
  for (const std::string_view bucket : buckets) {
    AZX_ASSIGN_OR_RETURN(const Numbers numbers, ReadNumbers(bucket, "Bucket"));
    const double bound = numbers.at[2];
    if (std::isnan(bound)) return BadData("a bucket of \"" + std::string(name_) + "\" ends at NaN");
    has_all = has_all || bound == kInf;
    const double in_bucket = numbers.at[4] > 0 ? numbers.at[4] : numbers.at[1];
    AZX_RETURN_IF_ERROR(Add("_bucket", in_bucket, model::kBucketLabel, BucketBoundText(bound)));
  }
  return has_all ? Result<void>() : Add("_bucket", count, model::kBucketLabel, "+Inf");
}

Result<void> FamilyReader::Add(std::string_view suffix, double value, std::string_view label,
                               std::string_view label_value, model::HistogramPtr histogram) {
  if (page_.samples.size() == max_samples_) {
    return BadData("more than " + std::to_string(max_samples_) + " samples");
  }
  const std::string name = std::string(name_) + std::string(suffix);
  model::LabelsBuilder labels;
  for (const auto& [own_name, own_value] : labels_) labels.Set(own_name, own_value);
  if (!label.empty()) labels.Set(label, label_value);
  labels.Set(model::kMetricName, name);
  page_.samples.push_back({labels.Build(), t_, value, std::move(histogram)});
  return {};
}

// Takes a length off the front.
std::optional<std::uint64_t> TakeLength(std::string_view& bytes) {
  FieldReader reader(bytes);
  std::uint64_t length = 0;
  if (!reader.NextVarint(length)) return std::nullopt;
  bytes = reader.rest();
  return length;
}

}  // namespace

bool BeginsWithFamilyMessage(std::string_view bytes) {
  constexpr char kName = 0x0a;    // field 1, bytes
  constexpr char kHelp = 0x12;    // field 2, bytes
  constexpr char kType = 0x18;    // field 3, a number
  constexpr char kMetric = 0x22;  // field 4, bytes
  if (!TakeLength(bytes) || !bytes.starts_with(kName)) return false;
  bytes.remove_prefix(1);
  const auto length = TakeLength(bytes);
  if (!length || *length == 0 || *length >= bytes.size()) return false;
  const char next = bytes[*length];
  const bool is_text = std::ranges::none_of(
      bytes.substr(0, *length), [](char c) { return static_cast<unsigned char>(c) < 0x20; });
  return is_text && (next == kHelp || next == kType || next == kMetric);
}

Result<TextPage> ReadFamilyMessages(std::string_view bytes, std::size_t max_samples) {
  TextPage page;
  const std::size_t size = bytes.size();
  while (!bytes.empty()) {
    const std::string place = "byte " + std::to_string(size - bytes.size()) + ": ";
    const auto length = TakeLength(bytes);
    if (!length || *length > bytes.size()) return BadData(place + "the message is cut short");
    const auto read = FamilyReader(page, max_samples).Read(bytes.substr(0, *length));
    if (!read) return BadData(place + read.error().message());
    bytes.remove_prefix(*length);
  }
  return page;
}

Result<TextPage> ReadPage(std::string_view bytes) {
  const TextReaderOptions options = {.format = DetectFormat(bytes)};
  return BeginsWithFamilyMessage(bytes) ? ReadFamilyMessages(bytes, options.max_samples)
                                        : ReadText(bytes, options);
}

}  // namespace azexporter::exposition
