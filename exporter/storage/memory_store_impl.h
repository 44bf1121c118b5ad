#pragma once

// What MemoryStore is inside. Writers and readers meet at mu_, which both hold for short: a commit
// for as long as it takes to append the batch, a reader for one question about one series, or one
// bulk of them.
//
// **Versions.** Every commit has a number. A reader remembers the number of the latest commit when
// it began and sees no later one: a series that was appended to since has a mark which says where
// it ended before. Marks are made only while there are readers that may need them.
//
// **Limbo.** A series that goes is kept, with its symbols, until all readers that may hold it are
// gone.

#include <functional>
#include <set>
#include <unordered_map>
#include <vector>

#include "azexporter/base/hash_index.h"
#include "azexporter/base/mutex.h"
#include "azexporter/model/symbol.h"
#include "azexporter/storage/memory_store.h"
#include "series_table.h"

namespace azexporter::storage {

// A sample on its way into the store.
struct PendingSample {
  MemorySeries* series = nullptr;  // null: one of `labels`
  model::Labels labels;            // where series is null, or no longer alive
  model::FPoint point;
};

// What a sample of a batch has beside that. Few have.
struct PendingDetail {
  std::size_t sample = 0;  // its number in the batch
  SampleDetail detail;
};

// What the newest point of a series has to say about one that is to follow. kAppended for one that
// repeats the newest, too. The histograms are those of points that are not floats.
AppendOutcome Follow(const model::FPoint& newest, const model::FloatHistogram* newest_histogram,
                     const model::FPoint& next, const model::FloatHistogram* next_histogram);

class MemoryStore::Impl {
 public:
  explicit Impl(MemoryStoreOptions options)
      : options_(options), longest_retention_ms_(options.retention_ms) {}

  // --- readers, and appenders, which hold series just as well but look at the newest state
  std::uint64_t BeginRead();
  void EndRead(std::uint64_t version);
  std::uint64_t BeginAppend();
  void EndAppend(std::uint64_t version);

  // Where to look, and for what.
  struct Search {
    std::span<const model::Matcher> matchers;
    std::uint64_t version;
    model::TimestampMs min_t;
    model::TimestampMs max_t;
  };
  std::vector<const MemorySeries*> Select(const Search& search) const;
  void ReadLatest(std::span<const MemorySeries* const> series, const Search& search,
                  std::span<SeriesSet::Latest> out) const;
  bool Read(const MemorySeries& series, const Search& search,
            std::vector<model::FPoint>& out) const;
  void ReadDetails(const MemorySeries& series, const Search& search,
                   std::vector<DetailPoint>& out) const;
  // The store's symbol of `text`, where it has one, and a reference to it.
  model::Symbol AcquireSymbol(std::string_view text);
  void ReleaseSymbols(std::span<const model::Symbol> symbols);

  // --- writers
  // What of a sample: how it stands to what is committed; its series, where there is one.
  struct Lookup {
    AppendOutcome outcome;
    MemorySeries* series;
  };
  Lookup Find(const model::Labels& labels, const model::FPoint& point,
              const model::FloatHistogram* histogram) const;
  // `details`: in order of their samples.
  LeftOut Commit(const std::vector<PendingSample>& samples, std::vector<PendingDetail> details);
  void Truncate(model::TimestampMs now);
  void SetRetention(RetentionOf retention_of, std::int64_t longest_ms);

  MemoryStoreStats stats() const;
  std::size_t series_count() const;
  std::optional<model::TimestampMs> newest() const;

 private:
  struct Mark {
    std::uint64_t version;
    // Of the newest point up to the commit before `version`; kNoPoint where there was none.
    model::TimestampMs newest_before;
  };
  static constexpr model::TimestampMs kNoPoint = std::numeric_limits<std::int64_t>::min();
  struct Limbo {
    MemorySeries* series;
    SeriesTable* table;
    std::uint64_t version;
  };

  bool HasPointsLocked(const MemorySeries& series, const Search& search) const
      AZX_REQUIRES_SHARED(mu_);
  // The time of the last point that a reader of `version` may see; kNoPoint for none.
  model::TimestampMs VisibleLocked(const MemorySeries& series, std::uint64_t version) const
      AZX_REQUIRES_SHARED(mu_) {
    if (series.empty()) return kNoPoint;
    return series.version() <= version ? series.newest().t : MarkedLocked(series, version);
  }
  // The same of a series that was appended to since `version`.
  model::TimestampMs MarkedLocked(const MemorySeries& series, std::uint64_t version) const
      AZX_REQUIRES_SHARED(mu_);
  MemorySeries* FindLocked(const model::Labels& labels) const AZX_REQUIRES_SHARED(mu_);
  AppendOutcome CheckLocked(const MemorySeries* series, const model::FPoint& point,
                            const model::FloatHistogram* histogram) const AZX_REQUIRES_SHARED(mu_);
  MemorySeries& GetOrCreateLocked(const model::Labels& labels) AZX_REQUIRES(mu_);
  SeriesTable& TableForLocked(std::span<const model::Symbol> names, model::Symbol metric)
      AZX_REQUIRES(mu_);
  void RemoveLocked(MemorySeries& series, SeriesTable& table) AZX_REQUIRES(mu_);
  void ClearLimboLocked() AZX_REQUIRES(mu_);
  void DropTableLocked(std::size_t i) AZX_REQUIRES(mu_);
  void ShrinkLocked() AZX_REQUIRES(mu_);
  void RemoveEmptyLocked() AZX_REQUIRES(mu_);
  std::size_t BytesLocked() const AZX_REQUIRES_SHARED(mu_);

  // Constant after construction.
  const MemoryStoreOptions options_;

  // Guarded by mu_.
  mutable base::SharedMutex mu_;
  model::SymbolTable symbols_ AZX_GUARDED_BY(mu_);
  std::vector<std::unique_ptr<SeriesTable>> tables_ AZX_GUARDED_BY(mu_);
  base::HashIndex table_index_ AZX_GUARDED_BY(mu_);        // by metric and names
  std::vector<MemorySeries*> series_ AZX_GUARDED_BY(mu_);  // by number; null: free
  std::vector<std::uint32_t> free_numbers_ AZX_GUARDED_BY(mu_);
  base::HashIndex series_index_ AZX_GUARDED_BY(mu_);  // by Labels::Hash()
  std::uint64_t version_ AZX_GUARDED_BY(mu_) = 0;     // of the latest commit
  std::multiset<std::uint64_t> readers_ AZX_GUARDED_BY(mu_);
  std::multiset<std::uint64_t> appenders_ AZX_GUARDED_BY(mu_);
  std::unordered_map<const MemorySeries*, std::vector<Mark>> marks_ AZX_GUARDED_BY(mu_);
  std::vector<Limbo> limbo_ AZX_GUARDED_BY(mu_);
  std::optional<model::TimestampMs> newest_ AZX_GUARDED_BY(mu_);
  // Nothing older is taken in.
  model::TimestampMs oldest_kept_ AZX_GUARDED_BY(mu_) = kNoPoint;
  RetentionOf retention_of_ AZX_GUARDED_BY(mu_);
  std::int64_t longest_retention_ms_ AZX_GUARDED_BY(mu_);
  bool full_ AZX_GUARDED_BY(mu_) = false;
};

}  // namespace azexporter::storage
