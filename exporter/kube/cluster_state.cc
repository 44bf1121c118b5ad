#include "azexporter/kube/cluster_state.h"

namespace azexporter::kube {
namespace {

template <class T>
void FillIn(std::shared_ptr<const ObjectList<T>>& list) {
  if (!list) list = std::make_shared<const ObjectList<T>>();
}

}  // namespace

ClusterState::ClusterState(Parts parts) : parts_(std::move(parts)) {
  FillIn(parts_.nodes);
  FillIn(parts_.pods);
  FillIn(parts_.config_maps);
  node_by_name_.reserve(parts_.nodes->size());
  for (const auto& node : *parts_.nodes) node_by_name_[node->meta.name] = node.get();
}

const Node* ClusterState::FindNode(std::string_view name) const {
  const auto found = node_by_name_.find(name);
  return found == node_by_name_.end() ? nullptr : found->second;
}

std::string_view ClusterState::ZoneOf(const Pod& pod) const {
  const Node* node = pod.node_name.empty() ? nullptr : FindNode(pod.node_name);
  return node == nullptr ? std::string_view() : node->zone();
}

const ResourceHealth* ClusterState::HealthOf(std::string_view resource) const {
  for (const ResourceHealth& health : parts_.health) {
    if (health.resource == resource) return &health;
  }
  return nullptr;
}

}  // namespace azexporter::kube
