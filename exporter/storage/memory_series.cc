#include "memory_series.h"

#include <algorithm>

namespace azexporter::storage {

void MemorySeries::Begin(SeriesData& data, model::LabelView labels, std::uint64_t hash,
                         std::uint32_t number) {
  *this = MemorySeries();
  data_ = &data;
  labels_ = labels;
  hash_ = hash;
  number_ = number;
  alive_ = true;
}

void MemorySeries::End() {
  alive_ = false;
  empty_ = true;
  *data_ = SeriesData();
}

model::TimestampMs MemorySeries::oldest_t() const {
  return data_->sealed.empty() ? data_->head.first_t() : data_->sealed.front().first_t();
}

std::size_t MemorySeries::heap_bytes() const {
  std::size_t bytes = data_->head.heap_bytes() + data_->sealed.capacity() * sizeof(Chunk);
  for (const Chunk& chunk : data_->sealed) bytes += chunk.heap_bytes();
  return bytes;
}

void MemorySeries::Append(const model::FPoint& point, std::uint64_t version) {
  version_ = version;
  newest_ = point;
  empty_ = false;
  if (data_->head.Append(point)) return;
  data_->head.Seal();
  data_->sealed.push_back(std::move(data_->head));
  data_->head = Chunk();
  data_->head.Append(point);
}

void MemorySeries::Read(model::TimestampMs min_t, model::TimestampMs max_t,
                        std::vector<model::FPoint>& out) const {
  const auto first = std::ranges::partition_point(
      data_->sealed, [&](const Chunk& chunk) { return chunk.last().t < min_t; });
  for (auto chunk = first; chunk != data_->sealed.end(); ++chunk) {
    if (chunk->first_t() > max_t) return;
    chunk->Read(min_t, max_t, out);
  }
  data_->head.Read(min_t, max_t, out);
}

std::optional<model::FPoint> MemorySeries::Latest(model::TimestampMs max_t) const {
  if (auto point = data_->head.Latest(max_t)) return point;
  const auto after = std::ranges::partition_point(
      data_->sealed, [&](const Chunk& chunk) { return chunk.first_t() <= max_t; });
  return after == data_->sealed.begin() ? std::nullopt : std::prev(after)->Latest(max_t);
}

void MemorySeries::DropBefore(model::TimestampMs t) {
  DropSealedUntil(t - 1);
  if (!data_->sealed.empty()) return data_->sealed.front().DropBefore(t);
  if (!empty_ && newest_.t < t) {
    data_->head = Chunk();
    empty_ = true;
  } else {
    data_->head.DropBefore(t);
  }
}

void MemorySeries::AddSealed(std::vector<std::pair<model::TimestampMs, std::size_t>>& out) const {
  for (const Chunk& chunk : data_->sealed) {
    out.emplace_back(chunk.last().t, sizeof(Chunk) + chunk.heap_bytes());
  }
}

void MemorySeries::DropSealedUntil(model::TimestampMs t) {
  const auto kept = std::ranges::partition_point(
      data_->sealed, [&](const Chunk& chunk) { return chunk.last().t <= t; });
  if (kept == data_->sealed.begin()) return;
  data_->sealed.erase(data_->sealed.begin(), kept);
  data_->sealed.shrink_to_fit();
}

}  // namespace azexporter::storage
