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
  if (data_->details == nullptr) return bytes;
  const std::vector<DetailChunk>& chunks = data_->details->chunks;
  bytes += sizeof(SeriesDetails) + chunks.capacity() * sizeof(DetailChunk);
  for (const DetailChunk& chunk : chunks) bytes += chunk.heap_bytes();
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

void MemorySeries::Append(model::TimestampMs t, double value, SampleDetail detail,
                          std::uint64_t version) {
  if (detail.histogram != nullptr) {
    const model::CounterResetHint hint =
        model::HintAfter(empty_ ? nullptr : newest_histogram(), *detail.histogram);
    if (hint != detail.histogram->hint) {
      model::FloatHistogram hinted = *detail.histogram;
      hinted.hint = hint;
      detail.histogram = std::make_shared<const model::FloatHistogram>(std::move(hinted));
    }
    value = model::HistogramNaN();
  }
  Append({t, value}, version);
  if (!detail.empty()) AppendDetail({t, std::move(detail)});
}

void MemorySeries::AppendDetail(DetailPoint point) {
  if (data_->details == nullptr) data_->details = std::make_unique<SeriesDetails>();
  std::vector<DetailChunk>& chunks = data_->details->chunks;
  if (chunks.empty()) chunks.emplace_back();
  if (!chunks.back().Append(point)) {
    chunks.back().Seal();
    chunks.emplace_back().Append(point);
  }
  data_->details->newest = std::move(point);
}

const model::FloatHistogram* MemorySeries::newest_histogram() const {
  if (!model::IsHistogramNaN(newest_.f) || !has_details()) return nullptr;
  return data_->details->newest.detail.histogram.get();
}

void MemorySeries::ReadDetails(model::TimestampMs min_t, model::TimestampMs max_t,
                               std::vector<DetailPoint>& out) const {
  if (!has_details()) return;
  const SeriesDetails& details = *data_->details;
  // Mostly it is the newest one that is asked for, and it need not be made anew.
  if (min_t >= details.newest.t) {
    if (min_t == details.newest.t && max_t >= min_t) out.push_back(details.newest);
    return;
  }
  // A chunk may begin with details of points that are gone.
  min_t = std::max(min_t, oldest_t());
  const auto first = std::ranges::partition_point(
      details.chunks, [&](const DetailChunk& chunk) { return chunk.last_t() < min_t; });
  for (auto chunk = first; chunk != details.chunks.end() && chunk->first_t() <= max_t; ++chunk) {
    chunk->Read(min_t, max_t, out);
  }
}

void MemorySeries::DropDetailsBefore(model::TimestampMs t) {
  if (!has_details()) return;
  std::vector<DetailChunk>& chunks = data_->details->chunks;
  const auto kept = std::ranges::partition_point(
      chunks, [&](const DetailChunk& chunk) { return chunk.last_t() < t; });
  if (kept == chunks.begin()) return;
  chunks.erase(chunks.begin(), kept);
  if (chunks.empty()) {
    data_->details.reset();
  } else {
    chunks.shrink_to_fit();
  }
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
  if (!data_->sealed.empty()) {
    data_->sealed.front().DropBefore(t);
  } else if (!empty_ && newest_.t < t) {
    data_->head = Chunk();
    empty_ = true;
  } else {
    data_->head.DropBefore(t);
  }
  if (has_details()) DropDetailsBefore(empty_ ? t : oldest_t());
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
  if (has_details()) DropDetailsBefore(oldest_t());
}

}  // namespace azexporter::storage
