#pragma once

// The only door to time. Everything that asks "now" or waits takes a Clock, so that tests drive it
// with FakeClock instead of sleeping.
//
// Thread safety: all methods of SystemClock and FakeClock may be called from any thread.

#include <atomic>
#include <cstdint>

namespace azexporter::base {

class Clock {
 public:
  virtual ~Clock() = default;

  // Wall time, milliseconds since the Unix epoch, UTC. May step backwards.
  virtual std::int64_t NowMs() const = 0;
  // Nanoseconds since an arbitrary start; never goes backwards. For durations and deadlines.
  virtual std::int64_t SteadyNs() const = 0;
};

class SystemClock final : public Clock {
 public:
  std::int64_t NowMs() const override;
  std::int64_t SteadyNs() const override;
};

// A clock that stands still until told. Advancing moves wall and steady time together;
// StepWall moves wall time alone, as an administrator or NTP would.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(std::int64_t now_ms = 0) : now_ms_(now_ms) {}

  std::int64_t NowMs() const override { return now_ms_.load(); }
  std::int64_t SteadyNs() const override { return steady_ns_.load(); }

  // REQUIRES: ms >= 0.
  void Advance(std::int64_t ms);
  void StepWall(std::int64_t ms) { now_ms_ += ms; }

 private:
  std::atomic<std::int64_t> now_ms_;
  std::atomic<std::int64_t> steady_ns_{0};
};

}  // namespace azexporter::base
