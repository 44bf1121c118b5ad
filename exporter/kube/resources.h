#pragma once

// The resources that are read: where each is served, what its objects are called, which list of a
// ClusterState they stand in. Private to `kube`.

#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
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
  static constexpr bool kOfCluster = true;
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
  static constexpr bool kOfCluster = true;
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
  static constexpr bool kOfCluster = true;
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

template <>
struct ResourceOf<NodeLease> {
  static constexpr std::string_view kApi = "coordination.k8s.io/v1";
  static constexpr std::string_view kKind = "Lease";
  static constexpr auto kList = &ClusterState::Parts::node_leases;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<PrometheusRule> {
  static constexpr std::string_view kApi = "monitoring.coreos.com/v1";
  static constexpr std::string_view kKind = "PrometheusRule";
  static constexpr auto kList = &ClusterState::Parts::prometheus_rules;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<CnpgCluster> {
  static constexpr std::string_view kApi = "postgresql.cnpg.io/v1";
  static constexpr std::string_view kKind = "Cluster";
  static constexpr auto kList = &ClusterState::Parts::cnpg_clusters;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<RedisCluster> {
  static constexpr std::string_view kApi = "redis.redis.opstreelabs.in/v1beta2";
  static constexpr std::string_view kOlderApis[] = {"redis.redis.opstreelabs.in/v1beta1"};
  static constexpr std::string_view kKind = "RedisCluster";
  static constexpr auto kList = &ClusterState::Parts::redis_clusters;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<DestinationRule> {
  static constexpr std::string_view kApi = "networking.istio.io/v1";
  // Istio before 1.22 has the second alone, before 1.5 the third.
  static constexpr std::string_view kOlderApis[] = {"networking.istio.io/v1beta1",
                                                    "networking.istio.io/v1alpha3"};
  static constexpr std::string_view kKind = "DestinationRule";
  static constexpr auto kList = &ClusterState::Parts::destination_rules;
  static constexpr Need kNeed = Need::kOptional;
};

template <>
struct ResourceOf<TargetGroupBinding> {
  static constexpr std::string_view kApi = "elbv2.k8s.aws/v1beta1";
  static constexpr std::string_view kKind = "TargetGroupBinding";
  static constexpr auto kList = &ClusterState::Parts::target_group_bindings;
  static constexpr Need kNeed = Need::kOptional;
};

// Of a custom resource: watched where it is asked for, served in JSON alone, and taken in any
// version.
template <class T>
inline constexpr bool kIsCustom = std::is_base_of_v<CustomObject, T>;

// Its objects stand in namespaces; those of the others are the cluster's.
template <class T>
inline constexpr bool kIsNamespaced = !requires {
  ResourceOf<T>::kOfCluster;
};

// "/api/v1/nodes"; of one namespace "/apis/apps/v1/namespaces/shop/deployments".
template <class T>
std::string PathOf(std::string_view ns, std::string_view api = ResourceOf<T>::kApi) {
  std::string path = api.find('/') == std::string_view::npos ? "/api/" : "/apis/";
  path += api;
  if (!ns.empty()) path.append("/namespaces/").append(ns);
  return path.append("/").append(T::kResource.substr(0, T::kResource.find('.')));
}

// Where servers have it that do not know the path above yet, the newest first.
template <class T>
std::vector<std::string> OlderPathsOf(std::string_view ns) {
  std::vector<std::string> paths;
  if constexpr (requires { ResourceOf<T>::kOlderApis; }) {
    for (const std::string_view api : ResourceOf<T>::kOlderApis) {
      paths.push_back(PathOf<T>(ns, api));
    }
  }
  return paths;
}

// Names every type in `Use<Node, Pod, ...>`, in the order of ClusterState's lists.
template <template <class...> class Use>
using WithAllResources = Use<Node, Pod, ConfigMap, Deployment, ReplicaSet, StatefulSet, DaemonSet,
                             Job, PodDisruptionBudget, PersistentVolume, PersistentVolumeClaim,
                             StorageClass, Service, EndpointSlice, NodeLease, PrometheusRule,
                             CnpgCluster, RedisCluster, DestinationRule, TargetGroupBinding>;
// The same for what is no template: USE(Node) USE(Pod) ...
#define AZX_FOR_ALL_RESOURCES(USE) \
  USE(Node)                        \
  USE(Pod)                         \
  USE(ConfigMap)                   \
  USE(Deployment)                  \
  USE(ReplicaSet)                  \
  USE(StatefulSet)                 \
  USE(DaemonSet)                   \
  USE(Job)                         \
  USE(PodDisruptionBudget)         \
  USE(PersistentVolume)            \
  USE(PersistentVolumeClaim)       \
  USE(StorageClass)                \
  USE(Service)                     \
  USE(EndpointSlice)               \
  USE(NodeLease)                   \
  USE(PrometheusRule)              \
  USE(CnpgCluster)                 \
  USE(RedisCluster)                \
  USE(DestinationRule)             \
  USE(TargetGroupBinding)

// A list for each type.
template <class... T>
using ObjectLists = std::tuple<Objects<T>...>;

}  // namespace azexporter::kube
