#pragma once

// Keeps on disk the samples that rules look back to, so that a rate over five minutes goes on where
// it was after a restart. What no rule looks back to is collected anew within a round, and is not
// kept.
//
// Thread safety: one thread only.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "azexporter/base/database.h"
#include "azexporter/base/result.h"
#include "azexporter/model/matcher.h"
#include "azexporter/model/sample.h"
#include "azexporter/storage/storage.h"

namespace azexporter::storage {

// Series, and for how long their samples are needed.
struct WantedSeries {
  std::vector<model::Matcher> matchers;
  std::int64_t reach_ms = 0;
};

class SampleFile {
 public:
  // In tables of `db`, which must outlive it.
  explicit SampleFile(base::Database& db);
  ~SampleFile();
  SampleFile(const SampleFile&) = delete;
  SampleFile& operator=(const SampleFile&) = delete;

  // Appends what was kept, and ends each series after its last sample: whatever goes on is appended
  // anew. How many samples; those that the store refuses, and what is no histogram, are not
  // counted. Before the first Save.
  base::Result<std::size_t> Restore(Appendable& to);

  // Writes what `from` got since the last call, and forgets what is out of reach of `wanted`. After
  // a failure the next call writes what is missing.
  base::Result<void> Save(const Queryable& from, std::span<const WantedSeries> wanted,
                          model::TimestampMs now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Makes the tables. REQUIRES: within a transaction.
base::Result<void> CreateSampleTables(base::Database& db);

}  // namespace azexporter::storage
