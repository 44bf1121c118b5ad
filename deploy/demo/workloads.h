#pragma once

// What controllers, operators and the scheduler of a real cluster would have made of the manifests:
// ReplicaSet and pods of the Deployment, the pods and volumes of PostgreSQL and Redis, endpoint
// slices. All of it healthy, spread over the zones as documented.

#include <cstdint>
#include <vector>

#include "azexporter/base/result.h"
#include "simulator/store.h"

namespace azexporter::platform {

// Namespaces, nodes, the manifests and everything that follows from them. Statuses that follow from
// pods (budgets, workloads, endpoints) are left to Reconcile.
base::Result<void> Materialise(simulator::Store& store,
                               const std::vector<simulator::Json>& manifests, std::int64_t now_ms);

}  // namespace azexporter::platform
