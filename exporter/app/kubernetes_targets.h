#pragma once

// The endpoints of Services as targets, with the labels that Prometheus's kubernetes_sd_configs
// give them. Private to `app`, which alone knows both the cluster and notifications.
// Semantics:
// prometheus.io/docs/prometheus/latest/configuration/configuration/#kubernetes_sd_config, but that
// a target is the first address of an endpoint, and that annotations and container ports are not
// told.
//
// Thread safety: pure functions.

#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/model/labels.h"
#include "azexporter/notify/targets.h"

namespace azexporter::app {

// One target for each port of each endpoint, ready or not. The targets of role endpoints come from
// EndpointSlices too.
std::vector<model::Labels> KubernetesTargets(const notify::KubernetesDiscovery& discovery,
                                             const kube::ClusterState& cluster);

}  // namespace azexporter::app
