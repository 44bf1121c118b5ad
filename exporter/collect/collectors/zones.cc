// az_zone_*: what only a view of the whole zone can tell. A zone that is expected but gone keeps
// its series, with 0.

#include <array>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 1> kZone = {"zone"};
constexpr std::array<std::string_view, 2> kZoneState = {"zone", "state"};
constexpr std::array<std::string_view, 2> kZoneResource = {"zone", "resource"};
constexpr std::array<std::string_view, 2> kZoneRole = {"zone", "role"};
constexpr std::array<std::string_view, 3> kZoneRoleState = {"zone", "role", "state"};

constexpr std::string_view kStatesValues[] = {"normal", "partial_disruption", "full_disruption",
                                              "evacuated", "missing"};
constexpr model::LabelValues kStates[] = {{"state", kStatesValues}};
constexpr std::string_view kPodReadinessValues[] = {"ready", "not_ready"};
constexpr model::LabelValues kPodReadiness[] = {{"state", kPodReadinessValues}};
constexpr std::string_view kRolesValues[] = {"control-plane", "worker"};
constexpr model::LabelValues kRoles[] = {{"role", kRolesValues}};
constexpr std::string_view kReadinessValues[] = {"ready", "not_ready", "unknown"};
constexpr model::LabelValues kRoleAndReadiness[] = {{"role", kRolesValues},
                                                    {"state", kReadinessValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"az_nodes_without_zone",
     "Nodes that carry no zone label and count for no zone.",
     model::MetricType::kGauge,
     {},
     model::kNumber},
    {"az_zone_allocatable",
     "What the zone's ready nodes that are not cordoned have for pods: cpu in cores, memory and "
     "storage in bytes, pods and all else in units.",
     model::MetricType::kGauge, kZoneResource, model::kAmount},
    {"az_zone_health_up", "Whether the zone's health endpoint answered the last probe with 2xx.",
     model::MetricType::kGauge, kZone, model::kFlag},
    {"az_zone_maintenance",
     "Whether the zone is declared to be under maintenance: alerts about it are then silent.",
     model::MetricType::kGauge, kZone, model::kFlag},
    {"az_zone_nodes", "Nodes of the zone by role and by their Ready condition.",
     model::MetricType::kGauge, kZoneRoleState, model::kNumber, kRoleAndReadiness},
    {"az_zone_nodes_cordoned", "Nodes of the zone that are marked unschedulable.",
     model::MetricType::kGauge, kZoneRole, model::kNumber, kRoles},
    {"az_zone_nodes_expected", "Worker nodes that the zone is expected to have.",
     model::MetricType::kGauge, kZone, model::kNumber},
    {"az_zone_nodes_tainted",
     "Nodes of the zone with a taint that keeps pods off, other than those of a role or of being "
     "cordoned.",
     model::MetricType::kGauge, kZoneRole, model::kNumber, kRoles},
    {"az_zone_pods", "Pods of the watched selector on the zone's nodes by readiness.",
     model::MetricType::kGauge, kZoneState, model::kNumber, kPodReadiness},
    {"az_zone_pods_expected", "Ready pods that the zone is expected to have.",
     model::MetricType::kGauge, kZone, model::kNumber},
    {"az_zone_ready_ratio", "Share of the zone's nodes that are Ready, 0 for a zone without nodes.",
     model::MetricType::kGauge, kZone, model::kRatio},
    {"az_zone_requested",
     "What the pods on the zone's nodes that are not finished ask for, in the units of "
     "az_zone_allocatable; pods is their number. No series where not all namespaces are watched.",
     model::MetricType::kGauge, kZoneResource, model::kAmount},
    {"az_zone_state", "The state of the zone: 1 for the one that holds, 0 for the others.",
     model::MetricType::kGauge, kZoneState, model::kFlag, kStates},
};

enum Family {
  kWithoutZone,
  kAllocatable,
  kHealthUp,
  kMaintenance,
  kNodes,
  kCordoned,
  kNodesExpected,
  kTainted,
  kPods,
  kPodsExpected,
  kReadyRatio,
  kRequested,
  kState
};
using Families = std::vector<FamilyBuilder>;

void AddNodes(Families& families, const zones::ZoneStatus& zone) {
  const std::pair<std::string_view, const zones::NodeCounts*> roles[] = {
      {"control-plane", &zone.control_plane}, {"worker", &zone.workers}};
  for (const auto& [role, counts] : roles) {
    families[kNodes].Add({zone.zone, role, "ready"}, counts->ready);
    families[kNodes].Add({zone.zone, role, "not_ready"}, counts->not_ready);
    families[kNodes].Add({zone.zone, role, "unknown"}, counts->unknown);
    families[kCordoned].Add({zone.zone, role}, counts->cordoned);
    families[kTainted].Add({zone.zone, role}, counts->tainted);
  }
}

void AddState(FamilyBuilder& states, const zones::ZoneStatus& zone) {
  using zones::ZoneState;
  for (ZoneState state : {ZoneState::kNormal, ZoneState::kPartialDisruption,
                          ZoneState::kFullDisruption, ZoneState::kEvacuated, ZoneState::kMissing}) {
    states.Add({zone.zone, zones::ZoneStateName(state)}, zone.state == state ? 1 : 0);
  }
}

// What configuration and probes say, whether or not the nodes are known.
void AddDeclared(Families& families, const zones::ZoneStatus& zone,
                 const zones::ZoneReport& report) {
  if (zone.health == zones::EndpointHealth::kUp || zone.health == zones::EndpointHealth::kDown) {
    families[kHealthUp].Add({zone.zone}, zone.health == zones::EndpointHealth::kUp ? 1 : 0);
  }
  if (zone.expected_workers) families[kNodesExpected].Add({zone.zone}, *zone.expected_workers);
  if (zone.expected_pods) families[kPodsExpected].Add({zone.zone}, *zone.expected_pods);
  // A node may declare it, too: without nodes it is not known that nobody does.
  if (zone.maintenance_until_ms || report.nodes.known) {
    families[kMaintenance].Add({zone.zone}, zone.maintenance_until_ms ? 1 : 0);
  }
}

void AddKnown(Families& families, const zones::ZoneStatus& zone, const zones::ZoneReport& report) {
  AddNodes(families, zone);
  AddState(families[kState], zone);
  AddResources(families[kAllocatable], zone.zone, zone.allocatable);
  const int total = zone.nodes_total();
  families[kReadyRatio].Add({zone.zone}, total == 0 ? 0 : double{1} * zone.nodes_ready() / total);
  if (!report.pods.known) return;
  families[kPods].Add({zone.zone, "ready"}, zone.pods_ready);
  families[kPods].Add({zone.zone, "not_ready"}, zone.pods_not_ready);
  if (zone.requested) AddResources(families[kRequested], zone.zone, *zone.requested);
}

Collected Collect(const CollectorInputs& inputs) {
  const zones::ZoneReport& report = inputs.report;
  Collected collected;
  Families families;
  for (const model::MetricDesc& desc : kFamilies) families.emplace_back(desc);
  for (const zones::SourceStatus* source : {&report.nodes, &report.pods, &report.expectations}) {
    if (!collected.fault) collected.fault = FaultOf(*source);
  }
  if (report.nodes.known) families[kWithoutZone].Add({}, report.nodes_without_zone);
  for (const zones::ZoneStatus& zone : report.zones) {
    AddDeclared(families, zone, report);
    if (report.nodes.known) AddKnown(families, zone, report);
  }
  for (FamilyBuilder& family : families) collected.families.push_back(family.Take());
  return collected;
}

}  // namespace

const Collector& ZonesCollector() {
  static constexpr Collector kRow = {"zones", "State, nodes, room and expectations of each zone.",
                                     kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
