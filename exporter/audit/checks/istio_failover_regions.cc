#include "../checks.h"
#include "../traffic_policies.h"

namespace azexporter::audit {
namespace {

// Why it is no region; "" where it may be one.
std::string WhyNoRegion(const Context& context, const std::string& name) {
  if (name.find('/') != std::string::npos) return "a locality, which Istio refuses";
  if (name.find('*') != std::string::npos) return "a pattern, which Istio refuses";
  if (context.IsZone(name)) return "a zone, so that it never matches";
  return "";
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const TrafficPolicy& policy : TrafficPolicies(context)) {
    if (!policy.locality) continue;
    for (const base::YamlNode& step : ItemsAt(*policy.locality.value, {"failover"})) {
      const Field from = FieldAt(step, {"from"});
      const Field to = FieldAt(step, {"to"});
      if (from && to && from.value->scalar() == to.value->scalar()) {
        problems.push_back(
            ProblemAt(*policy.rule, *from.key,
                      "failover from " + from.value->scalar() + " to itself, which Istio refuses"));
      }
      for (const Field& end : {from, to}) {
        if (!end) continue;
        const std::string why = WhyNoRegion(context, end.value->scalar());
        if (why.empty()) continue;
        problems.push_back(
            ProblemAt(*policy.rule, *end.key,
                      "failover " + end.key->scalar() + " " + end.value->scalar() + " is " + why));
        break;  // one of a step is enough
      }
    }
  }
  return problems;
}

}  // namespace

Check IstioFailoverRegions() {
  return {.name = "istio-failover-regions",
          .severity = Severity::kError,
          .title = "Istio's failover names something else than regions",
          .explanation =
              "from and to are regions. Within a region Istio moves on from zone to zone by "
              "itself, as soon as there is outlier detection.",
          .fix =
              "Leave failover out, or order zones by failoverPriority "
              "[topology.kubernetes.io/region, topology.kubernetes.io/zone].",
          .source =
              "https://istio.io/latest/docs/reference/config/networking/destination-rule/"
              "#LocalityLoadBalancerSetting-Failover",
          .run = &Run};
}

}  // namespace azexporter::audit
