#include "rule_history.h"

#include <algorithm>
#include <utility>

namespace azexporter::rules {

std::size_t SampleCount(const promql::QueryResult& result) {
  const auto* vector = std::get_if<promql::Vector>(&result.value);
  return vector == nullptr ? 1 : vector->size();
}

PastEvaluation Summary(const RuleStatus& status, const AlertChanges& changes) {
  return {.t = status.last_evaluation,
          .seconds = status.evaluation_seconds,
          .health = status.health,
          .error = status.last_error,
          .samples = status.samples,
          .pending = static_cast<std::size_t>(changes.pending),
          .firing = static_cast<std::size_t>(changes.firing)};
}

void RuleHistory::Add(PastEvaluation evaluation) {
  base::MutexLock lock(mu_);
  if (evaluations_.size() < kLength) {
    evaluations_.push_back(std::move(evaluation));
  } else {
    evaluations_[oldest_] = std::move(evaluation);
    oldest_ = (oldest_ + 1) % kLength;
  }
}

std::vector<PastEvaluation> RuleHistory::Evaluations() const {
  base::MutexLock lock(mu_);
  std::vector<PastEvaluation> all = evaluations_;
  std::rotate(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(oldest_), all.end());
  return all;
}

}  // namespace azexporter::rules
