// Random clusters, put through PlacementModel and through its slow double.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "placement_helpers.h"
#include "placement_updates.h"
#include "random_parts.h"
#include "slow_placement.h"

namespace azexporter::zones {
namespace {

using test::Dice;

constexpr int kRounds = 3000;
const std::vector<std::string> kZones = {"a", "b", "c"};

kube::PodAffinityTerm RandomTerm(Dice& dice) {
  kube::PodAffinityTerm term;
  term.topology_key = dice.Of(test::kKeys);
  term.selector = test::RandomSelector(dice);
  if (dice.OneIn(4)) term.namespaces = {dice.Of<std::string>({"shop", "bank"})};
  if (dice.OneIn(6)) term.namespace_selector = kube::LabelSelector();
  if (dice.OneIn(4)) term.match_label_keys = {"hash"};
  if (dice.OneIn(8)) term.mismatch_label_keys = {"tier"};
  return term;
}

kube::PodSpec RandomSpec(Dice& dice) {
  kube::PodSpec spec;
  spec.priority = dice.Below(3);
  spec.requests.cpu_milli = dice.Below(4) * 80;
  spec.requests.memory_bytes = dice.Below(3) * 100;
  if (dice.OneIn(5)) spec.requests.others = {{"gpu", 1 + dice.Below(2)}};
  for (int i = dice.Below(3); i > 0; --i) {
    spec.spread_constraints.push_back(test::RandomConstraint(dice));
  }
  if (dice.OneIn(5)) spec.node_selector = {{"disk", dice.Of<std::string>({"ssd", "hdd"})}};
  if (dice.OneIn(5)) {
    spec.required_node_affinity = {
        {{{{kZoneKey,
            dice.OneIn(2) ? kube::SelectorOp::kIn : kube::SelectorOp::kNotIn,
            {dice.Of<std::string>({"a", "b", "c"})}}},
          {}}}};
  }
  const std::vector<std::string> keys = {"sick", "node.kubernetes.io/unreachable",
                                         "node.kubernetes.io/unschedulable"};
  for (const std::string& key : keys) {
    if (dice.OneIn(4)) {
      spec.tolerations.push_back(
          {key, kube::Toleration::Op::kExists, "", dice.Of<std::string>({"", "NoExecute"})});
    }
  }
  if (dice.OneIn(4)) spec.required_anti_affinity.push_back(RandomTerm(dice));
  if (dice.OneIn(6)) spec.required_affinity.push_back(RandomTerm(dice));
  if (dice.OneIn(12)) spec.required_affinity.push_back(RandomTerm(dice));
  if (dice.OneIn(6)) {
    spec.host_ports = {{80 + dice.Below(2), dice.Of<std::string>({"TCP", "UDP"}),
                        dice.Of<std::string>({"", "10.0.0.1", "0.0.0.0", "10.0.0.2"})}};
  }
  return spec;
}

void AddNodes(Dice& dice, ClusterParts& parts) {
  for (int i = dice.Below(12); i > 0; --i) {
    const std::string name = "n" + std::to_string(i);
    kube::StringMap labels = {{kHostKey, name}};
    const std::string zone = dice.Of<std::string>({"a", "b", "c"});
    if (!dice.OneIn(8)) labels.emplace_back(kZoneKey, zone);
    if (dice.OneIn(8)) labels.emplace_back("failure-domain.beta.kubernetes.io/zone", zone);
    if (!dice.OneIn(4)) labels.emplace_back("rack", dice.Of<std::string>({"r1", "r2"}));
    if (!dice.OneIn(3)) labels.emplace_back("disk", dice.Of<std::string>({"ssd", "hdd"}));
    kube::Node& node = parts.Node(name, std::move(labels));
    node.unschedulable = dice.OneIn(12);
    node.conditions.push_back(
        {"Ready", dice.OneIn(12) ? kube::ConditionStatus::kUnknown : kube::ConditionStatus::kTrue});
    if (!dice.OneIn(10)) {
      node.allocatable = {
          600 + dice.Below(5) * 400, 600 + dice.Below(4) * 300, 3 + dice.Below(8), {}};
      if (dice.OneIn(2)) node.allocatable.others = {{"gpu", 2}};
    }
    if (dice.OneIn(6)) {
      node.taints.push_back(
          {dice.Of<std::string>({"sick", "full"}), "",
           dice.Of<std::string>({"NoSchedule", "NoExecute", "PreferNoSchedule"})});
    }
  }
}

void AddPod(Dice& dice, ClusterParts& parts, const std::string& name,
            const std::shared_ptr<const kube::PodSpec>& spec, kube::StringMap labels) {
  const std::string node = dice.OneIn(15) ? "" : "n" + std::to_string(1 + dice.Below(11));
  kube::Pod& pod = parts.Pod(name, node, std::move(labels));
  pod.spec = spec;
  pod.meta.terminating = dice.OneIn(12);
  if (dice.OneIn(15)) pod.phase = kube::PodPhase::kFailed;
  if (dice.OneIn(15)) pod.pinned_node = node;
  if (dice.OneIn(15)) pod.owners = {{"Node", node, true}};
  if (dice.OneIn(15)) pod.owners = {};
  if (dice.OneIn(10)) {
    parts.Claim(pod, "data-" + name, dice.Of<std::string>({"", "a", "b", "c", "d"}));
    parts.volumes.back().meta.labels = {{kZoneKey, dice.Of<std::string>({"a__b", "b", "c__a"})}};
    if (dice.OneIn(2)) parts.volumes.back().meta.labels = {};
  }
}

// Workloads of like pods, so that there are groups of some size.
ClusterParts RandomCluster(Dice& dice) {
  ClusterParts parts;
  AddNodes(dice, parts);
  for (int workload = dice.Below(6); workload > 0; --workload) {
    const std::string name = "w" + std::to_string(workload);
    const auto spec = Spec(RandomSpec(dice));
    const kube::StringMap labels = test::RandomLabels(dice);
    const std::string ns = dice.Of<std::string>({"shop", "shop", "bank"});
    for (int i = dice.Below(10); i > 0; --i) {
      AddPod(dice, parts, name + "-" + std::to_string(i), spec,
             dice.OneIn(6) ? test::RandomLabels(dice) : labels);
      kube::Pod& pod = parts.pods.back();
      pod.meta.ns = ns;
      if (!pod.claims.empty()) parts.claims.back().meta.ns = ns;
      if (!pod.owners.empty() && pod.owners.get()[0].kind == "Rollout") {
        pod.owners.Edit()[0].name = name;
      }
    }
  }
  return parts;
}

std::string FastText(const Placement& placement) {
  std::map<std::string, std::int64_t> rows;
  ForEachUnplaced(placement, [&](const UnplacedPods& row) {
    rows[row.workload.ns + "/" + row.workload.name + " " +
         std::string(PlacementReasonName(row.reason)) + "(" + row.resource + ")"] += row.pods;
  });
  std::string text;
  for (const auto& [row, pods] : rows) text += row + " " + std::to_string(pods) + "; ";
  text += "placed " + std::to_string(placement.placed) + " of " +
          std::to_string(placement.displaced) + "; bare " + std::to_string(placement.bare);
  for (const kube::Resources* resources : {&placement.after.free, &placement.after.largest}) {
    text += resources == &placement.after.free ? "; free" : ", most";
    for (const char* resource : {"cpu", "memory", "pods", "gpu"}) {
      text += " " + std::to_string(resources->Get(resource));
    }
  }
  return text;
}

TEST(PlacementRandomTest, AgreesWithPodByPodPlacement) {
  Dice dice(20240301);
  std::map<PlacementReason, int> seen;
  std::int64_t placed = 0;
  for (int round = 0; round < kRounds; ++round) {
    const ClusterParts parts = RandomCluster(dice);
    const kube::ClusterState cluster = parts.Build();
    PlacementModel model(cluster);
    for (const char* zone : {"a", "b"}) {
      for (const LossKind kind : {LossKind::kFailure, LossKind::kEvacuation}) {
        const Placement got = model.Without(zone, kind);
        ASSERT_EQ(FastText(got), SlowPlacement(parts, zone, kind).Run())
            << "round " << round << " zone " << zone << " " << LossKindName(kind);
        placed += got.placed;
        ForEachUnplaced(got, [&](const UnplacedPods& row) { ++seen[row.reason]; });
      }
    }
  }
  // Each reason came up, and there was room for many.
  EXPECT_EQ(seen.size(), 12u);
  EXPECT_GT(placed, 5000);
}

// Pods that come and go, on the same nodes.
void ChangePods(Dice& dice, ClusterParts& parts, int round) {
  for (int i = 1 + dice.Below(3); i > 0 && !parts.pods.empty(); --i) {
    const auto place = dice.Below(static_cast<int>(parts.pods.size()));
    kube::Pod& pod = parts.pods[static_cast<std::size_t>(place)];
    switch (dice.Below(5)) {
      case 0:
        pod.meta.terminating = !pod.meta.terminating;
        break;
      case 1:
        pod.node_name = "n" + std::to_string(1 + dice.Below(11));
        break;
      case 2:
        pod.spec = Spec(RandomSpec(dice));
        break;
      case 3:
        parts.pods.erase(parts.pods.begin() + place);
        break;
      default: {
        const kube::Pod like = pod;
        AddPod(dice, parts, "x" + std::to_string(round) + "-" + std::to_string(i), like.spec,
               like.meta.labels.get());
        parts.pods.back().meta.ns = like.meta.ns;
        parts.pods.back().owners = like.owners;
        if (!parts.pods.back().claims.empty()) parts.claims.back().meta.ns = like.meta.ns;
      }
    }
  }
}

// Whether an update, and one from the beginning, tell the same of every loss. Returns how many pods
// find no node.
std::int64_t CompareWithAnew(PlacementModel& updated, const ClusterParts& parts) {
  const kube::ClusterState cluster = parts.Build();
  PlacementModel anew(cluster);
  EXPECT_EQ(updated.KindsAlike(), anew.KindsAlike());
  std::int64_t unplaced = 0;
  for (const char* zone : {"a", "b"}) {
    for (const LossKind kind : {LossKind::kFailure, LossKind::kEvacuation}) {
      const Placement got = updated.Without(zone, kind);
      const Placement want = anew.Without(zone, kind);
      EXPECT_EQ(Told(got), Told(want));
      EXPECT_EQ(FastText(got), FastText(want));
      EXPECT_EQ(got.before.free, want.before.free);
      EXPECT_EQ(got.unlimited_nodes, want.unlimited_nodes);
      EXPECT_EQ(got.pending, want.pending);
      EXPECT_EQ(got.stateful, want.stateful);
      unplaced += got.unplaced_pods();
    }
  }
  return unplaced;
}

TEST(PlacementRandomTest, AnUpdateTellsWhatARunFromTheBeginningTells) {
  Dice dice(20261126);
  std::int64_t unplaced = 0;
  for (int round = 0; round < kRounds / 10 && !testing::Test::HasFailure(); ++round) {
    ClusterParts parts = RandomCluster(dice);
    PlacementUpdates updates(parts);
    for (int step = 0; step < 12; ++step) {
      SCOPED_TRACE("round " + std::to_string(round) + " step " + std::to_string(step));
      unplaced += CompareWithAnew(updates.To(parts), parts);
      ChangePods(dice, parts, step);
    }
  }
  EXPECT_GT(unplaced, 5000);
}

// Many small namespaces that mind their own pods, on nodes that are nearly full: what changes in
// one is felt in others by the room alone, and pushes pods from node to node. With `many` nodes
// most of them have next to no room, so that pods ask a lot of them.
ClusterParts CrowdedCluster(Dice& dice, bool many) {
  ClusterParts parts;
  const int roomy = 6 + dice.Below(6);
  for (int i = many ? 300 : roomy; i > 0; --i) {
    const std::string name = "n" + std::to_string(i);
    kube::Node& node = parts.Node(name, {{kHostKey, name}, {kZoneKey, dice.Of(kZones)}});
    node.conditions.push_back({"Ready", kube::ConditionStatus::kTrue});
    node.allocatable = {
        300 + dice.Below(5) * 100, 300 + dice.Below(5) * 100, 4 + dice.Below(6), {}};
    if (i > roomy) node.allocatable = {dice.OneIn(20) ? 45 : 5, 500, 1, {}};
  }
  for (int workload = 4 + dice.Below(10); workload > 0; --workload) {
    const std::string name = "w" + std::to_string(workload);
    const std::string ns = "ns" + std::to_string(dice.Below(6));
    const std::string app = "app" + std::to_string(dice.Below(2));
    kube::PodSpec spec = Asking(dice.Below(4) * 40, dice.Below(4) * 40);
    spec.priority = dice.Below(2);
    if (dice.OneIn(2)) {
      spec.spread_constraints = {
          Constraint(dice.Of(test::kKeys), 1 + dice.Below(2), Label("app", app))};
      if (dice.OneIn(2)) {
        spec.spread_constraints[0].node_taints_policy = kube::NodeInclusionPolicy::kHonor;
      }
    }
    if (dice.OneIn(4)) {
      spec.required_anti_affinity = {Term(dice.Of(test::kKeys), Label("app", app))};
    }
    if (dice.OneIn(6)) spec.required_affinity = {Term(kZoneKey, Label("app", app))};
    const auto shared = Spec(std::move(spec));
    for (int i = 1 + dice.Below(4); i > 0; --i) {
      const std::string node = "n" + std::to_string(1 + dice.Below(11));
      kube::Pod& pod = parts.Pod(name + "-" + std::to_string(i), node, {{"app", app}});
      pod.meta.ns = ns;
      pod.owners.Edit()[0].name = name;
      pod.spec = shared;
    }
  }
  return parts;
}

TEST(PlacementRandomTest, AnUpdateFollowsTheRoomThroughOtherNamespaces) {
  Dice dice(20261127);
  std::int64_t unplaced = 0;
  for (int round = 0; round < kRounds / 5 && !testing::Test::HasFailure(); ++round) {
    ClusterParts parts = CrowdedCluster(dice, round % 10 == 0);
    PlacementUpdates updates(parts);
    for (int step = 0; step < 12; ++step) {
      SCOPED_TRACE("round " + std::to_string(round) + " step " + std::to_string(step));
      unplaced += CompareWithAnew(updates.To(parts), parts);
      for (int i = dice.Below(2); i >= 0 && !parts.pods.empty(); --i) {
        const auto place = dice.Below(static_cast<int>(parts.pods.size()));
        kube::Pod& pod = parts.pods[static_cast<std::size_t>(place)];
        if (dice.OneIn(3)) {
          parts.pods.erase(parts.pods.begin() + place);
        } else if (dice.OneIn(2)) {
          pod.node_name = "n" + std::to_string(1 + dice.Below(11));
        } else {
          pod.meta.terminating = !pod.meta.terminating;
        }
      }
    }
  }
  EXPECT_GT(unplaced, 5000);
}

}  // namespace
}  // namespace azexporter::zones
