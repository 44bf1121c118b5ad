#include "azexporter/kube/objects.h"

#include <algorithm>

namespace azexporter::kube {

ConditionStatus Node::ready() const {
  for (const NodeCondition& condition : conditions) {
    if (condition.type == "Ready") return condition.status;
  }
  return ConditionStatus::kUnknown;
}

std::string_view Node::zone() const {
  const std::string_view zone = Lookup(meta.labels, "topology.kubernetes.io/zone");
  return zone.empty() ? Lookup(meta.labels, "failure-domain.beta.kubernetes.io/zone") : zone;
}

bool Node::control_plane() const {
  return std::any_of(meta.labels.begin(), meta.labels.end(), [](const auto& label) {
    return label.first == "node-role.kubernetes.io/control-plane" ||
           label.first == "node-role.kubernetes.io/master";
  });
}

std::string_view PodPhaseName(PodPhase phase) {
  switch (phase) {
    case PodPhase::kPending:
      return "Pending";
    case PodPhase::kRunning:
      return "Running";
    case PodPhase::kSucceeded:
      return "Succeeded";
    case PodPhase::kFailed:
      return "Failed";
    case PodPhase::kUnknown:
      return "Unknown";
  }
  return "Unknown";
}

}  // namespace azexporter::kube
