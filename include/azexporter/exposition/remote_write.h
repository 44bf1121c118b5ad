#pragma once

// Reads the body of a remote write request: a snappy block that holds the protobuf message
// prometheus.WriteRequest (version 1.0) or io.prometheus.write.v2.Request (2.0).
//
// The message is read from its bytes by hand, without generated code: it is two levels of a few
// small messages that hardly change, and a reader of its own has its bounds checked in one place,
// allocates some arrays a request rather than several objects a series, and keeps protobuf's
// compiler and library out of the build and the image.
//
// What the specification forbids (a series without a name, labels that are not sorted, repeated or
// empty, text that is not UTF-8, in 2.0 a series without samples or with symbols that are not
// there) is refused: in 1.0 with the whole request, in 2.0 with its series alone. Sources:
// prometheus.io/docs/specs/prw/remote_write_spec/ and remote_write_spec_2_0/,
// prometheus/prompb/{remote,types}.proto, prometheus/prompb/io/prometheus/write/v2/types.proto.
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
  // Since when each of these has counted, 0 where that is not said; empty in 1.0, which cannot say
  // it.
  std::span<const model::TimestampMs> sample_starts(const Series& series) const;
  std::span<const model::TimestampMs> histogram_starts(const Series& series) const;
  // Of 2.0: a message for each series that was refused and is not in series(), and how many samples
  // and histograms these had.
  const std::vector<std::string>& faults() const { return faults_; }
  std::size_t refused_count() const { return refused_count_; }
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
  std::vector<model::TimestampMs> sample_starts_;     // empty, or one a sample
  std::vector<model::TimestampMs> histogram_starts_;  // likewise
  std::vector<std::string> faults_;
  std::size_t refused_count_ = 0;
  std::size_t exemplar_count_ = 0;
  std::size_t metadata_count_ = 0;
};

// The bytes inside a snappy block. kBadData.
base::Result<std::string> UncompressWriteBody(std::string_view body);

// kBadData naming what is wrong. `message` must outlive the answer.
base::Result<WriteRequest> DecodeWriteRequest(std::string_view message);
// The same of version 2.0. Metadata are counted and passed over.
base::Result<WriteRequest> DecodeWriteRequestV2(std::string_view message);

}  // namespace azexporter::exposition
