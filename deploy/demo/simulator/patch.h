#pragma once

// The patches that clients send.

#include <string_view>

#include "simulator/status.h"

namespace azexporter::simulator {

// `content_type` chooses: JSON patch, merge patch, strategic merge patch or server-side apply
// (whose body must be JSON). Strategic merge knows the merge keys of the lists that matter here
// (containers by name, taints by key and effect, conditions by type, ...); other lists are replaced
// whole. Semantics:
// kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch.
ApiResult<Json> ApplyPatch(const Json& object, std::string_view content_type,
                           std::string_view body);

}  // namespace azexporter::simulator
