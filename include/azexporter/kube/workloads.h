#pragma once

// Workloads and their disruption budgets.
// Field meanings: kubernetes.io/docs/reference/kubernetes-api/workload-resources and
// .../policy-resources/pod-disruption-budget-v1.
//
// Thread safety: values; published as shared_ptr<const T>, then never changed.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/object_meta.h"
#include "azexporter/kube/pod_spec.h"
#include "azexporter/kube/selectors.h"

namespace azexporter::kube {

enum class WorkloadKind { kDeployment, kReplicaSet, kStatefulSet, kDaemonSet, kJob };
// As ownerReferences name it: "Deployment".
std::string_view WorkloadKindName(WorkloadKind kind);
std::optional<WorkloadKind> WorkloadKindOf(std::string_view name);

struct Workload {
  ObjectMeta meta;
  WorkloadKind kind = WorkloadKind::kDeployment;
  std::vector<Owner> owners;
  // spec.replicas (1 where absent); of a DaemonSet the nodes it is to run on, as its controller
  // counted them; of a Job spec.parallelism.
  std::int64_t desired = 1;
  std::int64_t ready = 0;
  std::optional<LabelSelector> selector;
  StringMap template_labels;
  std::shared_ptr<const PodSpec> template_spec = EmptyPodSpec();  // never null
  // PersistentVolumeClaims that all its pods share, by name.
  std::vector<std::string> claims;
  // Of a StatefulSet: names of its claim templates; pod NAME-0 has the claim TEMPLATE-NAME-0.
  std::vector<std::string> claim_templates;
  bool finished = false;  // of a Job: Complete or Failed

  bool operator==(const Workload&) const = default;
};

// One type for each resource, so that each has a cache of its own.
struct Deployment : Workload {
  static constexpr std::string_view kResource = "deployments";
  static constexpr WorkloadKind kKind = WorkloadKind::kDeployment;
  Deployment() { kind = kKind; }
};
struct ReplicaSet : Workload {
  static constexpr std::string_view kResource = "replicasets";
  static constexpr WorkloadKind kKind = WorkloadKind::kReplicaSet;
  ReplicaSet() { kind = kKind; }
};
struct StatefulSet : Workload {
  static constexpr std::string_view kResource = "statefulsets";
  static constexpr WorkloadKind kKind = WorkloadKind::kStatefulSet;
  StatefulSet() { kind = kKind; }
};
struct DaemonSet : Workload {
  static constexpr std::string_view kResource = "daemonsets";
  static constexpr WorkloadKind kKind = WorkloadKind::kDaemonSet;
  DaemonSet() {
    kind = kKind;
    desired = 0;
  }
};
struct Job : Workload {
  static constexpr std::string_view kResource = "jobs";
  static constexpr WorkloadKind kKind = WorkloadKind::kJob;
  Job() { kind = kKind; }
};

// A count, or a percentage of one, as written.
struct IntOrPercent {
  std::int64_t value = 0;
  bool percent = false;

  // Of `total`, a percentage rounded up.
  std::int64_t Of(std::int64_t total) const;
  std::string Text() const;  // "2", "30%"
  bool operator==(const IntOrPercent&) const = default;
};

enum class UnhealthyPodEviction { kIfHealthyBudget, kAlwaysAllow };

struct PodDisruptionBudget {
  static constexpr std::string_view kResource = "poddisruptionbudgets";

  ObjectMeta meta;
  std::optional<IntOrPercent> min_available;  // at most one of the two
  std::optional<IntOrPercent> max_unavailable;
  std::optional<LabelSelector> selector;  // in policy/v1 an empty one matches the whole namespace
  UnhealthyPodEviction unhealthy_pod_eviction = UnhealthyPodEviction::kIfHealthyBudget;
  std::int64_t generation = 0;
  // The status, which is of `observed_generation`: behind `generation` it is out of date.
  std::int64_t observed_generation = 0;
  std::int64_t current_healthy = 0;
  std::int64_t desired_healthy = 0;
  std::int64_t disruptions_allowed = 0;
  std::int64_t expected_pods = 0;

  bool operator==(const PodDisruptionBudget&) const = default;
};

}  // namespace azexporter::kube
