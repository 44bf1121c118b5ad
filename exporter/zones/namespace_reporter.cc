#include "namespace_reporter.h"

#include <algorithm>
#include <set>
#include <utility>

#include "affinity_terms.h"
#include "by_zone.h"
#include "namespace_view.h"

namespace azexporter::zones {
namespace {

bool IsWatched(const kube::Pod& pod, const NamespaceOptions& options) {
  return (options.pod_namespace.empty() || pod.meta.ns == options.pod_namespace) &&
         kube::MatchesLabels(pod.meta.labels, options.pod_selector);
}

void AddLoad(const SeenPod& seen, const kube::Resources& requests, bool watched, ZoneLoad& load) {
  if (seen.bound) {
    load.requested.Add(requests);
    ++load.requested.pods;
  }
  if (!seen.counted) return;
  for (PodCounts* counts : {&load.pods, &load.watched}) {
    if (counts == &load.watched && !watched) continue;
    ++counts->total;
    if (seen.ready) ++counts->ready;
  }
}

void AddLoads(const NamespaceView& view, const NamespaceOptions& options, NamespaceReport& report) {
  ByZone<ZoneLoad> loads(view.nodes.zones());
  const kube::Pod* like = nullptr;  // the first of those that are as_before
  bool watched = false;
  for (const SeenPod& seen : view.pods) {
    if (!seen.as_before) {
      like = seen.pod;
      watched = IsWatched(*like, options);
    }
    if (!seen.active) continue;
    AddLoad(seen, like->spec->requests, watched, loads[seen.zone]);
    if (seen.counted && seen.unschedulable) ++report.unschedulable;
  }
  report.loads = loads.ToMap();
}

bool ReadsOthers(const kube::Pod& pod) {
  const auto& terms = pod.spec->required_anti_affinity;
  return std::any_of(terms.begin(), terms.end(), [&](const kube::PodAffinityTerm& term) {
    return LooksOutside(term, pod.meta.ns);
  });
}

template <class T>
void AddNamespaces(const kube::ObjectList<T>& list, std::set<std::string, std::less<>>& names) {
  for (auto at = list.begin(); at != list.end();) {
    const std::string& ns = (*at)->meta.ns;
    names.insert(ns);
    at = list.In(ns).end();
  }
}

}  // namespace

NamespaceReporter::NamespaceReporter(const kube::ClusterState& cluster, NamespaceOptions options)
    : nodes_(cluster.nodes()),
      places_(cluster.nodes()),
      service_zones_(ServiceZonesOf(cluster)),
      options_(std::move(options)) {}

NamespaceReporter::Result NamespaceReporter::Of(const kube::ClusterState& cluster,
                                                std::string_view ns) {
  const NamespaceView view(cluster, ns, nodes_);
  NamespaceReport report;
  report.ns = ns;
  report.workloads = DistributionIn(view);
  report.spread = SpreadIn(view, options_.spread);
  report.unspread = UnspreadIn(view, options_.spread.defaults);
  report.anti_affinity = AntiAffinityIn(view);
  report.budgets = BudgetsIn(view);
  report.services = ServicesOf(cluster, ns, service_zones_);
  report.claims = PinnedClaimsIn(view, places_);
  AddLoads(view, options_, report);
  report.reads_other_namespaces =
      std::any_of(view.pods.begin(), view.pods.end(),
                  [](const SeenPod& seen) { return !seen.as_before && ReadsOthers(*seen.pod); });
  report.losses = LossFindingsOf(report, cluster, options_.accepted);
  report.evictions = EvictionFindingsOf(report);
  return {std::move(report), NamespaceGroups(cluster.PodsIn(ns), view.pods, view.finder)};
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
