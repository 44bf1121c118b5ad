#include "backoff.h"

#include <algorithm>

namespace azexporter::notify {

std::int64_t Backoff::NextMs() {
  step_ms_ = step_ms_ == 0 ? min_ms_ : std::min(2 * step_ms_, max_ms_);
  const std::int64_t quarter = step_ms_ / 4;
  return step_ms_ + std::uniform_int_distribution<std::int64_t>(-quarter, quarter)(random_);
}

}  // namespace azexporter::notify
