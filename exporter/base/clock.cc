#include "azexporter/base/clock.h"

#include <chrono>

#include "azexporter/base/check.h"

namespace azexporter::base {

std::int64_t SystemClock::NowMs() const {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::int64_t SystemClock::SteadyNs() const {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void FakeClock::Advance(std::int64_t ms) {
  AZX_CHECK(ms >= 0, "time does not run backwards");
  now_ms_ += ms;
  steady_ns_ += ms * 1'000'000;
}

}  // namespace azexporter::base
