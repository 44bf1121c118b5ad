#pragma once

// The Redis clusters of OpsTree's RedisCluster objects, each with the addresses of its pods; the
// nodes of which these tell are found by asking. Private to `app`.
//
// A pod that is gone keeps its place for as long as its cluster announces its address.
// Labels: github.com/OT-CONTAINER-KIT/redis-operator, internal/controller/common/labels.go. Secret:
// api/common/v1beta2/common_types.go there.
//
// Thread safety: one thread at a time.

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "azexporter/base/logger.h"
#include "azexporter/config/config.h"
#include "azexporter/kube/cluster_state.h"
#include "secret_logins.h"

namespace azexporter::app {

class OpstreeClusters {
 public:
  // What of an object's spec is in use.
  struct Spec {
    int port = 6379;
    // spec.kubernetesConfig.redisSecret: where the password is. Empty: there is none.
    std::string secret;
    std::string secret_key;
  };

  // `secrets` must outlive this.
  OpstreeClusters(SecretLogins& secrets, base::Logger log)
      : secrets_(secrets), log_(std::move(log)) {}

  // Nothing: none are looked for. An object of the name of a cluster of `configured` is left to the
  // configuration.
  void SetConfig(std::optional<config::OpstreeConfig> config,
                 const std::vector<db::RedisCluster>& configured);
  // Looks at the objects anew. While they, pods or nodes are not known what was known stays.
  void Update(const kube::ClusterState& cluster);

  // By namespace, then name. Called as the object; NAMESPACE/NAME where several namespaces have one
  // of the name.
  const std::vector<db::RedisCluster>& clusters() const { return clusters_; }
  // What the cluster has is known, or that it has no such objects.
  bool complete() const { return !config_ || complete_; }

 private:
  struct Known {
    kube::Object<kube::RedisCluster> object;
    Spec spec;
    // By pod: its last address, and where it stood.
    std::map<std::string, std::pair<std::string, db::RedisCluster::Place>> pods;
  };

  void Read(Known& known) const;
  void TakePods(const kube::ClusterState& cluster, Known& known, db::RedisCluster& redis) const;
  db::RedisCluster Login(const std::string& name, const Known& known) const;

  SecretLogins& secrets_;
  const base::Logger log_;
  std::optional<config::OpstreeConfig> config_;
  std::set<std::string> configured_;      // names of clusters
  std::map<std::string, Known> objects_;  // by "NAMESPACE/NAME"
  std::vector<db::RedisCluster> clusters_;
  bool complete_ = false;
};

}  // namespace azexporter::app
