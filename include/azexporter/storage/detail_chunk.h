#pragma once

// What samples have beside a time and a float (SampleDetail), compressed: mostly native histograms.
// Of each only what differs from the one before is written, bit by bit: its layout (schema, zero
// threshold, spans, custom bounds), which mostly stays, whole counts as their difference, or
// where that was large before as the difference of it, the sum as the bits in which it differs.
// Histograms come back as they were, to the last bit, and only when they are asked for.
//
// Compare prometheus/tsdb/docs/format/chunks.md, the histogram chunks, which always write
// differences of differences, and counts that are not whole in another kind of chunk.
//
// Thread safety: thread-compatible.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "azexporter/model/sample.h"
#include "azexporter/storage/storage.h"

namespace azexporter::storage {

class DetailChunk {
 public:
  // Few enough that the last of them is soon found, many enough that the first one, which is
  // written out, hardly counts.
  static constexpr std::uint32_t kMaxPoints = 64;

  bool empty() const { return count_ == 0; }
  // Of a chunk that is not empty.
  model::TimestampMs first_t() const { return first_t_; }
  model::TimestampMs last_t() const { return last_t_; }

  // Whether there was room. REQUIRES: later than last_t(); a histogram is valid.
  bool Append(const DetailPoint& point);
  // No more will be appended: gives back what memory is not needed.
  void Seal();

  // Appends the points with min_t <= t <= max_t to `out`.
  void Read(model::TimestampMs min_t, model::TimestampMs max_t,
            std::vector<DetailPoint>& out) const;

  // Beside the DetailChunk itself.
  std::size_t heap_bytes() const;

 private:
  class Writer;
  class Reader;

  std::vector<std::uint64_t> words_;  // one word in reserve
  // Of a chunk that is appended to: the last histogram, and how far each count of it lay above that
  // of the one before.
  model::HistogramPtr last_;
  std::vector<double> steps_;
  model::TimestampMs first_t_ = 0;
  model::TimestampMs last_t_ = 0;
  std::int64_t interval_ms_ = 0;    // between the last two points
  model::TimestampMs start_t_ = 0;  // of the last point
  std::uint32_t count_ = 0;
  std::uint32_t bits_ = 0;  // in words_
};

}  // namespace azexporter::storage
