#pragma once

// The AWS load balancer that a Service asks for, read from its annotations.
//
// Pure functions.

#include <optional>

#include "azexporter/zones/services.h"

namespace azexporter::zones {

// Absent where the Service asks for none, or for another kind. Without dropped zones.
std::optional<NetworkLoadBalancer> NetworkLoadBalancerOf(const kube::Service& service);

// REQUIRES: status.nlb, and the endpoints are counted.
void AddDroppedZones(const ServiceZones& zones, ServiceStatus& status);

}  // namespace azexporter::zones
