#pragma once

// Lets a bounded number of queries in at the same time; the others wait. Private to `web`.
// Semantics: the query tracker of prometheus/promql/query_logger.go.
//
// Thread safety: thread-safe.

#include <cstddef>
#include <cstdint>
#include <stop_token>

#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"

namespace azexporter::web {

class QueryGate {
 public:
  // A place inside, until it is destroyed.
  class Place {
   public:
    explicit Place(QueryGate& gate) : gate_(&gate) {}
    Place(Place&& other) noexcept : gate_(other.gate_) { other.gate_ = nullptr; }
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    QueryGate* gate_;
  };

  // REQUIRES: limit > 0.
  explicit QueryGate(std::size_t limit) : limit_(limit) {}

  // Waits at most that long. The errors are those that Prometheus answers here: kExecution
  // "context deadline exceeded", and kCanceled "context canceled" when `stop` was asked for.
  base::Result<Place> Enter(std::int64_t timeout_ms, const std::stop_token& stop);

 private:
  void Leave();

  const std::size_t limit_;
  base::Mutex mu_;
  base::CondVar freed_;
  std::size_t inside_ AZX_GUARDED_BY(mu_) = 0;
};

}  // namespace azexporter::web
