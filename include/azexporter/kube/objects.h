#pragma once

// Kubernetes objects as azexporter keeps them: only the fields in use, as plain values.
// Field meanings: kubernetes.io/docs/reference/kubernetes-api.
//
// Thread safety: values; published as shared_ptr<const T>, then never changed.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace azexporter::kube {

// Sorted by key.
using StringMap = std::vector<std::pair<std::string, std::string>>;

// "" where the key is absent.
std::string_view Lookup(const StringMap& map, std::string_view key);

struct ObjectMeta {
  std::string name;
  std::string ns;  // namespace; empty for objects of the cluster
  std::string uid;
  StringMap labels;
  StringMap annotations;     // decoded for nodes only
  bool terminating = false;  // a deletionTimestamp is set
};

struct Owner {
  std::string kind;
  std::string name;
  bool controller = false;
};

enum class ConditionStatus { kTrue, kFalse, kUnknown };

struct NodeCondition {
  std::string type;
  ConditionStatus status = ConditionStatus::kUnknown;
};

struct Taint {
  std::string key;
  std::string value;
  std::string effect;
};

struct Node {
  static constexpr std::string_view kResource = "nodes";

  ObjectMeta meta;
  bool unschedulable = false;
  std::vector<Taint> taints;
  std::vector<NodeCondition> conditions;

  // The Ready condition; unknown where the kubelet never wrote one.
  ConditionStatus ready() const;
  // topology.kubernetes.io/zone, or the old failure-domain label; "" where the node has neither.
  std::string_view zone() const;
  bool control_plane() const;
};

enum class PodPhase { kPending, kRunning, kSucceeded, kFailed, kUnknown };
std::string_view PodPhaseName(PodPhase phase);

struct Pod {
  static constexpr std::string_view kResource = "pods";

  ObjectMeta meta;
  std::vector<Owner> owners;
  std::string node_name;  // empty until scheduled
  std::string priority_class;
  std::string host_ip;
  std::string pod_ip;
  bool host_network = false;
  PodPhase phase = PodPhase::kUnknown;
  ConditionStatus ready = ConditionStatus::kFalse;

  // Counts for expectations: Running, Ready and not on its way out.
  bool is_ready() const {
    return phase == PodPhase::kRunning && ready == ConditionStatus::kTrue && !meta.terminating;
  }
  // Neither Succeeded nor Failed.
  bool is_active() const { return phase != PodPhase::kSucceeded && phase != PodPhase::kFailed; }
};

struct ConfigMap {
  static constexpr std::string_view kResource = "configmaps";

  ObjectMeta meta;
  StringMap data;
};

// A pod's labels all match `selector` (key=value pairs). An empty selector matches every pod.
bool MatchesLabels(const StringMap& labels, const StringMap& selector);

}  // namespace azexporter::kube
