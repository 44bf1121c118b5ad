#pragma once

// A bounded queue of alerts, first in first out. Private to `notify`.
//
// Thread safety: thread-safe.

#include <cstddef>
#include <deque>
#include <span>
#include <stop_token>
#include <vector>

#include "azexporter/base/mutex.h"
#include "azexporter/notify/alert.h"

namespace azexporter::notify {

class AlertQueue {
 public:
  explicit AlertQueue(std::size_t capacity) : capacity_(capacity) {}

  // Appends, and drops the oldest of all where there is no room. Returns how many were dropped.
  std::size_t Add(std::span<const Alert> alerts);
  // Puts a batch that was taken back at the front, as far as there is room for its newest.
  std::size_t PutBack(std::vector<Alert> batch);
  // Waits until there is something and takes up to `most`. Empty when `stop` was asked for, or the
  // queue is closed and there is no more.
  std::vector<Alert> Take(std::size_t most, const std::stop_token& stop);
  // From now on Take waits no more, and Add adds nothing.
  void Close();

  std::size_t size() const;

 private:
  const std::size_t capacity_;
  mutable base::Mutex mu_;
  base::CondVar changed_;
  std::deque<Alert> alerts_ AZX_GUARDED_BY(mu_);
  bool closed_ AZX_GUARDED_BY(mu_) = false;
};

}  // namespace azexporter::notify
