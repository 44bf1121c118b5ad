#pragma once

// Builds ClusterStates for tests, a line a node or pod.

#include <algorithm>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "add_label.h"
#include "azexporter/kube/cluster_state.h"

namespace azexporter::test {

// For what shares a cluster, where it outlives the call.
inline std::shared_ptr<const kube::ClusterState> NotOwned(const kube::ClusterState& cluster) {
  return {std::shared_ptr<void>(), &cluster};
}

class ClusterBuilder {
 public:
  struct NodeIs {
    std::string zone;
    kube::ConditionStatus ready = kube::ConditionStatus::kTrue;
    bool cordoned = false;
    bool control_plane = false;
    kube::Resources allocatable = {};
    std::vector<kube::Taint> taints = {};
  };
  struct PodIs {
    std::string node;
    bool ready = true;
    bool terminating = false;
    kube::PodPhase phase = kube::PodPhase::kRunning;
    std::string app = "machine-native-ops";
    kube::Resources requests = {};
    std::string ip = {};
    std::vector<kube::HostPort> host_ports = {};
  };

  ClusterBuilder& Node(const std::string& name, const NodeIs& is) {
    kube::Node node;
    node.meta.name = name;
    if (is.control_plane) {
      AddLabel(node.meta, "node-role.kubernetes.io/control-plane", "");
    }
    if (!is.zone.empty()) AddLabel(node.meta, "topology.kubernetes.io/zone", is.zone);
    node.unschedulable = is.cordoned;
    node.conditions.push_back({"Ready", is.ready});
    node.allocatable = is.allocatable;
    node.taints = is.taints;
    nodes_.push_back(std::make_shared<const kube::Node>(std::move(node)));
    return *this;
  }
  // `count` nodes named PREFIX-1, PREFIX-2, ...
  ClusterBuilder& Nodes(const std::string& prefix, int count, const NodeIs& is) {
    for (int i = 1; i <= count; ++i) Node(prefix + "-" + std::to_string(i), is);
    return *this;
  }

  ClusterBuilder& Pod(const std::string& name, const PodIs& is) {
    kube::Pod pod;
    pod.meta.name = name;
    pod.meta.ns = "platform-03";
    pod.meta.uid = "uid-" + name;
    pod.meta.labels = {{"app.kubernetes.io/name", is.app}};
    pod.meta.terminating = is.terminating;
    pod.owners = {{"ReplicaSet", "rs-1", true}};
    pod.node_name = is.node;
    pod.phase = is.phase;
    pod.pod_ip = is.ip;
    if (is.requests != kube::Resources{} || !is.host_ports.empty()) {
      kube::PodSpec spec;
      spec.requests = is.requests;
      spec.host_ports = is.host_ports;
      pod.spec = std::make_shared<const kube::PodSpec>(std::move(spec));
    }
    pod.ready = is.ready ? kube::ConditionStatus::kTrue : kube::ConditionStatus::kFalse;
    pods_.push_back(std::make_shared<const kube::Pod>(std::move(pod)));
    return *this;
  }

  ClusterBuilder& Lease(const std::string& node, std::int64_t renewed_ms) {
    kube::NodeLease lease;
    lease.meta.name = node;
    lease.meta.ns = kube::NodeLease::kNamespace;
    lease.renewed_ms = renewed_ms;
    lease.duration_ms = 40'000;
    leases_.push_back(std::make_shared<const kube::NodeLease>(std::move(lease)));
    return *this;
  }

  // How the resource fares; without it what was built is synced and was heard of at `now_ms`.
  ClusterBuilder& Health(kube::ResourceHealth health) {
    health_.push_back(std::move(health));
    return *this;
  }

  kube::ClusterState Build(std::int64_t now_ms) const { return kube::ClusterState(Parts(now_ms)); }

  kube::ClusterState::Parts Parts(std::int64_t now_ms) const {
    kube::ClusterState::Parts parts;
    parts.nodes = kube::MakeList(nodes_);
    parts.pods = kube::MakeList(pods_);
    parts.node_leases = kube::MakeList(leases_);
    parts.health = health_;
    for (const char* resource : {"nodes", "pods", "leases"}) {
      bool given = resource == kube::NodeLease::kResource && leases_.empty();
      for (const kube::ResourceHealth& health : health_)
        given = given || health.resource == resource;
      if (given) continue;
      kube::ResourceHealth& health = parts.health.emplace_back();
      health.resource = resource;
      health.synced = true;
      health.last_contact_ms = now_ms;
    }
    return parts;
  }

 private:
  kube::Objects<kube::Node> nodes_;
  kube::Objects<kube::Pod> pods_;
  kube::Objects<kube::NodeLease> leases_;
  std::vector<kube::ResourceHealth> health_;
};

}  // namespace azexporter::test
