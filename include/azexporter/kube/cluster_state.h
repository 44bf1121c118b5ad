#pragma once

// ClusterState: one consistent, immutable view of what azexporter knows of a cluster, and of how
// well it knows it. Everything that judges the cluster reads this; nothing changes it.
//
// Thread safety: immutable; shared as shared_ptr<const ClusterState>.

#include <array>
#include <cstdint>
#include <memory>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azexporter/kube/custom_objects.h"
#include "azexporter/kube/network_objects.h"
#include "azexporter/kube/node_lease.h"
#include "azexporter/kube/object_list.h"
#include "azexporter/kube/objects.h"
#include "azexporter/kube/storage_objects.h"
#include "azexporter/kube/workloads.h"

namespace azexporter::kube {

// Why a whole list was read.
enum class ListReason {
  kStart,
  kExpired,     // the server has forgotten the version that the watch went on from (410)
  kSilent,      // a watch said nothing: the server may not know our version yet
  kOutage,      // nothing was heard for so long that it may be another server
  kUnreadable,  // an event was not understood, so that its version is unknown
};
inline constexpr std::size_t kListReasons = 5;
std::string_view ListReasonName(ListReason reason);  // "expired"

// How a watch ended that was taken up again.
enum class WatchEnd {
  kClosed,   // by the server, as each is after its time
  kIdle,     // not a byte for too long
  kCut,      // by the network
  kRefused,  // answered with an error
};
inline constexpr std::size_t kWatchEnds = 4;
std::string_view WatchEndName(WatchEnd end);

// How current the objects of one resource are.
struct ResourceHealth {
  std::string resource;    // "nodes"
  bool synced = false;     // a whole list was read at least once
  bool from_file = false;  // read from a snapshot: no server will ever answer
  // What only some statements need, which are then not known; its failure says nothing about the
  // zones' state and does not keep azexporter from being ready.
  bool optional = false;
  // The server does not have the optional resource (404 for its group and version). That is no
  // failure, and nothing is known of such objects: they may be served in another version.
  bool absent = false;
  std::int64_t last_contact_ms = 0;  // wall time of the server's last answer; 0: never
  std::string last_error;            // of the newest failure, cleared by the next answer

  // It is there, or may be, but could never be listed.
  bool unread() const { return !synced && !absent && !from_file; }

  std::size_t objects = 0;         // held
  std::uint64_t bytes_read = 0;    // of lists and watches, after decompression
  double list_seconds = 0;         // how long the newest whole list took
  std::int64_t last_event_ms = 0;  // wall time; 0: never
  // How old the newest object was when a watch first told of it, by the clocks of both sides and to
  // the second, as the server tells it. Not of what came with a list.
  std::optional<std::int64_t> event_lag_ms;
  std::array<std::uint64_t, kListReasons> lists{};  // whole ones, by reason
  std::array<std::uint64_t, kWatchEnds> watch_ends{};
  std::uint64_t decode_errors = 0;
  std::string last_decode_error;  // names the object

  std::uint64_t list_count() const {
    return std::accumulate(lists.begin(), lists.end(), std::uint64_t{0});
  }
};

// How current a resource is whose namespaces are watched one by one: counts are added up, of all
// else the worst is told. REQUIRES: not empty.
ResourceHealth HealthOfAll(const std::vector<ResourceHealth>& namespaces);

class ClusterState {
 public:
  struct Parts {
    // Those whose objects are watched; empty: all.
    std::set<std::string> namespaces;
    // Each list sorted by namespace, then name; null: empty.
    SharedList<Node> nodes;
    SharedList<Pod> pods;
    SharedList<ConfigMap> config_maps;
    SharedList<Deployment> deployments;
    SharedList<ReplicaSet> replica_sets;
    SharedList<StatefulSet> stateful_sets;
    SharedList<DaemonSet> daemon_sets;
    SharedList<Job> jobs;
    SharedList<PodDisruptionBudget> budgets;
    SharedList<PersistentVolume> volumes;
    SharedList<PersistentVolumeClaim> claims;
    SharedList<StorageClass> storage_classes;
    SharedList<Service> services;
    SharedList<EndpointSlice> endpoint_slices;
    SharedList<NodeLease> node_leases;
    SharedList<PrometheusRule> prometheus_rules;
    SharedList<CnpgCluster> cnpg_clusters;
    SharedList<RedisCluster> redis_clusters;
    SharedList<DestinationRule> destination_rules;
    SharedList<TargetGroupBinding> target_group_bindings;
    std::vector<ResourceHealth> health;
  };

  ClusterState() : ClusterState(Parts{}) {}
  // `before`: an older view, whose index of nodes is taken over where the list is the same.
  explicit ClusterState(Parts parts, const ClusterState* before = nullptr);

  // The namespaces whose objects are here, whether or not they exist; empty: all. Nodes, volumes
  // and storage classes are always all of the cluster's.
  const std::set<std::string>& watched_namespaces() const { return parts_.namespaces; }

  // Sorted by namespace, then name.
  const ObjectList<Node>& nodes() const { return *parts_.nodes; }
  const ObjectList<Pod>& pods() const { return *parts_.pods; }
  const ObjectList<ConfigMap>& config_maps() const { return *parts_.config_maps; }
  const ObjectList<Deployment>& deployments() const { return *parts_.deployments; }
  const ObjectList<ReplicaSet>& replica_sets() const { return *parts_.replica_sets; }
  const ObjectList<StatefulSet>& stateful_sets() const { return *parts_.stateful_sets; }
  const ObjectList<DaemonSet>& daemon_sets() const { return *parts_.daemon_sets; }
  const ObjectList<Job>& jobs() const { return *parts_.jobs; }
  const ObjectList<PodDisruptionBudget>& budgets() const { return *parts_.budgets; }
  const ObjectList<PersistentVolume>& volumes() const { return *parts_.volumes; }
  const ObjectList<PersistentVolumeClaim>& claims() const { return *parts_.claims; }
  const ObjectList<StorageClass>& storage_classes() const { return *parts_.storage_classes; }
  const ObjectList<Service>& services() const { return *parts_.services; }
  const ObjectList<EndpointSlice>& endpoint_slices() const { return *parts_.endpoint_slices; }
  const ObjectList<NodeLease>& node_leases() const { return *parts_.node_leases; }

  const ObjectList<PrometheusRule>& prometheus_rules() const { return *parts_.prometheus_rules; }
  const ObjectList<CnpgCluster>& cnpg_clusters() const { return *parts_.cnpg_clusters; }
  const ObjectList<RedisCluster>& redis_clusters() const { return *parts_.redis_clusters; }
  const ObjectList<DestinationRule>& destination_rules() const { return *parts_.destination_rules; }
  const ObjectList<TargetGroupBinding>& target_group_bindings() const {
    return *parts_.target_group_bindings;
  }

  // nullptr where there is none. O(1) for nodes, O(log n) for the others.
  const Node* FindNode(std::string_view name) const;
  const Pod* FindPod(std::string_view ns, std::string_view name) const;
  const Workload* FindWorkload(WorkloadKind kind, std::string_view ns, std::string_view name) const;
  const PersistentVolume* FindVolume(std::string_view name) const;
  const PersistentVolumeClaim* FindClaim(std::string_view ns, std::string_view name) const;
  const StorageClass* FindStorageClass(std::string_view name) const;
  const Service* FindService(std::string_view ns, std::string_view name) const;

  // The workload an object of the namespace belongs to in the end: of a pod of a Deployment, the
  // Deployment and not its ReplicaSet. nullptr where it has none that is known here.
  const Workload* WorkloadOf(const Pod& pod) const;
  // Objects of one namespace, in order of their names.
  ObjectList<Pod>::Range PodsIn(std::string_view ns) const { return pods().In(ns); }
  ObjectList<EndpointSlice>::Range SlicesIn(std::string_view ns) const {
    return endpoint_slices().In(ns);
  }
  ObjectList<Service>::Range ServicesIn(std::string_view ns) const { return services().In(ns); }

  // The zone of the node the pod runs on; "" for a pod without node or a node without zone.
  std::string_view ZoneOf(const Pod& pod) const;

  const std::vector<ResourceHealth>& health() const { return parts_.health; }
  // nullptr where the resource is not watched.
  const ResourceHealth* HealthOf(std::string_view resource) const;

 private:
  Parts parts_;
  struct NodeEntry {
    const Node* node;
    std::string_view zone;
  };
  using NodeIndex = std::unordered_map<std::string_view, NodeEntry>;  // by name
  std::shared_ptr<const NodeIndex> node_index_;
};

}  // namespace azexporter::kube
