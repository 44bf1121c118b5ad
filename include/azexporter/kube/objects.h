#pragma once

// Nodes, pods and ConfigMaps as azexporter keeps them: only the fields in use, as plain values.
// The other objects are in workloads.h, storage_objects.h and network_objects.h.
// Field meanings: kubernetes.io/docs/reference/kubernetes-api.
//
// Thread safety: values; published as shared_ptr<const T>, then never changed.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/object_meta.h"
#include "azexporter/kube/pod_spec.h"

namespace azexporter::kube {

enum class ConditionStatus { kTrue, kFalse, kUnknown };

struct NodeCondition {
  std::string type;
  ConditionStatus status = ConditionStatus::kUnknown;

  bool operator==(const NodeCondition&) const = default;
};

struct Node {
  static constexpr std::string_view kResource = "nodes";

  ObjectMeta meta;
  bool unschedulable = false;
  std::vector<Taint> taints;
  std::vector<NodeCondition> conditions;
  Resources allocatable;  // all 0 where the kubelet reported none

  // The Ready condition; unknown where the kubelet never wrote one.
  ConditionStatus ready() const;
  // topology.kubernetes.io/zone, or the old failure-domain label; "" where the node has neither.
  std::string_view zone() const;
  bool control_plane() const;

  bool operator==(const Node&) const = default;
};

enum class PodPhase { kPending, kRunning, kSucceeded, kFailed, kUnknown };
std::string_view PodPhaseName(PodPhase phase);

// What all pods of a template have alike (spec, labels, owners) is one object for all of them: at
// 150,000 pods this is what memory depends on. A pod of a Deployment holds about 700 bytes in a
// cache (test/bench/kube_client_bench.cc); what is added here is added to each.
struct Pod {
  static constexpr std::string_view kResource = "pods";

  ObjectMeta meta;
  Shared<std::vector<Owner>> owners;
  std::string node_name;    // empty until scheduled
  std::string pinned_node;  // of a DaemonSet's pod: the only node it may run on
  std::string host_ip;
  std::string pod_ip;
  std::vector<std::string> claims;  // PersistentVolumeClaims of its namespace, by name
  std::shared_ptr<const PodSpec> spec = EmptyPodSpec();  // never null
  PodPhase phase = PodPhase::kUnknown;
  ConditionStatus ready = ConditionStatus::kFalse;
  bool unschedulable = false;  // the scheduler found no node for it

  // Counts for expectations: Running, Ready and not on its way out.
  bool is_ready() const {
    return phase == PodPhase::kRunning && ready == ConditionStatus::kTrue && !meta.terminating;
  }
  // Neither Succeeded nor Failed.
  bool is_active() const { return phase != PodPhase::kSucceeded && phase != PodPhase::kFailed; }

  bool operator==(const Pod&) const = default;
};

struct ConfigMap {
  static constexpr std::string_view kResource = "configmaps";

  ObjectMeta meta;
  StringMap data;

  bool operator==(const ConfigMap&) const = default;
};

}  // namespace azexporter::kube
