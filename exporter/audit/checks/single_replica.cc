#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    if (workload.is_fragment || workload.replicas != 1 || workload.services.empty()) continue;
    problems.push_back(ProblemAt(*workload.object, workload.ReplicasPlace(),
                                 "the only pod behind Service " + workload.services.front()->name));
  }
  return problems;
}

}  // namespace

Check SingleReplica() {
  return {.name = "single-replica",
          .severity = Severity::kWarning,
          .title = "a Service with a single pod behind it",
          .explanation =
              "With its zone the Service is gone, until the pod is evicted (5 minutes by default) "
              "and starts elsewhere; a drain interrupts it as well.",
          .fix = "Run at least two replicas, spread over zones.",
          .source =
              "https://kubernetes.io/docs/concepts/scheduling-eviction/"
              "taint-and-toleration/#taint-based-evictions",
          .run = &Run};
}

}  // namespace azexporter::audit
