#include "../checks.h"

#include <map>
#include "../traffic_policies.h"

namespace azexporter::audit {
namespace {

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  std::map<std::pair<std::string, std::string>, const Object*> first_of;  // namespace and host
  for (const Object* rule : context.Of(kIstio, "DestinationRule")) {
    const Field host = FieldAt(rule->root, {"spec", "host"});
    // Those that bring subsets alone are merged; those for some clients only stand beside others.
    if (!host || !FieldAt(rule->root, {"spec", "trafficPolicy"}) ||
        FieldAt(rule->root, {"spec", "workloadSelector"})) {
      continue;
    }
    const auto [first, is_new] = first_of.emplace(std::pair(rule->ns, FullHost(*rule)), rule);
    if (is_new || first->second->IsSameAs(*rule)) continue;
    problems.push_back(ProblemAt(*rule, *host.key,
                                 host.value->scalar() + " has a traffic policy by " +
                                     first->second->name + PlaceText(first->second->root) +
                                     " already"));
  }
  return problems;
}

}  // namespace

Check IstioHostTwice() {
  return {.name = "istio-host-twice",
          .severity = Severity::kError,
          .title = "several DestinationRules set the traffic policy of one host",
          .explanation =
              "Istio merges the subsets of such rules and takes the traffic policy of the oldest; "
              "that of the others has no effect.",
          .fix = "Put one traffic policy into one rule.",
          .source =
              "https://istio.io/latest/docs/ops/best-practices/traffic-management/"
              "#split-virtual-services",
          .run = &Run};
}

}  // namespace azexporter::audit
