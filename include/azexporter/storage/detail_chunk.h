#pragma once

// What samples have beside a time and a float (SampleDetail), compressed: mostly native histograms.
// Those of one chunk have one layout (schema, zero threshold, spans, custom bounds), which is kept
// once and shared with the chunks around it; of each histogram only what differs from the one
// before is written, bit by bit: whole counts as their difference, the sum as the bits in which it
// differs. Histograms come back as they were, to the last bit, and only when they are asked for.
//
// Compare prometheus/tsdb/docs/format/chunks.md, the histogram chunks, which write differences of
// differences, and counts as they stand only in another kind of chunk.
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

  struct Layout;

  // The chunk that follows `before` in its series; null where none does.
  explicit DetailChunk(const DetailChunk* before = nullptr);

  bool empty() const { return count_ == 0; }
  // Of a chunk that is not empty.
  model::TimestampMs first_t() const { return first_t_; }
  model::TimestampMs last_t() const { return last_t_; }

  // Whether there was room, and the layout is the chunk's. REQUIRES: later than last_t().
  bool Append(const DetailPoint& point);
  // No more will be appended: gives back what memory is not needed.
  void Seal();

  // Appends the points with min_t <= t <= max_t to `out`.
  void Read(model::TimestampMs min_t, model::TimestampMs max_t,
            std::vector<DetailPoint>& out) const;

  // Beside the DetailChunk itself; the layout with the chunk that has it last.
  std::size_t heap_bytes() const;

 private:
  class Writer;
  class Reader;

  std::shared_ptr<const Layout> layout_;  // null: of floats with a start time
  std::vector<std::uint64_t> words_;      // one word in reserve
  model::HistogramPtr last_;              // of a chunk that is appended to
  model::TimestampMs first_t_ = 0;
  model::TimestampMs last_t_ = 0;
  std::int64_t interval_ms_ = 0;    // between the last two points
  model::TimestampMs start_t_ = 0;  // of the last point
  std::uint32_t count_ = 0;
  std::uint32_t bits_ = 0;  // in words_
};

}  // namespace azexporter::storage
