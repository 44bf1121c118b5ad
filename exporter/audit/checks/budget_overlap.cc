#include "../checks.h"

#include <algorithm>
#include "../context.h"

namespace azexporter::audit {
namespace {

// They select the same, or both select the pods of one workload.
bool Overlap(const Context& context, const Object& a, const Object& b) {
  const auto first = SelectorAt(a.root, {"spec", "selector"});
  const auto second = SelectorAt(b.root, {"spec", "selector"});
  if (!first || !second) return false;
  if (first == second) return true;
  return std::ranges::any_of(context.Selected(a.ns, first), [&](const Workload* workload) {
    return kube::Matches(second, workload->labels);
  });
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  const auto budgets = context.Of(kPolicy, "PodDisruptionBudget");
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const Object& earlier = *budgets[j];
      const Object& later = *budgets[i];
      if (earlier.ns != later.ns || earlier.IsSameAs(later) || !Overlap(context, earlier, later)) {
        continue;
      }
      problems.push_back(ProblemOf(later, "it covers pods that " + earlier.name + " (" +
                                              PlaceText(*ProblemOf(earlier, "").place) +
                                              ") covers as well"));
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
