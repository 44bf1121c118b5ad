#pragma once

// Waiting that a stop request ends at once.

#include <cstdint>
#include <stop_token>

namespace azexporter::base {

// Returns false as soon as `stop` is requested, true after `ms` milliseconds of steady time.
bool WaitFor(const std::stop_token& stop, std::int64_t ms);

// Returns when `stop` is requested.
void WaitUntilStopped(const std::stop_token& stop);

}  // namespace azexporter::base
