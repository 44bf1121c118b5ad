#include "../checks.h"
#include "../traffic_policies.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const TrafficPolicy& policy : TrafficPolicies(context)) {
    const Field own = FieldAt(*policy.node, {"outlierDetection"});
    if (!own) continue;
    const Field most = FieldAt(*own.value, {"maxEjectionPercent"});
    if (IntAt(*own.value, {"maxEjectionPercent"}).value_or(10) < 100 ||
        IntAt(*own.value, {"minHealthPercent"}).value_or(0) > 0) {
      continue;
    }
    problems.push_back(ProblemAt(*policy.rule, *most.key,
                                 "maxEjectionPercent 100 with minHealthPercent 0: every endpoint "
                                 "may be ejected at once"));
  }
  return problems;
}

}  // namespace

Check IstioEjectsAll() {
  return {
      .name = "istio-ejects-all",
      .severity = Severity::kWarning,
      .title = "outlier detection may eject every endpoint",
      .explanation =
          "A fault that all endpoints share, such as a database that is failing over, takes "
          "all of them out, in every zone, and clients get 503 until the ejection ends.",
      .fix =
          "Keep maxEjectionPercent below 100 (half of the endpoints are more than a zone), or set "
          "minHealthPercent.",
      .source =
          "https://istio.io/latest/docs/reference/config/networking/destination-rule/"
          "#OutlierDetection",
      .run = &Run};
}

}  // namespace azexporter::audit
