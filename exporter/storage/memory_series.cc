#include "memory_series.h"

namespace azexporter::storage {

namespace {

// The index of the first of `size` points that is not `before`.
template <class Before>
std::size_t FirstNot(const PointView& points, Before before) {
  std::size_t low = 0;
  std::size_t high = points.size();
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    if (before(points[middle])) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace

std::size_t PointView::LowerBound(model::TimestampMs t) const {
  return FirstNot(*this, [t](const model::FPoint& point) { return point.t < t; });
}

std::size_t PointView::UpperBound(model::TimestampMs t) const {
  return FirstNot(*this, [t](const model::FPoint& point) { return point.t <= t; });
}

void MemorySeries::Append(const model::FPoint& point, std::uint64_t version, bool keep_history) {
  if (!keep_history) {
    history_.clear();
  } else if (history_.empty() || history_.back().version != version) {
    history_.push_back({version, end_});
  }
  const std::size_t in_chunk = end_ % Chunk::kCapacity;
  if (in_chunk == 0) {
    auto chunks = std::make_shared<ChunkList>(*chunks_);
    chunks->push_back(std::make_shared<Chunk>());
    chunks_ = std::move(chunks);
  }
  chunks_->back()->Set(in_chunk, point);
  if (empty()) oldest_t_ = point.t;
  newest_ = point;
  ++end_;
}

PointView MemorySeries::ViewAt(std::uint64_t version) const {
  std::uint64_t end = end_;
  for (const Mark& mark : history_) {
    if (mark.version <= version) continue;
    end = mark.end;
    break;
  }
  if (end == end_) return {chunks_, end_ - first_, newest_};
  if (end <= first_) return {};
  const std::uint64_t last = end - 1 - first_;
  return {chunks_, end - first_, (*(*chunks_)[last / Chunk::kCapacity])[last % Chunk::kCapacity]};
}

void MemorySeries::DropBefore(model::TimestampMs t) {
  std::size_t expired = 0;
  const PointView all = ViewAt(UINT64_MAX);
  while (expired < chunks_->size()) {
    const std::size_t end = std::min(all.size(), (expired + 1) * Chunk::kCapacity);
    if (all[end - 1].t >= t) break;
    ++expired;
  }
  if (expired == 0) return;
  chunks_ = std::make_shared<ChunkList>(chunks_->begin() + static_cast<std::ptrdiff_t>(expired),
                                        chunks_->end());
  first_ = std::min(end_, first_ + expired * Chunk::kCapacity);
  if (!empty()) oldest_t_ = (*chunks_->front())[0].t;
}

}  // namespace azexporter::storage
