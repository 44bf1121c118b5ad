// What an update of the pods changes in where those of a lost zone go.

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "placement_helpers.h"
#include "placement_updates.h"

namespace azexporter::zones {
namespace {

// A pod of the ReplicaSet of this name.
kube::Pod& Add(ClusterParts& parts, const std::string& ns, const std::string& workload,
               const std::string& node, kube::PodSpec spec) {
  kube::Pod& pod = parts.Pod(workload + "-1", node, {{"app", "web"}});
  pod.meta.ns = ns;
  pod.owners.Edit()[0].name = workload;
  pod.spec = Spec(std::move(spec));
  return pod;
}

// Two workloads that are spread together over the zones that are left. The first one finds room in
// only one of them, and the other takes the other zone.
ClusterParts TwoSpreadTogether(const std::string& first, const std::string& full) {
  ClusterParts parts = ThreeZones();
  for (kube::Node& node : parts.nodes) {
    if (node.meta.name != "na") node.allocatable.others = {{"disk", 1}};
    if (node.meta.name == full) node.allocatable.others.push_back({"gpu", 1});
  }
  kube::TopologySpreadConstraint constraint = Constraint(kZoneKey, 1, Label("app", "web"));
  constraint.node_taints_policy = kube::NodeInclusionPolicy::kHonor;
  kube::PodSpec spec = Asking(100);
  spec.spread_constraints = {constraint};
  spec.priority = 1;
  spec.requests.others = {{"disk", 1}};
  Add(parts, "shop", first, "na", spec);
  spec.priority = 0;
  spec.requests.others = {{"gpu", 1}};
  Add(parts, "shop", "second", "na", spec);
  return parts;
}

// Both are as before and find the same room where they look; only what counts for the second is
// other than it was.
TEST(PlacementUpdateTest, AWorkloadGoesByWhereThoseCountedWithItGo) {
  int blocked = 0;
  // The name decides with which zone a workload begins.
  for (const char* first : {"one", "two", "three", "four", "five", "six"}) {
    for (const char* full : {"nb", "nc"}) {
      ClusterParts parts = TwoSpreadTogether(first, full);
      const ClusterParts without = parts;
      kube::PodSpec ballast = Asking(0);
      ballast.requests.others = {{"disk", 1}};
      Add(parts, "bank", "ballast", full, ballast);
      PlacementUpdates updates(parts);
      for (const ClusterParts& state : {parts, without, parts}) {
        const std::string anew = Told(Without(state, "a"));
        EXPECT_EQ(Told(updates.To(state).Without("a", LossKind::kFailure)), anew) << first;
        if (anew.find("topology_spread") != std::string::npos) ++blocked;
      }
    }
  }
  EXPECT_GT(blocked, 0) << "the second is kept out of the zone that the first took";
}

// Nothing that can be added up: then an update begins anew.
TEST(PlacementUpdateTest, AmountsWithoutBounds) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  ClusterParts parts = ThreeZones();
  for (kube::Node& node : parts.nodes) node.allocatable.memory_bytes = kMost;
  Add(parts, "shop", "one", "na", Asking(0, kMost / 4 * 3));
  Add(parts, "bank", "two", "na", Asking(0, kMost));
  Add(parts, "bank", "three", "nb", Asking(0, kMost));
  const ClusterParts full = parts;
  Add(parts, "bank", "four", "nb", Asking(0, kMost));
  Add(parts, "bank", "five", "nb", Asking(0, kMost));
  PlacementUpdates updates(parts);
  for (const ClusterParts& state : {parts, full, parts, ThreeZones(), full}) {
    EXPECT_EQ(Told(updates.To(state).Without("a", LossKind::kFailure)), Told(Without(state, "a")));
  }
}

}  // namespace
}  // namespace azexporter::zones
