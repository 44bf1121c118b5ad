#pragma once

// Workloads that nothing keeps from standing in one zone, and pods that stand together in a zone
// although their anti-affinity forbids it.
//
// A namespace selector that is not empty is taken to select nothing, since namespaces are not
// watched.
//
// Thread safety: values.

#include <cstdint>
#include <string>
#include <string_view>

#include "azexporter/zones/workload_pods.h"

namespace azexporter::zones {

enum class SpreadGap {
  kNoRule,      // neither a spread constraint nor pod anti-affinity over zones
  kNeverBinds,  // there are such rules, but their selectors miss the workload's own pods
};
std::string_view SpreadGapName(SpreadGap gap);

// A workload that wants more than one replica; no DaemonSet, whose pods are where the nodes are,
// and no finished Job. The rules are those of its template; where the owner is not watched, of its
// youngest pod.
struct UnspreadWorkload {
  WorkloadRef workload;
  SpreadGap gap = SpreadGap::kNoRule;
  std::int64_t replicas = 0;  // wanted; where the owner is not watched, pods that are there
  // The cluster's default constraints apply and one of them is over zones: a weak rule, yet a rule.
  bool default_applies = false;

  bool operator==(const UnspreadWorkload&) const = default;
};

// Required anti-affinity over zones that does not hold now: the scheduler judged before labels or
// nodes changed, or others placed the pods.
struct AntiAffinityViolation {
  WorkloadRef workload;  // whose pods forbid it
  std::string topology_key;
  std::string zone;
  // Pods of the zone that may not stand together: those that forbid it and those they forbid.
  std::int64_t pods = 0;

  bool operator==(const AntiAffinityViolation&) const = default;
};

}  // namespace azexporter::zones
