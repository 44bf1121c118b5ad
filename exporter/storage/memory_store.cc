// The writers' side of the store. For readers see memory_querier.cc.

#include "azexporter/storage/memory_store.h"

#include <algorithm>
#include <bit>
#include <limits>

#include "memory_store_impl.h"

namespace azexporter::storage {
namespace {

using base::Result;

// No time of a sample lies further from 1970, so that times can be subtracted without care.
constexpr model::TimestampMs kFarthest = std::int64_t{1} << 60;

bool SameValue(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

bool SameLabels(const model::LabelView& view, const model::Labels& labels) {
  if (view.size() != labels.size()) return false;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const model::Label label = labels[i];
    if (view.value(i).text() != label.value || view.name(i).text() != label.name) return false;
  }
  return true;
}

std::uint64_t TableHash(std::span<const model::Symbol> names, model::Symbol metric) {
  std::uint64_t hash = metric.IdentityHash();
  for (const model::Symbol name : names) hash = base::MixHash(hash, name.IdentityHash());
  return hash;
}

bool SameNames(const model::Shape& shape, std::span<const model::Symbol> names) {
  return std::ranges::equal(shape.columns(), names, {}, &model::Shape::Column::name);
}

}  // namespace

AppendOutcome Follow(const model::FPoint& newest, const model::FloatHistogram* newest_histogram,
                     const model::FPoint& next, const model::FloatHistogram* next_histogram) {
  if (next.t > newest.t) return AppendOutcome::kAppended;
  if (next.t < newest.t) return AppendOutcome::kOutOfOrder;
  const bool same = next_histogram == nullptr || newest_histogram == nullptr
                        ? SameValue(next.f, newest.f)
                        : next_histogram->Equals(*newest_histogram);
  return same ? AppendOutcome::kAppended : AppendOutcome::kDuplicate;
}

MemorySeries* MemoryStore::Impl::FindLocked(const model::Labels& labels) const {
  const std::span<MemorySeries* const> all(series_);
  const std::uint32_t number = series_index_.Find(
      labels.Hash(), [&](std::uint32_t i) { return SameLabels(all[i]->labels(), labels); });
  return number == base::HashIndex::kNone ? nullptr : all[number];
}

AppendOutcome MemoryStore::Impl::CheckLocked(const MemorySeries* series, const model::FPoint& point,
                                             const model::FloatHistogram* histogram) const {
  if (point.t < oldest_kept_ || point.t < -kFarthest || point.t > kFarthest) {
    return AppendOutcome::kTooOld;
  }
  if (series == nullptr) return full_ ? AppendOutcome::kFull : AppendOutcome::kAppended;
  if (series->empty()) return AppendOutcome::kAppended;
  return Follow(series->newest(), histogram == nullptr ? nullptr : series->newest_histogram(),
                point, histogram);
}

MemoryStore::Impl::Lookup MemoryStore::Impl::Find(const model::Labels& labels,
                                                  const model::FPoint& point,
                                                  const model::FloatHistogram* histogram) const {
  const base::ReaderLock lock(mu_);
  MemorySeries* const series = FindLocked(labels);
  return {CheckLocked(series, point, histogram), series};
}

SeriesTable& MemoryStore::Impl::TableForLocked(std::span<const model::Symbol> names,
                                               model::Symbol metric) {
  const std::uint64_t hash = TableHash(names, metric);
  const std::span<const std::unique_ptr<SeriesTable>> all(tables_);
  const std::uint32_t found = table_index_.Find(hash, [&](std::uint32_t i) {
    return all[i]->metric() == metric && SameNames(all[i]->shape(), names);
  });
  if (found != base::HashIndex::kNone) return *tables_[found];
  // The table's own references to its symbols.
  for (const model::Symbol name : names) symbols_.Intern(name.text());
  if (metric) symbols_.Intern(metric.text());
  table_index_.Insert(hash, static_cast<std::uint32_t>(tables_.size()));
  return *tables_.emplace_back(std::make_unique<SeriesTable>(names, metric));
}

MemorySeries& MemoryStore::Impl::GetOrCreateLocked(const model::Labels& labels) {
  if (MemorySeries* const found = FindLocked(labels)) return *found;
  std::vector<model::Symbol> names;
  std::vector<model::Symbol> values;
  model::Symbol metric;
  for (const model::Label label : labels) {
    names.push_back(symbols_.Intern(label.name));
    values.push_back(symbols_.Intern(label.value));
    if (label.name == model::kMetricName) metric = values.back();
  }
  SeriesTable& table = TableForLocked(names, metric);
  for (const model::Symbol name : names) symbols_.Release(name);  // the table has its own

  std::uint32_t number = 0;
  if (free_numbers_.empty()) {
    number = static_cast<std::uint32_t>(series_.size());
    series_.push_back(nullptr);
  } else {
    number = free_numbers_.back();
    free_numbers_.pop_back();
  }
  MemorySeries& series = table.Add(values, labels.Hash(), number);
  series.set_retention_ms(retention_of_ ? retention_of_(labels) : options_.retention_ms);
  series_[number] = &series;
  series_index_.Insert(labels.Hash(), number);
  return series;
}

std::uint64_t MemoryStore::Impl::BeginAppend() {
  const base::WriterLock lock(mu_);
  appenders_.insert(version_);
  return version_;
}

void MemoryStore::Impl::EndAppend(std::uint64_t version) {
  const base::WriterLock lock(mu_);
  appenders_.erase(appenders_.find(version));
}

LeftOut MemoryStore::Impl::Commit(const std::vector<PendingSample>& samples,
                                  std::vector<PendingDetail> details) {
  LeftOut left_out;
  const base::WriterLock lock(mu_);
  const bool has_readers = !readers_.empty();
  // Who has seen the latest commit needs no mark of any so far.
  if (!has_readers || *readers_.begin() >= version_) marks_.clear();
  ++version_;
  auto next_detail = details.begin();
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const PendingSample& sample = samples[i];
    SampleDetail* detail = nullptr;
    if (next_detail != details.end() && next_detail->sample == i) detail = &next_detail++->detail;
    const bool known = sample.series != nullptr && sample.series->alive();
    MemorySeries& series = known ? *sample.series : GetOrCreateLocked(sample.labels);
    const AppendOutcome outcome =
        CheckLocked(&series, sample.point, detail == nullptr ? nullptr : detail->histogram.get());
    if (outcome != AppendOutcome::kAppended) {
      if (left_out.count++ > 0) continue;
      left_out.first = AsResult(outcome, sample.labels, sample.point.t).error().message();
      continue;
    }
    const model::TimestampMs before = series.empty() ? kNoPoint : series.newest().t;
    if (before == sample.point.t) continue;
    if (has_readers && series.version() != version_) {
      marks_[&series].push_back({version_, before});
    }
    if (detail == nullptr) {
      series.Append(sample.point, version_);
    } else {
      series.Append(sample.point.t, sample.point.f, std::move(*detail), version_);
    }
    if (!newest_ || *newest_ < sample.point.t) newest_ = sample.point.t;
  }
  return left_out;
}

// --- expiry --------------------------------------------------------------------------------------

void MemoryStore::Impl::SetRetention(RetentionOf retention_of, std::int64_t longest_ms) {
  const base::WriterLock lock(mu_);
  longest_retention_ms_ = longest_ms;
  retention_of_ = std::move(retention_of);
  for (const auto& table : tables_) {
    for (MemorySeries& series : table->rows()) {
      series.set_retention_ms(retention_of_ ? retention_of_(series.labels().ToLabels())
                                            : options_.retention_ms);
    }
  }
}

void MemoryStore::Impl::Truncate(model::TimestampMs now) {
  const base::WriterLock lock(mu_);
  oldest_kept_ = longest_retention_ms_ > 0 ? now - longest_retention_ms_ : kNoPoint;
  for (const auto& table : tables_) {
    for (MemorySeries& series : table->rows()) {
      if (series.retention_ms() > 0) series.DropBefore(now - series.retention_ms());
    }
  }
  ShrinkLocked();
  RemoveEmptyLocked();
  ClearLimboLocked();
}

// Lets go of the oldest sealed chunks until the store is within its bound.
void MemoryStore::Impl::ShrinkLocked() {
  if (options_.max_bytes == 0) return;
  const std::size_t bytes = BytesLocked();
  full_ = bytes > options_.max_bytes;
  if (!full_) return;
  std::vector<std::pair<model::TimestampMs, std::size_t>> chunks;  // end, bytes
  for (const auto& table : tables_) {
    for (const MemorySeries& series : table->rows()) series.AddSealed(chunks);
  }
  std::ranges::sort(chunks);
  std::size_t freed = 0;
  model::TimestampMs end = kNoPoint;
  for (const auto& [chunk_end, chunk_bytes] : chunks) {
    if (bytes - freed <= options_.max_bytes) break;
    freed += chunk_bytes;
    end = chunk_end;
  }
  if (end != kNoPoint) {
    for (const auto& table : tables_) {
      for (MemorySeries& series : table->rows()) series.DropSealedUntil(end);
    }
  }
  full_ = bytes - freed > options_.max_bytes;
}

void MemoryStore::Impl::RemoveEmptyLocked() {
  ++version_;  // readers that begin from here on cannot hold what goes
  for (const auto& table : tables_) {
    for (MemorySeries& series : table->rows()) {
      if (series.empty()) RemoveLocked(series, *table);
    }
  }
}

void MemoryStore::Impl::RemoveLocked(MemorySeries& series, SeriesTable& table) {
  series_index_.Erase(series.hash(), [&](std::uint32_t i) { return i == series.number(); });
  series_[series.number()] = nullptr;
  free_numbers_.push_back(series.number());
  table.Remove(series);
  limbo_.push_back({&series, &table, version_});
}

void MemoryStore::Impl::ClearLimboLocked() {
  std::uint64_t oldest = version_;
  if (!readers_.empty()) oldest = std::min(oldest, *readers_.begin());
  if (!appenders_.empty()) oldest = std::min(oldest, *appenders_.begin());
  std::size_t kept = 0;
  for (const Limbo& gone : limbo_) {
    if (gone.version > oldest) {
      limbo_[kept++] = gone;
      continue;
    }
    const model::LabelView& labels = gone.series->labels();
    for (std::size_t i = 0; i < labels.size(); ++i) symbols_.Release(labels.value(i));
    gone.table->Reuse(*gone.series);
  }
  limbo_.resize(kept);
  for (std::size_t i = tables_.size(); i-- > 0;) {
    if (tables_[i]->unused()) DropTableLocked(i);
  }
}

void MemoryStore::Impl::DropTableLocked(std::size_t i) {
  const auto hash_of = [](const SeriesTable& table) {
    std::vector<model::Symbol> names;
    for (const auto& column : table.shape().columns()) names.push_back(column.name);
    return TableHash(names, table.metric());
  };
  const auto is = [](std::size_t number) {
    return [number](std::uint32_t other) { return other == number; };
  };
  const std::size_t last = tables_.size() - 1;
  table_index_.Erase(hash_of(*tables_[i]), is(i));
  if (i != last) {
    table_index_.Erase(hash_of(*tables_[last]), is(last));
    table_index_.Insert(hash_of(*tables_[last]), static_cast<std::uint32_t>(i));
    std::swap(tables_[i], tables_[last]);
  }
  for (const auto& column : tables_[last]->shape().columns()) symbols_.Release(column.name);
  if (tables_[last]->metric()) symbols_.Release(tables_[last]->metric());
  tables_.pop_back();
}

// --- what is there -------------------------------------------------------------------------------

std::size_t MemoryStore::Impl::BytesLocked() const {
  std::size_t bytes = symbols_.bytes() + series_index_.bytes() + table_index_.bytes() +
                      series_.capacity() * sizeof(MemorySeries*);
  for (const auto& table : tables_) {
    bytes += table->bytes();
    for (const MemorySeries& series : table->rows()) bytes += series.heap_bytes();
  }
  for (const auto& [series, marks] : marks_) bytes += 64 + marks.capacity() * sizeof(Mark);
  return bytes;
}

MemoryStoreStats MemoryStore::Impl::stats() const {
  const base::ReaderLock lock(mu_);
  MemoryStoreStats stats{.series = series_index_.size(),
                         .symbols = symbols_.size(),
                         .bytes = BytesLocked(),
                         .max_t = newest_};
  for (const auto& table : tables_) {
    for (const MemorySeries& series : table->rows()) {
      stats.chunks += series.chunk_count();
      if (series.empty()) continue;
      stats.min_t = std::min(stats.min_t.value_or(series.oldest_t()), series.oldest_t());
    }
  }
  return stats;
}

std::size_t MemoryStore::Impl::series_count() const {
  const base::ReaderLock lock(mu_);
  return series_index_.size();
}

std::optional<model::TimestampMs> MemoryStore::Impl::newest() const {
  const base::ReaderLock lock(mu_);
  return newest_;
}

// --- the face ------------------------------------------------------------------------------------

class MemoryStore::MemoryAppender final : public Appender {
 public:
  explicit MemoryAppender(Impl& store) : store_(store), version_(store.BeginAppend()) {}
  ~MemoryAppender() override { store_.EndAppend(version_); }

  AppendOutcome Append(const model::Labels& labels, model::TimestampMs t, double value) override {
    // From outside that is a NaN like any other.
    if (model::IsHistogramNaN(value)) value = std::numeric_limits<double>::quiet_NaN();
    return Put(labels, {t, value}, nullptr);
  }

  AppendOutcome AppendDetailed(const model::Labels& labels, model::TimestampMs t, double value,
                               SampleDetail detail) override {
    if (detail.histogram == nullptr && detail.start_t == 0) return Append(labels, t, value);
    const std::size_t before = samples_.size();
    if (detail.histogram != nullptr) value = model::HistogramNaN();
    const AppendOutcome outcome = Put(labels, {t, value}, detail.histogram.get());
    if (samples_.size() > before) details_.push_back({before, std::move(detail)});
    return outcome;
  }

  Result<LeftOut> Commit() override {
    return store_.Commit(std::exchange(samples_, {}), std::exchange(details_, {}));
  }

 private:
  AppendOutcome Put(const model::Labels& labels, const model::FPoint& point,
                    const model::FloatHistogram* histogram) {
    if (!samples_.empty() && samples_.back().labels == labels) {
      const PendingSample& last = samples_.back();
      const AppendOutcome outcome = Follow(last.point, LastHistogram(), point, histogram);
      if (outcome == AppendOutcome::kAppended && point.t != last.point.t) {
        samples_.push_back({last.series, labels, point});
      }
      return outcome;
    }
    const Impl::Lookup found = store_.Find(labels, point, histogram);
    if (found.outcome == AppendOutcome::kAppended) {
      samples_.push_back({found.series, labels, point});
    }
    return found.outcome;
  }

  // Of the sample appended last.
  const model::FloatHistogram* LastHistogram() const {
    if (details_.empty() || details_.back().sample + 1 != samples_.size()) return nullptr;
    return details_.back().detail.histogram.get();
  }

  Impl& store_;
  const std::uint64_t version_;  // keeps the series that samples_ point at
  std::vector<PendingSample> samples_;
  std::vector<PendingDetail> details_;
};

MemoryStore::MemoryStore(MemoryStoreOptions options) : impl_(std::make_unique<Impl>(options)) {}
MemoryStore::~MemoryStore() = default;

std::unique_ptr<Appender> MemoryStore::NewAppender() {
  return std::make_unique<MemoryAppender>(*impl_);
}

void MemoryStore::SetRetention(RetentionOf retention_of, std::int64_t longest_ms) {
  impl_->SetRetention(std::move(retention_of), longest_ms);
}
void MemoryStore::Truncate(model::TimestampMs now) { impl_->Truncate(now); }
std::size_t MemoryStore::series_count() const { return impl_->series_count(); }
std::optional<model::TimestampMs> MemoryStore::newest() const { return impl_->newest(); }
MemoryStoreStats MemoryStore::stats() const { return impl_->stats(); }

}  // namespace azexporter::storage
