#pragma once

// What the API server says about itself: its version, groups and resources.
// Semantics: kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api.

#include <optional>
#include <string>
#include <string_view>

#include "simulator/json.h"

namespace azexporter::simulator {

enum class DiscoveryForm { kPlain, kAggregated };

// /version
Json VersionBody();
// /api and /apis. `server` is "127.0.0.1:6443", only told by plain /api.
Json CoreVersionsBody(DiscoveryForm form, std::string_view server);
Json GroupsBody(DiscoveryForm form);
// /apis/<group>; nullopt for a group that is not served.
std::optional<Json> GroupBody(std::string_view group);
// /api/v1 (group empty) and /apis/<group>/<version>; nullopt when not served.
std::optional<Json> ResourcesBody(std::string_view group, std::string_view version);

}  // namespace azexporter::simulator
