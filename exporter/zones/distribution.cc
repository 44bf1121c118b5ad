#include "azexporter/zones/distribution.h"

#include <algorithm>

#include "by_zone.h"
#include "namespace_view.h"

namespace azexporter::zones {

std::int64_t WorkloadDistribution::ready_in(std::string_view zone) const {
  const auto found = zones.find(zone);
  return found == zones.end() ? 0 : found->second.ready;
}

std::int64_t WorkloadDistribution::ready_zones() const {
  return std::count_if(zones.begin(), zones.end(), [](const auto& zone) {
    return !zone.first.empty() && zone.second.ready > 0;
  });
}

std::vector<WorkloadDistribution> DistributionIn(const NamespaceView& view) {
  std::vector<WorkloadDistribution> all;
  for (const WorkloadPods& group : view.workloads) {
    if (group.workload != nullptr && group.workload->finished) continue;
    WorkloadDistribution& distribution = all.emplace_back();
    distribution.workload = group.ref;
    if (group.workload != nullptr) distribution.desired = group.workload->desired;
    ByZone<PodCounts> zones(view.nodes.zones());
    for (const SeenPod* pod : group.pods) {
      if (!pod->counted) continue;
      for (PodCounts* counts : {&zones[pod->zone], &distribution.pods}) {
        ++counts->total;
        counts->ready += pod->ready ? 1 : 0;
      }
    }
    distribution.zones = zones.ToMap();
  }
  return all;
}

}  // namespace azexporter::zones
