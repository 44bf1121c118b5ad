#pragma once

// What a collector could not read of the cluster. Private to `collect`.

#include <optional>
#include <span>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/kube/cluster_state.h"

namespace azexporter::collect {

// It is there, but could never be listed. nullptr: it is not watched.
bool IsUnread(const kube::ResourceHealth* health);

// Of the first of these resources that is unread, once it is known why.
std::optional<base::Error> ReadingFault(const kube::ClusterState& cluster,
                                        std::span<const std::string_view> resources);

}  // namespace azexporter::collect
