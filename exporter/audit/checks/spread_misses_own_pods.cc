#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    if (workload.is_fragment) continue;
    for (const base::YamlNode& spread :
         ItemsAt(*workload.pod_spec, {"topologySpreadConstraints"})) {
      const auto selector = SelectorAt(spread, {"labelSelector"});
      if (kube::Matches(selector, workload.labels)) continue;
      problems.push_back(ProblemAt(*workload.object, spread,
                                   "the constraint over " + TextAt(spread, {"topologyKey"}) +
                                       " counts " + kube::SelectorText(selector) +
                                       ", which the pods themselves are not"));
    }
  }
  return problems;
}

}  // namespace

Check SpreadMissesOwnPods() {
  return {.name = "spread-misses-own-pods",
          .severity = Severity::kError,
          .title = "a spread constraint does not count the pods that it is meant to spread",
          .explanation =
              "The scheduler compares how many pods the selector finds in each zone; where the "
              "pods themselves are not among them, the counts never change and all may go to "
              "one zone.",
          .fix = "Select the labels of the pod template.",
          .source =
              "https://kubernetes.io/docs/concepts/scheduling-eviction/"
              "topology-spread-constraints/#spread-constraint-definition",
          .run = &Run};
}

}  // namespace azexporter::audit
