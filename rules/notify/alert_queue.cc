#include "alert_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace azexporter::notify {

std::size_t AlertQueue::Add(std::span<const Alert> alerts) {
  base::MutexLock lock(mu_);
  if (closed_) return 0;
  std::size_t dropped = 0;
  for (const Alert& alert : alerts) {
    const auto [known, fresh] = by_labels_.try_emplace(alert.labels);
    if (!fresh) {
      *known->second = alert;
      continue;
    }
    known->second = alerts_.insert(alerts_.end(), alert);
    if (alerts_.size() <= capacity_) continue;
    PopFrontLocked();
    ++dropped;
  }
  changed_.notify_all();
  return dropped;
}

std::size_t AlertQueue::PutBack(std::vector<Alert> batch) {
  base::MutexLock lock(mu_);
  std::size_t dropped = 0;
  for (auto alert = batch.rbegin(); alert != batch.rend(); ++alert) {
    if (by_labels_.contains(alert->labels)) continue;
    if (alerts_.size() >= capacity_) {
      ++dropped;
      continue;
    }
    alerts_.push_front(std::move(*alert));
    by_labels_.emplace(alerts_.front().labels, alerts_.begin());
  }
  changed_.notify_all();
  return dropped;
}

std::vector<Alert> AlertQueue::Take(std::size_t most, const std::stop_token& stop) {
  base::MutexLock lock(mu_);
  changed_.wait(mu_, stop, [this]() AZX_REQUIRES(mu_) { return closed_ || !alerts_.empty(); });
  std::vector<Alert> batch;
  if (stop.stop_requested()) return batch;
  while (batch.size() < most && !alerts_.empty()) batch.push_back(PopFrontLocked());
  return batch;
}

Alert AlertQueue::PopFrontLocked() {
  Alert alert = std::move(alerts_.front());
  by_labels_.erase(alert.labels);
  alerts_.pop_front();
  return alert;
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
