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
    for (const kube::Pod* pod : group.pods) {
      if (!IsCounted(*pod)) continue;
      PodCounts& zone = At(distribution.zones, view.cluster.ZoneOf(*pod));
      for (PodCounts* counts : {&zone, &distribution.pods}) {
        ++counts->total;
        counts->ready += pod->is_ready() ? 1 : 0;
      }
    }
  }
  return all;
}

}  // namespace azexporter::zones
