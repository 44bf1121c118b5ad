#pragma once

// The Observer ties the sources of facts together: the cluster, the probes, the databases. It makes
// the rounds that the daemon publishes and that --check judges.
//
// Thread safety: one thread only; the sources it owns run on their own threads.

#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>

#include "azexporter/audit/live.h"
#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/collect/round.h"
#include "azexporter/config/config.h"
#include "azexporter/db/postgres.h"
#include "azexporter/db/redis.h"
#include "azexporter/kube/cluster.h"
#include "azexporter/probe/prober.h"

namespace azexporter::app {

class CnpgInstances;
class OpstreeClusters;
class SecretLogins;
class SelectedPods;

// What of the environment matters for finding a cluster and oneself.
struct Surroundings {
  std::string service_host;  // KUBERNETES_SERVICE_HOST
  std::string service_port;  // KUBERNETES_SERVICE_PORT
  std::string service_account_folder = "/var/run/secrets/kubernetes.io/serviceaccount";
  std::string kubeconfig;  // KUBECONFIG
  std::string home;        // HOME
  std::string node_name;   // NODE_NAME: the node this runs on
};

struct ObserverDeps {
  const base::Clock& clock;  // must outlive the observer
  base::Logger log;
  Surroundings surroundings;
  std::int64_t list_timeout_ms = 60'000;
};

class Observer {
 public:
  // Finds the cluster. Errors say where it was looked for.
  static base::Result<std::unique_ptr<Observer>> Create(config::Config config, ObserverDeps deps);
  ~Observer();

  // Starts watching, probing and polling.
  void Start();
  void Stop();
  // Asks every source once, at the same time, and waits for all.
  void AskOnce(std::stop_token stop);
  // As Prober::ProbeNow, on the targets that follow from what is known.
  void ProbeNow(int times, std::int64_t budget_ms);

  // A round from what is known at this moment, bearing the time `now_ms`. Never waits.
  collect::Round MakeRound(std::int64_t now_ms);
  // Every watched resource was listed at least once; of an optional one it is enough to know that
  // it cannot be.
  bool synced() const;
  // Beside that, every database and every target of probes was asked since the start.
  bool asked_all() const;
  std::shared_ptr<const kube::ClusterState> cluster_state() const;

  // Zones that had nodes at some time: they are missing when they have none.
  const std::set<std::string>& seen_zones() const { return seen_zones_; }
  void AddSeenZones(const std::set<std::string>& zones);
  // nullptr with a snapshot.
  const kube::ClusterAccess* access() const { return cluster_ ? &cluster_->access() : nullptr; }

  // Takes over what may change in a running daemon. kBadData where another part changed.
  base::Result<void> Reconfigure(const config::Config& config);

 private:
  Observer(config::Config config, ObserverDeps deps);

  void UpdateExpectations(const kube::ClusterState& cluster);
  void UpdateTargets(const kube::ClusterState& cluster);
  void ConfigureDatabases();
  void UpdateDatabases(const kube::ClusterState& cluster);
  void UpdatePostgres(const kube::ClusterState& cluster);
  void UpdateRedis(const kube::ClusterState& cluster);
  void WarnOfEmptyNamespaces(const zones::ZoneReport& report);

  config::Config config_;
  const ObserverDeps deps_;
  std::unique_ptr<kube::Cluster> cluster_;  // null with a snapshot
  std::shared_ptr<const kube::ClusterState> snapshot_;
  probe::Prober prober_;
  std::unique_ptr<SecretLogins> secrets_;
  std::unique_ptr<CnpgInstances> cnpg_;
  std::unique_ptr<OpstreeClusters> opstree_;
  std::unique_ptr<SelectedPods> postgres_pods_;
  std::unique_ptr<SelectedPods> redis_pods_;
  db::PostgresPoller postgres_;
  db::RedisPoller redis_;
  // What is expected now, and how that is known.
  zones::ExpectedZones expected_;
  zones::SourceStatus expectations_;
  std::string last_expectations_error_;
  std::set<std::string> seen_zones_;
  std::set<std::string> warned_namespaces_;  // with nothing in them; each is logged once
  zones::ZoneModel zones_;
  collect::Gatherer gatherer_;
  audit::LiveAudit audit_;
};

}  // namespace azexporter::app
