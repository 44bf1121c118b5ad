#pragma once

// The traffic policies of Istio's DestinationRules: of the host, of its subsets, of single ports.
// Semantics: istio.io/latest/docs/reference/config/networking/destination-rule/
// Private to `audit`.
//
// Thread safety: pure functions.

#include <string>
#include <vector>

#include "context.h"

namespace azexporter::audit {

struct TrafficPolicy {
  const Object* rule = nullptr;
  const base::YamlNode* node = nullptr;  // the policy itself
  // The field of the policy, or where a subset is silent that of the host. Ports inherit nothing.
  Field outlier_detection;
  Field locality;  // loadBalancer.localityLbSetting, unless it is switched off
};
std::vector<TrafficPolicy> TrafficPolicies(const Context& context);

// "NAME.NAMESPACE.svc.cluster.local" for a short name, else the host as it stands; "" without one.
std::string FullHost(const Object& rule);

}  // namespace azexporter::audit
