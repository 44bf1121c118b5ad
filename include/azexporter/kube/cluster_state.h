#pragma once

// ClusterState: one consistent, immutable view of what azexporter knows of a cluster, and of how
// well it knows it. Everything that judges the cluster reads this; nothing changes it.
//
// Thread safety: immutable after construction; shared as shared_ptr<const ClusterState>.

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azexporter/kube/objects.h"

namespace azexporter::kube {

template <class T>
using ObjectList = std::vector<std::shared_ptr<const T>>;

// How current the objects of one resource are.
struct ResourceHealth {
  std::string resource;              // "nodes"
  bool synced = false;               // a whole list was read at least once
  bool from_file = false;            // read from a snapshot: no server will ever answer
  std::int64_t last_contact_ms = 0;  // wall time of the server's last answer; 0: never
  std::string last_error;            // of the newest failure, cleared by the next answer
  std::uint64_t lists = 0;           // whole lists read, the first included
  std::uint64_t watch_restarts = 0;
  std::uint64_t decode_errors = 0;
};

class ClusterState {
 public:
  struct Parts {
    std::shared_ptr<const ObjectList<Node>> nodes;
    std::shared_ptr<const ObjectList<Pod>> pods;
    std::shared_ptr<const ObjectList<ConfigMap>> config_maps;
    std::vector<ResourceHealth> health;
  };

  ClusterState() : ClusterState(Parts{}) {}
  explicit ClusterState(Parts parts);

  // Sorted by name; pods and ConfigMaps by namespace, then name.
  const ObjectList<Node>& nodes() const { return *parts_.nodes; }
  const ObjectList<Pod>& pods() const { return *parts_.pods; }
  const ObjectList<ConfigMap>& config_maps() const { return *parts_.config_maps; }

  // nullptr where there is none. O(1).
  const Node* FindNode(std::string_view name) const;
  // The zone of the node the pod runs on; "" for a pod without node or a node without zone.
  std::string_view ZoneOf(const Pod& pod) const;

  const std::vector<ResourceHealth>& health() const { return parts_.health; }
  // nullptr where the resource is not watched.
  const ResourceHealth* HealthOf(std::string_view resource) const;

 private:
  Parts parts_;
  std::unordered_map<std::string_view, const Node*> node_by_name_;
};

}  // namespace azexporter::kube
