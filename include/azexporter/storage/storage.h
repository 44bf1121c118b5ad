#pragma once

// The seam between those who make samples and those who ask for them. PromQL, the rules and the API
// know the store only through these interfaces.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/matcher.h"
#include "azexporter/model/sample.h"

namespace azexporter::storage {

// One series as a querier sees it. Thread-compatible; lives as long as its Querier.
class Series {
 public:
  virtual ~Series() = default;

  virtual const model::Labels& labels() const = 0;
  // Appends the points with min_t <= t <= max_t to `out`, in order of time. Staleness markers are
  // points like any other here.
  virtual void Read(model::TimestampMs min_t, model::TimestampMs max_t,
                    std::vector<model::FPoint>& out) const = 0;
  // The newest point with min_t <= t <= max_t.
  virtual std::optional<model::FPoint> Latest(model::TimestampMs min_t,
                                              model::TimestampMs max_t) const = 0;
};

using SeriesSet = std::vector<const Series*>;

// A consistent view of the store between two times. One thread only.
class Querier {
 public:
  virtual ~Querier() = default;

  // Every series that all matchers accept, in no promised order. A series with no point in the
  // querier's time range may be left out. The pointers are valid as long as the Querier.
  virtual base::Result<SeriesSet> Select(std::span<const model::Matcher> matchers) = 0;

  // Names of the labels, and values of one label, over the series that all matchers accept (all
  // series where there are none). Sorted, unique.
  virtual base::Result<std::vector<std::string>> LabelNames(
      std::span<const model::Matcher> matchers) = 0;
  virtual base::Result<std::vector<std::string>> LabelValues(
      const std::string& name, std::span<const model::Matcher> matchers) = 0;
};

// Thread-safe.
class Queryable {
 public:
  virtual ~Queryable() = default;
  // Both bounds are inclusive.
  virtual base::Result<std::unique_ptr<Querier>> NewQuerier(model::TimestampMs min_t,
                                                            model::TimestampMs max_t) const = 0;
};

// What became of an appended sample. The last three refuse it and leave the batch as it was.
// Semantics: prometheus/storage/interface.go, ErrOutOfOrderSample and its neighbours.
enum class AppendOutcome {
  kAppended,    // or equal to the newest sample of its series, which changes nothing
  kOutOfOrder,  // the series has a newer sample
  kDuplicate,   // the series has another value at that time
  kTooOld,      // older than everything the store still keeps
};
std::string_view AppendOutcomeText(AppendOutcome outcome);  // "out of order sample", ...
// kBadData naming the sample, where it was refused.
base::Result<void> AsResult(AppendOutcome outcome, const model::Labels& labels,
                            model::TimestampMs t);

// A batch of samples that becomes visible as a whole. One thread only.
class Appender {
 public:
  virtual ~Appender() = default;
  [[nodiscard]] virtual AppendOutcome Append(const model::Labels& labels, model::TimestampMs t,
                                             double value) = 0;
  // Publishes the batch. A destroyed Appender that was not committed changes nothing.
  virtual base::Result<void> Commit() = 0;
};

// Thread-safe.
class Appendable {
 public:
  virtual ~Appendable() = default;
  virtual std::unique_ptr<Appender> NewAppender() = 0;
};

}  // namespace azexporter::storage
