#include "azexporter/exposition/remote_write_encode.h"

#include <snappy.h>

#include <cstdint>
#include <unordered_map>

#include "azexporter/base/protobuf_writer.h"
#include "azexporter/model/histogram_message.h"

namespace azexporter::exposition {

namespace {

using base::protobuf::AppendAnyNumber;
using base::protobuf::AppendBytes;
using base::protobuf::AppendDouble;
using base::protobuf::AppendNumber;
using base::protobuf::AppendVarint;

// The same in both versions. Both fields are always written: -0 is not the default.
std::string SampleMessage(model::FPoint point) {
  std::string out;
  AppendDouble(out, 1, point.f);
  AppendAnyNumber(out, 2, static_cast<std::uint64_t>(point.t));
  return out;
}

// MetricMetadata.MetricType and Metadata.MetricType alike.
std::uint64_t TypeNumber(model::MetricType type) {
  switch (type) {
    case model::MetricType::kUnknown:
      return 0;
    case model::MetricType::kCounter:
      return 1;
    case model::MetricType::kGauge:
      return 2;
    case model::MetricType::kHistogram:
      return 3;
  }
  return 0;
}

// The texts of a request, each once, numbered in the order in which they came. The texts must
// outlive it.
class Symbols {
 public:
  Symbols() { Number(""); }

  std::uint64_t Number(std::string_view text) {
    const auto [at, fresh] = numbers_.try_emplace(text, texts_.size());
    if (fresh) texts_.push_back(text);
    return at->second;
  }
  const std::vector<std::string_view>& texts() const { return texts_; }

 private:
  std::unordered_map<std::string_view, std::size_t> numbers_;
  std::vector<std::string_view> texts_;
};

std::string SeriesV2(const WriteSeries& series, const FamilyMetadata* metadata, Symbols& symbols) {
  std::string out;
  std::string refs;
  for (const model::Label label : series.labels) {
    AppendVarint(refs, symbols.Number(label.name));
    AppendVarint(refs, symbols.Number(label.value));
  }
  AppendBytes(out, 1, refs);
  for (const model::FPoint& point : series.points) AppendBytes(out, 2, SampleMessage(point));
  for (const model::HPoint& point : series.histograms) AppendBytes(out, 3, EncodeHistogram(point));
  if (metadata == nullptr) return out;
  std::string message;
  AppendNumber(message, 1, TypeNumber(metadata->type));
  AppendNumber(message, 3, symbols.Number(metadata->help));
  AppendBytes(out, 5, message);
  return out;
}

}  // namespace

const FamilyMetadata* FindMetadata(const MetadataMap& metadata, std::string_view metric_name) {
  if (const auto own = metadata.find(metric_name); own != metadata.end()) return &own->second;
  for (const std::string_view suffix : {"_bucket", "_sum", "_count"}) {
    if (!metric_name.ends_with(suffix)) continue;
    const auto of = metadata.find(metric_name.substr(0, metric_name.size() - suffix.size()));
    if (of == metadata.end() || of->second.type != model::MetricType::kHistogram) return nullptr;
    return &of->second;
  }
  return nullptr;
}

std::string EncodeWriteRequest(std::span<const WriteSeries> series) {
  std::string out;
  for (const WriteSeries& one : series) {
    std::string message;
    for (const model::Label label : one.labels) {
      std::string pair;
      AppendBytes(pair, 1, label.name);
      AppendBytes(pair, 2, label.value);
      AppendBytes(message, 1, pair);
    }
    for (const model::FPoint& point : one.points) AppendBytes(message, 2, SampleMessage(point));
    for (const model::HPoint& point : one.histograms) {
      AppendBytes(message, 4, EncodeHistogram(point));
    }
    AppendBytes(out, 1, message);
  }
  return out;
}

std::string EncodeWriteMetadata(const MetadataMap& metadata) {
  std::string out;
  for (const auto& [name, family] : metadata) {
    std::string message;
    AppendNumber(message, 1, TypeNumber(family.type));
    AppendBytes(message, 2, name);
    AppendBytes(message, 4, family.help);
    AppendBytes(out, 3, message);
  }
  return out;
}

std::string EncodeWriteRequestV2(std::span<const WriteSeries> series, const MetadataMap& metadata) {
  Symbols symbols;
  std::string body;
  for (const WriteSeries& one : series) {
    AppendBytes(body, 5, SeriesV2(one, FindMetadata(metadata, one.labels.metric_name()), symbols));
  }
  std::string out;
  for (const std::string_view text : symbols.texts()) AppendBytes(out, 4, text);
  return out + body;
}

std::string CompressWriteBody(std::string_view message) {
  std::string out;
  snappy::Compress(message.data(), message.size(), &out);
  return out;
}

}  // namespace azexporter::exposition
