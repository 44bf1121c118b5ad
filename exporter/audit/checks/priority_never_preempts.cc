#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* priority : context.Of("scheduling.k8s.io", "PriorityClass")) {
    const Field policy = FieldAt(priority->root, {"preemptionPolicy"});
    if (!policy || policy.value->scalar() != "Never" ||
        IntAt(priority->root, {"value"}).value_or(0) <= 0) {
      continue;
    }
    problems.push_back(
        ProblemAt(*priority, *policy.key, "a high value, and its pods never take another's place"));
  }
  return problems;
}

}  // namespace

Check PriorityNeverPreempts() {
  return {.name = "priority-never-preempts",
          .severity = Severity::kInfo,
          .title = "a high priority that never preempts",
          .explanation =
              "When a zone is lost and the others are full, its pods are first in the queue and "
              "still wait for room, while less important ones run.",
          .fix =
              "Leave preemptionPolicy out for what must come back first; a budget holds "
              "preemption back only as far as it can.",
          .source =
              "https://kubernetes.io/docs/concepts/scheduling-eviction/"
              "pod-priority-preemption/#non-preempting-priority-class",
          .offline_only = "priority classes are not watched",
          .run = &Run};
}

}  // namespace azexporter::audit
