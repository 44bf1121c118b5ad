#pragma once

// The nodes of a zone that is lost: they stay, with taints.
//
// Thread safety: one thread only.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/zones/placement.h"
#include "node_domains.h"
#include "placement_nodes.h"
#include "placement_rules.h"

namespace azexporter::zones {

// What the loss adds to the taints of the zone's nodes.
std::vector<kube::Taint> TaintsOf(LossKind kind);

// Whether nodes with these taints, too, count for a constraint.
bool KeepsNodes(const Eligibility& eligibility, const std::vector<kube::Taint>& taints);

class LostNodes {
 public:
  // `nodes` must outlive this.
  LostNodes(const PlacementNodes& nodes, std::string_view zone, LossKind kind);

  const std::string& zone() const { return zone_; }
  bool node(std::uint32_t number) const { return nodes_[number]; }
  // All of its nodes, or none.
  bool part(std::uint32_t number) const { return parts_[number]; }
  std::uint32_t all_nodes() const { return static_cast<std::uint32_t>(nodes_.size()); }
  std::uint32_t all_parts() const { return static_cast<std::uint32_t>(parts_.size()); }
  std::int64_t lost() const { return lost_; }
  // Of those that are left.
  std::int64_t receiving() const { return receiving_; }

  // They still count for the constraint.
  bool KeptBy(const Ground& ground) const { return KeepsNodes(ground.eligibility, taints_); }
  // The tally counts pods on the node.
  bool CountsOn(const Tally& tally, std::uint32_t node) const;
  // With a node that counts, lost ones gone or not. `tally`: the rule's.
  std::int64_t DomainsOf(const SpreadRule& rule, const Tally& tally);

 private:
  const std::string zone_;
  const std::vector<kube::Taint> taints_;
  std::vector<bool> nodes_;
  std::vector<bool> parts_;
  std::int64_t lost_ = 0;
  std::int64_t receiving_ = 0;
  std::map<std::pair<const Ground*, const Domains*>, std::int64_t> domains_left_;  // see DomainsOf
};

}  // namespace azexporter::zones
