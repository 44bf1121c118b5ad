#include "azexporter/audit/live.h"

#include <algorithm>

#include "nodes.h"
#include "rendering.h"

namespace azexporter::audit {
namespace {

NodeView ViewOf(const kube::Node& node) {
  NodeView view{
      .name = node.meta.name, .zone = std::string(node.zone()), .labels = node.meta.labels};
  for (const kube::Taint& taint : node.taints) {
    if (IsLasting(taint)) view.taints.push_back(taint);
  }
  return view;
}

// The zones that a volume can be mounted in, by its node affinity; none where it does not tell.
std::set<std::string_view> ZonesOf(const kube::PersistentVolume& volume) {
  std::set<std::string_view> zones;
  if (!volume.node_affinity) return zones;
  for (const kube::NodeSelectorTerm& term : volume.node_affinity->terms) {
    const auto zone = std::ranges::find_if(term.match_expressions, [](const auto& requirement) {
      return requirement.op == kube::SelectorOp::kIn && requirement.key.ends_with("/zone");
    });
    if (zone == term.match_expressions.end()) return {};
    zones.insert(zone->values.begin(), zone->values.end());
  }
  return zones;
}

// Calls `use(a, b)` with each pair of lists.
template <class Lists, class Use>
void ForEachPair(const Lists& a, const Lists& b, Use use) {
  std::apply(
      [&](const auto&... of_a) {
        std::apply([&](const auto&... of_b) { (use(of_a, of_b), ...); }, b);
      },
      a);
}

template <class Lists, class Use>
void ForEachList(const Lists& lists, Use use) {
  std::apply([&](const auto&... list) { (use(list), ...); }, lists);
}

// An object that came, went, or says something else to a check.
template <class T>
bool IsChange(const T* was, const T* is) {
  return was == nullptr || is == nullptr || !(ManifestOf(*was) == ManifestOf(*is));
}

template <class T>
void AddAll(const T& objects, bool as_context, Manifests& manifests) {
  for (const auto& object : objects) {
    const base::YamlNode manifest = ManifestOf(*object);
    if (manifest.is_null()) {
      manifests.AddFault(
          base::Error(base::ErrorCode::kBadData,
                      object->meta.ns + "/" + object->meta.name + ": not understood"));
    }
    manifests.AddObject(manifest, as_context);
  }
}

}  // namespace

LiveAudit::Lists LiveAudit::ListsOf(const kube::ClusterState& cluster) {
  return {cluster.deployments(),    cluster.stateful_sets(),     cluster.daemon_sets(),
          cluster.budgets(),        cluster.services(),          cluster.endpoint_slices(),
          cluster.claims(),         cluster.storage_classes(),   cluster.cnpg_clusters(),
          cluster.redis_clusters(), cluster.destination_rules(), cluster.target_group_bindings()};
}

bool LiveAudit::TakeNodes(const kube::ObjectList<kube::Node>& nodes) {
  bool changed = false;
  kube::ForEachChange(nodes_, nodes, [&](const kube::Node* was, const kube::Node* is) {
    changed = changed || was == nullptr || is == nullptr || !(ViewOf(*was) == ViewOf(*is));
  });
  nodes_ = nodes;
  if (!changed) return false;
  std::vector<NodeView> views;
  for (const auto& node : nodes_) views.push_back(ViewOf(*node));
  options_.known_nodes = views.empty() ? nullptr : std::make_shared<const Nodes>(std::move(views));
  return true;
}

bool LiveAudit::TakeVolumes(const kube::ObjectList<kube::PersistentVolume>& volumes) {
  if (volumes_ == volumes) return false;
  volumes_ = volumes;
  std::map<std::string, std::string, std::less<>> zonal;
  std::set<std::string_view> wider;
  for (const auto& volume : volumes_) {
    const std::set<std::string_view> zones = ZonesOf(*volume);
    if (zones.size() != 1) {
      wider.insert(volume->storage_class);
    } else {
      zonal.emplace(volume->storage_class,
                    "volume " + volume->meta.name + " is bound to " + std::string(*zones.begin()));
    }
  }
  for (std::string_view name : wider) zonal.erase(std::string(name));
  zonal.erase("");
  if (zonal == options_.zonal_classes) return false;
  options_.zonal_classes = std::move(zonal);
  return true;
}

Report LiveAudit::Judge(const std::string& ns) const {
  Manifests manifests;
  ForEachList(lists_, [&](const auto& list) { AddAll(list.In(ns), false, manifests); });
  if (!ns.empty()) {
    const auto& classes = std::get<kube::ObjectList<kube::StorageClass>>(lists_);
    AddAll(classes, true, manifests);
  }
  return Audit(manifests, options_);
}

void LiveAudit::Merge() {
  Report all;
  for (const auto& [ns, report] : by_namespace_) {
    all.findings.insert(all.findings.end(), report.findings.begin(), report.findings.end());
    all.faults.insert(all.faults.end(), report.faults.begin(), report.faults.end());
    all.objects += report.objects;
    all.ignored += report.ignored;
  }
  report_ = std::make_shared<const Report>(std::move(all));
}

std::shared_ptr<const Report> LiveAudit::Update(const kube::ClusterState& cluster) {
  Lists now = ListsOf(cluster);
  std::set<std::string> changed;
  ForEachPair(lists_, now, [&](const auto& before, const auto& after) {
    kube::ForEachChange(before, after, [&](const auto* was, const auto* is) {
      if (IsChange(was, is)) changed.insert(is == nullptr ? was->meta.ns : is->meta.ns);
    });
  });
  lists_ = std::move(now);
  // Nodes and storage classes concern all namespaces.
  if (TakeNodes(cluster.nodes()) || changed.contains("")) {
    for (const auto& [ns, report] : by_namespace_) changed.insert(ns);
  }
  if (TakeVolumes(cluster.volumes())) changed.insert("");
  for (const std::string& ns : changed) {
    Report report = Judge(ns);
    if (report.objects == 0 && report.faults.empty()) {
      by_namespace_.erase(ns);
    } else {
      by_namespace_.insert_or_assign(ns, std::move(report));
    }
  }
  judged_ = changed.size();
  if (!changed.empty() || report_ == nullptr) Merge();
  return report_;
}

}  // namespace azexporter::audit
