#pragma once

// A bounded queue of alerts, first in first out, with the newest of each alert by its labels.
// Private to `notify`.
//
// Thread safety: thread-safe.

#include <cstddef>
#include <list>
#include <span>
#include <stop_token>
#include <unordered_map>
#include <vector>

#include "azexporter/base/mutex.h"
#include "azexporter/notify/alert.h"

namespace azexporter::notify {

class AlertQueue {
 public:
  explicit AlertQueue(std::size_t capacity) : capacity_(capacity) {}

  // Appends; an alert that waits already is replaced where it stands. Drops the oldest of all where
  // there is no room. Returns how many were dropped.
  std::size_t Add(std::span<const Alert> alerts);
  // Puts a batch that was taken back at the front, as far as there is room for its newest. What was
  // added anew since is no more in need of it, and not counted as dropped.
  std::size_t PutBack(std::vector<Alert> batch);
  // Waits until there is something and takes up to `most`. Empty when `stop` was asked for, or the
  // queue is closed and there is no more.
  std::vector<Alert> Take(std::size_t most, const std::stop_token& stop);
  // From now on Take waits no more, and Add adds nothing.
  void Close();

  std::size_t size() const;

 private:
  using Alerts = std::list<Alert>;

  // What is taken out here is not dropped but in the hands of the caller.
  Alert PopFrontLocked() AZX_REQUIRES(mu_);

  const std::size_t capacity_;  // at least 1
  mutable base::Mutex mu_;
  base::CondVar changed_;
  Alerts alerts_ AZX_GUARDED_BY(mu_);
  std::unordered_map<model::Labels, Alerts::iterator, model::LabelsHash> by_labels_
      AZX_GUARDED_BY(mu_);
  bool closed_ AZX_GUARDED_BY(mu_) = false;
};

}  // namespace azexporter::notify
