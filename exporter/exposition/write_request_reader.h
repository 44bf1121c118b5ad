#pragma once

// Fills a WriteRequest, a message kind a method. Private to `exposition`.
//
// Thread safety: one thread only.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/protobuf_reader.h"
#include "azexporter/exposition/remote_write.h"

namespace azexporter::exposition {

class WriteRequestReader {
 public:
  base::Result<WriteRequest> Read(std::string_view message);
  base::Result<WriteRequest> ReadV2(std::string_view message);

 private:
  using Field = base::protobuf::Field;

  // 1.0: remote_write.cc
  base::Result<void> ReadSeries(std::string_view message);
  base::Result<void> ReadLabel(std::string_view message, std::size_t first_label);
  // 2.0: remote_write_v2.cc
  base::Result<void> ReadSeriesV2(std::string_view message);
  base::Result<void> ReadFieldV2(const Field& field, model::TimestampMs& created);
  base::Result<void> AddReferences(const Field& field);
  base::Result<void> AddLabels(const WriteRequest::Series& series);
  void Refuse(const WriteRequest::Series& series, std::string fault);
  // Both.
  WriteRequest::Series BeginSeries() const;
  void EndSeries(WriteRequest::Series& series) const;
  base::Result<void> AddLabel(const model::Label& label, std::size_t first_label);
  // `start_t`: null where the version has none.
  base::Result<void> ReadSample(std::string_view message, model::TimestampMs* start_t);
  base::Result<void> CheckSeries(const WriteRequest::Series& series) const;
  // The series that is being read, for messages.
  std::string SeriesText(std::size_t first_label) const;

  WriteRequest out_;
  std::vector<std::string_view> symbols_;
  std::vector<std::uint64_t> references_;  // of the series that is being read
};

}  // namespace azexporter::exposition
