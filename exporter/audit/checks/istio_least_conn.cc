#include "../checks.h"
#include "../traffic_policies.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const TrafficPolicy& policy : TrafficPolicies(context)) {
    const Field simple = FieldAt(*policy.node, {"loadBalancer", "simple"});
    if (!simple || simple.value->scalar() != "LEAST_CONN") continue;
    problems.push_back(ProblemAt(*policy.rule, *simple.key, "LEAST_CONN is deprecated"));
  }
  return problems;
}

}  // namespace

Check IstioLeastConn() {
  return {.name = "istio-least-conn",
          .severity = Severity::kInfo,
          .title = "a deprecated algorithm of load balancing",
          .explanation = "It stands for LEAST_REQUEST and may go with any version of Istio.",
          .fix = "Use LEAST_REQUEST.",
          .source =
              "https://istio.io/latest/docs/reference/config/networking/destination-rule/"
              "#LoadBalancerSettings-SimpleLB",
          .run = &Run};
}

}  // namespace azexporter::audit
