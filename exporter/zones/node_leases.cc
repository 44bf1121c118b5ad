#include "azexporter/zones/node_leases.h"

#include <algorithm>
#include <map>

namespace azexporter::zones {
namespace {

// kubelet's own, for a Lease that says none.
constexpr std::int64_t kDefaultDurationMs = 40'000;

}  // namespace

std::vector<NodeLeaseAge> NodeLeaseAgesOf(const kube::ClusterState& cluster) {
  std::vector<NodeLeaseAge> ages;
  const kube::ResourceHealth* health = cluster.HealthOf(kube::NodeLease::kResource);
  if (health == nullptr || health->from_file) return ages;
  const auto leases = cluster.node_leases().In(kube::NodeLease::kNamespace);
  ages.reserve(leases.size());
  for (const auto& lease : leases) {
    const kube::Node* node = cluster.FindNode(lease->meta.name);
    if (node == nullptr || lease->renewed_ms == 0) continue;
    const std::int64_t age_ms =
        std::max<std::int64_t>(0, health->last_contact_ms - lease->renewed_ms);
    const std::int64_t duration_ms =
        lease->duration_ms > 0 ? lease->duration_ms : kDefaultDurationMs;
    ages.push_back({node, age_ms, age_ms > duration_ms / 2});
  }
  return ages;
}

std::vector<SilentNodes> SilentNodesOf(const kube::ClusterState& cluster) {
  std::map<std::string_view, SilentNodes> zones;
  for (const NodeLeaseAge& age : NodeLeaseAgesOf(cluster)) {
    if (!age.silent || age.node->ready() != kube::ConditionStatus::kTrue) continue;
    SilentNodes& zone = zones[age.node->zone()];
    ++zone.nodes;
    if (age.age_ms <= zone.longest_ms) continue;
    zone.longest = age.node->meta.name;
    zone.longest_ms = age.age_ms;
  }
  std::vector<SilentNodes> all;
  for (auto& [name, zone] : zones) {
    zone.zone = name;
    all.push_back(std::move(zone));
  }
  return all;
}

}  // namespace azexporter::zones
