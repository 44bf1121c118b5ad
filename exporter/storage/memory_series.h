#pragma once

// One series of the memory store: its labels and its points in chunks. What every query looks at,
// the labels and the newest point, stands in the MemorySeries itself, which fills a cache line; the
// rest is in SeriesData.
//
// Thread safety: guarded by the store's mutex, all of it but labels(), which is constant while
// anybody may hold the series.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "azexporter/model/label_view.h"
#include "azexporter/model/sample.h"
#include "azexporter/storage/chunk.h"
#include "azexporter/storage/detail_chunk.h"
#include "azexporter/storage/storage.h"

namespace azexporter::storage {

struct SeriesDetails {
  std::vector<DetailChunk> chunks;  // in order of time; the last one is appended to
  DetailPoint newest;
};

struct SeriesData {
  Chunk head;                 // the one that is appended to
  std::vector<Chunk> sealed;  // in order of time
  std::int64_t retention_ms = 0;
  std::unique_ptr<SeriesDetails> details;  // null while no sample has any
};

class MemorySeries {
 public:
  // A row of a SeriesTable is such a series before it is used, and after.
  MemorySeries() = default;

  // Begins the life of the row. `data` is the row's for good. `hash`: of the labels as texts,
  // Labels::Hash().
  void Begin(SeriesData& data, model::LabelView labels, std::uint64_t hash, std::uint32_t number);
  void End();
  bool alive() const { return alive_; }

  const model::LabelView& labels() const { return labels_; }
  std::uint64_t hash() const { return hash_; }
  // Among all series of the store.
  std::uint32_t number() const { return number_; }

  bool empty() const { return empty_; }
  // Of a series that is not empty.
  model::TimestampMs oldest_t() const;
  const model::FPoint& newest() const { return newest_; }
  // Of the commit that the newest point came with.
  std::uint64_t version() const { return version_; }
  std::size_t chunk_count() const { return data_->sealed.size() + (empty() ? 0 : 1); }
  // Beside the MemorySeries itself.
  std::size_t heap_bytes() const;

  // How long points are kept, ms; 0 keeps them.
  std::int64_t retention_ms() const { return data_->retention_ms; }
  void set_retention_ms(std::int64_t retention_ms) { data_->retention_ms = retention_ms; }

  // REQUIRES: later than newest().
  void Append(const model::FPoint& point, std::uint64_t version);
  void Append(model::TimestampMs t, double value, SampleDetail detail, std::uint64_t version);
  bool has_details() const { return data_->details != nullptr; }
  void ReadDetails(model::TimestampMs min_t, model::TimestampMs max_t,
                   std::vector<DetailPoint>& out) const;
  // The histogram that is the value of newest(); null where that is a float.
  const model::FloatHistogram* newest_histogram() const;
  // Appends the points with min_t <= t <= max_t to `out`.
  void Read(model::TimestampMs min_t, model::TimestampMs max_t,
            std::vector<model::FPoint>& out) const;
  // The last point with t <= max_t.
  std::optional<model::FPoint> Latest(model::TimestampMs max_t) const;
  // Lets go of the chunks that end before `t`, and of older points where that costs nothing.
  void DropBefore(model::TimestampMs t);
  // Appends the end and the bytes of each chunk that is not appended to any more.
  void AddSealed(std::vector<std::pair<model::TimestampMs, std::size_t>>& out) const;
  // Lets go of such chunks that end at or before `t`.
  void DropSealedUntil(model::TimestampMs t);

 private:
  void AppendDetail(DetailPoint point);
  void DropDetailsBefore(model::TimestampMs t);

  model::FPoint newest_;
  std::uint64_t version_ = 0;
  model::LabelView labels_;
  SeriesData* data_ = nullptr;
  std::uint64_t hash_ = 0;
  std::uint32_t number_ = 0;
  bool alive_ = false;
  bool empty_ = true;
};

}  // namespace azexporter::storage
