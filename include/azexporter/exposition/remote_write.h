#pragma once

// Reads the body of a remote write request, version 1.0: a snappy block that holds the protobuf
// message prometheus.WriteRequest.
//
// The message is read from its bytes by hand, in one pass, without generated code: it is two levels
// of five small messages that have not changed since 2017, and a reader of its own has its bounds
// checked in one place, allocates three arrays a request rather than several objects a series, and
// keeps protobuf's compiler and library out of the build and the image.
//
// What the specification forbids is refused as a whole: a series without a name, labels that are
// not sorted, repeated or empty, text that is not UTF-8.
// Source: prometheus.io/docs/specs/prw/remote_write_spec/, prometheus/prompb/{remote,types}.proto.
//
// Thread safety: pure functions; values are thread-compatible.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/histogram.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"

namespace azexporter::exposition {

// Bounds of one request. Their excess is kBadData.
inline constexpr std::size_t kMaxWriteBytes = 32
                                              << 20;  // uncompressed, as Prometheus's remote read
inline constexpr std::size_t kMaxWriteSamples = 4'000'000;

// A decoded request. Labels point into the bytes it was decoded from.
class WriteRequest {
 public:
  struct Series {
    std::size_t first_label = 0;
    std::size_t label_count = 0;
    std::size_t first_sample = 0;
    std::size_t sample_count = 0;
    std::size_t first_histogram = 0;
    std::size_t histogram_count = 0;
  };

  const std::vector<Series>& series() const { return series_; }
  // Sorted by name, unique, none empty, with __name__.
  std::span<const model::Label> labels(const Series& series) const;
  std::span<const model::FPoint> samples(const Series& series) const;
  // Native histograms, not validated yet.
  std::span<const model::HPoint> histograms(const Series& series) const;
  std::size_t sample_count() const { return samples_.size(); }
  std::size_t exemplar_count() const { return exemplar_count_; }
  std::size_t histogram_count() const { return histograms_.size(); }
  std::size_t metadata_count() const { return metadata_count_; }

 private:
  friend class WriteRequestReader;

  std::vector<Series> series_;
  std::vector<model::Label> labels_;
  std::vector<model::FPoint> samples_;
  std::vector<model::HPoint> histograms_;
  std::size_t exemplar_count_ = 0;
  std::size_t metadata_count_ = 0;
};

// The bytes inside a snappy block. kBadData.
base::Result<std::string> UncompressWriteBody(std::string_view body);

// kBadData naming what is wrong. `message` must outlive the answer.
base::Result<WriteRequest> DecodeWriteRequest(std::string_view message);

}  // namespace azexporter::exposition
