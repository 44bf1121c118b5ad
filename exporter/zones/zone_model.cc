#include <algorithm>
#include <initializer_list>
#include <limits>
#include <tuple>

#include "azexporter/base/time_text.h"
#include "azexporter/net/http_client.h"
#include "azexporter/zones/zone_report.h"
#include "namespace_reporter.h"
#include "node_domains.h"
#include "report_changes.h"

namespace azexporter::zones {
namespace {

SourceStatus StatusOf(const kube::ClusterState& cluster, std::string_view resource,
                      const ReportInputs& inputs) {
  SourceStatus status;
  const kube::ResourceHealth* health = cluster.HealthOf(resource);
  if (health == nullptr) {
    status.failing = true;
    status.error = std::string(resource) + " were never asked for";
    return status;
  }
  status.last_contact_ms = health->last_contact_ms;
  status.absent = health->absent || (health->optional && health->from_file && !health->synced);
  status.failing = !health->last_error.empty() && !status.absent;
  status.error = health->last_error;
  const std::int64_t age_ms = inputs.now_ms - health->last_contact_ms;
  status.known = !health->absent && health->synced && age_ms <= inputs.stale_after_ms;
  if (!status.known && status.error.empty()) {
    status.failing = !status.absent;
    status.error = health->synced
                       ? "no word from the API server for " + std::to_string(age_ms / 1000) + "s"
                       : std::string(resource) + " were not listed yet";
  }
  return status;
}

// Of several resources that are only known together: the first that is not known.
SourceStatus StatusOf(const kube::ClusterState& cluster,
                      std::initializer_list<std::string_view> resources,
                      const ReportInputs& inputs) {
  SourceStatus all{.known = true, .last_contact_ms = std::numeric_limits<std::int64_t>::max()};
  for (const std::string_view resource : resources) {
    const SourceStatus one = StatusOf(cluster, resource, inputs);
    if (!one.known) return one;
    if (one.failing && !all.failing) all = one;
    all.last_contact_ms = std::min(all.last_contact_ms, one.last_contact_ms);
  }
  return all;
}

// A file that holds some kinds of workloads says that there are none of the others.
SourceStatus WorkloadsStatus(const kube::ClusterState& cluster, const ReportInputs& inputs) {
  constexpr std::string_view kKinds[] = {kube::Deployment::kResource, kube::ReplicaSet::kResource,
                                         kube::StatefulSet::kResource, kube::DaemonSet::kResource,
                                         kube::Job::kResource};
  SourceStatus all;
  for (const std::string_view kind : kKinds) {
    const kube::ResourceHealth* health = cluster.HealthOf(kind);
    const bool from_file = health != nullptr && health->from_file;
    const SourceStatus one = StatusOf(cluster, kind, inputs);
    if (one.known == from_file) return one;
    if (kind == kKinds[0]) all = one;
  }
  return all;
}

// Not one that comes with a role or with being cordoned.
bool IsOwnTaint(const kube::Taint& taint) {
  return KeepsPodsOff(taint) && taint.key != "node.kubernetes.io/unschedulable" &&
         !taint.key.starts_with("node-role.kubernetes.io/");
}

void CountNode(const kube::Node& node, NodeCounts& counts) {
  switch (node.ready()) {
    case kube::ConditionStatus::kTrue:
      ++counts.ready;
      break;
    case kube::ConditionStatus::kFalse:
      ++counts.not_ready;
      break;
    case kube::ConditionStatus::kUnknown:
      ++counts.unknown;
      break;
  }
  if (node.unschedulable) ++counts.cordoned;
  if (std::any_of(node.taints.begin(), node.taints.end(), IsOwnTaint)) ++counts.tainted;
}

ZoneState StateOf(const ZoneStatus& zone) {
  const int total = zone.nodes_total();
  const int ready = zone.nodes_ready();
  if (total == 0) return ZoneState::kMissing;
  if (ready == 0) return ZoneState::kFullDisruption;
  constexpr double kUnhealthyZoneThreshold = 0.55;
  const int not_ready = total - ready;
  if (not_ready > 2 && not_ready >= kUnhealthyZoneThreshold * total) {
    return ZoneState::kPartialDisruption;
  }
  const bool all_cordoned = zone.workers.cordoned + zone.control_plane.cordoned == total;
  return all_cordoned ? ZoneState::kEvacuated : ZoneState::kNormal;
}

// What the nodes alone say, by zone.
struct NodeFacts {
  std::map<std::string, ZoneStatus, std::less<>> zones;
  int without_zone = 0;
  ControlPlaneNodes control_plane;
};

void NoteMaintenance(std::int64_t until_ms, ZoneStatus& zone) {
  zone.maintenance_until_ms = std::max(zone.maintenance_until_ms.value_or(until_ms), until_ms);
}

NodeFacts FactsOf(const kube::ObjectList<kube::Node>& nodes) {
  NodeFacts facts;
  for (const auto& node : nodes) {
    if (node->control_plane()) {
      ++facts.control_plane.members;
      if (node->ready() == kube::ConditionStatus::kTrue) ++facts.control_plane.ready;
    }
    if (node->zone().empty()) {
      ++facts.without_zone;
      continue;
    }
    ZoneStatus& zone = facts.zones[std::string(node->zone())];
    CountNode(*node, node->control_plane() ? zone.control_plane : zone.workers);
    if (node->ready() == kube::ConditionStatus::kTrue && !node->unschedulable) {
      zone.allocatable.Add(node->allocatable);
    }
    const std::string* announced = kube::Find(node->meta.annotations, kMaintenanceAnnotation);
    if (announced == nullptr) continue;
    if (const auto until = base::ParseTimeMs(*announced)) NoteMaintenance(*until, zone);
  }
  return facts;
}

void AddExpectation(const ReportInputs& inputs, ZoneStatus& zone) {
  const auto found = inputs.expected.find(zone.zone);
  if (found != inputs.expected.end() && found->second.maintenance_until_ms) {
    NoteMaintenance(*found->second.maintenance_until_ms, zone);
  }
  const auto declared = inputs.maintenance_until_ms.find(zone.zone);
  if (declared != inputs.maintenance_until_ms.end()) NoteMaintenance(declared->second, zone);
  if (zone.maintenance_until_ms && *zone.maintenance_until_ms <= inputs.now_ms) {
    zone.maintenance_until_ms.reset();
  }
  if (found == inputs.expected.end()) return;
  zone.expected_workers = found->second.nodes;
  zone.expected_pods = found->second.expected_pods;
  if (found->second.health_endpoint.empty()) return;
  zone.health = net::IsHttpUrl(found->second.health_endpoint) ? EndpointHealth::kNotProbed
                                                              : EndpointHealth::kNotAUrl;
}

void AddProbe(std::span<const probe::TargetFacts> probes, ZoneStatus& zone) {
  for (const probe::TargetFacts& facts : probes) {
    if (!facts.target.zone_health || facts.target.zone != zone.zone) continue;
    if (facts.probes == 0) continue;
    zone.health = facts.up() ? EndpointHealth::kUp : EndpointHealth::kDown;
    zone.health_error = facts.last_error;
    zone.p95_seconds = facts.recent_p95_seconds;
  }
}

void AddDatabases(const ReportInputs& inputs, ZoneReport& report) {
  report.databases = JudgeInstances(inputs.postgres);
  report.postgres = JudgePostgres(inputs.postgres, inputs.postgres_failovers);
  report.cnpg.assign(inputs.cnpg.begin(), inputs.cnpg.end());
  for (const PostgresStatus& status : report.postgres) {
    report.primaries[status.cluster] = status.primaries;
  }
  report.redis = JudgeRedis(inputs.redis_clusters, inputs.redis, *inputs.cluster);
}

void AddSources(const ReportInputs& inputs, ZoneReport& report) {
  const kube::ClusterState& cluster = *inputs.cluster;
  report.nodes = StatusOf(cluster, kube::Node::kResource, inputs);
  report.pods = StatusOf(cluster, kube::Pod::kResource, inputs);
  report.expectations = inputs.expectations;
  report.watched_namespaces = cluster.watched_namespaces();
  report.workloads = WorkloadsStatus(cluster, inputs);
  report.budgets = StatusOf(cluster, kube::PodDisruptionBudget::kResource, inputs);
  report.services =
      StatusOf(cluster, {kube::Service::kResource, kube::EndpointSlice::kResource}, inputs);
  const kube::ResourceHealth* leases = cluster.HealthOf(kube::NodeLease::kResource);
  if (leases != nullptr && !leases->from_file) {
    report.node_leases = StatusOf(cluster, kube::NodeLease::kResource, inputs);
  }
  report.volumes = StatusOf(
      cluster, {kube::PersistentVolume::kResource, kube::PersistentVolumeClaim::kResource}, inputs);
}

// The order in which findings of a zone are told.
void SortFindings(std::vector<LossFinding>& findings) {
  std::stable_sort(
      findings.begin(), findings.end(),
      [](const LossFinding& a, const LossFinding& b) { return a.blocker > b.blocker; });
}

}  // namespace

struct ZoneModel::Impl {
  struct Namespace {
    std::shared_ptr<const NamespaceReport> report;
    std::shared_ptr<const NamespaceGroups> groups;
  };
  struct Placed {
    std::shared_ptr<const Placement> placement;
    std::vector<LossFinding> findings;
  };

  // What the namespaces' reports were made of.
  std::shared_ptr<const kube::ClusterState> cluster;
  // Whose nodes `reporter` knows, and whose storage classes.
  std::shared_ptr<const kube::ClusterState> node_basis;
  NamespaceOptions options;
  std::unique_ptr<NamespaceReporter> reporter;
  std::map<std::string, Namespace, std::less<>> namespaces;
  NodeFacts nodes;
  // By zone and kind; none where something that they depend on changed.
  std::map<std::pair<std::string, LossKind>, Placed> placements;
  std::unique_ptr<PlacementModel> placing;  // null: pods were not placed on these nodes yet
  PlacementModel::Names to_place;           // the namespaces that it does not know as they are
  // And what the volumes' was made of.
  std::shared_ptr<const VolumeReport> volumes;
  std::shared_ptr<const kube::ClusterState> volume_basis;
  std::shared_ptr<const kube::ClusterState> volume_nodes;

  void TakeNodes(const ReportInputs& inputs) {
    if (node_basis && SameForReport(node_basis->nodes(), inputs.cluster->nodes()) &&
        node_basis->storage_classes() == inputs.cluster->storage_classes()) {
      return;
    }
    placing.reset();
    node_basis = inputs.cluster;
    nodes = FactsOf(node_basis->nodes());
    reporter.reset();
    placements.clear();
  }

  void TakeNamespaces(const ReportInputs& inputs) {
    NamespaceOptions asked;
    for (const auto& [zone, expected] : inputs.expected) asked.spread.expected_zones.insert(zone);
    asked.spread.expected_zones.insert(inputs.seen_zones.begin(), inputs.seen_zones.end());
    asked.spread.defaults = inputs.default_constraints;
    asked.pod_namespace = inputs.pod_namespace;
    asked.pod_selector = inputs.pod_selector;
    asked.accepted = inputs.accepted_losses;
    if (!reporter || !(asked == options)) {
      options = asked;
      reporter = std::make_unique<NamespaceReporter>(*node_basis, options);
      namespaces.clear();
      placements.clear();
      placing.reset();
      for (const std::string& ns : NamespacesOf(*inputs.cluster)) Make(*inputs.cluster, ns);
    } else {
      Renew(*inputs.cluster);
    }
    cluster = inputs.cluster;
  }

  void Renew(const kube::ClusterState& now) {
    Changes changes = ChangesBetween(*cluster, now);
    if (changes.namespaces.empty()) return;
    to_place.merge(changes.placement);
    for (const auto& [ns, known] : namespaces) {
      if (known.report->reads_other_namespaces) changes.namespaces.insert(ns);
    }
    for (const std::string& ns : changes.namespaces) Make(now, ns);
  }

  void Make(const kube::ClusterState& now, const std::string& ns) {
    NamespaceReporter::Result made = reporter->Of(now, ns);
    Namespace& known = namespaces[ns];
    if (known.groups == nullptr || !(made.groups == *known.groups)) {
      known.groups = std::make_shared<const NamespaceGroups>(std::move(made.groups));
      to_place.insert(ns);
    }
    if (made.report.empty()) {
      namespaces.erase(ns);
    } else {
      known.report = std::make_shared<const NamespaceReport>(std::move(made.report));
    }
  }

  // Made anew only where volumes, their classes or nodes are others.
  std::shared_ptr<const VolumeReport> Volumes(const ReportInputs& inputs,
                                              const ZoneReport& report) {
    if (!report.volumes.known || !report.nodes.known) return nullptr;
    const kube::ClusterState& now = *inputs.cluster;
    if (!volumes || volume_basis->volumes() != now.volumes() || volume_nodes != node_basis) {
      volumes = std::make_shared<const VolumeReport>(VolumesOf(now));
      volume_basis = inputs.cluster;
      volume_nodes = node_basis;
    }
    return volumes;
  }

  // Zones that are expected or were seen have their place, with nodes or without.
  std::vector<ZoneStatus> Zones(const ReportInputs& inputs, const ZoneReport& report) const {
    std::map<std::string, ZoneStatus, std::less<>> zones;
    if (report.nodes.known) zones = nodes.zones;
    for (const auto& [name, expected] : inputs.expected) zones[name];
    for (const std::string& name : inputs.seen_zones) zones[name];
    if (report.all_pods_seen()) {
      for (auto& [name, zone] : zones) zone.requested.emplace();
    }
    for (const auto& ns : report.namespaces) {
      for (const auto& [name, load] : ns->loads) {
        if (!name.empty()) AddLoad(load, zones[name]);
      }
    }
    std::vector<ZoneStatus> all;
    for (auto& [name, zone] : zones) {
      zone.zone = name;
      if (report.nodes.known) zone.state = StateOf(zone);
      AddExpectation(inputs, zone);
      AddProbe(inputs.probes, zone);
      all.push_back(std::move(zone));
    }
    return all;
  }

  static void AddLoad(const ZoneLoad& load, ZoneStatus& zone) {
    if (zone.requested) zone.requested->Add(load.requested);
    zone.pods.total += load.pods.total;
    zone.pods.ready += load.pods.ready;
    zone.pods_ready += static_cast<int>(load.watched.ready);
    zone.pods_not_ready += static_cast<int>(load.watched.total - load.watched.ready);
  }

  // Findings of the cluster and of its namespaces, and what they come to.
  ZoneLoss LossOf(const ZoneStatus& zone, const ZoneReport& report,
                  LossFindings NamespaceReport::*part) const {
    ZoneLoss loss;
    loss.zone = zone.zone;
    loss.control_plane_visible = nodes.control_plane.members > 0;
    for (const auto& [name, source] :
         {std::pair("nodes", &report.nodes), std::pair("pods", &report.pods),
          std::pair("workloads", &report.workloads),
          std::pair("disruption budgets", &report.budgets),
          std::pair("services", &report.services)}) {
      if (!source->known) loss.not_known.emplace_back(name);
    }
    if (!report.watched_namespaces.empty()) {
      loss.not_known.push_back("all else of the cluster, since " +
                               OnlyWatchedText(report.watched_namespaces));
    }
    for (const auto& ns : report.namespaces) {
      const auto found = ((*ns).*part).find(zone.zone);
      if (found == ((*ns).*part).end()) continue;
      loss.findings.insert(loss.findings.end(), found->second.begin(), found->second.end());
    }
    return loss;
  }

  static void Conclude(const ZoneStatus& zone, ZoneLoss& loss) {
    SortFindings(loss.findings);
    const bool gone = zone.state == ZoneState::kFullDisruption || zone.state == ZoneState::kMissing;
    if (gone) {
      loss.verdict = Verdict::kLostAlready;
    } else if (loss.blockers() > 0) {
      loss.verdict = Verdict::kNotSurvived;
    } else if (!loss.not_known.empty()) {
      loss.verdict = Verdict::kUnknown;
    } else {
      loss.verdict = Verdict::kSurvived;
    }
  }

  // The placements of all zones that still have nodes.
  void Place(const ReportInputs& inputs, const ZoneReport& report) {
    if (!inputs.place || !report.all_pods_seen()) return placements.clear();
    if (!placements.empty() && to_place.empty()) return;
    GroupsByNamespace groups;
    for (const auto& [ns, known] : namespaces) groups.emplace(ns, known.groups);
    if (placing == nullptr) {
      placing = std::make_unique<PlacementModel>(*node_basis, inputs.default_constraints,
                                                 reporter->nodes());
      for (const auto& [ns, known] : groups) to_place.insert(ns);
    }
    PlacementModel& model = *placing;
    model.Update(*inputs.cluster, groups, std::exchange(to_place, {}));
    placements.clear();
    const bool alike = model.KindsAlike();
    for (const ZoneStatus& zone : report.zones) {
      if (zone.nodes_total() == 0) continue;
      Placement failure = model.Without(zone.zone, LossKind::kFailure);
      Placement evacuation = alike ? failure : model.Without(zone.zone, LossKind::kEvacuation);
      evacuation.kind = LossKind::kEvacuation;
      for (Placement* one : {&failure, &evacuation}) {
        Placed& placed = placements[{zone.zone, one->kind}];
        placed.findings = PlacementFindings(*one);
        placed.placement = std::make_shared<const Placement>(std::move(*one));
      }
    }
  }

  void AddPlacement(LossKind kind, ZoneLoss& loss) const {
    const auto found = placements.find({loss.zone, kind});
    if (found == placements.end()) return;
    loss.placement = found->second.placement;
    const std::vector<LossFinding>& unplaced = found->second.findings;
    loss.findings.insert(loss.findings.end(), unplaced.begin(), unplaced.end());
  }

  ZoneLoss Failure(const ZoneStatus& zone, const ReportInputs& inputs,
                   const ZoneReport& report) const {
    ZoneLoss loss = LossOf(zone, report, &NamespaceReport::losses);
    ControlPlaneNodes members = nodes.control_plane;
    members.ready_in_zone = zone.control_plane.ready;
    std::vector<LossFinding> of_cluster = PostgresFindings(inputs.postgres, zone.zone);
    const std::vector<LossFinding> of_redis = RedisFindings(report.redis, zone.zone);
    of_cluster.insert(of_cluster.end(), of_redis.begin(), of_redis.end());
    if (const auto finding = ControlPlaneFinding(members)) {
      of_cluster.insert(of_cluster.begin(), *finding);
    }
    loss.findings.insert(loss.findings.begin(), of_cluster.begin(), of_cluster.end());
    for (const auto& [database, count] : report.primaries) {
      if (count == 0) loss.not_known.push_back("the primary of " + database);
    }
    for (const RedisStatus& redis : report.redis) {
      if (!redis.known) loss.not_known.push_back("the nodes of " + redis.cluster);
      if (redis.without_zone > 0) loss.not_known.push_back("zones of nodes of " + redis.cluster);
    }
    AddPlacement(LossKind::kFailure, loss);
    Conclude(zone, loss);
    return loss;
  }

  ZoneLoss Evacuation(const ZoneStatus& zone, const ZoneReport& report) const {
    ZoneLoss loss = LossOf(zone, report, &NamespaceReport::evictions);
    AddPlacement(LossKind::kEvacuation, loss);
    Conclude(zone, loss);
    return loss;
  }
};

ZoneModel::ZoneModel() : impl_(std::make_unique<Impl>()) {}
ZoneModel::~ZoneModel() = default;

ZoneReport ZoneModel::Update(const ReportInputs& inputs) {
  ZoneReport report;
  report.timestamp_ms = inputs.now_ms;
  AddSources(inputs, report);
  impl_->TakeNodes(inputs);
  if (report.nodes.known) report.nodes_without_zone = impl_->nodes.without_zone;
  if (report.nodes.known && report.pods.known) {
    impl_->TakeNamespaces(inputs);
    for (const auto& [ns, known] : impl_->namespaces) report.namespaces.push_back(known.report);
  }
  report.zones = impl_->Zones(inputs, report);
  if (report.nodes.known && report.node_leases && report.node_leases->known) {
    report.silent_nodes = SilentNodesOf(*inputs.cluster);
  }
  AddDatabases(inputs, report);
  report.volume_report = impl_->Volumes(inputs, report);
  impl_->Place(inputs, report);
  for (const ZoneStatus& zone : report.zones) {
    report.losses.push_back(impl_->Failure(zone, inputs, report));
    report.evacuations.push_back(impl_->Evacuation(zone, report));
  }
  return report;
}

ZoneReport MakeZoneReport(const ReportInputs& inputs) { return ZoneModel().Update(inputs); }

}  // namespace azexporter::zones
