#include "../checks.h"

#include <algorithm>
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

bool IsCritical(const Context& context, const Workload& workload) {
  const std::string name = TextAt(*workload.pod_spec, {"priorityClassName"});
  if (name.starts_with("system-")) return true;
  const auto classes = context.Of("scheduling.k8s.io", "PriorityClass");
  return std::ranges::any_of(classes, [&](const Object* priority) {
    return priority->name == name && IntAt(priority->root, {"value"}).value_or(0) > 0;
  });
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    const auto spreads = SpreadsOver(workload, kZoneKey);
    const bool all_soft = std::ranges::all_of(spreads, [](const YamlNode* spread) {
      return TextAt(*spread, {"whenUnsatisfiable"}) == "ScheduleAnyway";
    });
    if (spreads.empty() || !all_soft || workload.replicas.value_or(2) < 2 ||
        !OwnAntiAffinity(workload, kZoneKey, Force::kRequired).empty() ||
        !IsCritical(context, workload)) {
      continue;
    }
    problems.push_back(ProblemAt(*workload.object, *spreads.front(),
                                 "of priority " +
                                     TextAt(*workload.pod_spec, {"priorityClassName"}) +
                                     ", and spread over zones by ScheduleAnyway only"));
  }
  return problems;
}

}  // namespace

Check SpreadScheduleAnyway() {
  return {
      .name = "spread-schedule-anyway",
      .severity = Severity::kWarning,
      .title = "a critical workload is spread over zones only where it is convenient",
      .explanation =
          "ScheduleAnyway is one wish among many: when a zone comes back, or is short of room "
          "for a moment, all pods may end up in one zone and stay there. Critical is what has a "
          "class of the system, or one of a positive value among the manifests; the classes of "
          "a running cluster are not watched.",
      .fix =
          "Use DoNotSchedule with nodeTaintsPolicy Honor, so that a lost zone does not hold "
          "back its replacements.",
      .source =
          "https://kubernetes.io/docs/concepts/scheduling-eviction/"
          "topology-spread-constraints/#spread-constraint-definition",
      .run = &Run};
}

}  // namespace azexporter::audit
