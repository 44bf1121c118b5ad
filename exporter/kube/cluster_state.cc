#include "azexporter/kube/cluster_state.h"

#include <algorithm>
#include <mutex>
#include <tuple>

namespace azexporter::kube {
namespace {

template <class T>
void FillIn(SharedList<T>& list) {
  if (!list) list = std::make_shared<const ObjectList<T>>();
}

template <class T>
const T* FindIn(const ObjectList<T>& list, std::string_view ns, std::string_view name) {
  const auto found =
      std::lower_bound(list.begin(), list.end(), std::tie(ns, name),
                       [](const std::shared_ptr<const T>& object,
                          const std::tuple<std::string_view, std::string_view>& wanted) {
                         return std::tuple<std::string_view, std::string_view>(
                                    object->meta.ns, object->meta.name) < wanted;
                       });
  if (found == list.end() || (*found)->meta.ns != ns || (*found)->meta.name != name) return nullptr;
  return found->get();
}

}  // namespace

// Made when first asked for, since most rounds do not ask.
struct ClusterState::PodIndex {
  std::once_flag made;
  std::unordered_map<std::string_view, std::vector<const Pod*>> by_node;
};

ClusterState::ClusterState(Parts parts)
    : parts_(std::move(parts)), pod_index_(std::make_unique<PodIndex>()) {
  FillIn(parts_.nodes);
  FillIn(parts_.pods);
  FillIn(parts_.config_maps);
  FillIn(parts_.deployments);
  FillIn(parts_.replica_sets);
  FillIn(parts_.stateful_sets);
  FillIn(parts_.daemon_sets);
  FillIn(parts_.jobs);
  FillIn(parts_.budgets);
  FillIn(parts_.volumes);
  FillIn(parts_.claims);
  FillIn(parts_.storage_classes);
  FillIn(parts_.services);
  FillIn(parts_.endpoint_slices);
  node_by_name_.reserve(parts_.nodes->size());
  for (const auto& node : *parts_.nodes) {
    node_by_name_[node->meta.name] = {node.get(), node->zone()};
  }
}

ClusterState::~ClusterState() = default;
ClusterState::ClusterState(ClusterState&&) noexcept = default;
ClusterState& ClusterState::operator=(ClusterState&&) noexcept = default;

const Node* ClusterState::FindNode(std::string_view name) const {
  const auto found = node_by_name_.find(name);
  return found == node_by_name_.end() ? nullptr : found->second.node;
}

const Pod* ClusterState::FindPod(std::string_view ns, std::string_view name) const {
  return FindIn(pods(), ns, name);
}

const Workload* ClusterState::FindWorkload(WorkloadKind kind, std::string_view ns,
                                           std::string_view name) const {
  switch (kind) {
    case WorkloadKind::kDeployment:
      return FindIn(deployments(), ns, name);
    case WorkloadKind::kReplicaSet:
      return FindIn(replica_sets(), ns, name);
    case WorkloadKind::kStatefulSet:
      return FindIn(stateful_sets(), ns, name);
    case WorkloadKind::kDaemonSet:
      return FindIn(daemon_sets(), ns, name);
    case WorkloadKind::kJob:
      return FindIn(jobs(), ns, name);
  }
  return nullptr;
}

const PersistentVolume* ClusterState::FindVolume(std::string_view name) const {
  return FindIn(volumes(), "", name);
}

const PersistentVolumeClaim* ClusterState::FindClaim(std::string_view ns,
                                                     std::string_view name) const {
  return FindIn(claims(), ns, name);
}

const StorageClass* ClusterState::FindStorageClass(std::string_view name) const {
  return FindIn(storage_classes(), "", name);
}

const Service* ClusterState::FindService(std::string_view ns, std::string_view name) const {
  return FindIn(services(), ns, name);
}

const Workload* ClusterState::WorkloadOf(const Pod& pod) const {
  const Workload* workload = nullptr;
  const std::vector<Owner>* owners = &pod.owners.get();
  // A ReplicaSet under its Deployment is the deepest there is; the bound is against circles.
  constexpr int kDeepest = 3;
  for (int depth = 0; depth < kDeepest; ++depth) {
    const Owner* owner = ControllerOf(*owners);
    const auto kind = owner == nullptr ? std::nullopt : WorkloadKindOf(owner->kind);
    const Workload* above = kind ? FindWorkload(*kind, pod.meta.ns, owner->name)
                                 : static_cast<const Workload*>(nullptr);
    if (above == nullptr) break;
    workload = above;
    owners = &above->owners;
  }
  return workload;
}

std::span<const std::shared_ptr<const Pod>> ClusterState::PodsIn(std::string_view ns) const {
  return ObjectsIn(pods(), ns);
}

std::span<const std::shared_ptr<const EndpointSlice>> ClusterState::SlicesIn(
    std::string_view ns) const {
  return ObjectsIn(endpoint_slices(), ns);
}

std::span<const std::shared_ptr<const Service>> ClusterState::ServicesIn(
    std::string_view ns) const {
  return ObjectsIn(services(), ns);
}

std::span<const Pod* const> ClusterState::PodsOn(std::string_view node_name) const {
  std::call_once(pod_index_->made, [this] {
    auto& by_node = pod_index_->by_node;
    by_node.reserve(nodes().size());
    for (const auto& pod : pods()) {
      if (!pod->node_name.empty()) by_node[pod->node_name].push_back(pod.get());
    }
  });
  const auto found = pod_index_->by_node.find(node_name);
  if (found == pod_index_->by_node.end()) return {};
  return found->second;
}

std::string_view ClusterState::ZoneOf(const Pod& pod) const {
  if (pod.node_name.empty()) return {};
  const auto found = node_by_name_.find(pod.node_name);
  return found == node_by_name_.end() ? std::string_view() : found->second.zone;
}

const ResourceHealth* ClusterState::HealthOf(std::string_view resource) const {
  for (const ResourceHealth& health : parts_.health) {
    if (health.resource == resource) return &health;
  }
  return nullptr;
}

}  // namespace azexporter::kube
