#include "../checks.h"
#include "../traffic_policies.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const TrafficPolicy& policy : TrafficPolicies(context)) {
    // Fixed shares work without: they look at no endpoint's health.
    if (!policy.locality || policy.outlier_detection ||
        FieldAt(*policy.locality.value, {"distribute"})) {
      continue;
    }
    problems.push_back(ProblemAt(*policy.rule, *policy.locality.key,
                                 "localityLbSetting without outlierDetection beside it"));
  }
  return problems;
}

}  // namespace

Check IstioOutlierDetection() {
  return {.name = "istio-outlier-detection",
          .severity = Severity::kWarning,
          .title = "locality failover without outlier detection",
          .explanation =
              "Istio prefers near endpoints and moves on to the next zone only where outlier "
              "detection tells it which endpoints are ill. Without it the setting has no effect.",
          .fix = "Add outlierDetection to the same traffic policy.",
          .source =
              "https://istio.io/latest/docs/tasks/traffic-management/"
              "locality-load-balancing/failover/",
          .run = &Run};
}

}  // namespace azexporter::audit
