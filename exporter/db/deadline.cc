#include "deadline.h"

#include <poll.h>

#include <algorithm>
#include <utility>

namespace azexporter::db {
namespace {

// How soon a stop request is noticed while a server is silent.
constexpr std::int64_t kLookMs = 50;

}  // namespace

Deadline::Deadline(const base::Clock& clock, std::int64_t ms, std::stop_token stop)
    : clock_(clock), end_ns_(clock.SteadyNs() + ms * 1'000'000), stop_(std::move(stop)) {}

std::int64_t Deadline::remaining_ms() const {
  if (stop_.stop_requested()) return 0;
  return std::max<std::int64_t>(0, (end_ns_ - clock_.SteadyNs() + 999'999) / 1'000'000);
}

bool Deadline::WaitFor(int socket, short events) const {
  pollfd entry{socket, events, 0};
  do {
    const std::int64_t wait_ms =
        stop_.stop_possible() ? std::min(remaining_ms(), kLookMs) : remaining_ms();
    if (::poll(&entry, 1, static_cast<int>(wait_ms)) > 0) return true;
  } while (!passed());
  return false;
}

}  // namespace azexporter::db
