#pragma once

// The latest finished round, for everybody who shows it.
//
// Thread safety: LatestRound is thread-safe; a Round is immutable once published.

#include <memory>

#include "azexporter/base/mutex.h"
#include "azexporter/collect/snapshot.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::collect {

struct Round {
  Snapshot snapshot;
  zones::ZoneReport report;
  std::shared_ptr<const audit::Report> policy = {};  // null: not audited
};

class LatestRound {
 public:
  // nullptr until the first round is finished.
  std::shared_ptr<const Round> Get() const {
    base::MutexLock lock(mu_);
    return round_;
  }
  void Publish(std::shared_ptr<const Round> round) {
    base::MutexLock lock(mu_);
    round_ = std::move(round);
  }

 private:
  mutable base::Mutex mu_;
  std::shared_ptr<const Round> round_ AZX_GUARDED_BY(mu_);
};

}  // namespace azexporter::collect
