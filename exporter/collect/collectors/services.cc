// az_service_*: where the endpoints of each Service are, and what its traffic settings make of
// that.

#include <algorithm>
#include <array>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 3> kServiceZone = {"namespace", "service", "zone"};
constexpr std::array<std::string_view, 3> kServiceStatus = {"namespace", "service", "status"};

constexpr std::string_view kHintStatusValues[] = {
    "not_proxied",        "local_policy",      "present",          "not_asked",
    "no_ready_endpoints", "by_hand",           "endpoint_unzoned", "node_incomplete",
    "one_zone",           "too_few_endpoints", "imbalance",        "unexplained"};
constexpr model::LabelValues kHintStatus[] = {{"status", kHintStatusValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"az_service_endpoints",
     "Ready endpoints of the Service in the zone. Without the label zone: those whose zone neither "
     "the endpoint nor its node tells.",
     model::MetricType::kGauge, kServiceZone, model::kNumber},
    {"az_service_load_balancer_dropped_zones",
     "Whether the Service's network load balancer, which does not balance across zones, has no "
     "target in the zone: AWS then takes the zone out of DNS.",
     model::MetricType::kGauge, kServiceZone, model::kFlag},
    {"az_service_topology_hints",
     "1 for the status of the zone hints of a Service that asks for traffic to stay close: present "
     "where they are followed, else why they are not.",
     model::MetricType::kGauge, kServiceStatus, model::kAlwaysOne, kHintStatus},
};

enum Family { kEndpoints, kDroppedZones, kHints };
using Families = std::vector<FamilyBuilder>;

// A zone without an endpoint reads 0 where the control plane is to list endpoints. Of Services
// whose endpoints are written by hand, only the zones are told that have some.
void AddEndpoints(FamilyBuilder& family, const zones::ServiceStatus& service,
                  const zones::ZoneReport& report) {
  if (service.expects_endpoints()) {
    for (const zones::ZoneStatus& zone : report.zones) {
      if (service.ready_by_zone.contains(zone.zone)) continue;
      family.Add({service.ns, service.name, zone.zone}, 0);
    }
  }
  for (const auto& [zone, ready] : service.ready_by_zone) {
    family.Add({service.ns, service.name, zone}, static_cast<double>(ready));
  }
}

// Of a zone that is down or gone nothing is said: the load balancer's view of it is not known.
void AddDroppedZones(FamilyBuilder& family, const zones::ServiceStatus& service,
                     const zones::ZoneReport& report) {
  const std::vector<std::string>& dropped = service.nlb->dropped_zones;
  for (const zones::ZoneStatus& zone : report.zones) {
    const bool is_dropped = std::find(dropped.begin(), dropped.end(), zone.zone) != dropped.end();
    if (!is_dropped && zone.workers.ready == 0) continue;
    family.Add({service.ns, service.name, zone.zone}, is_dropped ? 1 : 0);
  }
}

void AddService(Families& families, const zones::ServiceStatus& service,
                const zones::ZoneReport& report) {
  AddEndpoints(families[kEndpoints], service, report);
  if (service.nlb) AddDroppedZones(families[kDroppedZones], service, report);
  if (service.mode == zones::TrafficMode::kCluster) return;
  families[kHints].Add({service.ns, service.name, zones::HintStatusName(service.hints)}, 1);
}

Collected Collect(const CollectorInputs& inputs) {
  const zones::ZoneReport& report = inputs.report;
  Collected collected;
  const Ground ground = GroundOf(report, report.services);
  collected.fault = ground.fault;
  if (!ground.known) return collected;
  Families families;
  for (const model::MetricDesc& desc : kFamilies) families.emplace_back(desc);
  for (const auto& ns : report.namespaces) {
    for (const zones::ServiceStatus& service : ns->services) AddService(families, service, report);
  }
  for (FamilyBuilder& family : families) collected.families.push_back(family.Take());
  return collected;
}

}  // namespace

const Collector& ServicesCollector() {
  static constexpr Collector kRow = {"services", "Endpoints of each Service by zone.", kFamilies,
                                     &Collect};
  return kRow;
}

}  // namespace azexporter::collect
