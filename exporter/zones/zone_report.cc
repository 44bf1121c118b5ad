#include "azexporter/zones/zone_report.h"

#include <algorithm>

#include "azexporter/base/yaml.h"
#include "azexporter/net/http_client.h"
#include "azexporter/zones/replication.h"

namespace azexporter::zones {
namespace {

using base::Fail;
using base::Result;

Result<std::optional<int>> OptionalCount(base::YamlMap& map, std::string_view key) {
  const base::YamlNode* node = map.Find(key);
  if (node == nullptr) return std::optional<int>();
  AZX_ASSIGN_OR_RETURN(const std::int64_t value, node->AsInt64());
  constexpr std::int64_t kMost = 1'000'000;
  if (value < 0 || value > kMost) {
    return Fail(node->ErrorHere(std::string(key) + " must be between 0 and 1000000"));
  }
  return std::optional<int>(static_cast<int>(value));
}

// The documented ConfigMap writes the endpoint as a placeholder in brackets, which YAML reads as a
// list: such a value is kept as its text, to be reported as "not a URL".
std::string EndpointText(const base::YamlNode& node) {
  if (node.kind() != base::YamlNode::Kind::kSequence) return node.scalar();
  std::string text = "[";
  for (const base::YamlNode& item : node.items()) {
    text += (text.size() > 1 ? ", " : "") + item.scalar();
  }
  return text + "]";
}

Result<ExpectedZone> ParseExpectedZone(const base::YamlNode& node) {
  AZX_ASSIGN_OR_RETURN(base::YamlMap map, base::YamlMap::Of(node));
  ExpectedZone zone;
  AZX_ASSIGN_OR_RETURN(zone.nodes, OptionalCount(map, "nodes"));
  AZX_ASSIGN_OR_RETURN(zone.expected_pods, OptionalCount(map, "expected_pods"));
  if (const base::YamlNode* endpoint = map.Find("health_endpoint")) {
    zone.health_endpoint = EndpointText(*endpoint);
  }
  AZX_RETURN_IF_ERROR(map.CheckAllRead());
  return zone;
}

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
  status.failing = !health->last_error.empty();
  status.error = health->last_error;
  const std::int64_t age_ms = inputs.now_ms - health->last_contact_ms;
  status.known = health->synced && age_ms <= inputs.stale_after_ms;
  if (!status.known && status.error.empty()) {
    status.failing = true;
    status.error = health->synced
                       ? "no word from the API server for " + std::to_string(age_ms / 1000) + "s"
                       : std::string(resource) + " were not listed yet";
  }
  return status;
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

// One pass over nodes and pods into the zones by name.
class ZoneCounter {
 public:
  explicit ZoneCounter(const ReportInputs& inputs) : inputs_(inputs) {
    for (const auto& [name, expected] : inputs.expected) Zone(name);
    for (const std::string& name : inputs.seen_zones) Zone(name);
  }

  int CountNodes() {
    int without_zone = 0;
    for (const auto& node : inputs_.cluster.nodes()) {
      if (node->zone().empty()) {
        ++without_zone;
        continue;
      }
      ZoneStatus& zone = Zone(node->zone());
      CountNode(*node, node->control_plane() ? zone.control_plane : zone.workers);
    }
    return without_zone;
  }

  void CountPods() {
    for (const auto& pod : inputs_.cluster.pods()) {
      if (!inputs_.pod_namespace.empty() && pod->meta.ns != inputs_.pod_namespace) continue;
      if (!pod->is_active() || pod->meta.terminating) continue;
      if (!kube::MatchesLabels(pod->meta.labels, inputs_.pod_selector)) continue;
      const std::string_view zone = inputs_.cluster.ZoneOf(*pod);
      if (zone.empty()) continue;
      ZoneStatus& status = Zone(zone);
      ++(pod->is_ready() ? status.pods_ready : status.pods_not_ready);
    }
  }

  std::vector<ZoneStatus> Take() {
    std::vector<ZoneStatus> zones;
    for (auto& [name, zone] : zones_) zones.push_back(std::move(zone));
    return zones;
  }

 private:
  ZoneStatus& Zone(std::string_view name) {
    auto found = zones_.find(name);
    if (found == zones_.end()) {
      found = zones_.emplace(std::string(name), ZoneStatus()).first;
      found->second.zone = name;
    }
    return found->second;
  }

  const ReportInputs& inputs_;
  std::map<std::string, ZoneStatus, std::less<>> zones_;
};

void AddExpectation(const ExpectedZones& expected, ZoneStatus& zone) {
  const auto found = expected.find(zone.zone);
  if (found == expected.end()) return;
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

// The writable instance of a database cluster, where exactly one answered.
const db::PostgresFacts* PrimaryOf(std::span<const db::PostgresFacts> all,
                                   const std::string& cluster) {
  const db::PostgresFacts* primary = nullptr;
  for (const db::PostgresFacts& facts : all) {
    if (facts.cluster != cluster || !facts.up || facts.in_recovery) continue;
    if (primary != nullptr) return nullptr;
    primary = &facts;
  }
  return primary;
}

DatabaseStatus JudgeDatabase(const db::PostgresFacts& facts,
                             std::span<const db::PostgresFacts> all) {
  DatabaseStatus status;
  status.cluster = facts.cluster;
  status.instance = facts.instance;
  status.zone = facts.zone;
  status.up = facts.up;
  status.error = facts.error;
  if (!facts.up) return status;
  status.role = facts.in_recovery ? DatabaseRole::kStandby : DatabaseRole::kPrimary;
  if (status.role == DatabaseRole::kStandby) {
    const Lag lag = ReplicationLag(facts, PrimaryOf(all, facts.cluster));
    status.lag_seconds = lag.seconds;
    status.lag_bytes = lag.bytes;
    status.lag_stale = lag.stale;
  }
  return status;
}

}  // namespace

Result<ExpectedZones> ParseExpectedZones(std::string_view yaml, const std::string& file) {
  AZX_ASSIGN_OR_RETURN(base::YamlNode root, base::YamlNode::Parse(yaml, file));
  AZX_ASSIGN_OR_RETURN(base::YamlMap map, base::YamlMap::Of(root));
  AZX_ASSIGN_OR_RETURN(const base::YamlNode* zones, map.Require("zones"));
  AZX_RETURN_IF_ERROR(map.CheckAllRead());
  return DecodeExpectedZones(*zones);
}

Result<ExpectedZones> DecodeExpectedZones(const base::YamlNode& zones) {
  if (!zones.is_map()) return Fail(zones.ErrorHere("expected a map of zones"));
  ExpectedZones expected;
  for (const auto& [name, value] : zones.entries()) {
    AZX_ASSIGN_OR_RETURN(expected[name.scalar()], ParseExpectedZone(value));
  }
  return expected;
}

std::string_view ZoneStateName(ZoneState state) {
  switch (state) {
    case ZoneState::kNormal:
      return "normal";
    case ZoneState::kPartialDisruption:
      return "partial_disruption";
    case ZoneState::kFullDisruption:
      return "full_disruption";
    case ZoneState::kEvacuated:
      return "evacuated";
    case ZoneState::kMissing:
      return "missing";
    case ZoneState::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view EndpointHealthName(EndpointHealth health) {
  switch (health) {
    case EndpointHealth::kNone:
      return "none";
    case EndpointHealth::kNotAUrl:
      return "not_a_url";
    case EndpointHealth::kNotProbed:
      return "not_probed";
    case EndpointHealth::kUp:
      return "up";
    case EndpointHealth::kDown:
      return "down";
  }
  return "none";
}

std::string_view DatabaseRoleName(DatabaseRole role) {
  switch (role) {
    case DatabaseRole::kUnknown:
      return "unknown";
    case DatabaseRole::kPrimary:
      return "primary";
    case DatabaseRole::kStandby:
      return "standby";
  }
  return "unknown";
}

const ZoneStatus* ZoneReport::Find(std::string_view zone) const {
  for (const ZoneStatus& status : zones) {
    if (status.zone == zone) return &status;
  }
  return nullptr;
}

ZoneReport MakeZoneReport(const ReportInputs& inputs) {
  ZoneReport report;
  report.timestamp_ms = inputs.now_ms;
  report.nodes = StatusOf(inputs.cluster, kube::Node::kResource, inputs);
  report.pods = StatusOf(inputs.cluster, kube::Pod::kResource, inputs);
  report.expectations = inputs.expectations;
  ZoneCounter counter(inputs);
  if (report.nodes.known) report.nodes_without_zone = counter.CountNodes();
  if (report.nodes.known && report.pods.known) counter.CountPods();
  report.zones = counter.Take();
  for (ZoneStatus& zone : report.zones) {
    if (report.nodes.known) zone.state = StateOf(zone);
    AddExpectation(inputs.expected, zone);
    AddProbe(inputs.probes, zone);
  }
  for (const db::PostgresFacts& facts : inputs.postgres) {
    report.databases.push_back(JudgeDatabase(facts, inputs.postgres));
    int& primaries = report.primaries[facts.cluster];
    if (facts.up && !facts.in_recovery) ++primaries;
  }
  return report;
}

}  // namespace azexporter::zones
