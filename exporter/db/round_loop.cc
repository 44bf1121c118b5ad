#include "round_loop.h"

#include <algorithm>
#include <chrono>

#include "deadline.h"

namespace azexporter::db {

void RoundLoop::Now() {
  base::MutexLock lock(mu_);
  // What hangs longer than a server is waited for hangs where nothing can end it.
  round_(timeout_ms_ + timeout_ms_ / 4, {});
}

void RoundLoop::Start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    while (!stop.stop_requested()) {
      const Deadline next(clock_, interval_ms_);
      {
        base::MutexLock lock(due_mu_);
        hurry_ = false;
      }
      {
        base::MutexLock lock(mu_);
        round_(std::min(interval_ms_, timeout_ms_), stop);
      }
      base::MutexLock lock(due_mu_);
      due_.wait_for(due_mu_, stop, std::chrono::milliseconds(next.remaining_ms()),
                    [this]() AZX_REQUIRES(due_mu_) { return hurry_; });
    }
  });
}

void RoundLoop::Hurry() {
  base::MutexLock lock(due_mu_);
  hurry_ = true;
  due_.notify_all();
}

}  // namespace azexporter::db
