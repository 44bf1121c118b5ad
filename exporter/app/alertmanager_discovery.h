#pragma once

// Keeps the sender's Alertmanagers equal to what the configuration names. Private to `app`.
//
// Thread safety: thread-safe.

#include <string>
#include <vector>

#include "azexporter/base/logger.h"
#include "azexporter/base/mutex.h"
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
  // URLs of targets that relabelling dropped.
  std::vector<std::string> dropped() const;

 private:
  void FindLocked() AZX_REQUIRES(mu_);

  // own synchronisation
  notify::Sender& sender_;
  const base::Logger log_;
  // guarded by mu_
  mutable base::Mutex mu_;
  notify::AlertingOptions options_ AZX_GUARDED_BY(mu_);
  model::Labels external_labels_ AZX_GUARDED_BY(mu_);
  std::vector<std::string> dropped_ AZX_GUARDED_BY(mu_);
  std::vector<std::string> errors_ AZX_GUARDED_BY(mu_);  // told already
};

}  // namespace azexporter::app
