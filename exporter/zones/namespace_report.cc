#include "azexporter/zones/namespace_report.h"

#include <algorithm>
#include <set>

#include "by_zone.h"
#include "namespace_view.h"

namespace azexporter::zones {
namespace {

bool IsWatched(const kube::Pod& pod, const NamespaceOptions& options) {
  return (options.pod_namespace.empty() || pod.meta.ns == options.pod_namespace) &&
         kube::MatchesLabels(pod.meta.labels, options.pod_selector);
}

void AddLoad(const NamespaceView& view, const kube::Pod& pod, const NamespaceOptions& options,
             NamespaceReport& report) {
  if (!pod.is_active()) return;
  ZoneLoad& load = At(report.loads, view.cluster.ZoneOf(pod));
  if (!pod.node_name.empty()) {
    load.requested.Add(pod.spec->requests);
    ++load.requested.pods;
  }
  if (pod.meta.terminating) return;
  const bool watched = IsWatched(pod, options);
  for (PodCounts* counts : {&load.pods, &load.watched}) {
    if (counts == &load.watched && !watched) continue;
    ++counts->total;
    if (pod.is_ready()) ++counts->ready;
  }
  if (pod.unschedulable) ++report.unschedulable;
}

bool LooksOutside(const kube::Pod& pod) {
  const auto& terms = pod.spec->required_anti_affinity;
  return std::any_of(terms.begin(), terms.end(), [](const kube::PodAffinityTerm& term) {
    return !term.namespaces.empty() || term.namespace_selector;
  });
}

template <class T>
void AddNamespaces(const kube::ObjectList<T>& list, std::set<std::string, std::less<>>& names) {
  std::string_view last;
  for (const auto& object : list) {
    if (object->meta.ns == last) continue;
    last = object->meta.ns;
    names.emplace(last);
  }
}

}  // namespace

struct NamespaceReporter::Impl {
  NodeDomains nodes;
  VolumePlaces places;
  ServiceZones service_zones;
  NamespaceOptions options;
};

NamespaceReporter::NamespaceReporter(const kube::ClusterState& cluster, NamespaceOptions options)
    : impl_(new Impl{NodeDomains(cluster.nodes()), VolumePlaces(cluster.nodes()),
                     ServiceZonesOf(cluster), std::move(options)}) {}

NamespaceReporter::~NamespaceReporter() = default;

NamespaceReport NamespaceReporter::Of(const kube::ClusterState& cluster, std::string_view ns) {
  const NamespaceView view(cluster, ns);
  NamespaceReport report;
  report.ns = ns;
  report.workloads = DistributionIn(view);
  report.spread = SpreadIn(view, impl_->nodes, impl_->options.spread);
  report.unspread = UnspreadIn(view, impl_->options.spread.defaults);
  report.anti_affinity = AntiAffinityIn(view);
  report.budgets = BudgetsIn(view);
  report.services = ServicesOf(cluster, ns, impl_->service_zones);
  report.claims = PinnedClaimsIn(view, impl_->places);
  for (const auto& pod : cluster.PodsIn(ns)) {
    AddLoad(view, *pod, impl_->options, report);
    report.reads_other_namespaces = report.reads_other_namespaces || LooksOutside(*pod);
  }
  report.losses = LossFindingsOf(report, cluster, impl_->options.accepted);
  report.evictions = EvictionFindingsOf(report);
  return report;
}

std::vector<std::string> NamespacesOf(const kube::ClusterState& cluster) {
  std::set<std::string, std::less<>> names;
  AddNamespaces(cluster.pods(), names);
  AddNamespaces(cluster.deployments(), names);
  AddNamespaces(cluster.replica_sets(), names);
  AddNamespaces(cluster.stateful_sets(), names);
  AddNamespaces(cluster.daemon_sets(), names);
  AddNamespaces(cluster.jobs(), names);
  AddNamespaces(cluster.budgets(), names);
  AddNamespaces(cluster.services(), names);
  AddNamespaces(cluster.claims(), names);
  return {names.begin(), names.end()};
}

}  // namespace azexporter::zones
