#pragma once

// What benchmarks of the zones share: measures, and a cluster of three zones with all that a report
// looks at: Deployments with their ReplicaSets and StatefulSets with volumes, budgets, Services and
// their slices.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::bench {

inline constexpr std::int64_t kNowMs = 1'800'000'000'000;

inline constexpr char kZoneKey[] = "topology.kubernetes.io/zone";
inline constexpr char kHostKey[] = "kubernetes.io/hostname";
inline constexpr const char* kZones[] = {"us-east-1a", "us-east-1b", "us-east-1c"};
inline constexpr int kPodsOnNode = 30;
inline constexpr int kPodsOfWorkload = 50;
inline constexpr int kWorkloadsInNamespace = 20;

// With zeros in front.
std::string Number(int number, std::size_t digits);

// What all costs are measured in: one pass over all pods that counts the ready ones by zone. The
// number of zones with any.
std::size_t BarePass(const kube::ClusterState& cluster);
// The shortest of several runs, in milliseconds.
double Shortest(const std::function<void()>& work);

struct ZoneCluster {
  kube::ClusterState::Parts parts;  // every resource synced, and just heard of
};

// 30 pods on a node, 50 of a workload, 20 workloads in a namespace. Of 20 workloads one is a
// StatefulSet; 14 are spread hard over zones, 4 keep their pods apart by host; each has a budget,
// and a Service.
ZoneCluster MakeZoneCluster(int pods);

}  // namespace azexporter::bench
