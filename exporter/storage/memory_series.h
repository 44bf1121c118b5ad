#pragma once

// One series of the memory store: its points in chunks, and which of them which reader may see.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "azexporter/model/sample.h"
#include "azexporter/storage/storage.h"

namespace azexporter::storage {

// Points in order of time. Written by the store under its mutex, at the end only; readers look at
// the points that were there when they were given the chunk, so neither waits for the other.
class Chunk {
 public:
  static constexpr std::size_t kCapacity = 120;

  void Set(std::size_t i, const model::FPoint& point) { points_[i] = point; }
  const model::FPoint& operator[](std::size_t i) const { return points_[i]; }

 private:
  std::array<model::FPoint, kCapacity> points_;
};

// Replaced, never changed, when a chunk is added or expires: once in 120 appends.
using ChunkList = std::vector<std::shared_ptr<Chunk>>;

// The first points of a chunk list: those that whoever holds this may see.
class PointView {
 public:
  PointView() = default;
  // `newest` is the last of them, where there are any.
  PointView(std::shared_ptr<const ChunkList> chunks, std::size_t size, const model::FPoint& newest)
      : chunks_(std::move(chunks)), size_(size), newest_(newest) {}

  std::size_t size() const { return size_; }
  // The last point; a copy, so that the most frequent question of all needs no look at the chunks.
  // REQUIRES: size() > 0.
  const model::FPoint& newest() const { return newest_; }
  const model::FPoint& operator[](std::size_t i) const {
    return (*(*chunks_)[i / Chunk::kCapacity])[i % Chunk::kCapacity];
  }
  // The index of the first point at or after `t`; of the first point after `t`.
  std::size_t LowerBound(model::TimestampMs t) const;
  std::size_t UpperBound(model::TimestampMs t) const;

 private:
  std::shared_ptr<const ChunkList> chunks_;
  std::size_t size_ = 0;
  model::FPoint newest_;
};

// Guarded by the store's mutex, all of it.
class MemorySeries {
 public:
  // `id` grows from series to series.
  MemorySeries(std::uint64_t id, model::Labels labels) : id_(id), labels_(std::move(labels)) {}

  std::uint64_t id() const { return id_; }
  const model::Labels& labels() const { return labels_; }
  bool empty() const { return first_ == end_; }
  // Of a series that is not empty.
  model::TimestampMs oldest_t() const { return oldest_t_; }
  const model::FPoint& newest() const { return newest_; }

  // REQUIRES: later than newest(). `version` is that of the commit this belongs to; the state
  // before it is remembered where `keep_history`, for readers of earlier versions.
  void Append(const model::FPoint& point, std::uint64_t version, bool keep_history);
  // The points that were there when `version` was committed.
  PointView ViewAt(std::uint64_t version) const;
  // Lets go of the chunks that end before `t`.
  void DropBefore(model::TimestampMs t);

 private:
  // Up to the commit before `version` the series ended at `end`.
  struct Mark {
    std::uint64_t version;
    std::uint64_t end;
  };

  const std::uint64_t id_;
  const model::Labels labels_;
  std::shared_ptr<const ChunkList> chunks_ = std::make_shared<ChunkList>();
  // Points are numbered from the series' beginning: these are kept. first_ is a multiple of
  // Chunk::kCapacity.
  std::uint64_t first_ = 0;
  std::uint64_t end_ = 0;
  model::TimestampMs oldest_t_ = 0;
  model::FPoint newest_;
  std::vector<Mark> history_;  // in order of version
};

}  // namespace azexporter::storage
