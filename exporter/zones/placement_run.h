#pragma once

// One loss played through: what the model knows of the cluster, and a run over it.
//
// Thread safety: PlacementFacts: immutable once made; PlacementRun: one thread only.

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/placement.h"
#include "azexporter/zones/workload_pods.h"
#include "node_domains.h"
#include "placement_nodes.h"
#include "placement_pods.h"
#include "placement_rules.h"

namespace azexporter::zones {

// A group whose pods move when their node goes.
struct Mover {
  std::uint32_t group = 0;
  const NodeClass* wanted = nullptr;  // node selector and affinity admit them
  const NodeClass* open = nullptr;    // of those: whose taints the pods tolerate
  std::vector<Request> requests;
  double share = 0;  // largest of its requests, as a share of what the cluster has
  std::vector<std::pair<std::string_view, const VolumeReach*>> volumes;  // by claim
};

struct PlacementFacts {
  // All but `defaults` must outlive this. `node_domains`: of the same nodes; `namespaces`: the
  // groups of each, in order.
  PlacementFacts(const kube::ClusterState& cluster, NodeDomains& node_domains,
                 std::span<const NamespaceGroups* const> namespaces,
                 const DefaultConstraints& defaults);

  PlacementFacts(const PlacementFacts&) = delete;
  PlacementFacts& operator=(const PlacementFacts&) = delete;

  bool KindsAlike() const;

  const kube::ClusterState& cluster;
  NodeDomains& domains;
  PodGroups pods;
  PlacementNodes nodes;
  NodeRoom room;
  PlacementRules rules;
  std::vector<Mover> movers;  // in the order in which they are placed
};

// How many pods of a tally are in each domain. Few domains have any, hence a list of those.
class DomainCounts {
 public:
  // `pods_by_domain`: sorted by domain.
  explicit DomainCounts(std::vector<std::pair<std::uint32_t, std::int64_t>> pods_by_domain)
      : counts_(std::move(pods_by_domain)) {}

  std::int64_t Of(std::uint32_t domain) const;
  void Add(std::uint32_t domain);
  bool empty() const { return counts_.empty(); }
  // Of so many domains, which include all that have a pod.
  std::int64_t Least(std::int64_t domains) const;

 private:
  std::vector<std::pair<std::uint32_t, std::int64_t>> counts_;
  mutable std::int64_t least_ = -1;  // of counts_; -1: not known
};

class PlacementRun {
 public:
  PlacementRun(const PlacementFacts& facts, std::string_view zone, LossKind kind);
  Placement Run();

 private:
  // Where the filters stopped a node.
  struct Stop {
    PlacementReason reason = PlacementReason::kNoNodes;
    std::uint32_t resource = 0;  // NodeRoom's number
    std::size_t rule = 0;        // of the group's exclusions or spread rules
    std::uint32_t node = 0;
    bool FurtherThan(const Stop& other) const {
      return std::tie(reason, resource) > std::tie(other.reason, other.resource);
    }
  };
  struct UnplacedKey {
    std::uint32_t workload;
    PlacementReason reason;
    std::string resource;
    std::string detail;
    auto operator<=>(const UnplacedKey&) const = default;
  };
  static constexpr std::uint32_t kNone = 0xffffffff;
  static constexpr std::int64_t kOpen = -1;
  static constexpr std::int64_t kFull = -2;

  // Before anything is placed.
  void CountNodes();
  void CountPods();
  void MakeCounts();
  bool Counts(const Tally& tally, std::uint32_t node) const;
  // With a node that counts after the loss.
  std::int64_t DomainsOf(const SpreadRule& rule);
  bool KeepsLostNodes(const Ground& ground) const;
  Headroom MakeHeadroom() const;

  // Placing. What returns a part or a node returns kNone where there is none.
  void Place(const Mover& mover, std::int64_t pods);
  std::uint32_t FindNode();
  std::uint32_t BestPart() const;
  std::uint32_t NodeIn(std::uint32_t part) const;
  void Take(std::uint32_t node);
  void NoteRoom(std::uint32_t part);
  const Request* BeyondRoom(std::uint32_t part) const;
  // Grows with the least counts of the spread rules that each node is asked about.
  std::int64_t NodeSpreadLevel() const;

  // The filters, for the group at hand.
  bool Reaches(std::uint32_t node) const;
  bool ReachesPart(std::uint32_t part) const;
  bool Fits(std::uint32_t node) const;
  bool PartAllows(std::uint32_t part) const;
  bool NodeAllows(std::uint32_t node) const;
  bool Allows(const SpreadRule& rule, std::size_t number, std::uint32_t node) const;
  bool Allows(const Exclusion& rule, std::uint32_t node) const;
  bool AffinityAllows(std::uint32_t node) const;

  // Why they refuse.
  Stop WhyNot() const;
  Stop WhyNotStatic() const;
  Stop StopOf(std::uint32_t node) const;
  std::string DetailOf(const Stop& stop) const;
  std::string SpreadDetail(const SpreadRule& rule, std::size_t number, std::uint32_t node) const;
  std::string VolumeDetail() const;

  const PlacementFacts& facts_;
  const std::vector<kube::Taint> taints_;  // that the lost nodes get
  Placement result_;
  std::vector<bool> lost_;            // by node
  std::vector<bool> lost_parts_;      // by part
  std::vector<std::int64_t> free_;    // as NodeRoom::free
  std::vector<DomainCounts> counts_;  // by tally
  std::map<std::pair<const Ground*, const Domains*>, std::int64_t> domains_left_;  // see DomainsOf
  std::map<UnplacedKey, std::int64_t> unplaced_;

  // Of a class's nodes in a part: by resource, no more than this is free on any of them. Found when
  // they were looked through in vain.
  std::map<std::pair<const NodeClass*, std::uint32_t>, std::vector<std::int64_t>> most_free_;

  // Whose turn it is: the part, and by part the node.
  std::uint32_t next_part_ = 0;
  std::vector<std::uint32_t> next_node_;

  // Of the group at hand.
  const Mover* mover_ = nullptr;
  const GroupRules* rules_ = nullptr;
  std::vector<std::int64_t> spread_domains_;  // by spread rule
  std::size_t leading_ = 0;                   // first spread rule over zones; none: their number
  // By part: kFull where a request is more than is free on any node; NodeSpreadLevel when no node
  // would do; kOpen before. Only what raises that level makes a node acceptable that was refused:
  // room shrinks, counts grow.
  std::vector<std::int64_t> full_at_;
};

}  // namespace azexporter::zones
