#include "azexporter/kube/cluster_state.h"

#include <algorithm>

namespace azexporter::kube {
namespace {

template <class T>
void FillIn(SharedList<T>& list) {
  if (!list) list = std::make_shared<const ObjectList<T>>();
}

}  // namespace

std::string_view ListReasonName(ListReason reason) {
  switch (reason) {
    case ListReason::kStart:
      return "start";
    case ListReason::kExpired:
      return "expired";
    case ListReason::kSilent:
      return "silent";
    case ListReason::kOutage:
      return "outage";
    case ListReason::kUnreadable:
      return "unreadable";
  }
  return "";
}

std::string_view WatchEndName(WatchEnd end) {
  switch (end) {
    case WatchEnd::kClosed:
      return "closed";
    case WatchEnd::kIdle:
      return "idle";
    case WatchEnd::kCut:
      return "cut";
    case WatchEnd::kRefused:
      return "refused";
  }
  return "";
}

ResourceHealth HealthOfAll(const std::vector<ResourceHealth>& namespaces) {
  ResourceHealth all = namespaces.front();
  for (std::size_t i = 1; i < namespaces.size(); ++i) {
    const ResourceHealth& one = namespaces[i];
    all.synced = all.synced && one.synced;
    all.absent = all.absent && one.absent;
    all.last_contact_ms = std::min(all.last_contact_ms, one.last_contact_ms);
    if (all.last_error.empty()) all.last_error = one.last_error;
    all.objects += one.objects;
    all.bytes_read += one.bytes_read;
    all.list_seconds = std::max(all.list_seconds, one.list_seconds);
    all.last_event_ms = std::max(all.last_event_ms, one.last_event_ms);
    all.event_lag_ms = std::max(all.event_lag_ms, one.event_lag_ms);
    for (std::size_t n = 0; n < kListReasons; ++n) all.lists[n] += one.lists[n];
    for (std::size_t n = 0; n < kWatchEnds; ++n) all.watch_ends[n] += one.watch_ends[n];
    all.decode_errors += one.decode_errors;
    if (all.last_decode_error.empty()) all.last_decode_error = one.last_decode_error;
  }
  return all;
}

ClusterState::ClusterState(Parts parts, const ClusterState* before) : parts_(std::move(parts)) {
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
  FillIn(parts_.node_leases);
  FillIn(parts_.prometheus_rules);
  FillIn(parts_.cnpg_clusters);
  FillIn(parts_.redis_clusters);
  FillIn(parts_.destination_rules);
  FillIn(parts_.target_group_bindings);
  if (before != nullptr && before->parts_.nodes == parts_.nodes) {
    node_index_ = before->node_index_;
    return;
  }
  auto index = std::make_shared<NodeIndex>();
  index->reserve(parts_.nodes->size());
  for (const auto& node : *parts_.nodes) (*index)[node->meta.name] = {node.get(), node->zone()};
  node_index_ = std::move(index);
}

const Node* ClusterState::FindNode(std::string_view name) const {
  const auto found = node_index_->find(name);
  return found == node_index_->end() ? nullptr : found->second.node;
}

const Pod* ClusterState::FindPod(std::string_view ns, std::string_view name) const {
  return pods().Find(ns, name);
}

const Workload* ClusterState::FindWorkload(WorkloadKind kind, std::string_view ns,
                                           std::string_view name) const {
  switch (kind) {
    case WorkloadKind::kDeployment:
      return deployments().Find(ns, name);
    case WorkloadKind::kReplicaSet:
      return replica_sets().Find(ns, name);
    case WorkloadKind::kStatefulSet:
      return stateful_sets().Find(ns, name);
    case WorkloadKind::kDaemonSet:
      return daemon_sets().Find(ns, name);
    case WorkloadKind::kJob:
      return jobs().Find(ns, name);
  }
  return nullptr;
}

const PersistentVolume* ClusterState::FindVolume(std::string_view name) const {
  return volumes().Find("", name);
}

const PersistentVolumeClaim* ClusterState::FindClaim(std::string_view ns,
                                                     std::string_view name) const {
  return claims().Find(ns, name);
}

const StorageClass* ClusterState::FindStorageClass(std::string_view name) const {
  return storage_classes().Find("", name);
}

const Service* ClusterState::FindService(std::string_view ns, std::string_view name) const {
  return services().Find(ns, name);
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

std::string_view ClusterState::ZoneOf(const Pod& pod) const {
  if (pod.node_name.empty()) return {};
  const auto found = node_index_->find(pod.node_name);
  return found == node_index_->end() ? std::string_view() : found->second.zone;
}

const ResourceHealth* ClusterState::HealthOf(std::string_view resource) const {
  for (const ResourceHealth& health : parts_.health) {
    if (health.resource == resource) return &health;
  }
  return nullptr;
}

}  // namespace azexporter::kube
