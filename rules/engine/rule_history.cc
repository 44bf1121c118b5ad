#include "rule_history.h"

#include <utility>

namespace azexporter::rules {

std::size_t SampleCount(const promql::QueryResult& result) {
  const auto* vector = std::get_if<promql::Vector>(&result.value);
  return vector == nullptr ? 1 : vector->size();
}

const RuleEvaluation& LastOf(const GroupHistory& history, std::size_t number) {
  static const RuleEvaluation kNone;
  return history.empty() ? kNone : history.back()->at(number);
}

std::shared_ptr<const GroupHistory> Extended(const GroupHistory& history,
                                             std::vector<RuleEvaluation> evaluation) {
  const auto all = std::make_shared<GroupHistory>();
  all->reserve(kHistoryLength);
  const std::size_t first = history.size() < kHistoryLength ? 0 : 1;
  all->assign(history.begin() + static_cast<std::ptrdiff_t>(first), history.end());
  all->push_back(std::make_shared<const std::vector<RuleEvaluation>>(std::move(evaluation)));
  return all;
}

std::shared_ptr<const GroupHistory> Rearranged(const GroupHistory& history,
                                               std::span<const std::optional<std::size_t>> before) {
  const auto all = std::make_shared<GroupHistory>();
  for (const auto& evaluation : history) {
    std::vector<RuleEvaluation> rules;
    rules.reserve(before.size());
    for (const auto& number : before) {
      rules.push_back(number ? evaluation->at(*number) : RuleEvaluation());
    }
    all->push_back(std::make_shared<const std::vector<RuleEvaluation>>(std::move(rules)));
  }
  return all;
}

const RuleEvaluation& RuleView::last() const { return LastOf(*history, number); }

std::vector<RuleEvaluation> RuleView::Evaluations() const {
  std::vector<RuleEvaluation> all;
  for (const auto& evaluation : *history) {
    const RuleEvaluation& one = evaluation->at(number);
    if (one.t != 0) all.push_back(one);
  }
  return all;
}

}  // namespace azexporter::rules
