#include "../checks.h"
#include "../traffic_policies.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const TrafficPolicy& policy : TrafficPolicies(context)) {
    if (!policy.locality) continue;
    for (const base::YamlNode& part : ItemsAt(*policy.locality.value, {"distribute"})) {
      const Field to = FieldAt(part, {"to"});
      if (!to) continue;
      std::int64_t sum = 0;
      for (const auto& [locality, weight] : to.value->entries()) {
        sum += weight.AsInt64().value_or(0);
      }
      if (sum == 100) continue;
      problems.push_back(ProblemAt(
          *policy.rule, *to.key,
          "the weights from " + TextAt(part, {"from"}) + " add up to " + std::to_string(sum)));
    }
  }
  return problems;
}

}  // namespace

Check IstioDistributeWeights() {
  return {.name = "istio-distribute-weights",
          .severity = Severity::kError,
          .title = "the weights of distribute do not add up to 100",
          .explanation = "Istio refuses the rule, and what was there before stays.",
          .fix = "Make the weights of each `to` add up to 100.",
          .source =
              "https://istio.io/latest/docs/reference/config/networking/destination-rule/"
              "#LocalityLoadBalancerSetting-Distribute",
          .run = &Run};
}

}  // namespace azexporter::audit
