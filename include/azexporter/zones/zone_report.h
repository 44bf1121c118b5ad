#pragma once

// The ZoneReport: the single answer to "how are the zones". The collectors, --check, /api/v1/zones
// and the status page read it; none of them judges for itself.
//
// A report is a pure function of one view of the cluster and of what the probes and databases said;
// ZoneModel makes the next one from the last where little changed. No I/O is done here, and no
// metric is known.
//
// Where some namespaces alone are watched, what is said of a namespace is true of it, and what
// needs all of them is not known. Nodes, volumes and storage classes are the cluster's and always
// seen.
//
//   state of zones, their nodes, allocatable   known: of nodes alone
//   az_zone_pods (ready, not ready)            counts the watched namespaces; zone_pods.namespace
//                                              has to be one of them
//   what pods ask for of a zone                not known
//   workloads, spread, budgets, Services,      known, of the watched namespaces
//     claims, policy; kube_pod_*
//   anti-affinity                              known; what it forbids beside a pod of a namespace
//                                              that is not watched is not seen
//   placement, headroom, unplaceable pods      not known: others take up room on the nodes
//   verdict "not survived"                     holds: what the namespaces, nodes and databases
//                                              show is reason enough
//   verdict "survived"                         not known, and neither is "no blocker" of a reason
//                                              that another namespace may have
//   a drain                                    the same
//   databases                                  known; of those of operators the namespaces they are
//                                              looked for in have to be watched
//   Redis nodes that are known by their pods   in no zone where the pod is not seen: verdict open
//
// Thread safety: values; a finished report is shared as shared_ptr<const ZoneReport>. ZoneModel:
// one thread only.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/base/yaml.h"
#include "azexporter/kube/cluster_state.h"
#include "azexporter/probe/prober.h"
#include "azexporter/zones/cnpg.h"
#include "azexporter/zones/namespace_report.h"
#include "azexporter/zones/node_leases.h"
#include "azexporter/zones/postgres.h"
#include "azexporter/zones/redis.h"
#include "azexporter/zones/zone_loss.h"

namespace azexporter::zones {

// What should be there: an entry of the zone-health ConfigMap or of the configuration.
struct ExpectedZone {
  std::optional<int> nodes;          // workers
  std::optional<int> expected_pods;  // ready pods of the zone_pods selector
  std::string health_endpoint;       // as written; may be no URL
  // Under maintenance until then, wall time.
  std::optional<std::int64_t> maintenance_until_ms;
  friend bool operator==(const ExpectedZone&, const ExpectedZone&) = default;
};
using ExpectedZones = std::map<std::string, ExpectedZone>;

// Decodes the documented `zones:` map ("zones.yaml" of the zone-health ConfigMap). `file` is named
// in errors.
base::Result<ExpectedZones> ParseExpectedZones(std::string_view yaml, const std::string& file);
// The same from the map under `zones:` alone, as it stands in the configuration file.
base::Result<ExpectedZones> DecodeExpectedZones(const base::YamlNode& zones);

// How a zone is. The first two kinds of disruption are kube-controller-manager's: no node ready; or
// more than 2 nodes not ready and they are at least 55 % of the zone.
// Source: kubernetes pkg/controller/nodelifecycle, ComputeZoneState and --unhealthy-zone-threshold.
enum class ZoneState {
  kNormal,
  kPartialDisruption,
  kFullDisruption,
  kEvacuated,  // every node is cordoned, yet the zone is not disrupted: on purpose
  kMissing,    // expected, or seen before, but without a node
  kUnknown,    // the nodes could not be asked for: never counted as fine
};
std::string_view ZoneStateName(ZoneState state);

struct NodeCounts {
  int ready = 0;
  int not_ready = 0;  // Ready is False
  int unknown = 0;    // Ready is Unknown: the kubelet went silent
  int cordoned = 0;   // spec.unschedulable; overlaps with the three above
  // With a taint that keeps pods off (NoSchedule, NoExecute), other than those that come with a
  // role and with being cordoned; overlaps, too.
  int tainted = 0;
  int total() const { return ready + not_ready + unknown; }

  bool operator==(const NodeCounts&) const = default;
};

enum class EndpointHealth { kNone, kNotAUrl, kNotProbed, kUp, kDown };
std::string_view EndpointHealthName(EndpointHealth health);

struct ZoneStatus {
  std::string zone;
  ZoneState state = ZoneState::kUnknown;
  NodeCounts workers;
  NodeCounts control_plane;
  std::optional<int> expected_workers;
  // Pods of the zone_pods selector on the zone's nodes, neither finished nor terminating.
  int pods_ready = 0;
  int pods_not_ready = 0;
  std::optional<int> expected_pods;
  EndpointHealth health = EndpointHealth::kNone;
  std::string health_error;           // why the endpoint is down
  std::optional<double> p95_seconds;  // of its recent probes

  kube::Resources allocatable;  // of its ready nodes that are not cordoned
  // What all pods on its nodes ask for; absent where not all of them are seen.
  std::optional<kube::Resources> requested;
  PodCounts pods;  // of the watched namespaces, neither finished nor terminating

  // Declared by configuration, ConfigMap or an annotation of its nodes: its findings are notes
  // until then. Absent once the time is over.
  std::optional<std::int64_t> maintenance_until_ms;

  int nodes_total() const { return workers.total() + control_plane.total(); }
  int nodes_ready() const { return workers.ready + control_plane.ready; }

  bool operator==(const ZoneStatus&) const = default;
};

// What is known about the source of the zones' facts.
struct SourceStatus {
  bool known = false;    // the facts below it are current enough to be judged
  bool failing = false;  // it is not answering now, whether or not old facts still hold
  // Nobody was asked: a file does not hold it, or the server does not have it. No failure.
  bool absent = false;
  std::string error;  // why it is not known, or why it is failing
  std::int64_t last_contact_ms = 0;
};

struct ZoneReport {
  std::int64_t timestamp_ms = 0;
  SourceStatus nodes;
  SourceStatus pods;
  SourceStatus expectations;  // the ConfigMap; known where the configuration gives the zones
  // Of optional resources: what is said of them is not known otherwise, and the zones' state is.
  SourceStatus workloads;  // Deployments, ReplicaSets, StatefulSets, DaemonSets, Jobs
  SourceStatus budgets;
  SourceStatus services;  // and their endpoint slices
  SourceStatus volumes;   // claims, and storage classes
  // Nothing where nobody asked for the Leases of nodes.
  std::optional<SourceStatus> node_leases;
  std::vector<SilentNodes> silent_nodes;  // sorted by zone
  // Of pods and all else that stands in a namespace these alone are seen; empty: all.
  std::set<std::string> watched_namespaces;
  std::vector<ZoneStatus> zones;  // sorted by name
  int nodes_without_zone = 0;
  std::vector<DatabaseStatus> databases;  // in the order of the configuration
  // Writable instances of one database cluster: more than one is a split brain.
  std::map<std::string, int> primaries;
  std::vector<PostgresStatus> postgres;  // sorted by name
  std::vector<CnpgStatus> cnpg;          // of the Clusters that are asked
  std::vector<RedisStatus> redis;        // in the order of the configuration

  // Sorted by name. Empty where nodes or pods are not known.
  std::vector<std::shared_ptr<const NamespaceReport>> namespaces;
  std::shared_ptr<const VolumeReport> volume_report;  // null where volumes are not known
  // What if a zone failed, or was drained: one for each zone, in their order.
  std::vector<ZoneLoss> losses;
  std::vector<ZoneLoss> evacuations;

  const ZoneStatus* Find(std::string_view zone) const;
  bool all_pods_seen() const { return nodes.known && pods.known && watched_namespaces.empty(); }
};

// "only namespaces a, b are watched". REQUIRES: not empty.
std::string OnlyWatchedText(const std::set<std::string>& namespaces);

// Watched alone, and nothing is in them: the API server answers so for one that does not exist.
std::vector<std::string> EmptyNamespaces(const ZoneReport& report);

struct ReportInputs {
  std::shared_ptr<const kube::ClusterState> cluster;
  const ExpectedZones& expected;
  SourceStatus expectations;
  std::span<const probe::TargetFacts> probes;
  std::span<const db::PostgresFacts> postgres;
  std::map<std::string, db::PostgresFailovers> postgres_failovers = {};  // by database cluster
  std::span<const CnpgStatus> cnpg = {};
  std::span<const db::RedisCluster> redis_clusters = {};  // as configured
  std::span<const db::RedisFacts> redis = {};
  // Zones that had nodes at some time: they do not vanish when their nodes do.
  const std::set<std::string>& seen_zones;
  // Which pods count for `expected_pods`. An empty namespace means all, an empty selector all pods.
  std::string pod_namespace;
  kube::StringMap pod_selector;
  DefaultConstraints default_constraints = {};
  // Namespaces, and objects as NAMESPACE/NAME, that a zone's loss may break.
  std::set<std::string> accepted_losses = {};
  // Zones under maintenance, beside what `expected` and annotations of nodes say: until when.
  std::map<std::string, std::int64_t> maintenance_until_ms = {};
  // Whether to play through where the pods of a lost zone would go: a walk over all pods, made
  // again only where something changed.
  bool place = true;
  std::int64_t now_ms = 0;
  // A source silent for longer is no longer believed. Default 2m.
  std::int64_t stale_after_ms = 120'000;
};

class ZoneModel {
 public:
  ZoneModel();
  ~ZoneModel();

  // The report of `inputs`, whatever was before. Namespaces in which no object changed since the
  // last call are taken over as they are, unless a node changed in a way that matters to placement.
  ZoneReport Update(const ReportInputs& inputs);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

ZoneReport MakeZoneReport(const ReportInputs& inputs);

}  // namespace azexporter::zones
