#pragma once

// Rounds in which servers are asked, one after the other. Private to `db`.
//
// Thread safety: thread-safe, but for Start and Stop: one thread at a time.

#include <cstdint>
#include <functional>
#include <stop_token>
#include <thread>

#include "azexporter/base/clock.h"
#include "azexporter/base/mutex.h"

namespace azexporter::db {

class RoundLoop {
 public:
  // Asks, and waits for answers no longer than `most_ms`.
  using Round = std::function<void(std::int64_t most_ms, const std::stop_token& stop)>;

  // `clock` must outlive this, and so must what `round` uses. `timeout_ms`: of one server.
  RoundLoop(std::int64_t interval_ms, std::int64_t timeout_ms, const base::Clock& clock,
            Round round)
      : interval_ms_(interval_ms),
        timeout_ms_(timeout_ms),
        clock_(clock),
        round_(std::move(round)) {}

  // Holds one round, and waits for it.
  void Now();
  // Holds one every interval, in a thread of its own.
  void Start();
  // The next one of that thread is due.
  void Hurry();
  // Ends the round that is under way.
  void Stop() { thread_ = std::jthread(); }

 private:
  const std::int64_t interval_ms_;
  const std::int64_t timeout_ms_;
  const base::Clock& clock_;
  const Round round_;
  base::Mutex mu_;  // held through a round
  base::CondVar due_;
  base::Mutex due_mu_;
  bool hurry_ AZX_GUARDED_BY(due_mu_) = false;
  std::jthread thread_;
};

}  // namespace azexporter::db
