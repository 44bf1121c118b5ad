#include "azexporter/kube/workloads.h"

namespace azexporter::kube {

std::string_view WorkloadKindName(WorkloadKind kind) {
  switch (kind) {
    case WorkloadKind::kDeployment:
      return "Deployment";
    case WorkloadKind::kReplicaSet:
      return "ReplicaSet";
    case WorkloadKind::kStatefulSet:
      return "StatefulSet";
    case WorkloadKind::kDaemonSet:
      return "DaemonSet";
    case WorkloadKind::kJob:
      return "Job";
  }
  return "";
}

std::optional<WorkloadKind> WorkloadKindOf(std::string_view name) {
  for (WorkloadKind kind :
       {WorkloadKind::kDeployment, WorkloadKind::kReplicaSet, WorkloadKind::kStatefulSet,
        WorkloadKind::kDaemonSet, WorkloadKind::kJob}) {
    if (WorkloadKindName(kind) == name) return kind;
  }
  return std::nullopt;
}

std::int64_t IntOrPercent::Of(std::int64_t total) const {
  return percent ? (value * total + 99) / 100 : value;
}

std::string IntOrPercent::Text() const { return std::to_string(value) + (percent ? "%" : ""); }

}  // namespace azexporter::kube
