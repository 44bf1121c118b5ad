#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

constexpr std::int64_t kMany = 100;  // any number tells a percentage that leaves nothing

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* budget : context.Of(kPolicy, "PodDisruptionBudget")) {
    const Field least = FieldAt(budget->root, {"spec", "minAvailable"});
    const Field most = FieldAt(budget->root, {"spec", "maxUnavailable"});
    const auto wanted = AmountAt(budget->root, {"spec", "minAvailable"});
    const auto allowed = AmountAt(budget->root, {"spec", "maxUnavailable"});
    if (allowed && allowed->value == 0) {
      problems.push_back(
          ProblemAt(*budget, *most.key, "maxUnavailable " + allowed->Text() + " lets no pod go"));
    }
    if (!wanted) continue;
    if (wanted->percent && wanted->Of(kMany) >= kMany) {
      problems.push_back(
          ProblemAt(*budget, *least.key, "minAvailable " + wanted->Text() + " lets no pod go"));
      continue;
    }
    for (const Workload* workload :
         context.Selected(budget->ns, SelectorAt(budget->root, {"spec", "selector"}))) {
      if (!workload->replicas || wanted->Of(*workload->replicas) < *workload->replicas ||
          *workload->replicas == 0) {
        continue;
      }
      problems.push_back(ProblemAt(*budget, *least.key,
                                   "minAvailable " + wanted->Text() + " of the " +
                                       std::to_string(*workload->replicas) + " pods of " +
                                       workload->object->Text() + " lets no pod go"));
    }
  }
  return problems;
}

}  // namespace

Check BudgetBlocksEvictions() {
  return {.name = "budget-blocks-evictions",
          .severity = Severity::kError,
          .title = "a disruption budget that never lets a pod go",
          .explanation =
              "No drain of a node with such a pod comes to an end: neither an upgrade nor the "
              "evacuation of a zone.",
          .fix = "Allow one pod to be unavailable, and run at least two.",
          .source =
              "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"
              "#specifying-a-poddisruptionbudget",
          .run = &Run};
}

}  // namespace azexporter::audit
