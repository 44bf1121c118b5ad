#pragma once

// The parts of the namespaces' reports, of all namespaces of a cluster one after the other.

#include <iterator>
#include <utility>
#include <vector>

#include "azexporter/zones/namespace_report.h"
#include "zones/namespace_reporter.h"

namespace azexporter::zones {

inline std::vector<NamespaceReport> NamespaceReportsOf(const kube::ClusterState& cluster,
                                                       const SpreadOptions& options = {}) {
  NamespaceReporter reporter(cluster, {.spread = options});
  std::vector<NamespaceReport> reports;
  for (const std::string& ns : NamespacesOf(cluster)) {
    reports.push_back(reporter.Of(cluster, ns).report);
  }
  return reports;
}

template <class T>
std::vector<T> AllOf(std::vector<NamespaceReport> reports, std::vector<T> NamespaceReport::*part) {
  std::vector<T> all;
  for (NamespaceReport& report : reports) {
    std::move((report.*part).begin(), (report.*part).end(), std::back_inserter(all));
  }
  return all;
}

inline SpreadReport MakeSpreadReport(const kube::ClusterState& cluster,
                                     const SpreadOptions& options) {
  SpreadReport all;
  for (NamespaceReport& report : NamespaceReportsOf(cluster, options)) {
    for (SpreadSummary& summary : report.spread.summaries) {
      summary.first += all.constraints.size();
      if (summary.newest) *summary.newest += all.constraints.size();
      all.summaries.push_back(summary);
    }
    for (SpreadStatus& status : report.spread.constraints) all.constraints.push_back(status);
  }
  return all;
}

inline std::vector<WorkloadDistribution> DistributionOf(const kube::ClusterState& cluster) {
  return AllOf(NamespaceReportsOf(cluster), &NamespaceReport::workloads);
}

inline std::vector<BudgetStatus> BudgetsOf(const kube::ClusterState& cluster) {
  return AllOf(NamespaceReportsOf(cluster), &NamespaceReport::budgets);
}

inline std::vector<UnspreadWorkload> FindUnspreadWorkloads(const kube::ClusterState& cluster,
                                                           const DefaultConstraints& defaults) {
  return AllOf(NamespaceReportsOf(cluster, {{}, defaults}), &NamespaceReport::unspread);
}

inline std::vector<AntiAffinityViolation> FindAntiAffinityViolations(
    const kube::ClusterState& cluster) {
  return AllOf(NamespaceReportsOf(cluster), &NamespaceReport::anti_affinity);
}

inline std::vector<PinnedClaim> PinnedClaimsOf(const kube::ClusterState& cluster,
                                               std::string_view ns) {
  return NamespaceReporter(cluster, {}).Of(cluster, ns).report.claims;
}

}  // namespace azexporter::zones
