#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    for (std::string_view key : {kHostKey, kZoneKey}) {
      const auto terms = OwnAntiAffinity(workload, key, Force::kRequired);
      if (terms.empty() || !workload.replicas) continue;
      const auto domains = context.Domains(workload, key);
      if (!domains || *workload.replicas <= *domains) continue;
      for (const base::YamlNode* term : terms) {
        problems.push_back(
            ProblemAt(*workload.object, *term,
                      std::to_string(*workload.replicas) + " pods must not share a " +
                          (key == kHostKey ? "node" : "zone") + ", and there are " +
                          std::to_string(*domains) + (context.nodes ? " that they may use" : "")));
      }
    }
  }
  return problems;
}

}  // namespace

Check AntiAffinityTooMany() {
  return {.name = "anti-affinity-too-many",
          .severity = Severity::kError,
          .title = "required anti-affinity with more replicas than places",
          .explanation =
              "The pods beyond the number of nodes or zones stay pending; so do those of a lost "
              "zone, and a rollout that starts a new pod before it stops an old one.",
          .fix = "Prefer instead of requiring, or spread with a constraint.",
          .source =
              "https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/"
              "#inter-pod-affinity-and-anti-affinity",
          .run = &Run};
}

}  // namespace azexporter::audit
