#pragma once

// A PlacementModel that goes along with a cluster whose pods change, as ZoneModel leads it.

#include <set>
#include <string>
#include <utility>

#include "placement_helpers.h"
#include "zones/node_domains.h"
#include "zones/placement_pods.h"

namespace azexporter::zones {

class PlacementUpdates {
 public:
  // With the nodes that there will be.
  explicit PlacementUpdates(const ClusterParts& parts)
      : first_(parts.Build()), domains_(first_.nodes()), model_(first_, {}, domains_) {}

  // The same nodes with these pods.
  PlacementModel& To(const ClusterParts& parts) {
    const kube::ClusterState cluster = parts.Build();
    GroupsByNamespace now = GroupsOf(cluster, domains_);
    PlacementModel::Names changed;
    for (const auto& [ns, groups] : known_) {
      if (!now.contains(ns)) changed.insert(ns);
    }
    for (auto& [ns, groups] : now) {
      const auto before = known_.find(ns);
      const bool same = before != known_.end() && *before->second == *groups;
      if (same) groups = before->second;
      if (!same) changed.insert(ns);
    }
    model_.Update(cluster, now, changed);
    known_ = std::move(now);
    return model_;
  }

 private:
  const kube::ClusterState first_;
  NodeDomains domains_;
  PlacementModel model_;
  GroupsByNamespace known_;
};

}  // namespace azexporter::zones
