#pragma once

// Until when an exchange with a server may last. Private to `db`.
//
// Thread safety: a value of one thread.

#include <cstdint>
#include <stop_token>

#include "azexporter/base/clock.h"

namespace azexporter::db {

// By the steady clock. A stop request ends it, too.
class Deadline {
 public:
  // `clock` must outlive this.
  Deadline(const base::Clock& clock, std::int64_t ms, std::stop_token stop = {});

  bool passed() const { return remaining_ms() == 0; }
  std::int64_t remaining_ms() const;  // rounded up
  const std::stop_token& stop() const { return stop_; }
  // Waits until `events` (poll's) are there for the socket; false at the deadline.
  bool WaitFor(int socket, short events) const;

 private:
  const base::Clock& clock_;
  const std::int64_t end_ns_;
  const std::stop_token stop_;
};

}  // namespace azexporter::db
