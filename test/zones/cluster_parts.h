#pragma once

// Clusters for tests of placement: whole objects, to be changed before Build().

#include <algorithm>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::test {

struct ClusterParts {
  // References stay valid.
  std::deque<kube::Node> nodes;
  std::deque<kube::Pod> pods;
  std::deque<kube::Deployment> deployments;
  std::deque<kube::ReplicaSet> replica_sets;
  std::deque<kube::StatefulSet> stateful_sets;
  std::deque<kube::DaemonSet> daemon_sets;
  std::deque<kube::Job> jobs;
  std::deque<kube::PodDisruptionBudget> budgets;
  std::deque<kube::Service> services;
  std::deque<kube::EndpointSlice> endpoint_slices;
  std::deque<kube::PersistentVolume> volumes;
  std::deque<kube::PersistentVolumeClaim> claims;
  std::deque<kube::StorageClass> storage_classes;
  std::vector<kube::ResourceHealth> health;  // how the resources fare; none: never asked for
  std::set<std::string> namespaces;          // that are watched; empty: all

  kube::Node& Node(const std::string& name, kube::StringMap labels) {
    kube::Node& node = nodes.emplace_back();
    node.meta.name = name;
    std::sort(labels.begin(), labels.end());
    node.meta.labels = std::move(labels);
    return node;
  }
  // In a zone, with its name as hostname.
  kube::Node& ZoneNode(const std::string& name, const std::string& zone) {
    return Node(name, {{"kubernetes.io/hostname", name}, {"topology.kubernetes.io/zone", zone}});
  }

  // Running and ready, in namespace "shop", of an owner that is not watched.
  kube::Pod& Pod(const std::string& name, const std::string& node, kube::StringMap labels) {
    kube::Pod& pod = pods.emplace_back();
    pod.meta.ns = "shop";
    pod.meta.name = name;
    std::sort(labels.begin(), labels.end());
    pod.meta.labels = std::move(labels);
    pod.owners = {{"Rollout", "web", true}};
    pod.node_name = node;
    pod.phase = kube::PodPhase::kRunning;
    pod.ready = kube::ConditionStatus::kTrue;
    return pod;
  }

  // A claim of the pod; a volume that only nodes of the zone reach, unless it is "".
  kube::PersistentVolumeClaim& Claim(kube::Pod& pod, const std::string& name,
                                     const std::string& zone) {
    kube::PersistentVolumeClaim& claim = claims.emplace_back();
    claim.meta.ns = pod.meta.ns;
    claim.meta.name = name;
    pod.claims.push_back(name);
    claim.volume_name = "volume-" + name;
    kube::PersistentVolume& volume = volumes.emplace_back();
    volume.meta.name = claim.volume_name;
    if (!zone.empty()) {
      volume.node_affinity = {
          {{{{"topology.kubernetes.io/zone", kube::SelectorOp::kIn, {zone}}}, {}}}};
    }
    return claim;
  }

  template <class T>
  static T& Named(std::deque<T>& list, const std::string& name) {
    T& object = list.emplace_back();
    object.meta.ns = "shop";
    object.meta.name = name;
    return object;
  }

  kube::ClusterState Build() const { return kube::ClusterState(Lists()); }

  kube::ClusterState::Parts Lists() const {
    kube::ClusterState::Parts parts;
    parts.nodes = Sorted(nodes);
    parts.pods = Sorted(pods);
    parts.deployments = Sorted(deployments);
    parts.replica_sets = Sorted(replica_sets);
    parts.stateful_sets = Sorted(stateful_sets);
    parts.daemon_sets = Sorted(daemon_sets);
    parts.jobs = Sorted(jobs);
    parts.budgets = Sorted(budgets);
    parts.services = Sorted(services);
    parts.endpoint_slices = Sorted(endpoint_slices);
    parts.volumes = Sorted(volumes);
    parts.claims = Sorted(claims);
    parts.storage_classes = Sorted(storage_classes);
    parts.health = health;
    parts.namespaces = namespaces;
    return parts;
  }

 private:
  template <class T>
  static kube::SharedList<T> Sorted(const std::deque<T>& objects) {
    kube::Objects<T> list;
    for (const T& object : objects) list.push_back(std::make_shared<const T>(object));
    return kube::MakeList(std::move(list));
  }
};

inline kube::TopologySpreadConstraint Constraint(std::string key, std::int64_t max_skew,
                                                 std::optional<kube::LabelSelector> selector) {
  kube::TopologySpreadConstraint constraint;
  constraint.topology_key = std::move(key);
  constraint.max_skew = max_skew;
  constraint.selector = std::move(selector);
  return constraint;
}

inline kube::LabelSelector HasLabel(const std::string& key) {
  return {.match_labels = {}, .requirements = {{key, kube::SelectorOp::kExists, {}}}};
}
inline kube::LabelSelector Label(const std::string& key, const std::string& value) {
  return {.match_labels = {{key, value}}, .requirements = {}};
}

inline std::shared_ptr<const kube::PodSpec> Spec(kube::PodSpec spec) {
  return std::make_shared<const kube::PodSpec>(std::move(spec));
}
inline std::shared_ptr<const kube::PodSpec> SpecWith(kube::TopologySpreadConstraint constraint) {
  kube::PodSpec spec;
  spec.spread_constraints.push_back(std::move(constraint));
  return Spec(std::move(spec));
}

inline constexpr char kZoneKey[] = "topology.kubernetes.io/zone";

}  // namespace azexporter::test
