#include "../checks.h"

#include <algorithm>
#include <map>

#include "../context.h"

namespace azexporter::audit {
namespace {

using Budgets = std::vector<const Object*>;

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  // Two budgets meet where they select the same, or both select the pods of one workload.
  std::map<std::pair<std::string, std::string>, Budgets> by_selector;  // and namespace
  std::map<const Workload*, Budgets> by_workload;
  for (const Object* budget : context.Of(kPolicy, "PodDisruptionBudget")) {
    const auto selector = SelectorAt(budget->root, {"spec", "selector"});
    if (!selector) continue;
    Budgets met;
    const auto meet = [&](Budgets& earlier) {
      for (const Object* other : earlier) {
        if (!other->IsSameAs(*budget) && std::ranges::find(met, other) == met.end()) {
          met.push_back(other);
        }
      }
      earlier.push_back(budget);
    };
    meet(by_selector[{budget->ns, kube::SelectorText(selector)}]);
    for (const Workload* workload : context.Selected(budget->ns, selector)) {
      meet(by_workload[workload]);
    }
    for (const Object* earlier : met) {
      problems.push_back(ProblemOf(*budget, "it covers pods that " + earlier->name +
                                                PlaceText(*ProblemOf(*earlier, "").place) +
                                                " covers as well"));
    }
  }
  return problems;
}

}  // namespace

Check BudgetOverlap() {
  return {.name = "budget-overlap",
          .severity = Severity::kError,
          .title = "two disruption budgets cover the same pods",
          .explanation =
              "The eviction API answers 500 for a pod that two budgets cover, so that no drain of "
              "its node comes to an end.",
          .fix = "Let one budget cover each pod.",
          .source =
              "https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/"
              "#how-api-initiated-eviction-works",
          .run = &Run};
}

}  // namespace azexporter::audit
