#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* budget : context.Of(kPolicy, "PodDisruptionBudget")) {
    const Field least = FieldAt(budget->root, {"spec", "minAvailable"});
    const Field most = FieldAt(budget->root, {"spec", "maxUnavailable"});
    if (!least || !most) continue;
    problems.push_back(ProblemAt(*budget, *most.key,
                                 "minAvailable " + least.value->scalar() + " and maxUnavailable " +
                                     most.value->scalar() + " exclude each other"));
  }
  return problems;
}

}  // namespace

Check BudgetBothFields() {
  return {.name = "budget-both-fields",
          .severity = Severity::kError,
          .title = "a disruption budget has both minAvailable and maxUnavailable",
          .explanation = "The API server refuses it (422), so there is no budget at all.",
          .fix = "Keep one; maxUnavailable follows the number of replicas by itself.",
          .source =
              "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"
              "#specifying-a-poddisruptionbudget",
          .offline_only = "the API server refuses such a budget",
          .run = &Run};
}

}  // namespace azexporter::audit
