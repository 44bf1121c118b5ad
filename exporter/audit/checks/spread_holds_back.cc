#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    const base::YamlNode* spread = HoldingBack(context, workload);
    if (spread == nullptr) continue;
    problems.push_back(ProblemAt(*workload.object, *spread,
                                 "a zone that is down still counts, with 0: beyond maxSkew " +
                                     TextAt(*spread, {"maxSkew"}) +
                                     " a zone no replacement is placed"));
  }
  return problems;
}

}  // namespace

Check SpreadHoldsBack() {
  return {.name = "spread-holds-back",
          .severity = Severity::kInfo,
          .title = "a spread constraint holds back replacements while a zone is down",
          .explanation =
              "Nodes that are NotReady or cordoned count as long as they exist, unless "
              "nodeTaintsPolicy is Honor. The lost zone has 0 pods, so that the others take "
              "maxSkew each, and the pods of the lost zone stay pending.",
          .fix =
              "Set nodeTaintsPolicy: Honor in the constraint, where it is to fill the zones that "
              "are left.",
          .source =
              "https://kubernetes.io/docs/concepts/scheduling-eviction/"
              "topology-spread-constraints/#spread-constraint-definition",
          .run = &Run};
}

}  // namespace azexporter::audit
