#include "azexporter/storage/memory_store.h"

#include <algorithm>
#include <bit>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "azexporter/base/mutex.h"
#include "memory_series.h"

namespace azexporter::storage {
namespace {

using base::Result;

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>()(text);
  }
};
template <class T>
using StringMap = std::unordered_map<std::string, T, StringHash, std::equal_to<>>;

// In order of id.
using Postings = std::vector<MemorySeries*>;

bool SameValue(double a, double b) {
  return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b);
}

AppendOutcome Follow(const model::FPoint& newest, const model::FPoint& next) {
  if (next.t > newest.t) return AppendOutcome::kAppended;
  if (next.t < newest.t) return AppendOutcome::kOutOfOrder;
  return SameValue(next.f, newest.f) ? AppendOutcome::kAppended : AppendOutcome::kDuplicate;
}

// `decided`: the matcher that is known to match; may be null.
bool MatchesAll(const model::Labels& labels, std::span<const model::Matcher> matchers,
                const model::Matcher* decided) {
  return std::ranges::all_of(matchers, [&](const model::Matcher& matcher) {
    return &matcher == decided || matcher.Matches(labels);
  });
}

class SeriesView final : public Series {
 public:
  SeriesView(const model::Labels& labels, PointView points)
      : labels_(labels), points_(std::move(points)) {}

  const model::Labels& labels() const override { return labels_; }
  void Read(model::TimestampMs min_t, model::TimestampMs max_t,
            std::vector<model::FPoint>& out) const override {
    for (std::size_t i = points_.LowerBound(min_t); i < points_.size(); ++i) {
      if (points_[i].t > max_t) return;
      out.push_back(points_[i]);
    }
  }
  std::optional<model::FPoint> Latest(model::TimestampMs min_t,
                                      model::TimestampMs max_t) const override {
    // Most questions are about now.
    if (points_.newest().t <= max_t) return InRange(points_.newest(), min_t);
    const std::size_t end = points_.UpperBound(max_t);
    return end == 0 ? std::nullopt : InRange(points_[end - 1], min_t);
  }

 private:
  static std::optional<model::FPoint> InRange(const model::FPoint& point,
                                              model::TimestampMs min_t) {
    return point.t < min_t ? std::nullopt : std::optional(point);
  }

  model::Labels labels_;
  PointView points_;  // not empty
};

}  // namespace

class MemoryStore::Impl {
 public:
  explicit Impl(MemoryStoreOptions options) : options_(options) {}

  // --- readers
  std::uint64_t BeginRead();
  void EndRead(std::uint64_t version);
  // Calls `visit(labels, points)` for each series that matches and has points in the time range.
  template <class Visit>
  void ForEach(std::span<const model::Matcher> matchers, std::uint64_t version,
               model::TimestampMs min_t, model::TimestampMs max_t, Visit visit) {
    const base::MutexLock lock(mu_);
    ForEachLocked(matchers, version, min_t, max_t, visit);
  }

  // --- writers
  std::optional<model::FPoint> Newest(const model::Labels& labels) const;
  Result<void> Commit(const std::vector<model::Sample>& samples);
  void Truncate(model::TimestampMs now);

  std::size_t series_count() const;
  std::optional<model::TimestampMs> newest() const;

 private:
  template <class Visit>
  void ForEachLocked(std::span<const model::Matcher> matchers, std::uint64_t version,
                     model::TimestampMs min_t, model::TimestampMs max_t, Visit visit)
      AZX_REQUIRES(mu_);
  struct Candidates {
    Postings series;
    const model::Matcher* decided = nullptr;  // matches all of them
  };
  // Series among which all that match are; the postings of the most selective matcher.
  Candidates CandidatesLocked(std::span<const model::Matcher> matchers) const AZX_REQUIRES(mu_);
  const Postings* FindLocked(const model::Matcher& matcher) const AZX_REQUIRES(mu_);
  Postings UnionLocked(const model::Matcher& matcher) const AZX_REQUIRES(mu_);
  MemorySeries& GetOrCreateLocked(const model::Labels& labels) AZX_REQUIRES(mu_);
  void RemoveLocked(const std::unordered_set<const MemorySeries*>& gone) AZX_REQUIRES(mu_);

  // Constant after construction.
  const MemoryStoreOptions options_;

  // Guarded by mu_.
  mutable base::Mutex mu_;
  std::unordered_map<model::Labels, std::unique_ptr<MemorySeries>, model::LabelsHash> series_
      AZX_GUARDED_BY(mu_);
  StringMap<StringMap<Postings>> postings_ AZX_GUARDED_BY(mu_);  // name -> value -> series
  std::uint64_t next_id_ AZX_GUARDED_BY(mu_) = 0;
  std::uint64_t version_ AZX_GUARDED_BY(mu_) = 0;  // of the latest commit
  std::multiset<std::uint64_t> readers_ AZX_GUARDED_BY(mu_);
  std::optional<model::TimestampMs> newest_ AZX_GUARDED_BY(mu_);
};

std::uint64_t MemoryStore::Impl::BeginRead() {
  const base::MutexLock lock(mu_);
  readers_.insert(version_);
  return version_;
}

void MemoryStore::Impl::EndRead(std::uint64_t version) {
  const base::MutexLock lock(mu_);
  readers_.erase(readers_.find(version));
}

template <class Visit>
void MemoryStore::Impl::ForEachLocked(std::span<const model::Matcher> matchers,
                                      std::uint64_t version, model::TimestampMs min_t,
                                      model::TimestampMs max_t, Visit visit) {
  const Candidates candidates = CandidatesLocked(matchers);
  for (const MemorySeries* series : candidates.series) {
    if (series->empty() || series->newest().t < min_t || series->oldest_t() > max_t) continue;
    if (!MatchesAll(series->labels(), matchers, candidates.decided)) continue;
    PointView points = series->ViewAt(version);
    if (points.size() == 0) continue;
    visit(series->labels(), std::move(points));
  }
}

const Postings* MemoryStore::Impl::FindLocked(const model::Matcher& matcher) const {
  static const Postings kNone;
  const auto name = postings_.find(matcher.name());
  if (name == postings_.end()) return &kNone;
  const auto value = name->second.find(matcher.value());
  return value == name->second.end() ? &kNone : &value->second;
}

Postings MemoryStore::Impl::UnionLocked(const model::Matcher& matcher) const {
  Postings all;
  const auto name = postings_.find(matcher.name());
  if (name == postings_.end()) return all;
  for (const auto& [value, series] : name->second) {
    if (matcher.Matches(value)) all.insert(all.end(), series.begin(), series.end());
  }
  std::ranges::sort(all, {}, &MemorySeries::id);
  return all;
}

MemoryStore::Impl::Candidates MemoryStore::Impl::CandidatesLocked(
    std::span<const model::Matcher> matchers) const {
  const Postings* smallest = nullptr;
  const model::Matcher* decided = nullptr;
  for (const model::Matcher& matcher : matchers) {
    if (matcher.type() != model::MatchType::kEqual || matcher.value().empty()) continue;
    const Postings* found = FindLocked(matcher);
    if (smallest != nullptr && found->size() >= smallest->size()) continue;
    smallest = found;
    decided = &matcher;
  }
  if (smallest != nullptr) return {*smallest, decided};
  for (const model::Matcher& matcher : matchers) {
    // One that accepts "" accepts series without the label too, which no posting knows.
    if (!matcher.Matches("")) return {UnionLocked(matcher), &matcher};
  }
  Postings all;
  all.reserve(series_.size());
  for (const auto& [labels, series] : series_) all.push_back(series.get());
  std::ranges::sort(all, {}, &MemorySeries::id);
  return {std::move(all)};
}

std::optional<model::FPoint> MemoryStore::Impl::Newest(const model::Labels& labels) const {
  const base::MutexLock lock(mu_);
  const auto found = series_.find(labels);
  if (found == series_.end() || found->second->empty()) return std::nullopt;
  return found->second->newest();
}

MemorySeries& MemoryStore::Impl::GetOrCreateLocked(const model::Labels& labels) {
  const auto found = series_.find(labels);
  if (found != series_.end()) return *found->second;
  auto created = std::make_unique<MemorySeries>(next_id_++, labels);
  MemorySeries& series = *created;
  for (const model::Label label : labels) {
    auto& values = postings_.try_emplace(std::string(label.name)).first->second;
    values.try_emplace(std::string(label.value)).first->second.push_back(&series);
  }
  series_.emplace(labels, std::move(created));
  return series;
}

Result<void> MemoryStore::Impl::Commit(const std::vector<model::Sample>& samples) {
  const base::MutexLock lock(mu_);
  std::vector<MemorySeries*> targets(samples.size());  // null: not there yet
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const model::Sample& sample = samples[i];
    const auto found = series_.find(sample.labels);
    if (found == series_.end()) continue;
    targets[i] = found->second.get();
    if (targets[i]->empty()) continue;
    const AppendOutcome outcome = Follow(targets[i]->newest(), {sample.t, sample.f});
    AZX_RETURN_IF_ERROR(AsResult(outcome, sample.labels, sample.t));
  }
  ++version_;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const model::Sample& sample = samples[i];
    MemorySeries& series = targets[i] != nullptr ? *targets[i] : GetOrCreateLocked(sample.labels);
    if (!series.empty() && series.newest().t == sample.t) continue;
    series.Append({sample.t, sample.f}, version_, !readers_.empty());
    if (!newest_ || *newest_ < sample.t) newest_ = sample.t;
  }
  return {};
}

void MemoryStore::Impl::Truncate(model::TimestampMs now) {
  if (options_.retention_ms == 0) return;
  const base::MutexLock lock(mu_);
  std::unordered_set<const MemorySeries*> gone;
  for (const auto& [labels, series] : series_) {
    series->DropBefore(now - options_.retention_ms);
    if (series->empty()) gone.insert(series.get());
  }
  if (!gone.empty()) RemoveLocked(gone);
}

void MemoryStore::Impl::RemoveLocked(const std::unordered_set<const MemorySeries*>& gone) {
  for (auto name = postings_.begin(); name != postings_.end();) {
    StringMap<Postings>& values = name->second;
    for (auto value = values.begin(); value != values.end();) {
      std::erase_if(value->second,
                    [&](const MemorySeries* series) { return gone.contains(series); });
      value = value->second.empty() ? values.erase(value) : std::next(value);
    }
    name = values.empty() ? postings_.erase(name) : std::next(name);
  }
  std::erase_if(series_, [&](const auto& entry) { return gone.contains(entry.second.get()); });
}

std::size_t MemoryStore::Impl::series_count() const {
  const base::MutexLock lock(mu_);
  return series_.size();
}

std::optional<model::TimestampMs> MemoryStore::Impl::newest() const {
  const base::MutexLock lock(mu_);
  return newest_;
}

class MemoryStore::MemoryQuerier final : public Querier {
 public:
  MemoryQuerier(Impl& store, model::TimestampMs min_t, model::TimestampMs max_t)
      : store_(store), version_(store.BeginRead()), min_t_(min_t), max_t_(max_t) {}
  ~MemoryQuerier() override { store_.EndRead(version_); }

  Result<SeriesSet> Select(std::span<const model::Matcher> matchers) override {
    std::vector<SeriesView>& views = selected_.emplace_back();
    store_.ForEach(matchers, version_, min_t_, max_t_,
                   [&](const model::Labels& labels, PointView points) {
                     views.emplace_back(labels, std::move(points));
                   });
    SeriesSet set;
    set.reserve(views.size());
    for (const SeriesView& view : views) set.push_back(&view);
    return set;
  }

  Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers) override {
    return Sorted(matchers, [](const model::Labels& labels, auto add) {
      for (const model::Label label : labels) add(label.name);
    });
  }

  Result<std::vector<std::string>> LabelValues(const std::string& name,
                                               std::span<const model::Matcher> matchers) override {
    return Sorted(matchers, [&](const model::Labels& labels, auto add) {
      const std::string_view value = labels.Get(name);
      if (!value.empty()) add(value);
    });
  }

 private:
  template <class Pick>
  std::vector<std::string> Sorted(std::span<const model::Matcher> matchers, Pick pick) {
    std::set<std::string, std::less<>> texts;
    const auto add = [&](std::string_view text) {
      if (!texts.contains(text)) texts.emplace(text);
    };
    store_.ForEach(matchers, version_, min_t_, max_t_,
                   [&](const model::Labels& labels, const PointView&) { pick(labels, add); });
    return {texts.begin(), texts.end()};
  }

  Impl& store_;
  const std::uint64_t version_;
  const model::TimestampMs min_t_;
  const model::TimestampMs max_t_;
  std::vector<std::vector<SeriesView>> selected_;  // inner vectors never move their elements
};

class MemoryStore::MemoryAppender final : public Appender {
 public:
  explicit MemoryAppender(Impl& store) : store_(store) {}

  AppendOutcome Append(const model::Labels& labels, model::TimestampMs t, double value) override {
    const model::FPoint point{t, value};
    const auto pending = newest_.find(labels);
    std::optional<model::FPoint> before;
    if (pending != newest_.end()) {
      before = pending->second;
    } else {
      before = store_.Newest(labels);
    }
    if (before) {
      const AppendOutcome outcome = Follow(*before, point);
      if (outcome != AppendOutcome::kAppended || before->t == t) return outcome;
    }
    newest_[labels] = point;
    samples_.push_back({labels, t, value});
    return AppendOutcome::kAppended;
  }

  Result<void> Commit() override {
    newest_.clear();
    return store_.Commit(std::exchange(samples_, {}));
  }

 private:
  Impl& store_;
  std::vector<model::Sample> samples_;
  // Of the series in this batch.
  std::unordered_map<model::Labels, model::FPoint, model::LabelsHash> newest_;
};

MemoryStore::MemoryStore(MemoryStoreOptions options) : impl_(std::make_unique<Impl>(options)) {}
MemoryStore::~MemoryStore() = default;

Result<std::unique_ptr<Querier>> MemoryStore::NewQuerier(model::TimestampMs min_t,
                                                         model::TimestampMs max_t) const {
  return std::make_unique<MemoryQuerier>(*impl_, min_t, max_t);
}

std::unique_ptr<Appender> MemoryStore::NewAppender() {
  return std::make_unique<MemoryAppender>(*impl_);
}

void MemoryStore::Truncate(model::TimestampMs now) { impl_->Truncate(now); }
std::size_t MemoryStore::series_count() const { return impl_->series_count(); }
std::optional<model::TimestampMs> MemoryStore::newest() const { return impl_->newest(); }

}  // namespace azexporter::storage
