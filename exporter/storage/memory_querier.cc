// The readers' side of the store.

#include <algorithm>
#include <functional>

#include "memory_store_impl.h"

namespace azexporter::storage {
namespace {

using base::Result;

// A matcher held against the symbols of one column: each text is looked at once.
class SymbolMatcher {
 public:
  explicit SymbolMatcher(const model::Matcher& matcher) : matcher_(matcher) {}

  bool Matches(model::Symbol value) {
    const std::uint64_t hash = base::MixHash(0, value.IdentityHash());
    const std::uint32_t seen =
        seen_.Find(hash, [&](std::uint32_t i) { return answers_[i].value == value; });
    if (seen != base::HashIndex::kNone) return answers_[seen].matches;
    seen_.Insert(hash, static_cast<std::uint32_t>(answers_.size()));
    answers_.push_back({value, matcher_.Matches(value.text())});
    return answers_.back().matches;
  }

 private:
  struct Answer {
    model::Symbol value;
    bool matches;
  };
  const model::Matcher& matcher_;
  base::HashIndex seen_;
  std::vector<Answer> answers_;
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

MemoryStore::Impl::Found MemoryStore::Impl::Select(const Search& search) const {
  Found found;
  RowFilter filter(search.matchers);
  const base::ReaderLock lock(mu_);
  for (const auto& table : tables_) {
    if (!filter.Begin(*table, symbols_)) continue;
    if (const auto few = filter.RowsOf(*table)) {
      for (const MemorySeries* row : *few) {
        const bool matches = row->alive() && filter.Matches(row->labels().values());
        if (matches) AddFoundLocked(*row, search, found);
      }
    } else {
      for (const MemorySeries& row : table->rows()) {
        if (filter.Matches(row.labels().values())) AddFoundLocked(row, search, found);
      }
    }
  }
  return found;
}

void MemoryStore::Impl::AddFoundLocked(const MemorySeries& series, const Search& search,
                                       Found& found) const {
  const model::TimestampMs visible = VisibleLocked(series, search.version);
  if (visible < search.min_t || visible == kNoPoint) return;
  if (visible > search.max_t && series.oldest_t() > search.max_t) return;
  found.series.push_back(&series);
  found.labels.push_back(series.labels());
  found.newest.push_back(visible == series.newest().t ? series.newest() : *series.Latest(visible));
}

void MemoryStore::Impl::Latest(std::span<const MemorySeries* const> series, const Search& search,
                               std::span<model::FPoint> out) const {
  const base::ReaderLock lock(mu_);
  for (std::size_t i = 0; i < series.size(); ++i) {
    const model::TimestampMs visible = VisibleLocked(*series[i], search.version);
    std::optional<model::FPoint> point;
    if (visible != kNoPoint && visible >= search.min_t) {
      point = series[i]->Latest(std::min(visible, search.max_t));
    }
    const bool in_range = point && point->t >= search.min_t;
    out[i] = in_range ? *point : model::FPoint{search.max_t, model::StaleNaN()};
  }
}

void MemoryStore::Impl::Read(const MemorySeries& series, const Search& search,
                             std::vector<model::FPoint>& out) const {
  const base::ReaderLock lock(mu_);
  const model::TimestampMs visible = VisibleLocked(series, search.version);
  if (visible != kNoPoint) series.Read(search.min_t, std::min(visible, search.max_t), out);
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
    for (const model::LabelView& labels : Find(matchers).labels) {
      const model::Shape* const shape = &labels.shape();
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
    base::HashIndex seen;
    std::vector<model::Symbol> symbols;
    for (const model::LabelView& labels : Find(matchers).labels) {
      const std::uint32_t place = labels.shape().PlaceOf(name);
      if (place == model::Shape::kNowhere) continue;
      const model::Symbol value = labels.values()[place];
      const std::uint64_t hash = base::MixHash(0, value.IdentityHash());
      const auto is = [&](std::uint32_t i) { return symbols[i] == value; };
      if (seen.Find(hash, is) != base::HashIndex::kNone) continue;
      seen.Insert(hash, static_cast<std::uint32_t>(symbols.size()));
      symbols.push_back(value);
      values.emplace_back(value.text());
    }
    return SortedUnique(std::move(values));
  }

 private:
  class Set final : public SeriesSet {
   public:
    Set(const Impl& store, Impl::Found found, std::uint64_t version)
        : store_(store),
          series_(std::move(found.series)),
          newest_(std::move(found.newest)),
          version_(version) {
      labels_ = std::move(found.labels);
    }

    // Most questions are about now: the newest points answer them.
    void Latest(std::size_t first, model::TimestampMs min_t, model::TimestampMs max_t,
                std::span<model::FPoint> out) const override {
      const std::span<const model::FPoint> newest = std::span(newest_).subspan(first, out.size());
      if (std::ranges::any_of(newest, [&](const model::FPoint& p) { return p.t > max_t; })) {
        return store_.Latest(std::span(series_).subspan(first, out.size()),
                             {{}, version_, min_t, max_t}, out);
      }
      for (std::size_t i = 0; i < out.size(); ++i) {
        out[i] = newest[i].t >= min_t ? newest[i] : model::FPoint{max_t, model::StaleNaN()};
      }
    }
    void Read(std::size_t i, model::TimestampMs min_t, model::TimestampMs max_t,
              std::vector<model::FPoint>& out) const override {
      store_.Read(*series_[i], {{}, version_, min_t, max_t}, out);
    }

   private:
    const Impl& store_;
    const std::vector<const MemorySeries*> series_;
    const std::vector<model::FPoint> newest_;
    const std::uint64_t version_;
  };

  Impl::Found Find(std::span<const model::Matcher> matchers) const {
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
