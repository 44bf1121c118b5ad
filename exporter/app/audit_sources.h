#pragma once

// Where `azexporter audit` takes what is running from. Private to `app`.

#include <cstdint>
#include <string>

#include "azexporter/app/observer.h"
#include "azexporter/audit/audit.h"
#include "azexporter/base/result.h"
#include "azexporter/config/config.h"

namespace azexporter::app {

// What a running daemon found (/api/v1/policy). kUnavailable where it does not answer as one.
base::Result<audit::Report> AuditOfDaemon(const std::string& url, std::int64_t timeout_ms);

// What is found in the cluster of the configuration, each resource listed once. One that cannot be
// listed is a fault of the report. Errors say where the cluster was looked for.
base::Result<audit::Report> AuditOfCluster(config::Config config, const ObserverDeps& deps);

}  // namespace azexporter::app
