#pragma once

// How evenly the pods of each workload are spread, counted as kube-scheduler counts them when it
// places the next one, and a second time against the zones there should be.
// Semantics: kubernetes.io/docs/concepts/scheduling-eviction/topology-spread-constraints and
// kubernetes pkg/scheduler/framework/plugins/podtopologyspread.
//
// The scheduler looks at a constraint only when it places a pod. A violated one in a running
// cluster is therefore legal: pods were deleted, nodes were lost, or a rollout is under way.
//
// Thread safety: values.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/pod_spec.h"
#include "azexporter/zones/workload_pods.h"

namespace azexporter::zones {

// What the scheduler applies to pods without constraints of their own that belong to a Service,
// ReplicaSet or StatefulSet. The API does not tell it, hence it is configuration.
struct DefaultConstraints {
  std::vector<kube::TopologySpreadConstraint> constraints;  // without selector
  // Whether a node must have the keys of all of them to count. So it is for a list that the
  // operator configured (defaultingType: List); not so for those that kube-scheduler has built in.
  bool all_keys_needed = true;

  bool operator==(const DefaultConstraints&) const = default;
};
// The built-in ones: hostname with maxSkew 3, zone with maxSkew 5, both ScheduleAnyway.
DefaultConstraints SystemDefaultConstraints();

struct DomainCount {
  std::string domain;  // value of the topology key
  std::int64_t pods = 0;
  bool operator==(const DomainCount&) const = default;
};

// One constraint as it works for those pods of a workload for which it is the same one: same
// effective selector, same nodes.
struct SpreadStatus {
  WorkloadRef workload;
  std::string topology_key;
  kube::WhenUnsatisfiable when_unsatisfiable = kube::WhenUnsatisfiable::kDoNotSchedule;
  std::string selector;  // with what matchLabelKeys added, as kubectl prints it
  std::int64_t max_skew = 1;
  std::int64_t min_domains = 1;
  bool cluster_default = false;
  // Carried by the newest pod of the workload's current template. Others are left from before.
  bool newest = false;
  // Whether a pod that carries it is counted by it. If not, placing the pod changes no count: it
  // does not spread these pods, whatever the skew is.
  bool self_match = false;
  // Pods of a DaemonSet, each bound to a node of its own: nothing to spread. No domains, skew 0.
  bool pinned = false;
  bool honors_taints = false;
  std::int64_t carriers = 0;       // pods with this constraint, pending ones included
  std::int64_t unschedulable = 0;  // of them, those for which the scheduler found no node

  // Domains with an eligible node, sorted by name. Empty where they are more than kMostDomains,
  // which happens where a host is the domain.
  static constexpr std::size_t kMostDomains = 64;
  std::vector<DomainCount> domains;
  std::int64_t domain_count = 0;
  std::int64_t most = 0;  // pods of the fullest domain
  // The scheduler's global minimum: 0 where the domains are fewer than min_domains.
  std::int64_t least = 0;

  std::int64_t skew() const { return most - least; }
  bool violated() const { return skew() > max_skew; }

  // How many of the domain's pods would stay pending if its nodes were there but took no pods, as
  // in a zone that is not ready, and all of them had to be placed in the other domains. Unless
  // taints are honored, the dead domain still counts with 0 pods, and a hard constraint then holds
  // each other domain at max_skew. 0 where the constraint is soft or its domains are not kept.
  std::int64_t PendingWithout(std::string_view domain) const;

  // Of zone keys only, and only where zones are expected: the skew if each expected zone counts,
  // with 0 pods where the scheduler does not see it. A zone that the pods' node selector or
  // affinity rules out is not expected of them.
  std::optional<std::int64_t> expected_skew;
  std::vector<std::string> absent_zones;  // expected, but no domain

  bool operator==(const SpreadStatus&) const = default;
};

// All constraints of a workload with one topology key and one whenUnsatisfiable.
struct SpreadSummary {
  WorkloadRef workload;
  std::string topology_key;
  kube::WhenUnsatisfiable when_unsatisfiable = kube::WhenUnsatisfiable::kDoNotSchedule;
  // Where in SpreadReport::constraints they stand, one after the other.
  std::size_t first = 0;
  std::size_t count = 0;
  std::optional<std::size_t> newest;  // the one of the newest template, where it has one
  std::int64_t worst_skew = 0;        // largest of all
  std::optional<std::int64_t> worst_expected_skew;
  bool violated = false;  // any of them

  bool operator==(const SpreadSummary&) const = default;
};

struct SpreadReport {
  // Sorted by workload, topology key, whenUnsatisfiable; the newest first.
  std::vector<SpreadStatus> constraints;
  std::vector<SpreadSummary> summaries;

  bool operator==(const SpreadReport&) const = default;
};

struct SpreadOptions {
  std::set<std::string> expected_zones;
  DefaultConstraints defaults = {};  // none unless given

  bool operator==(const SpreadOptions&) const = default;
};

// The selector of the constraint for a pod with these labels: what matchLabelKeys name is demanded,
// too. Absent where the constraint has none: then nothing matches.
std::optional<kube::LabelSelector> EffectiveSelector(
    const kube::TopologySpreadConstraint& constraint, const kube::StringMap& pod_labels);

}  // namespace azexporter::zones
