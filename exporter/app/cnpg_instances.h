#pragma once

// The PostgreSQL instances of CloudNativePG's Cluster objects: those that have a pod, and those
// that the Cluster names though their pod is gone. Private to `app`.
//
// An instance keeps the zone that it was last seen in while it has no node.
// Labels: cloudnative-pg.io/documentation/current/labels_annotations. Keys of the operator's
// Secrets: cloudnative-pg.io/documentation/current/applications/#secrets.
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
#include "azexporter/zones/cnpg.h"
#include "secret_logins.h"

namespace azexporter::app {

class CnpgInstances {
 public:
  // `secrets` must outlive this.
  CnpgInstances(SecretLogins& secrets, base::Logger log)
      : secrets_(secrets), log_(std::move(log)) {}

  // Nothing: none are looked for. A Cluster of the same name as a database cluster of `configured`
  // is left to the configuration.
  void SetConfig(std::optional<config::CnpgConfig> config,
                 const std::vector<db::PostgresInstance>& configured);
  // Looks at the objects anew. While Clusters, pods or nodes are not known what was known stays; a
  // Cluster that cannot be read is logged once and stays what it was.
  void Update(const kube::ClusterState& cluster);

  // By namespace, then name. A database cluster is called as its Cluster; NAMESPACE/NAME where
  // several namespaces have one of the name.
  const std::vector<zones::CnpgStatus>& clusters() const { return clusters_; }
  // In the order of their clusters, then by name.
  const std::vector<db::PostgresInstance>& instances() const { return instances_; }
  // What the cluster has is known, or that it has no such objects.
  bool complete() const { return !config_ || complete_; }

 private:
  struct Known {
    kube::Object<kube::CnpgCluster> object;
    std::optional<zones::CnpgStatus> status;
    std::map<std::string, std::string> zones;  // by instance: where it was last seen
  };

  void Read(Known& known) const;
  void NameClusters();
  void AddInstances(const kube::ClusterState& cluster, const zones::CnpgStatus& status,
                    Known& known);
  db::PostgresInstance Instance(const zones::CnpgStatus& status, const std::string& name,
                                const kube::Pod* pod) const;

  SecretLogins& secrets_;
  const base::Logger log_;
  std::optional<config::CnpgConfig> config_;
  std::set<std::string> configured_;      // names of database clusters
  std::map<std::string, Known> objects_;  // by "NAMESPACE/NAME"
  std::vector<zones::CnpgStatus> clusters_;
  std::vector<db::PostgresInstance> instances_;
  bool complete_ = false;
};

}  // namespace azexporter::app
