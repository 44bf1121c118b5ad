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

std::shared_ptr<const RuleHistory> WithEvaluation(const std::shared_ptr<const RuleHistory>& history,
                                                  PastEvaluation evaluation) {
  auto longer = std::make_shared<RuleHistory>();
  longer->reserve(kRuleHistoryLength);
  if (history) {
    const std::size_t kept = std::min(history->size(), kRuleHistoryLength - 1);
    longer->assign(history->end() - static_cast<std::ptrdiff_t>(kept), history->end());
  }
  longer->push_back(std::move(evaluation));
  return longer;
}

}  // namespace azexporter::rules
