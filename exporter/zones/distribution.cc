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
  all.reserve(view.workloads.size());
  for (const WorkloadPods& group : view.workloads) {
    if (group.workload != nullptr && group.workload->finished) continue;
    WorkloadDistribution& distribution = all.emplace_back();
    distribution.workload = group.ref;
    if (group.workload != nullptr) distribution.desired = group.workload->desired;
    ByZone<PodCounts> zones(view.nodes.zones());
    for (const PodRun& run : group.runs) {
      distribution.pods.total += static_cast<std::int64_t>(run.size());
      for (const SeenPod& pod : run) {
        PodCounts& counts = zones[pod.zone];
        ++counts.total;
        counts.ready += pod.ready ? 1 : 0;
        distribution.pods.ready += pod.ready ? 1 : 0;
      }
    }
    distribution.zones = zones.ToMap();
  }
  return all;
}

}  // namespace azexporter::zones
