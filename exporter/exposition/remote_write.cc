#include "azexporter/exposition/remote_write.h"

#include <snappy.h>

#include <bit>

#include "azexporter/base/protobuf_reader.h"
#include "azexporter/base/utf8.h"
#include "azexporter/model/histogram_message.h"
#include "write_request_reader.h"

namespace azexporter::exposition {

using base::BadData;
using base::Result;
using base::protobuf::Field;
using base::protobuf::FieldReader;
using base::protobuf::Malformed;
using base::protobuf::WireType;

namespace {

bool IsUtf8(std::string_view text) {
  unsigned char any = 0;
  for (const char c : text) any |= static_cast<unsigned char>(c);
  return any < 0x80 || base::IsValidUtf8(text);
}

std::string Quoted(std::string_view text) {
  std::string out;
  model::AppendQuoted(out, text);
  return out;
}

}  // namespace

Result<WriteRequest> WriteRequestReader::Read(std::string_view message) {
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    const bool is_series = field.number == 1;
    const bool is_metadata = field.number == 3;
    if (!is_series && !is_metadata) continue;
    if (field.type != WireType::kBytes) return Malformed("WriteRequest");
    if (is_metadata) {
      ++out_.metadata_count_;
      continue;
    }
    AZX_RETURN_IF_ERROR(ReadSeries(field.bytes));
  }
  if (reader.failed()) return Malformed("WriteRequest");
  return std::move(out_);
}

WriteRequest::Series WriteRequestReader::BeginSeries() const {
  return {.first_label = out_.labels_.size(),
          .first_sample = out_.samples_.size(),
          .first_histogram = out_.histograms_.size()};
}

void WriteRequestReader::EndSeries(WriteRequest::Series& series) const {
  series.label_count = out_.labels_.size() - series.first_label;
  series.sample_count = out_.samples_.size() - series.first_sample;
  series.histogram_count = out_.histograms_.size() - series.first_histogram;
}

Result<void> WriteRequestReader::ReadSeries(std::string_view message) {
  WriteRequest::Series series = BeginSeries();
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    if (field.number > 4) continue;
    if (field.type != WireType::kBytes) return Malformed("TimeSeries");
    if (field.number == 1) {
      AZX_RETURN_IF_ERROR(ReadLabel(field.bytes, series.first_label));
    } else if (field.number == 2) {
      AZX_RETURN_IF_ERROR(ReadSample(field.bytes, nullptr));
    } else if (field.number == 3) {
      ++out_.exemplar_count_;
    } else {
      AZX_ASSIGN_OR_RETURN(model::HistogramMessage histogram, model::DecodeHistogram(field.bytes));
      out_.histograms_.push_back(std::move(histogram.point));
    }
  }
  if (reader.failed()) return Malformed("TimeSeries");
  EndSeries(series);
  AZX_RETURN_IF_ERROR(CheckSeries(series));
  out_.series_.push_back(series);
  return {};
}

Result<void> WriteRequestReader::ReadLabel(std::string_view message, std::size_t first_label) {
  model::Label label;
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    if (field.number > 2) continue;
    if (field.type != WireType::kBytes) return Malformed("Label");
    (field.number == 1 ? label.name : label.value) = field.bytes;
  }
  if (reader.failed()) return Malformed("Label");
  return AddLabel(label, first_label);
}

Result<void> WriteRequestReader::AddLabel(const model::Label& label, std::size_t first_label) {
  if (label.name.empty()) {
    return BadData("empty label name in series " + SeriesText(first_label));
  }
  if (!IsUtf8(label.name)) {
    return BadData("label name is not valid UTF-8: " + Quoted(label.name));
  }
  if (label.value.empty()) return BadData("label " + Quoted(label.name) + " has an empty value");
  if (!IsUtf8(label.value)) {
    return BadData("value of label " + Quoted(label.name) + " is not valid UTF-8");
  }
  if (out_.labels_.size() > first_label && label.name <= out_.labels_.back().name) {
    const bool repeated = label.name == out_.labels_.back().name;
    return BadData((repeated ? "label " + Quoted(label.name) + " is repeated"
                             : "labels are not sorted: " + Quoted(label.name) + " after " +
                                   Quoted(out_.labels_.back().name)) +
                   " in series " + SeriesText(first_label));
  }
  out_.labels_.push_back(label);
  return {};
}

Result<void> WriteRequestReader::ReadSample(std::string_view message, model::TimestampMs* start_t) {
  if (out_.samples_.size() == kMaxWriteSamples) {
    return BadData("more than " + std::to_string(kMaxWriteSamples) + " samples in one request");
  }
  model::FPoint point;
  FieldReader reader(message);
  for (Field field; reader.Next(field);) {
    if (field.number == 1) {
      if (field.type != WireType::kFixed64) return Malformed("Sample");
      point.f = std::bit_cast<double>(field.value);
    } else if (field.number == 2 || (field.number == 3 && start_t != nullptr)) {
      if (field.type != WireType::kVarint) return Malformed("Sample");
      (field.number == 2 ? point.t : *start_t) = static_cast<model::TimestampMs>(field.value);
    }
  }
  if (reader.failed()) return Malformed("Sample");
  out_.samples_.push_back(point);
  return {};
}

Result<void> WriteRequestReader::CheckSeries(const WriteRequest::Series& series) const {
  for (const model::Label& label : out_.labels(series)) {
    if (label.name == model::kMetricName) return {};
  }
  return BadData("series without a metric name: " + SeriesText(series.first_label));
}

std::string WriteRequestReader::SeriesText(std::size_t first_label) const {
  const std::span<const model::Label> labels = std::span(out_.labels_).subspan(first_label);
  return model::Labels::Of(std::vector<model::Label>(labels.begin(), labels.end())).ToString();
}

std::span<const model::Label> WriteRequest::labels(const Series& series) const {
  return std::span(labels_).subspan(series.first_label, series.label_count);
}

std::span<const model::FPoint> WriteRequest::samples(const Series& series) const {
  return std::span(samples_).subspan(series.first_sample, series.sample_count);
}

std::span<const model::HPoint> WriteRequest::histograms(const Series& series) const {
  return std::span(histograms_).subspan(series.first_histogram, series.histogram_count);
}

std::span<const model::TimestampMs> WriteRequest::sample_starts(const Series& series) const {
  if (sample_starts_.empty()) return {};
  return std::span(sample_starts_).subspan(series.first_sample, series.sample_count);
}

std::span<const model::TimestampMs> WriteRequest::histogram_starts(const Series& series) const {
  if (histogram_starts_.empty()) return {};
  return std::span(histogram_starts_).subspan(series.first_histogram, series.histogram_count);
}

Result<std::string> UncompressWriteBody(std::string_view body) {
  std::size_t size = 0;
  if (!snappy::GetUncompressedLength(body.data(), body.size(), &size)) {
    return BadData("snappy: corrupt input");
  }
  if (size > kMaxWriteBytes) {
    return BadData("the request has " + std::to_string(size) +
                   " bytes when uncompressed, at most " + std::to_string(kMaxWriteBytes) +
                   " are taken");
  }
  std::string message(size, '\0');
  if (!snappy::RawUncompress(body.data(), body.size(), message.data())) {
    return BadData("snappy: corrupt input");
  }
  return message;
}

Result<WriteRequest> DecodeWriteRequest(std::string_view message) {
  return WriteRequestReader().Read(message);
}

}  // namespace azexporter::exposition
