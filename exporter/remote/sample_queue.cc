#include "sample_queue.h"

#include <algorithm>
#include <chrono>
#include <iterator>

namespace azexporter::remote {

std::size_t SampleQueue::DropOldestLocked() {
  const std::size_t dropped = samples_.size() - std::min(samples_.size(), capacity_);
  samples_.erase(samples_.begin(),
                 std::next(samples_.begin(), static_cast<std::ptrdiff_t>(dropped)));
  return dropped;
}

std::size_t SampleQueue::SetCapacity(std::size_t capacity) {
  base::MutexLock lock(mu_);
  capacity_ = capacity;
  return DropOldestLocked();
}

std::size_t SampleQueue::Add(std::span<const model::Sample> samples) {
  base::MutexLock lock(mu_);
  if (closed_) return 0;
  samples_.insert(samples_.end(), samples.begin(), samples.end());
  const std::size_t dropped = DropOldestLocked();
  changed_.notify_all();
  return dropped;
}

std::size_t SampleQueue::PutBack(std::vector<model::Sample> batch) {
  base::MutexLock lock(mu_);
  samples_.insert(samples_.begin(), std::make_move_iterator(batch.begin()),
                  std::make_move_iterator(batch.end()));
  const std::size_t dropped = DropOldestLocked();
  changed_.notify_all();
  return dropped;
}

std::vector<model::Sample> SampleQueue::Take(std::size_t most, std::int64_t wait_ms,
                                             const std::stop_token& stop) {
  base::MutexLock lock(mu_);
  changed_.wait(mu_, stop, [this]() AZX_REQUIRES(mu_) { return closed_ || !samples_.empty(); });
  changed_.wait_for(mu_, stop, std::chrono::milliseconds(wait_ms),
                    [this, most]()
                        AZX_REQUIRES(mu_) { return closed_ || samples_.size() >= most; });
  if (stop.stop_requested()) return {};
  const auto end =
      std::next(samples_.begin(), static_cast<std::ptrdiff_t>(std::min(most, samples_.size())));
  std::vector<model::Sample> batch(std::make_move_iterator(samples_.begin()),
                                   std::make_move_iterator(end));
  samples_.erase(samples_.begin(), end);
  return batch;
}

void SampleQueue::Pause(std::int64_t ms, const std::stop_token& stop) {
  base::MutexLock lock(mu_);
  changed_.wait_for(mu_, stop, std::chrono::milliseconds(ms),
                    [this]() AZX_REQUIRES(mu_) { return closed_; });
}

void SampleQueue::Close() {
  base::MutexLock lock(mu_);
  closed_ = true;
  changed_.notify_all();
}

std::size_t SampleQueue::size() const {
  base::MutexLock lock(mu_);
  return samples_.size();
}

std::size_t SampleQueue::capacity() const {
  base::MutexLock lock(mu_);
  return capacity_;
}

}  // namespace azexporter::remote
