#include "azexporter/audit/live.h"

namespace azexporter::audit {
namespace {

Options OptionsOf(const kube::ObjectList<kube::Node>& nodes) {
  Options options;
  options.nodes = static_cast<std::int64_t>(nodes.size());
  options.node_labels.emplace();
  for (const auto& node : nodes) {
    if (!node->zone().empty()) options.zone_names.emplace(node->zone());
    for (const auto& [label, value] : node->meta.labels) options.node_labels->insert(label);
  }
  if (!options.zone_names.empty()) {
    options.zones = static_cast<std::int64_t>(options.zone_names.size());
  }
  return options;
}

template <class T>
bool TakeOver(const kube::ObjectList<T>& now, kube::ObjectList<T>& held) {
  if (now == held) return false;
  held = now;
  return true;
}

template <class T>
void AddTo(Manifests& manifests, const kube::ObjectList<T>& objects) {
  for (const auto& object : objects) manifests.Add(object->json, object->meta.name);
}

}  // namespace

std::shared_ptr<const Report> LiveAudit::Update(const kube::ClusterState& cluster) {
  bool changed = report_ == nullptr;
  // A node that only tells that it lives changes nothing here.
  if (TakeOver(cluster.nodes(), nodes_) || changed) {
    Options options = OptionsOf(nodes_);
    changed = changed || options != options_;
    options_ = std::move(options);
  }
  changed = TakeOver(cluster.cnpg_clusters(), cnpg_clusters_) || changed;
  changed = TakeOver(cluster.redis_clusters(), redis_clusters_) || changed;
  changed = TakeOver(cluster.destination_rules(), destination_rules_) || changed;
  changed = TakeOver(cluster.target_group_bindings(), target_group_bindings_) || changed;
  if (!changed) return report_;
  Manifests manifests;
  AddTo(manifests, cnpg_clusters_);
  AddTo(manifests, redis_clusters_);
  AddTo(manifests, destination_rules_);
  AddTo(manifests, target_group_bindings_);
  report_ = std::make_shared<const Report>(Audit(manifests, options_));
  return report_;
}

}  // namespace azexporter::audit
