#include "../checks.h"
#include "../traffic_policies.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

// The region of a locality, where that is the name of a zone; else "".
std::string ZoneAsRegion(const Context& context, const std::string& locality) {
  std::string region = locality.substr(0, locality.find('/'));
  return context.IsZone(region) ? region : "";
}

// The first locality of a part that is wrong; nullptr where none is.
const YamlNode* FirstWrong(const Context& context, const YamlNode& part) {
  const Field from = FieldAt(part, {"from"});
  if (from && !ZoneAsRegion(context, from.value->scalar()).empty()) return from.value;
  const Field to = FieldAt(part, {"to"});
  if (!to) return nullptr;
  for (const auto& [locality, weight] : to.value->entries()) {
    if (!ZoneAsRegion(context, locality.scalar()).empty()) return &locality;
  }
  return nullptr;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const TrafficPolicy& policy : TrafficPolicies(context)) {
    if (!policy.locality) continue;
    for (const YamlNode& part : ItemsAt(*policy.locality.value, {"distribute"})) {
      const YamlNode* wrong = FirstWrong(context, part);
      if (wrong == nullptr) continue;
      problems.push_back(ProblemAt(*policy.rule, *wrong,
                                   "locality " + wrong->scalar() + " has the zone " +
                                       ZoneAsRegion(context, wrong->scalar()) +
                                       " where the region stands"));
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
