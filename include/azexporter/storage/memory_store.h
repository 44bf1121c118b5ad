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
// Label texts are interned; the series of a metric stand together, a table for each set of label
// names; points are compressed (exporter/storage/chunk.h). What is kept is bounded by time, for
// each series, and by memory, for all.
//
// Thread safety: thread-safe. An Appender or Querier belongs to one thread; the store must outlive
// both.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "azexporter/base/result.h"
#include "azexporter/model/sample.h"
#include "azexporter/storage/storage.h"

namespace azexporter::storage {

struct MemoryStoreOptions {
  // How long points are kept, ms; 0 keeps them until the store goes. Default 2h.
  std::int64_t retention_ms = 2 * 3600 * 1000;
  // How much memory all of it may take, roughly; 0: no bound. Above it the oldest points go, and
  // when there are none to go new series are refused.
  std::size_t max_bytes = 0;
};

// How long the points of a series are kept, ms; 0 keeps them until the store goes.
using RetentionOf = std::function<std::int64_t(const model::Labels&)>;

struct MemoryStoreStats {
  std::size_t series = 0;
  std::size_t chunks = 0;
  std::size_t symbols = 0;
  std::size_t bytes = 0;  // roughly: what the store asked of the allocator
  // Of the oldest and newest point; nothing in an empty store.
  std::optional<model::TimestampMs> min_t;
  std::optional<model::TimestampMs> max_t;
};

class MemoryStore final : public Queryable, public Appendable {
 public:
  explicit MemoryStore(MemoryStoreOptions options = {});
  ~MemoryStore() override;
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  base::Result<std::unique_ptr<Querier>> NewQuerier(model::TimestampMs min_t,
                                                    model::TimestampMs max_t) const override;

  std::unique_ptr<Appender> NewAppender() override;

  // From now on each series is kept for as long as this says, those that are there already too, and
  // nothing is taken in that is older than the longest of these times. The function is called under
  // the store's lock.
  void SetRetention(RetentionOf retention_of, std::int64_t longest_ms);
  // Lets go of points that are older than `now` - retention, chunk by chunk: some outlive it by the
  // length of a chunk. Then of series with no points left, and of what is above the memory bound.
  void Truncate(model::TimestampMs now);

  std::size_t series_count() const;
  // The time of the newest committed point; nothing in an empty store.
  std::optional<model::TimestampMs> newest() const;
  MemoryStoreStats stats() const;

 private:
  class Impl;
  class MemoryAppender;
  class MemoryQuerier;

  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::storage
