#pragma once

// Time series in memory: what collectors and recording rules append, and PromQL and the API read.
//
//   MemoryStore store({.retention_ms = 2 * 3600 * 1000});
//   auto appender = store.NewAppender();
//   AZX_RETURN_IF_ERROR(appender->Append(labels, now_ms, 1));
//   AZX_RETURN_IF_ERROR(appender->Commit());
//
// A querier sees the batches that were committed before it was made, and none after: both sides of
// `a - b` come from the same state while appending goes on. Only expiry shows through.
//
// Points live in chunks of 120, full but for the last one of a series. A chunk is only ever added
// to, and shared between the store and the queriers that may still read it; how its points are held
// is known to Chunk alone.
//
// Thread safety: thread-safe. An Appender or Querier belongs to one thread; the store must outlive
// both.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "azexporter/base/result.h"
#include "azexporter/model/sample.h"
#include "azexporter/storage/storage.h"

namespace azexporter::storage {

struct MemoryStoreOptions {
  // How long points are kept, ms; 0 keeps them until the store goes. Default 2h.
  std::int64_t retention_ms = 2 * 3600 * 1000;
};

class MemoryStore final : public Queryable, public Appendable {
 public:
  explicit MemoryStore(MemoryStoreOptions options = {});
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  base::Result<std::unique_ptr<Querier>> NewQuerier(model::TimestampMs min_t,
                                                    model::TimestampMs max_t) const override;

  // A sample equal to the newest of its series is accepted and changes nothing. Commit publishes
  // all of the batch or, when another appender was faster with a newer point, nothing of it
  // (kBadData).
  std::unique_ptr<Appender> NewAppender() override;

  // Lets go of chunks whose points are all older than `now` - retention, and of series with no
  // points left. Points may thus outlive the retention by the length of a chunk.
  void Truncate(model::TimestampMs now);

  std::size_t series_count() const;
  // The time of the newest committed point; nothing in an empty store.
  std::optional<model::TimestampMs> newest() const;

 private:
  class Impl;
  class MemoryQuerier;
  class MemoryAppender;

  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::storage
