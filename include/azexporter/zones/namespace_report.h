#pragma once

// What there is to say of one namespace: where its workloads' pods are, how they are spread, what
// its budgets and Services bear. A selector and an owner reach no further than their namespace;
// therefore a cluster's report is made of these, and a change costs the namespace it happened in.
//
// Thread safety: values; shared as shared_ptr<const NamespaceReport> once made.

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "azexporter/kube/object_meta.h"
#include "azexporter/kube/quantity.h"
#include "azexporter/zones/budgets.h"
#include "azexporter/zones/distribution.h"
#include "azexporter/zones/services.h"
#include "azexporter/zones/spread.h"
#include "azexporter/zones/spread_gaps.h"
#include "azexporter/zones/volumes.h"
#include "azexporter/zones/zone_loss.h"

namespace azexporter::zones {

// What pods take up in a zone.
struct ZoneLoad {
  PodCounts pods;
  // Of the pods that the scheduler counts against the nodes: all that are not finished, those on
  // their way out included. `pods` is their number.
  kube::Resources requested;
  PodCounts watched;  // of the pods that count for `expected_pods`

  bool operator==(const ZoneLoad&) const = default;
};

struct NamespaceReport {
  std::string ns;
  std::vector<WorkloadDistribution> workloads;  // sorted; no finished Jobs
  SpreadReport spread;
  std::vector<UnspreadWorkload> unspread;            // sorted by workload
  std::vector<AntiAffinityViolation> anti_affinity;  // sorted by workload
  std::vector<BudgetStatus> budgets;                 // sorted by name
  std::vector<ServiceStatus> services;               // sorted by name
  std::vector<PinnedClaim> claims;                   // sorted by name
  // By zone; "" holds the pods whose node has no zone, and those without a node.
  std::map<std::string, ZoneLoad, std::less<>> loads;
  std::int64_t unschedulable = 0;  // counted pods for which the scheduler found no node
  LossFindings losses;             // what a zone's failure would do to it
  LossFindings evictions;          // what keeps a zone from being drained
  // Anti-affinity of its pods looks into other namespaces: then it depends on those, too.
  bool reads_other_namespaces = false;

  // There is nothing to say: the namespace has none of what is looked at.
  bool empty() const {
    return workloads.empty() && budgets.empty() && services.empty() && claims.empty() &&
           loads.empty();
  }

  bool operator==(const NamespaceReport&) const = default;
};

struct NamespaceOptions {
  SpreadOptions spread = {};
  // Which pods count for `expected_pods`. An empty namespace means all, an empty selector all pods.
  std::string pod_namespace = {};
  kube::StringMap pod_selector = {};
  // What a zone's loss may break; see LossFindingsOf.
  std::set<std::string> accepted = {};

  bool operator==(const NamespaceOptions&) const = default;
};

}  // namespace azexporter::zones
