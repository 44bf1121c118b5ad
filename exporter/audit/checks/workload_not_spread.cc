#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  if (context.zones < 2) return problems;
  for (const Workload& workload : context.workloads) {
    if (workload.is_fragment || workload.replicas.value_or(0) < 2 || IsOverZones(workload) ||
        !BoundTo(*workload.pod_spec, kZoneKey).empty() || workload.services.empty()) {
      continue;
    }
    problems.push_back(
        ProblemAt(*workload.object, workload.ReplicasPlace(),
                  std::to_string(*workload.replicas) + " pods, and no rule of its own over zones"));
  }
  return problems;
}

}  // namespace

Check WorkloadNotSpread() {
  return {.name = "workload-not-spread",
          .severity = Severity::kWarning,
          .title = "replicas behind a Service, and nothing that spreads them over zones",
          .explanation =
              "The scheduler's defaults allow a skew of 5 over zones and are a mere wish: few "
              "replicas may all stand in one zone.",
          .fix = "Add a topology spread constraint over topology.kubernetes.io/zone.",
          .source =
              "https://kubernetes.io/docs/concepts/scheduling-eviction/"
              "topology-spread-constraints/#internal-default-constraints",
          .run = &Run};
}

}  // namespace azexporter::audit
