#pragma once

// What the daemon remembers across a kill: alerts, the samples that rules look back to, and which
// zones were seen. One file, "azexporter.db", in the folder of --storage.path.
//
// A disk that is full, read-only or away stops nothing: what could not be written is written once
// it can be. A file that is damaged, of a newer format or not ours is set aside, and all begins
// anew.
//
// Format 1. An older format is upgraded when the file is opened. A program of an older format sets
// a newer file aside under a name that says when; to go forward again, put it back by that name.
//
// Thread safety: thread-safe.

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>

#include "azexporter/base/clock.h"
#include "azexporter/base/database.h"
#include "azexporter/base/logger.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"
#include "azexporter/collect/self_metrics.h"
#include "azexporter/rules/alert_store.h"
#include "azexporter/storage/sample_file.h"

namespace azexporter::app {

class State final : public rules::AlertStore {
 public:
  // Makes the folder where it is missing. kUnavailable only where another process holds the file;
  // any other hindrance is logged, and overcome later or never. `clock` must outlive it.
  static base::Result<std::unique_ptr<State>> Open(const std::string& folder,
                                                   const base::Clock& clock, base::Logger log);

  base::Result<std::map<rules::RuleId, rules::SavedAlerts>> Load() override;
  base::Result<void> Save(const std::string& file, const std::string& group,
                          model::TimestampMs evaluated_at,
                          std::span<const rules::AlertEdits> edits) override;
  base::Result<void> Keep(std::span<const rules::RuleId> rules) override;

  base::Result<std::size_t> RestoreSamples(storage::Appendable& to);
  base::Result<void> SaveSamples(const storage::Queryable& from,
                                 std::span<const storage::WantedSeries> wanted,
                                 model::TimestampMs now);

  base::Result<std::set<std::string>> SeenZones();
  base::Result<void> SaveSeenZones(const std::set<std::string>& zones);

  collect::StateCounts counts() const;

 private:
  State(std::string path, const base::Clock& clock, base::Logger log);

  // Opens the file where it is not open yet.
  base::Result<void> Ensure() AZX_REQUIRES(mu_);
  base::Result<void> Write(const std::function<base::Result<void>()>& write) AZX_REQUIRES(mu_);

  const std::string path_;
  const base::Clock& clock_;
  const base::Logger log_;
  mutable base::Mutex mu_;
  std::unique_ptr<base::Database> db_ AZX_GUARDED_BY(mu_);  // null: not open
  std::unique_ptr<rules::AlertStore> alerts_ AZX_GUARDED_BY(mu_);
  std::unique_ptr<storage::SampleFile> samples_ AZX_GUARDED_BY(mu_);
  collect::StateCounts counts_ AZX_GUARDED_BY(mu_);
  std::string last_error_ AZX_GUARDED_BY(mu_);  // of a write; empty: the last one went well
};

}  // namespace azexporter::app
