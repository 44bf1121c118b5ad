#pragma once

// The nodes as placement sees them: which receive pods at all, how much is free on each, which of
// them a pod's spec admits, and from which of them a volume can be reached.
//
// Nodes are kept by part: those of one part have the same zone labels, so that what a zone decides
// is decided once for all of them.
//
// Thread safety: one thread only.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "azexporter/base/hash_index.h"
#include "azexporter/kube/cluster_state.h"
#include "node_domains.h"
#include "placement_pods.h"

namespace azexporter::zones {

// What a pod asks of a resource; a pod itself, which takes one of "pods", is not among it.
struct Request {
  std::uint32_t resource = 0;  // NodeRoom::names
  std::int64_t amount = 0;     // above 0
};

// What is free on each node, by resource. Nodes and resources have numbers.
struct NodeRoom {
  static constexpr std::uint32_t kCpu = 0;
  static constexpr std::uint32_t kMemory = 1;
  static constexpr std::uint32_t kPods = 2;

  std::vector<std::string> names{"cpu", "memory", "pods"};  // then the others, sorted
  std::vector<std::int64_t> free;   // of node * names.size() + resource; below 0: overcommitted
  std::vector<std::int64_t> total;  // allocatable of all nodes, by resource
  std::vector<bool> unlimited;      // by node: takes any number of pods
  // Nothing was held at the ends of 64 bits: what pods took they can give back.
  bool exact = true;

  std::size_t width() const { return names.size(); }
  bool Knows(std::string_view name) const;
  // REQUIRES: the name is known.
  std::uint32_t NumberOf(std::string_view name) const;
  std::vector<Request> RequestsOf(const kube::Resources& requests) const;

  // All that the pods ask for is known.
  bool Knows(const NamespaceGroups& pods) const;
  // REQUIRES: it is.
  void Take(const NamespaceGroups& pods);
  // REQUIRES: they took it, and it was exact ever since.
  void GiveBack(const NamespaceGroups& pods);

 private:
  template <class Visit>
  void ForEachPod(const NamespaceGroups& pods, Visit visit);
};

// With all these pods on the nodes.
NodeRoom RoomOf(const kube::ObjectList<kube::Node>& nodes,
                std::span<const NamespaceGroups* const> pods);

// Some of the nodes that receive pods.
struct NodeClass {
  std::vector<std::vector<std::uint32_t>> by_part;  // in order
};

struct NodePart {
  std::string_view zone;
  std::vector<std::uint32_t> nodes;  // in order; never empty
};

// Where a pod with a certain claim can be.
struct VolumeReach {
  std::vector<bool> nodes;
  std::vector<bool> parts;  // that have such a node
  std::string where;        // the zones, for people: "us-east-1a"
  bool bound = false;       // else what the storage class allows
};

class PlacementNodes {
 public:
  // Of the cluster's nodes and storage classes; both must outlive this.
  PlacementNodes(const kube::ClusterState& cluster, NodeDomains& domains);

  const std::vector<NodePart>& parts() const { return parts_; }
  std::uint32_t part_of(std::uint32_t node) const { return part_of_[node]; }
  // Ready and not cordoned.
  bool receives(std::uint32_t node) const { return receives_[node]; }
  std::size_t size() const { return part_of_.size(); }

  // Those of the ground that receive pods. The reference stays valid.
  const NodeClass& ClassOf(const Ground& ground);
  // nullptr where the claim keeps its pod from no node, or is not known. `now`: with the claim and
  // its volume. The pointer stays valid.
  const VolumeReach* ReachOf(const kube::ClusterState& now, const std::string& ns,
                             const std::string& claim);

 private:
  struct Reach {
    std::optional<kube::NodeSelector> nodes;  // absent: all
    std::string zones;                        // as the volume's label has them; "" for all
    VolumeReach reach;
  };

  void MakeParts();
  const VolumeReach* ReachOf(const kube::NodeSelector* nodes, std::string_view zones, bool bound);
  void Find(Reach& reach);
  void Describe(VolumeReach& reach) const;

  const kube::ClusterState& cluster_;
  NodeDomains& domains_;
  std::vector<NodePart> parts_;
  std::vector<std::uint32_t> part_of_;
  std::vector<bool> receives_;
  std::unordered_map<const Ground*, std::unique_ptr<NodeClass>> classes_;
  std::vector<std::unique_ptr<Reach>> reaches_;
  base::HashIndex reach_index_;
  const kube::StorageClass* default_class_ = nullptr;
};

}  // namespace azexporter::zones
