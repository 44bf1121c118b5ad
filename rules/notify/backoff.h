#pragma once

// How long to pause between failures: doubling, jittered. Private to `notify`.
//
// Thread safety: one thread only.

#include <cstdint>
#include <random>

namespace azexporter::notify {

class Backoff {
 public:
  // REQUIRES: 0 < min_ms <= max_ms.
  Backoff(std::int64_t min_ms, std::int64_t max_ms, std::uint32_t seed)
      : min_ms_(min_ms), max_ms_(max_ms), random_(seed) {}

  // Of the next pause: what it is by the count of failures, a quarter more or less.
  std::int64_t NextMs();
  void Reset() { step_ms_ = 0; }

 private:
  const std::int64_t min_ms_;
  const std::int64_t max_ms_;
  std::minstd_rand random_;
  std::int64_t step_ms_ = 0;
};

}  // namespace azexporter::notify
