#pragma once

// The database servers that are pods with certain labels, whatever made them. Private to `app`.
//
// A server is there for as long as its pod object is, be it on a node that went; then it is
// forgotten, unless more servers of its database cluster are expected than there are pods. Pods of
// Jobs are none: they come to an end. A server keeps the zone that it was last seen in while its
// pod has no node.
//
// Thread safety: one thread at a time.

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "azexporter/base/logger.h"
#include "azexporter/config/config.h"
#include "azexporter/kube/cluster_state.h"
#include "pod_servers.h"

namespace azexporter::app {

struct PodServer {
  std::string name;  // of its pod; "missing-1" of one that is expected and was never seen
  std::string zone;
  std::string ip;           // the last one; empty: it never had any
  std::string unreachable;  // why it cannot be asked; empty: it can
};

struct PodDatabase {
  PodCluster cluster;
  std::size_t selection = 0;       // its place among the configured ones
  std::vector<PodServer> servers;  // sorted by name
};

class SelectedPods {
 public:
  explicit SelectedPods(base::Logger log) : log_(std::move(log)) {}

  void SetConfig(std::vector<config::PodSelection> selections);
  // Looks at the pods anew. A pod is of the first selection that takes it; a database cluster of a
  // name that is `taken`, or that an earlier selection has, is left out. While pods or nodes are
  // not known what was known stays.
  void Update(const kube::ClusterState& cluster, const std::set<std::string>& taken);

  // Called as the selection says, NAMESPACE/NAME where several namespaces have one of the name.
  const std::vector<PodDatabase>& databases() const { return databases_; }
  // What the cluster has is known.
  bool complete() const { return selections_.empty() || complete_; }

 private:
  // Of one namespace.
  struct Known {
    struct Last {
      std::string zone;
      std::string ip;
      const kube::Pod* pod = nullptr;  // of this update; null: it is gone
    };
    std::map<std::string, Last> pods;
  };
  // Place of the selection, namespace, name.
  using Key = std::tuple<std::size_t, std::string, std::string>;

  void TakePods(const kube::ClusterState& cluster);
  bool Take(const kube::ClusterState& cluster, std::size_t index, const kube::Pod& pod);
  void ExpectByName(std::size_t index);
  void ForgetGone();
  static std::vector<PodServer> ServersOf(const Known& known, std::size_t expected);

  const base::Logger log_;
  std::vector<config::PodSelection> selections_;
  std::map<Key, Known> known_;
  std::set<std::string> unnamed_;  // pods without the label that names their cluster, told of
  std::vector<PodDatabase> databases_;
  bool complete_ = false;
};

// The PostgreSQL servers of a database, logged in to as `access` says.
std::vector<db::PostgresInstance> InstancesOf(const PodDatabase& database,
                                              const config::PostgresAccess& access,
                                              SecretLogins& secrets);
// The Redis servers of a database.
db::RedisCluster RedisOf(const PodDatabase& database, const config::RedisPods& config,
                         SecretLogins& secrets);

}  // namespace azexporter::app
