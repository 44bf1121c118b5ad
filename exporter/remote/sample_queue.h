#pragma once

// A bounded queue of samples, first in first out. Private to `remote`.
//
// Thread safety: thread-safe.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <stop_token>
#include <vector>

#include "azexporter/base/mutex.h"
#include "azexporter/model/sample.h"

namespace azexporter::remote {

class SampleQueue {
 public:
  explicit SampleQueue(std::size_t capacity) : capacity_(capacity) {}

  // Each returns how many of the oldest were dropped for want of room.
  std::size_t SetCapacity(std::size_t capacity);
  std::size_t Add(std::span<const model::Sample> samples);
  // Puts a batch that was taken back at the front.
  std::size_t PutBack(std::vector<model::Sample> batch);

  // Waits until there are `most` samples, or the first has waited for `wait_ms`, and takes up to
  // `most`. Empty when `stop` was asked for, or the queue is closed and there is no more.
  std::vector<model::Sample> Take(std::size_t most, std::int64_t wait_ms,
                                  const std::stop_token& stop);
  // Waits for `ms`, less when the queue is closed or `stop` asked for.
  void Pause(std::int64_t ms, const std::stop_token& stop);
  // From now on nobody waits any more, and Add adds nothing.
  void Close();

  std::size_t size() const;
  std::size_t capacity() const;

 private:
  std::size_t DropOldestLocked() AZX_REQUIRES(mu_);

  mutable base::Mutex mu_;
  base::CondVar changed_;
  std::size_t capacity_ AZX_GUARDED_BY(mu_);
  std::deque<model::Sample> samples_ AZX_GUARDED_BY(mu_);
  bool closed_ AZX_GUARDED_BY(mu_) = false;
};

}  // namespace azexporter::remote
