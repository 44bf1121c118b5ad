#include "round_loop.h"

#include <algorithm>

#include "azexporter/base/wait.h"
#include "deadline.h"

namespace azexporter::db {

void RoundLoop::Now() {
  base::MutexLock lock(mu_);
  // What hangs longer than a server is waited for hangs where nothing can end it.
  round_(timeout_ms_ + timeout_ms_ / 4, {});
}

void RoundLoop::Start() {
  thread_ = std::jthread([this](std::stop_token stop) {
    for (std::int64_t rest_ms = 0; base::WaitFor(stop, rest_ms);) {
      const Deadline next(clock_, interval_ms_);
      {
        base::MutexLock lock(mu_);
        round_(std::min(interval_ms_, timeout_ms_), stop);
      }
      rest_ms = next.remaining_ms();
    }
  });
}

}  // namespace azexporter::db
