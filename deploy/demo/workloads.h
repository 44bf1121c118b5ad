#pragma once

// What controllers, operators and the scheduler of a real cluster would have made of the manifests:
// ReplicaSet and pods of the Deployment, the pods and volumes of PostgreSQL and Redis, endpoint
// slices. All of it healthy, spread over the zones as documented.

#include <vector>

#include "azexporter/base/result.h"
#include "controllers/controllers.h"

namespace azexporter::platform {

// Namespaces, nodes, the manifests and everything that follows from them. Statuses that follow from
// pods (budgets, workloads, endpoints) are left to the controllers.
base::Result<void> Materialise(World& world, const std::vector<simulator::Json>& manifests);

}  // namespace azexporter::platform
