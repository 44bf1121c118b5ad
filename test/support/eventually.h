#pragma once

// Waiting in tests for what another thread does: by condition, with a bound, never by a fixed time.

#include <stop_token>

#include "azexporter/base/wait.h"

namespace azexporter::test {

// True as soon as `condition` holds, false when it did not within `timeout_ms`.
template <class Condition>
bool Eventually(Condition condition, int timeout_ms = 10'000) {
  constexpr int kLookMs = 5;
  for (int waited_ms = 0; waited_ms < timeout_ms; waited_ms += kLookMs) {
    if (condition()) return true;
    base::WaitFor(std::stop_token(), kLookMs);
  }
  return condition();
}

}  // namespace azexporter::test
