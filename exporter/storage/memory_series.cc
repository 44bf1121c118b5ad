#include "memory_series.h"

#include <algorithm>

namespace azexporter::storage {

void MemorySeries::Begin(model::LabelView labels, std::uint64_t hash, std::uint32_t number) {
  *this = MemorySeries();
  labels_ = labels;
  hash_ = hash;
  number_ = number;
  alive_ = true;
}

void MemorySeries::End() {
  alive_ = false;
  head_ = Chunk();
  sealed_ = std::vector<Chunk>();
}

model::TimestampMs MemorySeries::oldest_t() const {
  return sealed_.empty() ? head_.first_t() : sealed_.front().first_t();
}

std::size_t MemorySeries::heap_bytes() const {
  std::size_t bytes = head_.heap_bytes() + sealed_.capacity() * sizeof(Chunk);
  for (const Chunk& chunk : sealed_) bytes += chunk.heap_bytes();
  return bytes;
}

void MemorySeries::Append(const model::FPoint& point, std::uint64_t version) {
  version_ = version;
  if (head_.Append(point)) return;
  head_.Seal();
  sealed_.push_back(std::move(head_));
  head_ = Chunk();
  head_.Append(point);
}

void MemorySeries::Read(model::TimestampMs min_t, model::TimestampMs max_t,
                        std::vector<model::FPoint>& out) const {
  const auto first = std::ranges::partition_point(
      sealed_, [&](const Chunk& chunk) { return chunk.last().t < min_t; });
  for (auto chunk = first; chunk != sealed_.end(); ++chunk) {
    if (chunk->first_t() > max_t) return;
    chunk->Read(min_t, max_t, out);
  }
  head_.Read(min_t, max_t, out);
}

std::optional<model::FPoint> MemorySeries::Latest(model::TimestampMs max_t) const {
  if (auto point = head_.Latest(max_t)) return point;
  const auto after = std::ranges::partition_point(
      sealed_, [&](const Chunk& chunk) { return chunk.first_t() <= max_t; });
  return after == sealed_.begin() ? std::nullopt : std::prev(after)->Latest(max_t);
}

void MemorySeries::DropBefore(model::TimestampMs t) {
  DropSealedUntil(t - 1);
  if (!sealed_.empty()) return sealed_.front().DropBefore(t);
  if (!head_.empty() && head_.last().t < t) {
    head_ = Chunk();
  } else {
    head_.DropBefore(t);
  }
}

void MemorySeries::AddSealed(std::vector<std::pair<model::TimestampMs, std::size_t>>& out) const {
  for (const Chunk& chunk : sealed_) {
    out.emplace_back(chunk.last().t, sizeof(Chunk) + chunk.heap_bytes());
  }
}

void MemorySeries::DropSealedUntil(model::TimestampMs t) {
  const auto kept = std::ranges::partition_point(
      sealed_, [&](const Chunk& chunk) { return chunk.last().t <= t; });
  if (kept == sealed_.begin()) return;
  sealed_.erase(sealed_.begin(), kept);
  sealed_.shrink_to_fit();
}

}  // namespace azexporter::storage
