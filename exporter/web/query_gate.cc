#include "query_gate.h"

#include <chrono>

namespace azexporter::web {

QueryGate::Place::~Place() {
  if (gate_ != nullptr) gate_->Leave();
}

base::Result<QueryGate::Place> QueryGate::Enter(std::int64_t timeout_ms,
                                                const std::stop_token& stop) {
  base::MutexLock lock(mu_);
  const bool free = freed_.wait_for(mu_, stop, std::chrono::milliseconds(timeout_ms),
                                    [this]() AZX_REQUIRES(mu_) { return inside_ < limit_; });
  if (stop.stop_requested()) return base::Fail(base::ErrorCode::kCanceled, "context canceled");
  if (!free) return base::Fail(base::ErrorCode::kExecution, "context deadline exceeded");
  ++inside_;
  return Place(*this);
}

void QueryGate::Leave() {
  {
    base::MutexLock lock(mu_);
    --inside_;
  }
  freed_.notify_one();
}

}  // namespace azexporter::web
