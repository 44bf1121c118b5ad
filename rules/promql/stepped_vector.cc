#include "stepped_vector.h"

#include <algorithm>

#include "eval_error.h"

namespace azexporter::promql {

void SampleBudget::Take(std::size_t samples) {
  CheckFits(samples);
  CheckFits(held_ + samples);
  held_ += samples;
}

void SampleBudget::CheckFits(std::size_t samples) const {
  if (samples <= limit_) return;
  FailEval("query processing would load too many samples into memory in query execution");
}

void SteppedVector::Reserve(std::size_t rows) {
  rows_.reserve(rows);
  // Of a long range only as much as the rows that turn out to be there will take.
  if (steps_ == 1) values_.reserve(rows);
}

std::span<double> SteppedVector::AddRow(Row row) {
  charge_.Add(steps_);
  rows_.push_back(std::move(row));
  values_.resize(values_.size() + steps_, Absent());
  return values(rows_.size() - 1);
}

SteppedVector SteppedVector::Copy() const {
  SteppedVector copy(steps_, charge_.budget());
  copy.charge_.Add(values_.size());
  copy.rows_ = rows_;
  copy.values_ = values_;
  return copy;
}

void SteppedVector::DropEmptyRows() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (std::ranges::all_of(values(i), IsAbsent)) continue;
    if (kept != i) {
      rows_[kept] = std::move(rows_[i]);
      std::ranges::copy(values(i), values(kept).begin());
    }
    ++kept;
  }
  charge_.Remove((rows_.size() - kept) * steps_);
  rows_.resize(kept);
  values_.resize(kept * steps_);
}

}  // namespace azexporter::promql
