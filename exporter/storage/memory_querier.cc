// The readers' side of the store.

#include <algorithm>
#include <functional>

#include "azexporter/model/symbol_map.h"
#include "memory_store_impl.h"

namespace azexporter::storage {
namespace {

using base::Result;

// A matcher held against the symbols of one column: each text is looked at once.
class SymbolMatcher {
 public:
  explicit SymbolMatcher(const model::Matcher& matcher) : matcher_(matcher) {}

  bool Matches(model::Symbol value) {
    const std::uint32_t seen = answers_.Find(value);
    if (seen != model::SymbolMap::kNone) return seen == 1;
    return answers_.FindOrInsert(value, matcher_.Matches(value.text()) ? 1 : 0) == 1;
  }

 private:
  const model::Matcher& matcher_;
  model::SymbolMap answers_;  // 1: matches
};

// What the rows of one table are asked: equality costs a comparison of pointers, all else the
// memory of a SymbolMatcher.
class RowFilter {
 public:
  explicit RowFilter(std::span<const model::Matcher> matchers) : matchers_(matchers) {
    for (const model::Matcher& matcher : matchers) tests_.emplace_back(matcher);
  }

  // False: no row of the table matches.
  bool Begin(const SeriesTable& table, const model::SymbolTable& symbols) {
    equal_.clear();
    tested_.clear();
    for (std::size_t i = 0; i < matchers_.size(); ++i) {
      const model::Matcher& matcher = matchers_[i];
      if (matcher.name() == model::kMetricName) {  // the same for all rows
        if (!matcher.Matches(table.metric().text())) return false;
        continue;
      }
      const std::uint32_t place = table.shape().PlaceOf(matcher.name());
      if (place == model::Shape::kNowhere) {
        if (!matcher.Matches("")) return false;
        continue;
      }
      if (matcher.type() != model::MatchType::kEqual) {
        tested_.push_back({place, &tests_[i]});
        continue;
      }
      const model::Symbol value = symbols.Find(matcher.value());
      if (!value) return false;
      equal_.push_back({place, value});
    }
    return true;
  }

  // Every row of that table matches.
  bool takes_all() const { return equal_.empty() && tested_.empty(); }
  // The rows of that table among which all are that match, each once, where they are few.
  std::optional<std::vector<const MemorySeries*>> RowsOf(const SeriesTable& table) const {
    for (const Equal& equal : equal_) {
      auto rows = table.RowsWith(equal.place, equal.value);
      if (!rows) continue;
      std::ranges::sort(*rows);
      rows->erase(std::unique(rows->begin(), rows->end()), rows->end());
      return rows;
    }
    return std::nullopt;
  }

  bool Matches(const model::Symbol* values) {
    for (const Equal& equal : equal_) {
      if (values[equal.place] != equal.value) return false;
    }
    return std::ranges::all_of(tested_, [&](const Tested& tested) {
      return tested.matcher->Matches(values[tested.place]);
    });
  }

 private:
  struct Equal {
    std::uint32_t place;
    model::Symbol value;
  };
  struct Tested {
    std::uint32_t place;
    SymbolMatcher* matcher;
  };
  const std::span<const model::Matcher> matchers_;
  std::vector<SymbolMatcher> tests_;  // one a matcher
  std::vector<Equal> equal_;
  std::vector<Tested> tested_;
};

}  // namespace

std::uint64_t MemoryStore::Impl::BeginRead() {
  const base::WriterLock lock(mu_);
  readers_.insert(version_);
  return version_;
}

void MemoryStore::Impl::EndRead(std::uint64_t version) {
  const base::WriterLock lock(mu_);
  readers_.erase(readers_.find(version));
}

model::TimestampMs MemoryStore::Impl::MarkedLocked(const MemorySeries& series,
                                                   std::uint64_t version) const {
  const auto marks = marks_.find(&series);
  if (marks == marks_.end()) return kNoPoint;
  const auto mark = std::ranges::upper_bound(marks->second, version, {}, &Mark::version);
  return mark == marks->second.end() ? series.newest().t : mark->newest_before;
}

bool MemoryStore::Impl::HasPointsLocked(const MemorySeries& series, const Search& search) const {
  const model::TimestampMs visible = VisibleLocked(series, search.version);
  if (visible < search.min_t || visible == kNoPoint) return false;
  return visible <= search.max_t || series.oldest_t() <= search.max_t;
}

std::vector<const MemorySeries*> MemoryStore::Impl::Select(const Search& search) const {
  std::vector<const MemorySeries*> found;
  RowFilter filter(search.matchers);
  const base::ReaderLock lock(mu_);
  for (const auto& table : tables_) {
    if (!filter.Begin(*table, symbols_)) continue;
    if (const auto few = filter.RowsOf(*table)) {
      for (const MemorySeries* row : *few) {
        const bool takes =
            row->alive() && HasPointsLocked(*row, search) && filter.Matches(row->labels().values());
        if (takes) found.push_back(row);
      }
      continue;
    }
    if (filter.takes_all()) found.reserve(found.size() + table->size());
    for (const MemorySeries& row : table->rows()) {
      const bool takes = HasPointsLocked(row, search) && filter.Matches(row.labels().values());
      if (takes) found.push_back(&row);
    }
  }
  return found;
}

void MemoryStore::Impl::ReadLatest(std::span<const MemorySeries* const> series,
                                   const Search& search, std::span<SeriesSet::Latest> out) const {
  const model::FPoint absent{search.max_t, model::StaleNaN()};
  const base::ReaderLock lock(mu_);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const MemorySeries& one = *series[i];
    out[i].labels = one.labels();
    const model::TimestampMs visible = VisibleLocked(one, search.version);
    if (visible == kNoPoint || visible < search.min_t) {
      out[i].point = absent;
    } else if (one.newest().t <= search.max_t && one.newest().t <= visible) {
      out[i].point = one.newest();
    } else {
      const auto point = one.Latest(std::min(visible, search.max_t));
      out[i].point = point && point->t >= search.min_t ? *point : absent;
    }
  }
}

bool MemoryStore::Impl::Read(const MemorySeries& series, const Search& search,
                             std::vector<model::FPoint>& out) const {
  const base::ReaderLock lock(mu_);
  const model::TimestampMs visible = VisibleLocked(series, search.version);
  if (visible != kNoPoint) series.Read(search.min_t, std::min(visible, search.max_t), out);
  return series.has_details();
}

void MemoryStore::Impl::ReadDetails(const MemorySeries& series, const Search& search,
                                    std::vector<DetailPoint>& out) const {
  const base::ReaderLock lock(mu_);
  const model::TimestampMs visible = VisibleLocked(series, search.version);
  if (visible != kNoPoint) series.ReadDetails(search.min_t, std::min(visible, search.max_t), out);
}

model::Symbol MemoryStore::Impl::AcquireSymbol(std::string_view text) {
  const base::WriterLock lock(mu_);
  return symbols_.Find(text) ? symbols_.Intern(text) : model::Symbol();
}

void MemoryStore::Impl::ReleaseSymbols(std::span<const model::Symbol> symbols) {
  const base::WriterLock lock(mu_);
  for (const model::Symbol symbol : symbols) symbols_.Release(symbol);
}

class MemoryStore::MemoryQuerier final : public Querier {
 public:
  MemoryQuerier(Impl& store, model::TimestampMs min_t, model::TimestampMs max_t)
      : store_(store), version_(store.BeginRead()), min_t_(min_t), max_t_(max_t) {}
  ~MemoryQuerier() override {
    store_.ReleaseSymbols(acquired_);
    store_.EndRead(version_);
  }

  Result<const SeriesSet*> Select(std::span<const model::Matcher> matchers) override {
    return sets_.emplace_back(std::make_unique<Set>(store_, Find(matchers), version_)).get();
  }

  // What the store has not got is the querier's own, once and for all: were the store to make one
  // of the same text, none of the series that this querier sees would have it.
  model::Symbol Intern(std::string_view text) override {
    const std::uint64_t hash = std::hash<std::string_view>()(text);
    const std::uint32_t known =
        interned_index_.Find(hash, [&](std::uint32_t i) { return interned_[i].text() == text; });
    if (known != base::HashIndex::kNone) return interned_[known];
    model::Symbol symbol = store_.AcquireSymbol(text);
    if (symbol) {
      acquired_.push_back(symbol);
    } else {
      symbol = own_symbols_.Intern(text);
    }
    interned_index_.Insert(hash, static_cast<std::uint32_t>(interned_.size()));
    interned_.push_back(symbol);
    return symbol;
  }

  Result<std::vector<std::string>> LabelNames(std::span<const model::Matcher> matchers) override {
    std::vector<const model::Shape*> shapes;  // of successive series, mostly the same
    for (const MemorySeries* series : Find(matchers)) {
      const model::Shape* const shape = &series->labels().shape();
      if (shapes.empty() || shapes.back() != shape) shapes.push_back(shape);
    }
    std::vector<std::string> names;
    for (const model::Shape* shape : shapes) {
      for (const auto& column : shape->columns()) names.emplace_back(column.name.text());
    }
    return SortedUnique(std::move(names));
  }

  Result<std::vector<std::string>> LabelValues(const std::string& name,
                                               std::span<const model::Matcher> matchers) override {
    std::vector<std::string> values;
    model::SymbolMap seen;
    for (const MemorySeries* series : Find(matchers)) {
      const model::LabelView& labels = series->labels();
      const std::uint32_t place = labels.shape().PlaceOf(name);
      if (place == model::Shape::kNowhere) continue;
      const model::Symbol value = labels.values()[place];
      const std::size_t before = seen.size();
      seen.FindOrInsert(value, 0);
      if (seen.size() > before) values.emplace_back(value.text());
    }
    return SortedUnique(std::move(values));
  }

 private:
  class Set final : public SeriesSet {
   public:
    Set(const Impl& store, std::vector<const MemorySeries*> series, std::uint64_t version)
        : store_(store), series_(std::move(series)), version_(version) {}

    std::size_t size() const override { return series_.size(); }
    model::LabelView labels(std::size_t i) const override { return series_[i]->labels(); }
    void ReadLatest(std::size_t first, model::TimestampMs min_t, model::TimestampMs max_t,
                    std::span<Latest> out) const override {
      store_.ReadLatest(std::span(series_).subspan(first, out.size()), {{}, version_, min_t, max_t},
                        out);
    }
    bool Read(std::size_t i, model::TimestampMs min_t, model::TimestampMs max_t,
              std::vector<model::FPoint>& out) const override {
      return store_.Read(*series_[i], {{}, version_, min_t, max_t}, out);
    }
    void ReadDetails(std::size_t i, model::TimestampMs min_t, model::TimestampMs max_t,
                     std::vector<DetailPoint>& out) const override {
      store_.ReadDetails(*series_[i], {{}, version_, min_t, max_t}, out);
    }

   private:
    const Impl& store_;
    const std::vector<const MemorySeries*> series_;
    const std::uint64_t version_;
  };

  std::vector<const MemorySeries*> Find(std::span<const model::Matcher> matchers) const {
    return store_.Select({matchers, version_, min_t_, max_t_});
  }

  static std::vector<std::string> SortedUnique(std::vector<std::string> texts) {
    std::ranges::sort(texts);
    texts.erase(std::unique(texts.begin(), texts.end()), texts.end());
    return texts;
  }

  Impl& store_;
  const std::uint64_t version_;
  const model::TimestampMs min_t_;
  const model::TimestampMs max_t_;
  std::vector<std::unique_ptr<Set>> sets_;
  std::vector<model::Symbol> interned_;
  base::HashIndex interned_index_;
  std::vector<model::Symbol> acquired_;  // those of interned_ that are the store's
  model::SymbolTable own_symbols_;       // holds the others
};

Result<std::unique_ptr<Querier>> MemoryStore::NewQuerier(model::TimestampMs min_t,
                                                         model::TimestampMs max_t) const {
  return std::make_unique<MemoryQuerier>(*impl_, min_t, max_t);
}

}  // namespace azexporter::storage
