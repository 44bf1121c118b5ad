#include "alertmanager_discovery.h"

#include <utility>

namespace azexporter::app {

void AlertmanagerDiscovery::Configure(notify::AlertingOptions options,
                                      model::Labels external_labels) {
  base::MutexLock lock(mu_);
  options_ = std::move(options);
  external_labels_ = std::move(external_labels);
  FindLocked();
}

std::vector<std::string> AlertmanagerDiscovery::dropped() const {
  base::MutexLock lock(mu_);
  return dropped_;
}

void AlertmanagerDiscovery::FindLocked() {
  notify::Targets found;
  for (const notify::AlertmanagerGroup& group : options_.groups) {
    notify::AddTargets(group, group.static_targets, found);
  }
  if (std::exchange(errors_, found.errors) != found.errors) {
    for (const std::string& error : found.errors) {
      log_.Warn("target of alerts left out", {{"error", error}});
    }
  }
  dropped_ = std::move(found.dropped);
  sender_.Configure(std::move(found.alertmanagers), external_labels_, options_.alert_relabel);
}

}  // namespace azexporter::app
