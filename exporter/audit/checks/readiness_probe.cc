#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    if (workload.is_fragment || workload.services.empty()) continue;
    const auto& containers = ItemsAt(*workload.pod_spec, {"containers"});
    bool is_probed = containers.empty();
    for (const base::YamlNode& container : containers) {
      is_probed = is_probed || FieldAt(container, {"readinessProbe"});
    }
    if (is_probed) continue;
    problems.push_back(ProblemAt(*workload.object, *FieldAt(*workload.pod_spec, {"containers"}).key,
                                 "behind a Service, and no container has a readinessProbe"));
  }
  return problems;
}

}  // namespace

Check ReadinessProbe() {
  return {.name = "readiness-probe",
          .severity = Severity::kWarning,
          .title = "pods behind a Service without a readiness probe",
          .explanation =
              "A pod counts as ready as soon as its process runs: replacements of a lost zone get "
              "requests before they can answer, and a budget counts them as healthy.",
          .fix = "Add a readinessProbe that fails until the pod can serve.",
          .source =
              "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/"
              "#container-probes",
          .run = &Run};
}

}  // namespace azexporter::audit
