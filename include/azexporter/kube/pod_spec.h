#pragma once

// What the scheduler reads of a pod, and of a workload's template: the part that all pods of one
// template have alike.
// Semantics: kubernetes.io/docs/concepts/scheduling-eviction.
//
// Thread safety: values; published as shared_ptr<const PodSpec>, then never changed.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/quantity.h"
#include "azexporter/kube/selectors.h"

namespace azexporter::kube {

struct Taint {
  std::string key;
  std::string value;
  std::string effect;  // NoSchedule, PreferNoSchedule, NoExecute

  bool operator==(const Taint&) const = default;
};

struct Toleration {
  // kOther: an operator of a newer Kubernetes; tolerates nothing.
  enum class Op { kEqual, kExists, kOther };

  std::string key;  // empty: every key
  Op op = Op::kEqual;
  std::string value;
  std::string effect;  // empty: every effect

  bool operator==(const Toleration&) const = default;
};

bool Tolerates(const Toleration& toleration, const Taint& taint);
bool Tolerates(const std::vector<Toleration>& tolerations, const Taint& taint);

// A term of pod affinity or anti-affinity.
struct PodAffinityTerm {
  std::optional<LabelSelector> selector;
  // In which namespaces pods are looked for: those listed and those the selector matches, the
  // pod's own where both are absent. An empty namespace selector matches every namespace.
  std::vector<std::string> namespaces;
  std::optional<LabelSelector> namespace_selector;
  std::string topology_key;
  // Keys whose values of the pod itself narrow the selector: equal, or different.
  std::vector<std::string> match_label_keys;
  std::vector<std::string> mismatch_label_keys;
  std::int64_t weight = 0;  // of a preferred term, 1 to 100; 0: required

  bool operator==(const PodAffinityTerm&) const = default;
};

enum class WhenUnsatisfiable { kDoNotSchedule, kScheduleAnyway };
enum class NodeInclusionPolicy { kHonor, kIgnore };

struct TopologySpreadConstraint {
  std::int64_t max_skew = 1;
  std::string topology_key;
  WhenUnsatisfiable when_unsatisfiable = WhenUnsatisfiable::kDoNotSchedule;
  std::optional<LabelSelector> selector;
  std::optional<std::int64_t> min_domains;  // absent counts as 1
  NodeInclusionPolicy node_affinity_policy = NodeInclusionPolicy::kHonor;
  NodeInclusionPolicy node_taints_policy = NodeInclusionPolicy::kIgnore;
  std::vector<std::string> match_label_keys;

  bool operator==(const TopologySpreadConstraint&) const = default;
};

struct HostPort {
  std::int64_t port = 0;
  std::string protocol;  // TCP, UDP, SCTP
  std::string ip;        // empty or 0.0.0.0: every address of the node

  bool operator==(const HostPort&) const = default;
};

struct PodSpec {
  std::string priority_class;
  std::int64_t priority = 0;
  bool host_network = false;
  StringMap node_selector;
  // Without the term that pins a DaemonSet's pod to its node: that is Pod::pinned_node.
  std::optional<NodeSelector> required_node_affinity;
  std::vector<PodAffinityTerm> required_affinity;
  std::vector<PodAffinityTerm> required_anti_affinity;
  std::vector<PodAffinityTerm> preferred_anti_affinity;
  std::vector<Toleration> tolerations;
  std::vector<TopologySpreadConstraint> spread_constraints;
  // What the scheduler reserves: the sum over containers and sidecars, at least what the init
  // containers need in their turn, and the overhead.
  Resources requests;
  std::vector<HostPort> host_ports;
  bool readiness_probe = false;     // any of the containers has one
  std::int64_t grace_seconds = 30;  // from SIGTERM, or the preStop hook before it, to SIGKILL
  // Of the preStop hook that sleeps longest; 0 where none does, or that cannot be told.
  std::int64_t pre_stop_seconds = 0;

  // Whether node selector and required node affinity admit a node.
  bool AdmitsNode(std::string_view node_name, const StringMap& node_labels) const;
  bool operator==(const PodSpec&) const = default;
};

// How long a command of a preStop hook sleeps, such as {"sh", "-c", "sleep 15"}; 0 where that
// cannot be told.
std::int64_t SleepSeconds(const std::vector<std::string>& command);

// The spec of a pod about which nothing is known: one for all, never null.
const std::shared_ptr<const PodSpec>& EmptyPodSpec();

}  // namespace azexporter::kube
