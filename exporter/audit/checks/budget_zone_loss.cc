#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* budget : context.Of(kPolicy, "PodDisruptionBudget")) {
    for (const Workload* workload :
         context.Selected(budget->ns, SelectorAt(budget->root, {"spec", "selector"}))) {
      if (!workload->replicas || !IsOverZones(*workload)) continue;
      const std::int64_t replicas = *workload->replicas;
      const std::int64_t zones = ZonesOf(context, *workload);
      if (zones < 2) continue;
      const std::int64_t in_a_zone = (replicas + zones - 1) / zones;
      const std::int64_t desired = DesiredHealthy(*budget, replicas);
      if (replicas - in_a_zone >= desired || desired >= replicas) continue;
      problems.push_back(ProblemOf(
          *budget, "of " + std::to_string(replicas) + " pods of " + workload->object->Text() + " " +
                       std::to_string(in_a_zone) + " stand in one of " + std::to_string(zones) +
                       " zones, and only " + std::to_string(replicas - desired) + " may go"));
    }
  }
  return problems;
}

}  // namespace

Check BudgetZoneLoss() {
  return {.name = "budget-zone-loss",
          .severity = Severity::kWarning,
          .title = "a disruption budget has no room for a zone",
          .explanation =
              "Spread evenly, a zone holds more pods than the budget lets go: its drain waits for "
              "new pods in the other zones, which a DoNotSchedule constraint may forbid, and after "
              "its loss no other pod may be evicted until they are ready.",
          .fix = "Allow at least ceil(replicas / zones) pods to be unavailable, or add replicas.",
          .source = "https://kubernetes.io/docs/concepts/workloads/pods/disruptions/",
          .run = &Run};
}

}  // namespace azexporter::audit
