#pragma once

// POST .../pods/<name>/eviction: deletion that asks the disruption budgets first, as kubectl drain
// does it.
// Semantics: kubernetes.io/docs/concepts/scheduling-eviction/api-eviction.

#include "simulator/api_request.h"

namespace azexporter::simulator {

// Deletes the pod, or answers 429 when its budget allows no further disruption, or 500 when it is
// under more than one budget.
ApiResult<void> Evict(Store& store, const ResourcePath& path, bool dry_run);

}  // namespace azexporter::simulator
