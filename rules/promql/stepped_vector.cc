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

void SteppedVector::AddRow(Row row, std::span<const double> values, ConstHistograms histograms) {
  std::ranges::copy(values, AddRow(std::move(row)).begin());
  if (!histograms.empty()) SetHistograms(rows_.size() - 1, histograms);
}

void SteppedVector::SetHistogram(std::size_t row, std::size_t step, model::HistogramPtr histogram) {
  if (histograms_.size() <= row) histograms_.resize(row + 1);
  if (histograms_[row].empty()) histograms_[row].resize(steps_);
  charge_.Add(histogram->SizeInSamples());
  values(row)[step] = Absent();
  histograms_[row][step] = std::move(histogram);
}

void SteppedVector::SetHistograms(std::size_t row, ConstHistograms histograms) {
  for (std::size_t step = 0; step < histograms.size(); ++step) {
    if (histograms[step] != nullptr) SetHistogram(row, step, histograms[step]);
  }
}

void SteppedVector::Set(std::size_t row, std::size_t step, const Element& element) {
  if (element.h != nullptr) return SetHistogram(row, step, *element.h);
  values(row)[step] = element.f;
  if (const Histograms own = histograms(row); !own.empty()) own[step].reset();
}

SteppedVector SteppedVector::Copy() const {
  SteppedVector copy(steps_, charge_.budget());
  copy.charge_.Add(charge_.samples());
  copy.rows_ = rows_;
  copy.values_ = values_;
  copy.histograms_ = histograms_;
  return copy;
}

bool SteppedVector::IsEmptyRow(std::size_t row) const {
  if (!std::ranges::all_of(values(row), IsAbsent)) return false;
  return std::ranges::all_of(histograms(row), [](const auto& h) { return h == nullptr; });
}

void SteppedVector::DropEmptyRows() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (IsEmptyRow(i)) continue;
    if (kept != i) {
      rows_[kept] = std::move(rows_[i]);
      std::ranges::copy(values(i), values(kept).begin());
      if (i < histograms_.size()) histograms_[kept] = std::move(histograms_[i]);
    }
    ++kept;
  }
  charge_.Remove((rows_.size() - kept) * steps_);
  rows_.resize(kept);
  values_.resize(kept * steps_);
  if (histograms_.size() > kept) histograms_.resize(kept);
}

}  // namespace azexporter::promql
