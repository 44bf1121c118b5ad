#include "azexporter/app/observer.h"

#include <limits>
#include <thread>

#include "azexporter/base/file.h"
#include "azexporter/net/http_client.h"
#include "cnpg_instances.h"
#include "opstree_clusters.h"
#include "secret_logins.h"
#include "selected_pods.h"

namespace azexporter::app {
namespace {

using base::Fail;
using base::Result;

Result<kube::ClusterAccess> FindCluster(const config::KubernetesConfig& config,
                                        const Surroundings& around) {
  if (!config.kubeconfig.empty()) return kube::LoadKubeconfig(config.kubeconfig, config.context);
  if (config.context.empty()) {
    auto in_cluster = kube::InClusterAccess(around.service_host, around.service_port,
                                            around.service_account_folder);
    if (in_cluster || in_cluster.error().code() != base::ErrorCode::kNotFound) return in_cluster;
  }
  std::string path = around.kubeconfig;
  if (path.empty() && !around.home.empty()) {
    path = around.home + (around.home.ends_with('/') ? "" : "/") + ".kube/config";
  }
  auto access = kube::LoadKubeconfig(path, config.context);
  if (access || access.error().code() == base::ErrorCode::kBadData) return access;
  return Fail(
      base::ErrorCode::kNotFound,
      "no cluster found: not in a pod, no --kubeconfig given, and " + access.error().message());
}

kube::ClusterOptions ClusterOptionsOf(const config::Config& config, const ObserverDeps& deps) {
  kube::ClusterOptions options;
  options.namespaces = config.kubernetes.namespaces;
  options.node_leases = config.kubernetes.node_leases;
  options.list_timeout_ms = deps.list_timeout_ms;
  if (config.zones_config_map) {
    options.config_map_namespace = config.zones_config_map->ns;
    options.config_map_name = config.zones_config_map->name;
  }
  if (config.prometheus_rules) {
    options.custom_resources.emplace(kube::PrometheusRule::kResource);
  }
  if (config.cnpg) options.custom_resources.emplace(kube::CnpgCluster::kResource);
  if (config.opstree) options.custom_resources.emplace(kube::RedisCluster::kResource);
  if (config.collectors.policy_custom_resources) {
    for (std::string_view resource :
         {kube::CnpgCluster::kResource, kube::RedisCluster::kResource,
          kube::DestinationRule::kResource, kube::TargetGroupBinding::kResource}) {
      options.custom_resources.emplace(resource);
    }
  }
  return options;
}

probe::ProberOptions ProberOptionsOf(const config::Config& config) {
  return {.source_zone = config.probes.source_zone,
          .interval_ms = config.probes.interval_ms,
          .timeout_ms = config.probes.timeout_ms};
}

// Of PostgresPods or RedisPods.
template <class Pods>
std::vector<config::PodSelection> SelectionsOf(const std::vector<Pods>& all) {
  std::vector<config::PodSelection> selections;
  for (const Pods& one : all) selections.push_back(one.pods);
  return selections;
}

// Of an optional resource any answer will do, a refusal too.
bool Answered(const kube::ResourceHealth& health) {
  return health.synced || (health.optional && (health.absent || !health.last_error.empty()));
}

// The expectations of the watched ConfigMap. Its `zones.yaml` is the documented form.
Result<zones::ExpectedZones> ReadConfigMap(const kube::ClusterState& cluster,
                                           const config::ZonesConfigMap& where) {
  const std::string name = "configmap " + where.ns + "/" + where.name;
  for (const auto& map : cluster.config_maps()) {
    if (map->meta.ns != where.ns || map->meta.name != where.name) continue;
    const std::string_view yaml = kube::Lookup(map->data, "zones.yaml");
    if (yaml.empty()) return base::BadData(name + " has no key zones.yaml");
    return zones::ParseExpectedZones(yaml, name + ":zones.yaml");
  }
  return Fail(base::ErrorCode::kNotFound, name + " not found");
}

}  // namespace

Observer::Observer(config::Config config, ObserverDeps deps)
    : config_(std::move(config)),
      deps_(std::move(deps)),
      prober_(ProberOptionsOf(config_), deps_.clock, deps_.log),
      secrets_(std::make_unique<SecretLogins>(deps_.clock)),
      cnpg_(std::make_unique<CnpgInstances>(*secrets_, deps_.log)),
      opstree_(std::make_unique<OpstreeClusters>(*secrets_, deps_.log)),
      postgres_pods_(std::make_unique<SelectedPods>(deps_.log)),
      redis_pods_(std::make_unique<SelectedPods>(deps_.log)),
      postgres_({.instances = config_.postgres, .interval_ms = config_.global.collect_interval_ms},
                deps_.clock, deps_.log),
      redis_({.clusters = config_.redis, .interval_ms = config_.global.collect_interval_ms},
             deps_.clock, deps_.log),
      expected_(config_.zones) {
  ConfigureDatabases();
}

Observer::~Observer() = default;

Result<std::unique_ptr<Observer>> Observer::Create(config::Config config, ObserverDeps deps) {
  std::unique_ptr<Observer> observer(new Observer(std::move(config), std::move(deps)));
  const config::Config& settings = observer->config_;
  const ObserverDeps& given = observer->deps_;
  if (!settings.kubernetes.snapshot.empty()) {
    const std::string& path = settings.kubernetes.snapshot;
    std::vector<std::string> skipped;
    AZX_ASSIGN_OR_RETURN(observer->snapshot_,
                         kube::ReadSnapshotFrom(path, given.clock.NowMs(), skipped));
    for (const std::string& error : skipped) {
      given.log.Warn("object not understood, left out", {{"error", error}});
    }
  } else {
    AZX_ASSIGN_OR_RETURN(kube::ClusterAccess access,
                         FindCluster(settings.kubernetes, given.surroundings));
    given.log.Info("cluster found",
                   {{"server", net::RedactUrl(access.server)}, {"source", access.source}});
    observer->cluster_ = std::make_unique<kube::Cluster>(
        std::move(access), ClusterOptionsOf(settings, given), given.clock, given.log);
    observer->secrets_->SetClient(std::make_shared<kube::ApiClient>(observer->cluster_->access()));
  }
  return observer;
}

void Observer::Start() {
  if (cluster_) cluster_->Start();
  prober_.Start();
  postgres_.Start();
  redis_.Start();
}

void Observer::Stop() {
  prober_.Stop();
  postgres_.Stop();
  redis_.Stop();
  if (cluster_) cluster_->Stop();
}

void Observer::AskOnce(std::stop_token stop) {
  std::vector<std::jthread> asking;
  const auto ask = [&](bool postgres, bool redis) {
    if (postgres) asking.emplace_back([this] { postgres_.PollNow(); });
    if (redis) asking.emplace_back([this] { redis_.PollNow(); });
  };
  // Of what the cluster tells it has to tell first.
  const bool told_postgres = config_.cnpg || !config_.postgres_pods.empty();
  const bool told_redis = config_.opstree || !config_.redis_pods.empty();
  ask(!told_postgres, !told_redis);
  if (cluster_) cluster_->ListOnce(std::move(stop));
  UpdateDatabases(*cluster_state());
  ask(told_postgres, told_redis);
}

void Observer::ProbeNow(int times, std::int64_t budget_ms) {
  const auto cluster = cluster_state();
  UpdateExpectations(*cluster);
  UpdateTargets(*cluster);
  prober_.ProbeNow(times, budget_ms);
}

std::shared_ptr<const kube::ClusterState> Observer::cluster_state() const {
  return cluster_ ? cluster_->State() : snapshot_;
}

bool Observer::synced() const {
  const auto cluster = cluster_state();
  for (const kube::ResourceHealth& health : cluster->health()) {
    if (!Answered(health)) return false;
  }
  return true;
}

bool Observer::asked_all() const {
  const auto probes = prober_.Facts();
  return synced() && cnpg_->complete() && opstree_->complete() && postgres_pods_->complete() &&
         redis_pods_->complete() && postgres_.asked_all() && redis_.asked_all() &&
         std::all_of(probes.begin(), probes.end(),
                     [](const probe::TargetFacts& facts) { return facts.probes > 0; });
}

void Observer::AddSeenZones(const std::set<std::string>& zones) {
  seen_zones_.insert(zones.begin(), zones.end());
}

void Observer::UpdateExpectations(const kube::ClusterState& cluster) {
  expectations_ = {.known = true, .last_contact_ms = deps_.clock.NowMs()};
  if (!config_.zones_config_map) {
    expected_ = config_.zones;
    return;
  }
  const kube::ResourceHealth* health = cluster.HealthOf(kube::ConfigMap::kResource);
  expectations_.last_contact_ms = health == nullptr ? 0 : health->last_contact_ms;
  if (health == nullptr || !health->synced) {
    expectations_.known = false;
    expectations_.failing = true;
    expectations_.error = health == nullptr || health->last_error.empty()
                              ? "the zone-health ConfigMap was not read yet"
                              : health->last_error;
    return;
  }
  auto expected = ReadConfigMap(cluster, *config_.zones_config_map);
  if (expected) {
    expected_ = std::move(*expected);
    expectations_.failing = !health->last_error.empty();
    expectations_.error = health->last_error;
    last_expectations_error_.clear();
    return;
  }
  // A broken edit of the ConfigMap does not forget what was expected before it.
  expectations_.known = !expected_.empty();
  expectations_.failing = true;
  expectations_.error = expected.error().message();
  if (std::exchange(last_expectations_error_, expectations_.error) != expectations_.error) {
    deps_.log.Warn("zone expectations not understood", {{"error", expectations_.error}});
  }
}

void Observer::UpdateTargets(const kube::ClusterState& cluster) {
  std::vector<probe::Target> targets = config_.probes.targets;
  for (const auto& [zone, expected] : expected_) {
    if (!net::IsHttpUrl(expected.health_endpoint)) continue;
    targets.push_back({zone, expected.health_endpoint, zone, /*zone_health=*/true});
  }
  prober_.SetTargets(std::move(targets));
  if (!config_.probes.source_zone.empty()) return;
  const kube::Node* node = cluster.FindNode(deps_.surroundings.node_name);
  if (node != nullptr) prober_.SetSourceZone(std::string(node->zone()));
}

void Observer::ConfigureDatabases() {
  cnpg_->SetConfig(config_.cnpg, config_.postgres);
  opstree_->SetConfig(config_.opstree, config_.redis);
  postgres_pods_->SetConfig(SelectionsOf(config_.postgres_pods));
  redis_pods_->SetConfig(SelectionsOf(config_.redis_pods));
}

void Observer::UpdateDatabases(const kube::ClusterState& cluster) {
  UpdatePostgres(cluster);
  UpdateRedis(cluster);
  secrets_->ForgetUnused();
}

// Those of the configuration, those that operators tell of, those that pods are.
void Observer::UpdatePostgres(const kube::ClusterState& cluster) {
  cnpg_->Update(cluster);
  std::vector<db::PostgresInstance> instances = config_.postgres;
  instances.insert(instances.end(), cnpg_->instances().begin(), cnpg_->instances().end());
  std::set<std::string> taken;
  for (const db::PostgresInstance& instance : instances) taken.insert(instance.cluster);
  for (const zones::CnpgStatus& status : cnpg_->clusters()) taken.insert(status.cluster);
  postgres_pods_->Update(cluster, taken);
  for (const PodDatabase& database : postgres_pods_->databases()) {
    const auto more =
        InstancesOf(database, config_.postgres_pods[database.selection].access, *secrets_);
    instances.insert(instances.end(), more.begin(), more.end());
  }
  postgres_.SetInstances(std::move(instances));
}

void Observer::UpdateRedis(const kube::ClusterState& cluster) {
  opstree_->Update(cluster);
  std::vector<db::RedisCluster> clusters = config_.redis;
  clusters.insert(clusters.end(), opstree_->clusters().begin(), opstree_->clusters().end());
  std::set<std::string> taken;
  for (const db::RedisCluster& one : clusters) taken.insert(one.name);
  redis_pods_->Update(cluster, taken);
  for (const PodDatabase& database : redis_pods_->databases()) {
    clusters.push_back(RedisOf(database, config_.redis_pods[database.selection], *secrets_));
  }
  redis_.SetClusters(std::move(clusters));
}

void Observer::WarnOfEmptyNamespaces(const zones::ZoneReport& report) {
  for (const std::string& ns : zones::EmptyNamespaces(report)) {
    if (!warned_namespaces_.insert(ns).second) continue;
    deps_.log.Warn("nothing is in a namespace that is watched: does it exist?",
                   {{"namespace", ns}});
  }
}

collect::Round Observer::MakeRound(std::int64_t now_ms) {
  const auto cluster = cluster_state();
  UpdateExpectations(*cluster);
  UpdateTargets(*cluster);
  UpdateDatabases(*cluster);
  for (const auto& node : cluster->nodes()) {
    if (!node->zone().empty()) seen_zones_.emplace(node->zone());
  }
  const std::vector<probe::TargetFacts> probes = prober_.Facts();
  const std::vector<db::PostgresFacts> postgres = postgres_.Facts();
  const std::vector<db::RedisCluster> redis_clusters = redis_.clusters();
  const std::vector<db::RedisFacts> redis = redis_.Facts();
  // A snapshot file is as current as it will ever be.
  const std::int64_t stale_after_ms =
      cluster_ ? config_.kubernetes.stale_after_ms : std::numeric_limits<std::int64_t>::max();
  collect::Round round;
  round.report = zones_.Update({.cluster = cluster,
                                .expected = expected_,
                                .expectations = expectations_,
                                .probes = probes,
                                .postgres = postgres,
                                .postgres_failovers = postgres_.Failovers(),
                                .cnpg = cnpg_->clusters(),
                                .redis_clusters = redis_clusters,
                                .redis = redis,
                                .seen_zones = seen_zones_,
                                .pod_namespace = config_.zone_pods.ns,
                                .pod_selector = config_.zone_pods.selector,
                                .default_constraints = config_.kubernetes.default_constraints,
                                .accepted_losses = config_.accepted_losses,
                                .maintenance_until_ms = config_.maintenance_until_ms,
                                .now_ms = now_ms,
                                .stale_after_ms = stale_after_ms});
  WarnOfEmptyNamespaces(round.report);
  if (!config_.disabled_collectors.contains("policy")) round.policy = audit_.Update(*cluster);
  round.snapshot = gatherer_.Gather({.cluster = *cluster,
                                     .report = round.report,
                                     .probes = probes,
                                     .options = config_.collectors,
                                     .policy = round.policy},
                                    config_.disabled_collectors, deps_.clock);
  return round;
}

Result<void> Observer::Reconfigure(const config::Config& config) {
  const auto needs_restart = [](const char* section) {
    return base::BadData(std::string("a change of \"") + section + "\" needs a restart");
  };
  const auto& now = config_.kubernetes;
  const auto& next = config.kubernetes;
  if (now.kubeconfig != next.kubeconfig || now.context != next.context ||
      now.snapshot != next.snapshot || now.namespaces != next.namespaces ||
      now.node_leases != next.node_leases || now.leader_election != next.leader_election) {
    return needs_restart("kubernetes");
  }
  if (config_.zones_config_map.has_value() != config.zones_config_map.has_value() ||
      (config.zones_config_map &&
       (config.zones_config_map->ns != config_.zones_config_map->ns ||
        config.zones_config_map->name != config_.zones_config_map->name))) {
    return needs_restart("zones_config_map");
  }
  if (config_.prometheus_rules.has_value() != config.prometheus_rules.has_value()) {
    return needs_restart("prometheus_rules");
  }
  if (config_.collectors.policy_custom_resources != config.collectors.policy_custom_resources) {
    return needs_restart("collectors.policy");
  }
  if (config_.cnpg.has_value() != config.cnpg.has_value()) return needs_restart("postgres.cnpg");
  if (config_.opstree.has_value() != config.opstree.has_value()) {
    return needs_restart("redis.opstree");
  }
  if (config_.probes.interval_ms != config.probes.interval_ms ||
      config_.probes.timeout_ms != config.probes.timeout_ms) {
    return needs_restart("probes");
  }
  config_ = config;
  ConfigureDatabases();
  return {};
}

}  // namespace azexporter::app
