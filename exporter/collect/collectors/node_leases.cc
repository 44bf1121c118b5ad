// az_node_lease_*: how long ago each node last said that it is there. A block of its own, since its
// values change at every round.

#include "azexporter/zones/node_leases.h"

#include <array>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 2> kNodeZone = {"node", "zone"};

constexpr model::MetricDesc kFamilies[] = {
    {"az_node_lease_age_seconds",
     "How long the node had not renewed its Lease when the API server last told of any Lease; only "
     "with kubernetes.node_leases.",
     model::MetricType::kGauge, kNodeZone, model::kAmount},
};

Collected Collect(const CollectorInputs& inputs) {
  Collected collected;
  const zones::ZoneReport& report = inputs.report;
  if (!report.node_leases) return collected;
  collected.fault = FaultOf(*report.node_leases);
  if (!collected.fault) collected.fault = FaultOf(report.nodes);
  if (!report.node_leases->known || !report.nodes.known) return collected;
  FamilyBuilder ages(kFamilies[0]);
  for (const zones::NodeLeaseAge& age : zones::NodeLeaseAgesOf(inputs.cluster)) {
    ages.Add({age.node->meta.name, age.node->zone()}, static_cast<double>(age.age_ms) / 1000);
  }
  collected.families.push_back(ages.Take());
  return collected;
}

}  // namespace

const Collector& NodeLeasesCollector() {
  static constexpr Collector kRow = {"node_leases", "Heartbeats of nodes, where they are watched.",
                                     kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
