#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* budget : context.Of(kPolicy, "PodDisruptionBudget")) {
    for (const Workload* workload :
         context.Selected(budget->ns, SelectorAt(budget->root, {"spec", "selector"}))) {
      if (!workload->replicas || HoldingBack(context, *workload) == nullptr) continue;
      const std::int64_t replicas = *workload->replicas;
      const std::int64_t zones = ZonesOf(context, *workload);
      const std::int64_t left = replicas - (replicas + zones - 1) / zones;
      const std::int64_t desired = DesiredHealthy(*budget, replicas);
      if (left > desired || desired >= replicas) continue;
      problems.push_back(
          ProblemOf(*budget, "with a zone down " + std::to_string(left) + " of " +
                                 std::to_string(replicas) + " pods of " + workload->object->Text() +
                                 " are left and " + std::to_string(desired) +
                                 " must be healthy, while its spread places none elsewhere"));
    }
  }
  return problems;
}

}  // namespace

Check BudgetSpreadStandstill() {
  return {.name = "budget-spread-standstill",
          .severity = Severity::kWarning,
          .title = "replicas, spread and budget leave no pod to spare while a zone is down",
          .explanation =
              "The spread constraint counts the zone with 0 as long as its nodes exist, and places "
              "no replacement; the budget wants every pod that is left. Until the zone is back no "
              "node of the other zones can be drained.",
          .fix =
              "Set nodeTaintsPolicy: Honor in the constraint, or allow one more pod to be "
              "unavailable than a zone holds.",
          .source = "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/",
          .run = &Run};
}

}  // namespace azexporter::audit
