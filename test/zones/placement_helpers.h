#pragma once

// Clusters for tests of placement in a few words, and what is told of them.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "azexporter/zones/placement.h"
#include "cluster_parts.h"

namespace azexporter::zones {

using test::ClusterParts;
using test::Constraint;
using test::kZoneKey;
using test::Label;
using test::Spec;
using test::SpecWith;

inline constexpr char kHostKey[] = "kubernetes.io/hostname";

// Ready; 4 CPUs, 8 GiB, 10 pods.
inline kube::Node& ReadyNode(ClusterParts& parts, const std::string& name,
                             const std::string& zone) {
  kube::Node& node =
      zone.empty() ? parts.Node(name, {{kHostKey, name}}) : parts.ZoneNode(name, zone);
  node.conditions.push_back({"Ready", kube::ConditionStatus::kTrue});
  node.allocatable = {4000, std::int64_t{8} << 30, 10, {}};
  return node;
}

// One node in each of the zones a, b and c: "na", "nb", "nc".
inline ClusterParts ThreeZones() {
  ClusterParts parts;
  for (const char* zone : {"a", "b", "c"}) ReadyNode(parts, std::string("n") + zone, zone);
  return parts;
}

inline kube::PodSpec Asking(std::int64_t cpu_milli, std::int64_t memory_bytes = 0) {
  kube::PodSpec spec;
  spec.requests = {cpu_milli, memory_bytes, 0, {}};
  return spec;
}

inline kube::PodAffinityTerm Term(std::string key, kube::LabelSelector selector) {
  kube::PodAffinityTerm term;
  term.topology_key = std::move(key);
  term.selector = std::move(selector);
  return term;
}

// `count` pods named PREFIX-1, ... with app=web.
inline void WebPods(ClusterParts& parts, const std::string& prefix, int count,
                    const std::string& node, const std::shared_ptr<const kube::PodSpec>& spec) {
  for (int i = 1; i <= count; ++i) {
    parts.Pod(prefix + "-" + std::to_string(i), node, {{"app", "web"}}).spec = spec;
  }
}

inline Placement Without(const ClusterParts& parts, const std::string& zone,
                         LossKind kind = LossKind::kFailure) {
  const kube::ClusterState cluster = parts.Build();
  return PlacementModel(cluster).Without(zone, kind);
}

// "3 displaced, 1 placed; web topology_spread 2: DoNotSchedule over ..."
inline std::string Told(const Placement& placement) {
  std::string text = std::to_string(placement.displaced) + " displaced, " +
                     std::to_string(placement.placed) + " placed";
  ForEachUnplaced(placement, [&](const UnplacedPods& row) {
    text += "; " + row.workload.name + " " + std::string(PlacementReasonName(row.reason));
    if (!row.resource.empty()) text += "(" + row.resource + ")";
    text += " " + std::to_string(row.pods);
    if (!row.detail.empty()) text += ": " + row.detail;
  });
  return text;
}

}  // namespace azexporter::zones
