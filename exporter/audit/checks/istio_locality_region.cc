#include "../checks.h"
#include "../traffic_policies.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

void Judge(const Context& context, const Object& rule, const YamlNode& place,
           const std::string& locality, std::vector<Problem>& problems) {
  const std::string region = locality.substr(0, locality.find('/'));
  if (!context.IsZone(region)) return;
  problems.push_back(
      ProblemAt(rule, place,
                "locality " + locality + " has the zone " + region + " where the region stands"));
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const TrafficPolicy& policy : TrafficPolicies(context)) {
    if (!policy.locality) continue;
    for (const YamlNode& part : ItemsAt(*policy.locality.value, {"distribute"})) {
      if (const Field from = FieldAt(part, {"from"})) {
        Judge(context, *policy.rule, *from.value, from.value->scalar(), problems);
      }
      const Field to = FieldAt(part, {"to"});
      if (!to) continue;
      for (const auto& [locality, weight] : to.value->entries()) {
        Judge(context, *policy.rule, locality, locality.scalar(), problems);
      }
    }
  }
  return problems;
}

}  // namespace

Check IstioLocalityRegion() {
  return {.name = "istio-locality-region",
          .severity = Severity::kError,
          .title = "a locality of distribute begins with a zone instead of its region",
          .explanation =
              "A locality is REGION/ZONE/SUBZONE, by the labels of the node. One that no node is "
              "in matches nothing: as `from` it has no effect, as `to` its share goes nowhere.",
          .fix = "Write us-east-1/us-east-1a/* for the zone us-east-1a.",
          .source =
              "https://istio.io/latest/docs/tasks/traffic-management/"
              "locality-load-balancing/",
          .run = &Run};
}

}  // namespace azexporter::audit
