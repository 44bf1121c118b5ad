#include "traffic_policies.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

void AddPolicy(const Object& rule, const YamlNode& node, Field inherited,
               std::vector<TrafficPolicy>& policies) {
  TrafficPolicy policy{.rule = &rule, .node = &node};
  policy.outlier_detection = FieldAt(node, {"outlierDetection"});
  if (!policy.outlier_detection) policy.outlier_detection = inherited;
  policy.locality = FieldAt(node, {"loadBalancer", "localityLbSetting"});
  if (policy.locality && BoolAt(*policy.locality.value, {"enabled"}) == false) policy.locality = {};
  policies.push_back(policy);
  for (const YamlNode& port : ItemsAt(node, {"portLevelSettings"})) {
    AddPolicy(rule, port, {}, policies);
  }
}

}  // namespace

std::vector<TrafficPolicy> TrafficPolicies(const Context& context) {
  std::vector<TrafficPolicy> policies;
  for (const Object* rule : context.Of(kIstio, "DestinationRule")) {
    const Field host = FieldAt(rule->root, {"spec", "trafficPolicy"});
    if (host) AddPolicy(*rule, *host.value, {}, policies);
    const Field inherited = FieldAt(rule->root, {"spec", "trafficPolicy", "outlierDetection"});
    for (const YamlNode& subset : ItemsAt(rule->root, {"spec", "subsets"})) {
      const Field policy = FieldAt(subset, {"trafficPolicy"});
      if (policy) AddPolicy(*rule, *policy.value, inherited, policies);
    }
  }
  return policies;
}

std::string FullHost(const Object& rule) {
  std::string host = TextAt(rule.root, {"spec", "host"});
  if (host.empty() || host.find('.') != std::string::npos) return host;
  return host + "." + (rule.ns.empty() ? "default" : rule.ns) + ".svc.cluster.local";
}

}  // namespace azexporter::audit
