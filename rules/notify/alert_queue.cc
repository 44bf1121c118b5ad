#include "alert_queue.h"

#include <algorithm>
#include <iterator>

namespace azexporter::notify {

std::size_t AlertQueue::Add(std::span<const Alert> alerts) {
  base::MutexLock lock(mu_);
  if (closed_) return 0;
  const std::size_t all = alerts_.size() + alerts.size();
  const std::size_t dropped = all > capacity_ ? all - capacity_ : 0;
  const std::size_t of_queued = std::min(dropped, alerts_.size());
  alerts_.erase(alerts_.begin(),
                std::next(alerts_.begin(), static_cast<std::ptrdiff_t>(of_queued)));
  const auto kept = alerts.subspan(dropped - of_queued);
  alerts_.insert(alerts_.end(), kept.begin(), kept.end());
  changed_.notify_all();
  return dropped;
}

std::size_t AlertQueue::PutBack(std::vector<Alert> batch) {
  base::MutexLock lock(mu_);
  const std::size_t kept = std::min(batch.size(), capacity_ - alerts_.size());
  const std::size_t dropped = batch.size() - kept;
  alerts_.insert(alerts_.begin(),
                 std::make_move_iterator(batch.begin() + static_cast<std::ptrdiff_t>(dropped)),
                 std::make_move_iterator(batch.end()));
  changed_.notify_all();
  return dropped;
}

std::vector<Alert> AlertQueue::Take(std::size_t most, const std::stop_token& stop) {
  base::MutexLock lock(mu_);
  changed_.wait(mu_, stop, [this]() AZX_REQUIRES(mu_) { return closed_ || !alerts_.empty(); });
  if (stop.stop_requested()) return {};
  const auto end =
      std::next(alerts_.begin(), static_cast<std::ptrdiff_t>(std::min(most, alerts_.size())));
  std::vector<Alert> batch(std::make_move_iterator(alerts_.begin()), std::make_move_iterator(end));
  alerts_.erase(alerts_.begin(), end);
  return batch;
}

void AlertQueue::Close() {
  base::MutexLock lock(mu_);
  closed_ = true;
  changed_.notify_all();
}

std::size_t AlertQueue::size() const {
  base::MutexLock lock(mu_);
  return alerts_.size();
}

}  // namespace azexporter::notify
