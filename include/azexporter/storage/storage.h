#pragma once

// The seam between those who make samples and those who ask for them. PromQL, the rules and the API
// know the store only through these interfaces.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/histogram.h"
#include "azexporter/model/label_view.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/matcher.h"
#include "azexporter/model/sample.h"

namespace azexporter::storage {

// What few samples have beside a time and a float. A sample whose value is a native histogram is a
// point with model::HistogramNaN() where only floats are asked for.
struct SampleDetail {
  model::HistogramPtr histogram;   // the value; null of a float
  model::TimestampMs start_t = 0;  // since when a counter has counted; 0 where it is not known

  bool empty() const { return histogram == nullptr && start_t == 0; }
};
struct DetailPoint {
  model::TimestampMs t = 0;
  SampleDetail detail;
};

// The series that a selector found, numbered from 0, in no promised order. Label sets stay valid as
// long as the Querier. Thread-compatible; lives as long as its Querier.
class SeriesSet {
 public:
  struct Latest {
    model::LabelView labels;
    model::FPoint point;
  };

  virtual ~SeriesSet() = default;

  virtual std::size_t size() const = 0;
  bool empty() const { return size() == 0; }
  virtual model::LabelView labels(std::size_t i) const = 0;

  // For each series from `first` on, as many as `out` has room for: the newest point with min_t <=
  // t
  // <= max_t; a staleness marker where there is none. Many at once, since this is the question
  // asked most.
  virtual void ReadLatest(std::size_t first, model::TimestampMs min_t, model::TimestampMs max_t,
                          std::span<Latest> out) const = 0;
  // Appends the points of series `i` with min_t <= t <= max_t to `out`, in order of time. Staleness
  // markers are points like any other here. Returns whether any sample of the series has details.
  virtual bool Read(std::size_t i, model::TimestampMs min_t, model::TimestampMs max_t,
                    std::vector<model::FPoint>& out) const = 0;
  // Appends the details of samples of series `i` with min_t <= t <= max_t, in order of time.
  virtual void ReadDetails(std::size_t i, model::TimestampMs min_t, model::TimestampMs max_t,
                           std::vector<DetailPoint>& out) const = 0;
};

// A consistent view of the store between two times. One thread only.
class Querier {
 public:
  virtual ~Querier() = default;

  // Every series that all matchers accept. One with no point in the querier's time range may be
  // left out. Valid as long as the Querier.
  virtual base::Result<const SeriesSet*> Select(std::span<const model::Matcher> matchers) = 0;

  // The symbol that stands for `text` in the label sets of all that was and will be selected; made
  // where there is none yet. Valid as long as the Querier.
  virtual model::Symbol Intern(std::string_view text) = 0;

  // Names of the labels, and values of one label, over the series that all matchers accept (all
  // series where there are none). Sorted, unique.
  virtual base::Result<std::vector<std::string>> LabelNames(
      std::span<const model::Matcher> matchers) = 0;
  virtual base::Result<std::vector<std::string>> LabelValues(
      const std::string& name, std::span<const model::Matcher> matchers) = 0;
};

// Several selectors: what matches any of them is meant.
using Selectors = std::vector<std::vector<model::Matcher>>;
// The label sets of the series. Sorted, unique.
base::Result<std::vector<model::Labels>> LabelSetsOf(Querier& querier, const Selectors& selectors);
// As Querier::LabelNames and LabelValues; over all series where there is no selector.
base::Result<std::vector<std::string>> LabelNamesOf(Querier& querier, Selectors selectors);
base::Result<std::vector<std::string>> LabelValuesOf(Querier& querier, const std::string& name,
                                                     Selectors selectors);

// Thread-safe.
class Queryable {
 public:
  virtual ~Queryable() = default;
  // Both bounds are inclusive.
  virtual base::Result<std::unique_ptr<Querier>> NewQuerier(model::TimestampMs min_t,
                                                            model::TimestampMs max_t) const = 0;
};

// What became of an appended sample. All but the first refuse it and leave the batch as it was.
// Semantics: prometheus/storage/interface.go, ErrOutOfOrderSample and its neighbours.
enum class AppendOutcome {
  kAppended,    // or equal to the newest sample of its series, which changes nothing
  kOutOfOrder,  // the series has a newer sample
  kDuplicate,   // the series has another value at that time
  kTooOld,      // older than everything the store still keeps, or no time at all
  kFull,        // of a new series, for which there is no memory left
};
std::string_view AppendOutcomeText(AppendOutcome outcome);  // "out of order sample", ...
// kBadData naming the sample, where it was refused.
base::Result<void> AsResult(AppendOutcome outcome, const model::Labels& labels,
                            model::TimestampMs t);

// The samples of a batch that did not fit any more when it was committed: another appender was
// faster, or the batch itself had a newer one. All others are published.
struct LeftOut {
  std::size_t count = 0;
  std::string first;  // why, and which; "" where there is none
};
// kBadData where any was left out.
base::Result<void> AsResult(const LeftOut& left_out);

// A batch of samples that becomes visible as a whole. One thread only.
class Appender {
 public:
  virtual ~Appender() = default;
  // Fastest where the samples of a series follow each other. A sample is held against what is
  // committed, and against the sample appended just before it.
  [[nodiscard]] virtual AppendOutcome Append(const model::Labels& labels, model::TimestampMs t,
                                             double value) = 0;
  // The same for a sample with details; `value` counts for nothing where it is a histogram. The
  // hint of a histogram becomes what is true of it after the one before. REQUIRES: a histogram is
  // valid.
  [[nodiscard]] virtual AppendOutcome AppendDetailed(const model::Labels& labels,
                                                     model::TimestampMs t, double value,
                                                     SampleDetail detail) = 0;
  // Publishes the batch. A destroyed Appender that was not committed changes nothing. Samples that
  // no longer fit are left out, as in Prometheus.
  virtual base::Result<LeftOut> Commit() = 0;
};

// Thread-safe.
class Appendable {
 public:
  virtual ~Appendable() = default;
  virtual std::unique_ptr<Appender> NewAppender() = 0;
};

}  // namespace azexporter::storage
