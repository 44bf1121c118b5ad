#pragma once

// A large cluster, made in seconds: nodes over zones, and the pods of deployments with their
// replica sets, each pod about 4 KB of JSON as a kubelet and the controllers leave one. Nothing is
// random: the same options make the same cluster.

#include <cstdint>
#include <string>

#include "azexporter/base/result.h"
#include "simulator/store.h"

namespace azexporter::simulator {

struct ScaleOptions {
  int nodes = 5'000;
  int zones = 3;  // "us-east-1a" and on; at most 26
  int pods = 150'000;
  int pods_per_deployment = 50;
  int namespaces = 100;  // "team-000" and on
};

// Adds the cluster to a store that nobody else writes to meanwhile. All pods are running and ready.
// kBadData for options that make no cluster.
base::Result<void> FillStore(Store& store, const ScaleOptions& options);

// Where the n-th pod and node are, 0 <= n < pods or nodes.
ObjectKey ScalePodKey(const ScaleOptions& options, int n);
std::string ScaleNodeName(int n);

}  // namespace azexporter::simulator
