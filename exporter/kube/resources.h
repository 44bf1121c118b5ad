#pragma once

// The resources that are read: where each is served, what its objects are called, which list of a
// ClusterState they stand in. Private to `kube`.

#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::kube {

// The zones' state follows from the required ones alone; the others serve statements that are
// otherwise not known.
enum class Need { kRequired, kOptional };

template <class T>
struct ResourceOf;

template <>
struct ResourceOf<Node> {
  static constexpr std::string_view kApi = "v1";
  static constexpr std::string_view kKind = "Node";
  static constexpr auto kList = &ClusterState::Parts::nodes;
  static constexpr Need kNeed = Need::kRequired;
};

template <>
struct ResourceOf<Pod> {
  static constexpr std::string_view kApi = "v1";
  static constexpr std::string_view kKind = "Pod";
  static constexpr auto kList = &ClusterState::Parts::pods;
  static constexpr Need kNeed = Need::kRequired;
};

template <>
struct ResourceOf<ConfigMap> {
  static constexpr std::string_view kApi = "v1";
  static constexpr std::string_view kKind = "ConfigMap";
  static constexpr auto kList = &ClusterState::Parts::config_maps;
  static constexpr Need kNeed = Need::kRequired;  // where one is named
};

template <>
struct ResourceOf<Deployment> {
  static constexpr std::string_view kApi = "apps/v1";
  static constexpr std::string_view kKind = "Deployment";
  static constexpr auto kList = &ClusterState::Parts::deployments;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<ReplicaSet> {
  static constexpr std::string_view kApi = "apps/v1";
  static constexpr std::string_view kKind = "ReplicaSet";
  static constexpr auto kList = &ClusterState::Parts::replica_sets;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<StatefulSet> {
  static constexpr std::string_view kApi = "apps/v1";
  static constexpr std::string_view kKind = "StatefulSet";
  static constexpr auto kList = &ClusterState::Parts::stateful_sets;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<DaemonSet> {
  static constexpr std::string_view kApi = "apps/v1";
  static constexpr std::string_view kKind = "DaemonSet";
  static constexpr auto kList = &ClusterState::Parts::daemon_sets;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<Job> {
  static constexpr std::string_view kApi = "batch/v1";
  static constexpr std::string_view kKind = "Job";
  static constexpr auto kList = &ClusterState::Parts::jobs;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<PodDisruptionBudget> {
  static constexpr std::string_view kApi = "policy/v1";
  static constexpr std::string_view kKind = "PodDisruptionBudget";
  static constexpr auto kList = &ClusterState::Parts::budgets;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<PersistentVolume> {
  static constexpr std::string_view kApi = "v1";
  static constexpr std::string_view kKind = "PersistentVolume";
  static constexpr auto kList = &ClusterState::Parts::volumes;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<PersistentVolumeClaim> {
  static constexpr std::string_view kApi = "v1";
  static constexpr std::string_view kKind = "PersistentVolumeClaim";
  static constexpr auto kList = &ClusterState::Parts::claims;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<StorageClass> {
  static constexpr std::string_view kApi = "storage.k8s.io/v1";
  static constexpr std::string_view kKind = "StorageClass";
  static constexpr auto kList = &ClusterState::Parts::storage_classes;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<Service> {
  static constexpr std::string_view kApi = "v1";
  static constexpr std::string_view kKind = "Service";
  static constexpr auto kList = &ClusterState::Parts::services;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<EndpointSlice> {
  static constexpr std::string_view kApi = "discovery.k8s.io/v1";
  static constexpr std::string_view kKind = "EndpointSlice";
  static constexpr auto kList = &ClusterState::Parts::endpoint_slices;
  static constexpr Need kNeed = Need::kOptional;
};

// "/api/v1/nodes", "/apis/apps/v1/deployments".
template <class T>
std::string PathOf() {
  const std::string_view api = ResourceOf<T>::kApi;
  const std::string_view root = api.find('/') == std::string_view::npos ? "/api/" : "/apis/";
  return std::string(root) + std::string(api) + "/" + std::string(T::kResource);
}

// Names every type in `Use<Node, Pod, ...>`, in the order of ClusterState's lists.
template <template <class...> class Use>
using WithAllResources = Use<Node, Pod, ConfigMap, Deployment, ReplicaSet, StatefulSet, DaemonSet,
                             Job, PodDisruptionBudget, PersistentVolume, PersistentVolumeClaim,
                             StorageClass, Service, EndpointSlice>;

// A vector for each type.
template <class... T>
using Vectors = std::tuple<std::vector<T>...>;

}  // namespace azexporter::kube
