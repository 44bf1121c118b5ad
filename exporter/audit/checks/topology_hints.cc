#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

// The annotation by which a Service asks for hints; absent where it does not.
Field HintsAsked(const Object& service) {
  for (std::string_view name :
       {"service.kubernetes.io/topology-mode", "service.kubernetes.io/topology-aware-hints"}) {
    const Field field = FieldAt(service.root, {"metadata", "annotations", name});
    if (field && (field.value->scalar() == "Auto" || field.value->scalar() == "auto")) return field;
  }
  return {};
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* service : context.Of(kCore, "Service")) {
    const Field asked = HintsAsked(*service);
    if (!asked) continue;
    if (TextAt(service->root, {"spec", "internalTrafficPolicy"}) == "Local") {
      problems.push_back(ProblemAt(*service, *asked.key,
                                   "internalTrafficPolicy Local goes before topology hints"));
    }
    for (const Workload* workload : context.Behind(*service)) {
      if (!workload->replicas || *workload->replicas >= context.zones) continue;
      problems.push_back(ProblemAt(
          *service, *asked.key,
          workload->object->Text() + " has " + std::to_string(*workload->replicas) + " pods for " +
              std::to_string(context.zones) + " zones: hints are not given"));
    }
  }
  return problems;
}

}  // namespace

Check TopologyHints() {
  return {.name = "topology-hints",
          .severity = Severity::kWarning,
          .title = "a Service asks for topology hints that it will not get",
          .explanation =
              "With fewer endpoints than zones, or unless the endpoints match the zones' share of "
              "processors, hints are withdrawn from the whole Service and traffic crosses zones.",
          .fix =
              "Use spec.trafficDistribution: PreferClose (PreferSameZone from 1.34 on), and a "
              "pod or more in each zone.",
          .source =
              "https://kubernetes.io/docs/concepts/services-networking/"
              "topology-aware-routing/#safeguards",
          .run = &Run};
}

}  // namespace azexporter::audit
