#include "../checks.h"

#include <algorithm>
#include "../traffic_policies.h"

namespace azexporter::audit {
namespace {

bool IsLocalityLabel(std::string_view label) {
  return label == "topology.kubernetes.io/region" || label == kZoneKey ||
         label == "topology.istio.io/subzone";
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const TrafficPolicy& policy : TrafficPolicies(context)) {
    if (!policy.locality) continue;
    const Field distribute = FieldAt(*policy.locality.value, {"distribute"});
    const Field failover = FieldAt(*policy.locality.value, {"failover"});
    const Field priority = FieldAt(*policy.locality.value, {"failoverPriority"});
    if (distribute && failover) {
      problems.push_back(ProblemAt(*policy.rule, *failover.key,
                                   "failover beside distribute, which Istio refuses"));
    }
    if (failover && priority &&
        std::ranges::any_of(priority.value->items(), [](const base::YamlNode& label) {
          return IsLocalityLabel(label.scalar());
        })) {
      problems.push_back(ProblemAt(*policy.rule, *priority.key,
                                   "failover beside failoverPriority with labels of the locality, "
                                   "which Istio refuses"));
    }
  }
  return problems;
}

}  // namespace

Check IstioLocalityExclusive() {
  return {.name = "istio-locality-exclusive",
          .severity = Severity::kError,
          .title = "settings of locality load balancing that exclude each other",
          .explanation =
              "distribute and failover exclude each other; so do failover and a failoverPriority "
              "that names region, zone or subzone. Istio refuses the rule, and what was there "
              "before stays.",
          .fix = "Keep one of them.",
          .source =
              "https://istio.io/latest/docs/reference/config/networking/destination-rule/"
              "#LocalityLoadBalancerSetting",
          .run = &Run};
}

}  // namespace azexporter::audit
