#pragma once

// What the evaluator computes with: an instant vector at every step of a query, series by series.
// A scalar is the same with one row without labels. Values lie in one block, so that a query over
// many series allocates a few times, not once a sample.
//
// Native histograms stand beside the floats, in rows of their own that only series which have any
// are given: where a histogram is the value, the float is Absent(). What looks at floats only, as
// most functions do, so passes histograms over without knowing of them; it then has to take them
// away with DropHistograms().

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "azexporter/model/histogram.h"
#include "azexporter/model/label_view.h"
#include "azexporter/model/sample.h"
#include "sample_budget.h"

namespace azexporter::promql {

// The steps of an evaluation: start, start + step_ms, ... `count` of them, at least one.
struct Steps {
  model::TimestampMs start = 0;
  std::int64_t step_ms = 1;
  std::size_t count = 1;

  model::TimestampMs At(std::size_t i) const {
    return start + static_cast<std::int64_t>(i) * step_ms;
  }
  model::TimestampMs last() const { return At(count - 1); }
};

// Stands where a series has no float at a step. A staleness marker is never a value of a vector,
// and no arithmetic yields its bits.
inline double Absent() { return model::StaleNaN(); }
inline bool IsAbsent(double value) { return model::IsStaleNaN(value); }

// The histograms of a row, one a step, null where there is none; empty where the row has none at
// all.
using Histograms = std::span<model::HistogramPtr>;
using ConstHistograms = std::span<const model::HistogramPtr>;

// One value: a float, a histogram, or none.
struct Element {
  double f = Absent();
  const model::HistogramPtr* h = nullptr;  // null of a float

  bool empty() const { return h == nullptr && IsAbsent(f); }
};
inline Element ElementAt(std::span<const double> values, ConstHistograms histograms,
                         std::size_t step) {
  if (!histograms.empty() && histograms[step] != nullptr) return {Absent(), &histograms[step]};
  return {values[step]};
}

class SteppedVector {
 public:
  struct Row {
    model::LabelView labels;
    // The metric name is to go at the end of the query (EngineOptions::delayed_name_removal).
    bool drop_name = false;
  };

  SteppedVector(std::size_t steps, SampleBudget& budget) : steps_(steps), charge_(budget) {}

  std::size_t steps() const { return steps_; }
  std::size_t size() const { return rows_.size(); }
  bool empty() const { return rows_.empty(); }
  std::span<Row> rows() { return rows_; }
  std::span<const Row> rows() const { return rows_; }
  const Row& row(std::size_t i) const { return rows_[i]; }
  Row& row(std::size_t i) { return rows_[i]; }
  std::span<double> values(std::size_t row) { return {values_.data() + row * steps_, steps_}; }
  std::span<const double> values(std::size_t row) const {
    return {values_.data() + row * steps_, steps_};
  }
  // Of all rows.
  std::span<double> values() { return values_; }
  // Of a scalar.
  double scalar(std::size_t step) const { return values_[step]; }

  // Whether any row may have histograms.
  bool has_histograms() const { return !histograms_.empty(); }
  ConstHistograms histograms(std::size_t row) const {
    return row < histograms_.size() ? ConstHistograms(histograms_[row]) : ConstHistograms();
  }
  Histograms histograms(std::size_t row) {
    return row < histograms_.size() ? Histograms(histograms_[row]) : Histograms();
  }
  Element At(std::size_t row, std::size_t step) const {
    return ElementAt(values(row), histograms(row), step);
  }
  // Makes a histogram the value. Throws EvalError when the query's budget is used up.
  void SetHistogram(std::size_t row, std::size_t step, model::HistogramPtr histogram);
  void SetHistograms(std::size_t row, ConstHistograms histograms);
  // Makes `element`, which is not of this row, the value; no value where it is empty.
  void Set(std::size_t row, std::size_t step, const Element& element);
  void Clear(std::size_t row, std::size_t step) { Set(row, step, {}); }
  void DropHistograms() { histograms_.clear(); }

  void Reserve(std::size_t rows);
  // A new last row, all absent. Throws EvalError when the query's budget is used up.
  std::span<double> AddRow(Row row);
  // A new last row with these values.
  void AddRow(Row row, std::span<const double> values, ConstHistograms histograms);
  SteppedVector Copy() const;
  // Keeps the rows that have a value at any step.
  void DropEmptyRows();

 private:
  bool IsEmptyRow(std::size_t row) const;

  std::size_t steps_;
  SampleCharge charge_;
  std::vector<Row> rows_;
  std::vector<double> values_;  // rows x steps
  // Of the first so many rows; not even allocated where no row has any.
  std::vector<std::vector<model::HistogramPtr>> histograms_;
};

}  // namespace azexporter::promql
