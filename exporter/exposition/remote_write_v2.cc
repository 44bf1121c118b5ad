// Version 2.0 of remote write: texts stand once, in a table of symbols, and are referred to.

#include "azexporter/exposition/remote_write.h"
#include "azexporter/model/histogram_message.h"
#include "write_request_reader.h"

namespace azexporter::exposition {

using base::BadData;
using base::Result;
using base::protobuf::FieldReader;
using base::protobuf::Malformed;
using base::protobuf::WireType;

namespace {

// The numbers of the fields of Request and of TimeSeries.
constexpr std::uint32_t kSymbols = 4;
constexpr std::uint32_t kTimeSeries = 5;
constexpr std::uint32_t kLabelsRefs = 1;
constexpr std::uint32_t kSamples = 2;
constexpr std::uint32_t kHistograms = 3;
constexpr std::uint32_t kExemplars = 4;
constexpr std::uint32_t kMetadata = 5;
// Of the drafts before each sample had a start of its own.
constexpr std::uint32_t kCreatedTimestamp = 6;

}  // namespace

Result<WriteRequest> WriteRequestReader::ReadV2(std::string_view message) {
  // The table may stand behind the series that refer to it.
  FieldReader symbols(message);
  for (Field field; symbols.Next(field);) {
    if (field.number != kSymbols && field.number != kTimeSeries) continue;
    if (field.type != WireType::kBytes) return Malformed("Request");
    if (field.number == kSymbols) symbols_.push_back(field.bytes);
  }
  if (symbols.failed()) return Malformed("Request");
  FieldReader series(message);
  for (Field field; series.Next(field);) {
    if (field.number == kTimeSeries) AZX_RETURN_IF_ERROR(ReadSeriesV2(field.bytes));
  }
  return std::move(out_);
}

Result<void> WriteRequestReader::ReadSeriesV2(std::string_view message) {
  WriteRequest::Series series = BeginSeries();
  const std::size_t exemplars_before = out_.exemplar_count_;
  references_.clear();
  model::TimestampMs created = 0;
  FieldReader reader(message);
  for (Field field; reader.Next(field);) AZX_RETURN_IF_ERROR(ReadFieldV2(field, created));
  if (reader.failed()) return Malformed("TimeSeries");
  for (auto* starts : {&out_.sample_starts_, &out_.histogram_starts_}) {
    const bool of_samples = starts == &out_.sample_starts_;
    const std::size_t first = of_samples ? series.first_sample : series.first_histogram;
    for (std::size_t i = first; i < starts->size(); ++i) {
      if ((*starts)[i] == 0) (*starts)[i] = created;
    }
  }
  auto labelled = AddLabels(series);
  EndSeries(series);
  if (labelled) labelled = CheckSeries(series);
  if (labelled && series.sample_count + series.histogram_count == 0) {
    labelled = BadData("no sample and no histogram in series " + SeriesText(series.first_label));
  }
  if (labelled) {
    out_.series_.push_back(series);
  } else {
    out_.exemplar_count_ = exemplars_before;
    Refuse(series, labelled.error().message());
  }
  return {};
}

Result<void> WriteRequestReader::ReadFieldV2(const Field& field, model::TimestampMs& created) {
  if (field.number == kLabelsRefs) return AddReferences(field);
  if (field.number == kCreatedTimestamp) {
    if (field.type != WireType::kVarint) return Malformed("TimeSeries");
    created = static_cast<model::TimestampMs>(field.value);
    return {};
  }
  if (field.number > kCreatedTimestamp) return {};
  if (field.type != WireType::kBytes) return Malformed("TimeSeries");
  if (field.number == kSamples) {
    model::TimestampMs start_t = 0;
    AZX_RETURN_IF_ERROR(ReadSample(field.bytes, &start_t));
    out_.sample_starts_.push_back(start_t);
  } else if (field.number == kHistograms) {
    AZX_ASSIGN_OR_RETURN(model::HistogramMessage histogram, model::DecodeHistogram(field.bytes));
    out_.histograms_.push_back(std::move(histogram.point));
    out_.histogram_starts_.push_back(histogram.start_t);
  } else if (field.number == kExemplars) {
    ++out_.exemplar_count_;
  } else if (field.number == kMetadata) {
    ++out_.metadata_count_;
  }
  return {};
}

// Packed or one by one.
Result<void> WriteRequestReader::AddReferences(const Field& field) {
  if (field.type == WireType::kVarint) {
    references_.push_back(field.value);
    return {};
  }
  if (field.type != WireType::kBytes) return Malformed("TimeSeries");
  FieldReader reader(field.bytes);
  for (std::uint64_t reference = 0; reader.NextVarint(reference);) {
    references_.push_back(reference);
  }
  if (reader.failed()) return Malformed("TimeSeries");
  return {};
}

Result<void> WriteRequestReader::AddLabels(const WriteRequest::Series& series) {
  if (references_.size() % 2 != 0) {
    return BadData("labels_refs has " + std::to_string(references_.size()) +
                   " numbers, which are no pairs, in series " + SeriesText(series.first_label));
  }
  for (std::size_t i = 0; i < references_.size(); i += 2) {
    for (const std::size_t at : {i, i + 1}) {
      if (references_[at] < symbols_.size()) continue;
      return BadData("labels_refs names symbol " + std::to_string(references_[at]) + " of " +
                     std::to_string(symbols_.size()) + " in series " +
                     SeriesText(series.first_label));
    }
    AZX_RETURN_IF_ERROR(
        AddLabel({symbols_[references_[i]], symbols_[references_[i + 1]]}, series.first_label));
  }
  return {};
}

void WriteRequestReader::Refuse(const WriteRequest::Series& series, std::string fault) {
  out_.refused_count_ += series.sample_count + series.histogram_count;
  out_.faults_.push_back(std::move(fault));
  out_.labels_.resize(series.first_label);
  out_.samples_.resize(series.first_sample);
  out_.sample_starts_.resize(series.first_sample);
  out_.histograms_.resize(series.first_histogram);
  out_.histogram_starts_.resize(series.first_histogram);
}

Result<WriteRequest> DecodeWriteRequestV2(std::string_view message) {
  return WriteRequestReader().ReadV2(message);
}

}  // namespace azexporter::exposition
