#pragma once

// How many values a query holds in memory, against EngineOptions::max_samples.
//
// Thread safety: one thread only.

#include <cstddef>
#include <utility>

namespace azexporter::promql {

class SampleBudget {
 public:
  explicit SampleBudget(std::size_t limit) : limit_(limit) {}
  SampleBudget(const SampleBudget&) = delete;
  SampleBudget& operator=(const SampleBudget&) = delete;

  // Throws EvalError when the limit would be passed.
  void Take(std::size_t samples);
  // Throws EvalError when so many could not be held even if nothing else were.
  void CheckFits(std::size_t samples) const;
  void Return(std::size_t samples) { held_ -= samples; }

 private:
  const std::size_t limit_;
  std::size_t held_ = 0;
};

// What one value holds of the budget; returned with its end.
class SampleCharge {
 public:
  explicit SampleCharge(SampleBudget& budget) : budget_(&budget) {}
  SampleCharge(SampleCharge&& other) noexcept
      : budget_(other.budget_), samples_(std::exchange(other.samples_, 0)) {}
  SampleCharge& operator=(SampleCharge&& other) noexcept {
    std::swap(budget_, other.budget_);
    std::swap(samples_, other.samples_);
    return *this;
  }
  ~SampleCharge() { budget_->Return(samples_); }

  void Add(std::size_t samples) {
    budget_->Take(samples);
    samples_ += samples;
  }
  SampleBudget& budget() const { return *budget_; }
  std::size_t samples() const { return samples_; }
  void Remove(std::size_t samples) {
    budget_->Return(samples);
    samples_ -= samples;
  }

 private:
  SampleBudget* budget_;
  std::size_t samples_ = 0;
};

}  // namespace azexporter::promql
