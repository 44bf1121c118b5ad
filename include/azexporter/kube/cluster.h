#pragma once

// Cluster: the watched cluster as a whole. It owns a reflector and a cache for each resource in
// use, or for each namespace of it where some are watched alone, and gives out ClusterStates.
//
// Thread safety: thread-safe after construction. State() never waits for the network.

#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/base/result.h"
#include "azexporter/kube/access.h"
#include "azexporter/kube/cluster_state.h"

namespace azexporter::kube {

struct ClusterOptions {
  // Of resources that stand in namespaces these alone are listed and watched, one by one; empty:
  // all, at once. A right is then needed in each of them only. One that does not exist has no
  // objects: the API server does not tell the difference.
  std::set<std::string> namespaces;
  // The zone-health ConfigMap, watched where it is named: NAMESPACE and NAME.
  std::string config_map_namespace;
  std::string config_map_name;
  // Whether the Leases of nodes are watched, each of which is renewed every 10 s.
  bool node_leases = false;
  // Custom resources to watch, by T::kResource; those that the cluster lacks are looked for again
  // now and then.
  std::set<std::string, std::less<>> custom_resources;
  std::int64_t min_backoff_ms = 1'000;
  std::int64_t list_timeout_ms = 60'000;
};

class Cluster {
 public:
  // `clock` must outlive this.
  Cluster(ClusterAccess access, ClusterOptions options, const base::Clock& clock, base::Logger log);
  ~Cluster();
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  // Lists every resource once. What failed stands in the state's health; nothing is thrown away.
  void ListOnce(std::stop_token stop);
  // Starts a thread for each resource, or each namespace of it, which watches until Stop or
  // destruction.
  void Start();
  void Stop();

  std::shared_ptr<const ClusterState> State() const;
  const ClusterAccess& access() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// A cluster from a text: the output of `kubectl get ... -o json` or `-o yaml`, or answers of an API
// server; it may be empty (an empty cluster). `source` is named in errors. Objects that were not
// understood stand in `skipped`.
base::Result<std::shared_ptr<const ClusterState>> ReadSnapshot(std::string text,
                                                               const std::string& source,
                                                               std::int64_t now_ms,
                                                               std::vector<std::string>& skipped);

// The same from a file, from standard input ("-"), or from every .json, .yaml and .yml below a
// folder, such as `oc adm must-gather` leaves. Of a folder a file that cannot be read stands in
// `skipped` as well, and an object that several files have counts once.
base::Result<std::shared_ptr<const ClusterState>> ReadSnapshotFrom(
    const std::string& path, std::int64_t now_ms, std::vector<std::string>& skipped);

}  // namespace azexporter::kube
