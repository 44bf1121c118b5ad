#include "alertmanager_discovery.h"

#include <algorithm>
#include <utility>

#include "kubernetes_targets.h"

namespace azexporter::app {
namespace {

bool Discovers(const notify::AlertmanagerGroup& group) { return !group.kubernetes.empty(); }

bool Discovers(const notify::AlertingOptions& options) {
  return std::any_of(options.groups.begin(), options.groups.end(),
                     [](const notify::AlertmanagerGroup& group) { return Discovers(group); });
}

}  // namespace

void AlertmanagerDiscovery::Configure(notify::AlertingOptions options,
                                      model::Labels external_labels) {
  base::MutexLock lock(mu_);
  // What was discovered stays until the next look, as long as it is discovered in the same way.
  if (!(options.groups == options_.groups)) {
    discovered_.assign(options.groups.size(), {});
    told_.clear();
  }
  options_ = std::move(options);
  external_labels_ = std::move(external_labels);
  ApplyLocked();
}

void AlertmanagerDiscovery::Update(const kube::ClusterState& cluster) {
  base::MutexLock lock(mu_);
  if (!Discovers(options_)) return;
  DiscoverLocked(cluster);
  ApplyLocked();
  TellLocked(cluster);
}

std::vector<std::string> AlertmanagerDiscovery::dropped() const {
  base::MutexLock lock(mu_);
  return dropped_;
}

void AlertmanagerDiscovery::DiscoverLocked(const kube::ClusterState& cluster) {
  for (std::size_t i = 0; i < options_.groups.size(); ++i) {
    discovered_[i].clear();
    for (const notify::KubernetesDiscovery& discovery : options_.groups[i].kubernetes) {
      std::vector<model::Labels> targets = KubernetesTargets(discovery, cluster);
      discovered_[i].insert(discovered_[i].end(), targets.begin(), targets.end());
    }
  }
}

void AlertmanagerDiscovery::ApplyLocked() {
  notify::Targets found;
  for (std::size_t i = 0; i < options_.groups.size(); ++i) {
    notify::AddTargets(options_.groups[i], options_.groups[i].static_targets, found);
    notify::AddTargets(options_.groups[i], discovered_[i], found);
  }
  if (std::exchange(errors_, found.errors) != found.errors) {
    for (const std::string& error : found.errors) {
      log_.Warn("target of alerts left out", {{"error", error}});
    }
  }
  dropped_ = std::move(found.dropped);
  found_ = found.alertmanagers.size();
  sender_.Configure(std::move(found.alertmanagers), external_labels_, options_.alert_relabel);
}

// A discovery that finds nothing is told, and so is why, once.
void AlertmanagerDiscovery::TellLocked(const kube::ClusterState& cluster) {
  const kube::ResourceHealth* health = cluster.HealthOf(kube::EndpointSlice::kResource);
  const bool known = health != nullptr && health->synced;
  const std::string error = known || health == nullptr ? "" : health->last_error;
  if (!known && error.empty()) return;  // not asked yet
  const std::string now = std::to_string(found_) + " " + error;
  if (std::exchange(told_, now) == now) return;
  if (!error.empty()) {
    log_.Warn("Alertmanagers cannot be discovered", {{"error", error}});
  } else if (found_ == 0) {
    log_.Warn("no Alertmanager found, nobody is told of alerts",
              {{"targets_dropped", std::to_string(dropped_.size())}});
  } else {
    log_.Info("Alertmanagers found", {{"alertmanagers", std::to_string(found_)}});
  }
}

}  // namespace azexporter::app
