#pragma once

// The one configuration file, decoded and validated. A key that is not known, given twice or of the
// wrong form is refused with file, line and column; so is a secret written into the file.
//
// Thread safety: a value; thread-compatible.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/collect/collector.h"
#include "azexporter/db/postgres.h"
#include "azexporter/db/redis.h"
#include "azexporter/kube/leader_election.h"
#include "azexporter/kube/objects.h"
#include "azexporter/model/labels.h"
#include "azexporter/notify/targets.h"
#include "azexporter/probe/prober.h"
#include "azexporter/remote/sender.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::config {

struct GlobalConfig {
  std::int64_t evaluation_interval_ms = 15'000;  // of rule groups that name none
  std::int64_t collect_interval_ms = 15'000;     // between two rounds
  model::Labels external_labels;  // added to alerts on their way out, and to what is sent on
};

struct KubernetesConfig {
  std::string kubeconfig;  // path; empty: the service account, else KUBECONFIG, else ~/.kube/config
  std::string context;     // empty: current-context
  std::string snapshot;    // path of `kubectl get -o json` output; then no API server is asked
  std::set<std::string> namespaces;  // that are watched; empty: all
  bool node_leases = false;          // whether the Leases of nodes are watched
  // How long old facts hold when the API server stops answering. Default 2m.
  std::int64_t stale_after_ms = 120'000;
  // What the scheduler applies to pods without spread constraints of their own. Its API does not
  // tell; none unless given here.
  zones::DefaultConstraints default_constraints;
  // Where it is given one of several replicas leads. Namespace and identity may be empty still.
  std::optional<kube::LeaderElectionOptions> leader_election;
};

// The zone-health ConfigMap to watch, whose key zones.yaml holds the documented `zones:` map.
struct ZonesConfigMap {
  std::string ns;
  std::string name;
};

// The pods that count for `expected_pods`. The default is the documented workload's label.
struct ZonePods {
  std::string ns;  // empty: every namespace
  kube::StringMap selector = {{"app.kubernetes.io/name", "machine-native-ops"}};
};

struct ProbesConfig {
  std::string source_zone;  // empty: the zone of the node named by NODE_NAME, where that is set
  std::int64_t interval_ms = 5'000;
  std::int64_t timeout_ms = 5'000;
  std::vector<probe::Target> targets;  // beside the zones' health endpoints
};

// What rules ask in the place of the own store.
struct Datasource {
  remote::Endpoint endpoint;         // its URL is what stands before /api/v1
  std::int64_t timeout_ms = 10'000;  // of a query

  friend bool operator==(const Datasource&, const Datasource&) = default;
};

struct StorageConfig {
  enum class Keep { kRules, kAll };
  std::int64_t retention_ms = 2 * 3'600'000;  // how long samples are kept in memory
  // What is kept for so long: what the loaded rules ask for, and all else for a few minutes; or
  // all.
  Keep keep = Keep::kRules;
  std::uint64_t max_bytes = 0;  // how much memory samples may take; 0: no bound
  std::string path;             // the folder of what is kept on disk; empty: nothing is
};

// The names of namespaces, 50 at most; kBadData otherwise.
base::Result<std::set<std::string>> ParseNamespaces(const std::vector<std::string>& names);

// "rules" or "all"; kBadData otherwise.
base::Result<StorageConfig::Keep> ParseKeep(std::string_view text);

// Which objects of a custom resource are meant.
struct ObjectSelection {
  kube::LabelSelector selector;      // of their labels; an empty one selects all
  std::set<std::string> namespaces;  // empty: all

  // Whether or not it is on its way out.
  bool Matches(const kube::ObjectMeta& object) const;
  // Not one that is on its way out.
  bool Selects(const kube::ObjectMeta& object) const;

  friend bool operator==(const ObjectSelection&, const ObjectSelection&) = default;
};

// Pods that are each a server of a database cluster.
struct PodSelection {
  ObjectSelection objects;    // its selector is never empty
  std::string name;           // of the database cluster of all of them; or:
  std::string cluster_label;  // the label of a pod that has the name
  // How many servers each of these clusters is to have: what is missing is down. 0: as many as
  // there are.
  std::size_t expected = 0;

  friend bool operator==(const PodSelection&, const PodSelection&) = default;
};

// How to log in to PostgreSQL servers that are found as pods.
struct PostgresAccess {
  int port = 5432;
  std::string dbname = "postgres";
  std::string sslmode;      // as libpq has it; empty: libpq's own
  std::string sslrootcert;  // path; empty: libpq's own
  std::string user;
  std::string password_file;
  // Holds CLUSTER/username and CLUSTER/password, as a mounted Secret of the operator does; in the
  // place of the two above.
  std::string credentials_folder;
  // A Secret beside the pods that has these keys, read by the API; in the place of all three. In
  // its name "{cluster}" stands for that of the Cluster.
  std::string secret;
};

// PostgreSQL servers that labels of pods tell of.
struct PostgresPods {
  PodSelection pods;
  PostgresAccess access;
};

// CloudNativePG's Cluster objects whose instances are asked beside the configured ones.
struct CnpgConfig {
  ObjectSelection selection;
  PostgresAccess access;
};

// How to log in to Redis servers that are found as pods.
struct RedisAccess {
  int port = 0;               // 0: what an operator's object says, else 6379
  std::string username;       // empty: Redis's "default"
  std::string password_file;  // empty: no authentication
  // Holds CLUSTER/password, as a mounted Secret does; in the place of the file above.
  std::string credentials_folder;
  std::optional<db::RedisTls> tls;
};

// Redis servers that labels of pods tell of: nodes of a cluster, or a master with its replicas.
struct RedisPods {
  PodSelection pods;
  RedisAccess access;
  // A Secret beside the pods, as that of PostgresAccess, and its key that has the password.
  std::string secret;
  std::string secret_key = "password";
};

// RedisCluster objects of OpsTree's operator whose nodes are asked beside the configured ones.
struct OpstreeConfig {
  ObjectSelection selection;
  RedisAccess access;
  // The password is in the Secret that the object names, read by the API; in the place of a file.
  bool secret = false;
};

struct Config {
  GlobalConfig global;
  KubernetesConfig kubernetes;
  zones::ExpectedZones zones;
  std::optional<ZonesConfigMap> zones_config_map;
  // Namespaces, and workloads, budgets and Services as NAMESPACE/NAME, that a zone's loss may
  // break: that is then a note.
  std::set<std::string> accepted_losses;
  // Zones under maintenance, and until when (wall time): of the command line, beside those of
  // `zones`, of the ConfigMap and of annotations.
  std::map<std::string, std::int64_t> maintenance_until_ms;
  ZonePods zone_pods;
  ProbesConfig probes;
  std::vector<db::PostgresInstance> postgres;
  std::optional<CnpgConfig> cnpg;
  std::vector<PostgresPods> postgres_pods;
  std::vector<db::RedisCluster> redis;
  std::optional<OpstreeConfig> opstree;
  std::vector<RedisPods> redis_pods;
  // Paths, relative ones seen from the configuration file. Empty: the recommended pack, built in.
  std::vector<std::string> rule_files;
  // PrometheusRule objects of the Prometheus Operator whose rules are evaluated beside the rule
  // files.
  std::optional<ObjectSelection> prometheus_rules;
  notify::AlertingOptions alerting;
  std::vector<remote::WriteTarget> remote_write;
  std::optional<Datasource> datasource;
  StorageConfig storage;
  std::set<std::string> disabled_collectors;
  collect::CollectorOptions collectors;
  std::string text;  // the file as it was read, empty where there is none
};

// kBadData where some namespaces alone are watched and something is looked for in others, which
// would never be found. ParseConfig does it.
base::Result<void> CheckNamespaces(const Config& config);

// `file` is named in errors and is what relative paths are seen from.
base::Result<Config> ParseConfig(std::string_view yaml, const std::string& file);
base::Result<Config> LoadConfig(const std::string& path);

}  // namespace azexporter::config
