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

void LiveAudit::TakeVolumes(const kube::ObjectList<kube::PersistentVolume>& volumes,
                            std::set<std::string>& changed) {
  if (volumes_ == volumes) return;
  kube::ForEachChange(volumes_, volumes, [&](const auto* was, const auto* is) {
    if (!IsChange(was, is)) return;
    for (const auto* volume : {was, is}) {
      if (volume != nullptr && !volume->claim_ns.empty()) changed.insert(volume->claim_ns);
    }
  });
  volumes_ = volumes;
  std::map<std::string, std::string, std::less<>> zonal;
  std::set<std::string_view> wider;
  for (const auto& volume : volumes_) {
    const std::set<std::string> zones =
        volume->node_affinity ? ZonesOf(*volume->node_affinity) : std::set<std::string>();
    if (zones.size() != 1) {
      wider.insert(volume->storage_class);
    } else {
      zonal.emplace(volume->storage_class,
                    "volume " + volume->meta.name + " is bound to " + *zones.begin());
    }
  }
  for (std::string_view name : wider) zonal.erase(std::string(name));
  zonal.erase("");
  if (zonal == options_.zonal_classes) return;
  options_.zonal_classes = std::move(zonal);
  changed.insert("");
}

Report LiveAudit::Judge(const std::string& ns) const {
  Manifests manifests;
  ForEachList(lists_, [&](const auto& list) { AddAll(list.In(ns), false, manifests); });
  if (!ns.empty()) {
    AddAll(std::get<kube::ObjectList<kube::StorageClass>>(lists_), true, manifests);
  }
  // Of what one node may mount it does not matter where that stands.
  for (const auto& claim : std::get<kube::ObjectList<kube::PersistentVolumeClaim>>(lists_).In(ns)) {
    if (claim->one_node || claim->volume_name.empty()) continue;
    const kube::PersistentVolume* volume = volumes_.Find("", claim->volume_name);
    if (volume != nullptr) manifests.AddObject(ManifestOf(*volume), true);
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
  TakeVolumes(cluster.volumes(), changed);
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
