#include "reading_fault.h"

namespace azexporter::collect {

bool IsUnread(const kube::ResourceHealth* health) { return health != nullptr && health->unread(); }

std::optional<base::Error> ReadingFault(const kube::ClusterState& cluster,
                                        std::span<const std::string_view> resources) {
  for (const std::string_view resource : resources) {
    const kube::ResourceHealth* health = cluster.HealthOf(resource);
    if (!IsUnread(health) || health->last_error.empty()) continue;
    return base::Error(base::ErrorCode::kUnavailable, health->last_error);
  }
  return std::nullopt;
}

}  // namespace azexporter::collect
