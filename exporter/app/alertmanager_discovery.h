#pragma once

// Keeps the sender's Alertmanagers equal to what the configuration names and the cluster has.
// Private to `app`.
//
// Thread safety: thread-safe.

#include <cstddef>
#include <string>
#include <vector>

#include "azexporter/base/logger.h"
#include "azexporter/base/mutex.h"
#include "azexporter/kube/cluster_state.h"
#include "azexporter/model/labels.h"
#include "azexporter/notify/sender.h"
#include "azexporter/notify/targets.h"

namespace azexporter::app {

class AlertmanagerDiscovery {
 public:
  // `sender` must outlive this.
  AlertmanagerDiscovery(notify::Sender& sender, base::Logger log)
      : sender_(sender), log_(std::move(log)) {}

  // Puts a configuration into force.
  void Configure(notify::AlertingOptions options, model::Labels external_labels);
  // Looks anew, where there is something to discover. `cluster` is not kept.
  void Update(const kube::ClusterState& cluster);
  // URLs of targets that relabelling dropped.
  std::vector<std::string> dropped() const;

 private:
  void ApplyLocked() AZX_REQUIRES(mu_);
  void DiscoverLocked(const kube::ClusterState& cluster) AZX_REQUIRES(mu_);
  void TellLocked(const kube::ClusterState& cluster) AZX_REQUIRES(mu_);

  // own synchronisation
  notify::Sender& sender_;
  const base::Logger log_;
  // guarded by mu_
  mutable base::Mutex mu_;
  notify::AlertingOptions options_ AZX_GUARDED_BY(mu_);
  model::Labels external_labels_ AZX_GUARDED_BY(mu_);
  // Of each group of options_, what was discovered last.
  std::vector<std::vector<model::Labels>> discovered_ AZX_GUARDED_BY(mu_);
  std::size_t found_ AZX_GUARDED_BY(mu_) = 0;  // Alertmanagers
  std::string told_ AZX_GUARDED_BY(mu_);       // of a discovery, last
  std::vector<std::string> dropped_ AZX_GUARDED_BY(mu_);
  std::vector<std::string> errors_ AZX_GUARDED_BY(mu_);  // told already
};

}  // namespace azexporter::app
