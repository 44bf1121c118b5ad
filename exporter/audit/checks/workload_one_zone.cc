#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

// A Service sends to its pods and to those of a twin that is bound to another zone.
bool HasTwinElsewhere(const Context& context, const Workload& workload,
                      const std::set<std::string>& zones) {
  for (const Object* service : workload.services) {
    for (const Workload* other : context.Behind(*service)) {
      if (BoundTo(*other->pod_spec, kZoneKey) != zones) return true;
    }
  }
  return false;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  if (context.zones < 2) return problems;
  for (const Workload& workload : context.workloads) {
    const auto zones = BoundTo(*workload.pod_spec, kZoneKey);
    if (zones.size() != 1 || workload.replicas.value_or(0) < 2 ||
        HasTwinElsewhere(context, workload, zones)) {
      continue;
    }
    problems.push_back(ProblemAt(
        *workload.object, workload.ReplicasPlace(),
        "all " + std::to_string(*workload.replicas) + " pods are bound to zone " + *zones.begin()));
  }
  return problems;
}

}  // namespace

Check WorkloadOneZone() {
  return {.name = "workload-one-zone",
          .severity = Severity::kWarning,
          .title = "all replicas of a workload are bound to one zone",
          .explanation =
              "A node selector or required node affinity names a single zone: with it all replicas "
              "are gone, and none may start elsewhere.",
          .fix = "Name all zones, or run one such workload in each zone behind one Service.",
          .source =
              "https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/"
              "#node-affinity",
          .run = &Run};
}

}  // namespace azexporter::audit
