// What becomes of pods when a zone goes, reckoned by hand. Rules between pods are in
// placement_rules_test.cc.

#include "azexporter/zones/placement.h"

#include <gtest/gtest.h>

#include <string>

#include "placement_helpers.h"
#include "support/add_label.h"

namespace azexporter::zones {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

TEST(PlacementTest, EmptyClusterLosesNothing) {
  const Placement placement = Without({}, "a");
  EXPECT_EQ(Told(placement), "0 displaced, 0 placed");
  EXPECT_EQ(placement.zone, "a");
  EXPECT_EQ(placement.lost_nodes, 0);
  EXPECT_EQ(placement.before.free, kube::Resources());
}

TEST(PlacementTest, ZoneThatNoNodeHasLosesNothing) {
  ClusterParts parts = ThreeZones();
  ReadyNode(parts, "stray", "");
  WebPods(parts, "web", 1, "stray", Spec(Asking(100)));
  EXPECT_EQ(Told(Without(parts, "d")), "0 displaced, 0 placed");
  // Nodes without a zone are not a zone.
  EXPECT_EQ(Told(Without(parts, "")), "0 displaced, 0 placed");
  EXPECT_EQ(Without(parts, "d").receiving_nodes, 4);
}

TEST(PlacementTest, NothingIsLeftOfOneZone) {
  ClusterParts parts;
  ReadyNode(parts, "n1", "a");
  ReadyNode(parts, "n2", "a");
  WebPods(parts, "web", 2, "n1", Spec(Asking(100)));
  const Placement placement = Without(parts, "a");
  EXPECT_EQ(Told(placement), "2 displaced, 0 placed; web no_nodes 2");
  EXPECT_EQ(placement.lost_nodes, 2);
  EXPECT_EQ(placement.receiving_nodes, 0);
}

TEST(PlacementTest, PlacesWhereThereIsRoom) {
  ClusterParts parts = ThreeZones();
  WebPods(parts, "web", 3, "na", Spec(Asking(1000, kGiB)));
  parts.Pod("busy", "nb", {}).spec = Spec(Asking(500));
  const Placement placement = Without(parts, "a");
  EXPECT_EQ(Told(placement), "3 displaced, 3 placed");
  EXPECT_EQ(placement.lost_nodes, 1);
  EXPECT_EQ(placement.receiving_nodes, 2);
  EXPECT_EQ(placement.before.free, (kube::Resources{7500, 16 * kGiB, 19, {}}));
  EXPECT_EQ(placement.before.largest, (kube::Resources{4000, 8 * kGiB, 10, {}}));
  // The zones in turn, and the name begins with c: two to c, one to b.
  EXPECT_EQ(placement.after.free, (kube::Resources{4500, 13 * kGiB, 16, {}}));
  EXPECT_EQ(placement.after.largest, (kube::Resources{2500, 7 * kGiB, 8, {}}));
}

TEST(PlacementTest, BothKindsLoseTheSamePods) {
  ClusterParts parts = ThreeZones();
  WebPods(parts, "web", 2, "na", Spec(Asking(1000)));
  for (const LossKind kind : {LossKind::kFailure, LossKind::kEvacuation}) {
    const Placement placement = Without(parts, "a", kind);
    EXPECT_EQ(Told(placement), "2 displaced, 2 placed");
    EXPECT_EQ(placement.kind, kind);
  }
  EXPECT_EQ(LossKindName(LossKind::kFailure), "failure");
  EXPECT_EQ(LossKindName(LossKind::kEvacuation), "evacuation");
}

TEST(PlacementTest, TellsWhichPodsAreDisplaced) {
  ClusterParts parts = ThreeZones();
  parts.Pod("daemon", "na", {}).owners = {{"DaemonSet", "logs", true}};
  parts.Pod("pinned", "na", {}).pinned_node = "na";
  parts.Pod("static", "na", {}).owners = {{"Node", "na", true}};
  parts.Pod("bare", "na", {}).owners = {};
  parts.Pod("owned-but-not-controlled", "na", {}).owners = {{"Thing", "x", false}};
  parts.Pod("done", "na", {}).phase = kube::PodPhase::kSucceeded;
  parts.Pod("leaving", "na", {}).meta.terminating = true;
  parts.Pod("elsewhere", "nb", {});
  parts.Pod("nowhere", "gone-node", {});
  kube::Pod& waiting = parts.Pod("waiting", "", {});
  waiting.phase = kube::PodPhase::kPending;
  waiting.spec = Spec(Asking(100000));
  ClusterParts::Named(parts.jobs, "old").finished = true;
  ClusterParts::Named(parts.jobs, "running");
  parts.Pod("old-1", "na", {}).owners = {{"Job", "old", true}};
  parts.Pod("running-1", "na", {}).owners = {{"Job", "running", true}};
  parts.Pod("db-0", "na", {}).owners = {{"StatefulSet", "db", true}};
  parts.Pod("web-1", "na", {});
  const Placement placement = Without(parts, "a");
  EXPECT_EQ(Told(placement), "3 displaced, 3 placed");
  EXPECT_EQ(placement.bare, 2);
  EXPECT_EQ(placement.stateful, 1);
  EXPECT_EQ(placement.pending, 1);
}

TEST(PlacementTest, NamesTheWorkloadInTheEnd) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ClusterParts::Named(parts.deployments, "web");
  ClusterParts::Named(parts.replica_sets, "web-6d4cf").owners = {{"Deployment", "web", true}};
  parts.Pod("web-6d4cf-1", "na", {}).owners = {{"ReplicaSet", "web-6d4cf", true}};
  const Placement placement = Without(parts, "a");
  ASSERT_EQ(placement.unplaced.size(), 1u);
  EXPECT_EQ(placement.unplaced[0]->rows.at(0)->workload,
            (WorkloadRef{"shop", "Deployment", "web"}));
}

TEST(PlacementTest, NodesThatReceiveNothing) {
  ClusterParts parts = ThreeZones();
  parts.nodes[1].conditions[0].status = kube::ConditionStatus::kUnknown;
  parts.nodes[2].unschedulable = true;
  WebPods(parts, "web", 1, "na", Spec(Asking(100)));
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 0 placed; web no_nodes 1");
  EXPECT_EQ(Without(parts, "a").before.free, kube::Resources());
}

TEST(PlacementTest, NodesWithoutZoneReceive) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "stray", "");
  WebPods(parts, "web", 1, "na", Spec(Asking(100)));
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 1 placed");
}

TEST(PlacementTest, NodeThatReportsNothingTakesAnyNumber) {
  ClusterParts parts = ThreeZones();
  for (kube::Node& node : parts.nodes) node.allocatable = {};
  WebPods(parts, "web", 50, "na", Spec(Asking(4000)));
  const Placement placement = Without(parts, "a");
  EXPECT_EQ(Told(placement), "50 displaced, 50 placed");
  EXPECT_EQ(placement.unlimited_nodes, 2);
  EXPECT_EQ(placement.after.free, kube::Resources());
}

TEST(PlacementTest, Cpu) {
  ClusterParts parts = ThreeZones();
  WebPods(parts, "web", 5, "na", Spec(Asking(1500)));
  // Two fit on each.
  EXPECT_EQ(Told(Without(parts, "a")),
            "5 displaced, 4 placed; web insufficient_cpu(cpu) 1: needs 1500m on one node");
}

TEST(PlacementTest, Memory) {
  ClusterParts parts = ThreeZones();
  WebPods(parts, "web", 3, "na", Spec(Asking(100, 5 * kGiB)));
  EXPECT_EQ(Told(Without(parts, "a")),
            "3 displaced, 2 placed; web insufficient_memory(memory) 1: needs 5Gi on one node");
}

TEST(PlacementTest, NumberOfPods) {
  ClusterParts parts = ThreeZones();
  parts.nodes[0].allocatable.pods = 110;
  WebPods(parts, "web", 21, "na", Spec(Asking(0)));
  EXPECT_EQ(Told(Without(parts, "a")), "21 displaced, 20 placed; web too_many_pods(pods) 1");
}

TEST(PlacementTest, OtherResources) {
  ClusterParts parts = ThreeZones();
  for (kube::Node& node : parts.nodes) {
    node.allocatable.others = {{"ephemeral-storage", 10 * kGiB}, {"nvidia.com/gpu", 1}};
  }
  kube::PodSpec spec = Asking(100);
  spec.requests.others = {{"ephemeral-storage", kGiB}, {"nvidia.com/gpu", 1}};
  WebPods(parts, "web", 3, "na", Spec(spec));
  const Placement placement = Without(parts, "a");
  EXPECT_EQ(Told(placement),
            "3 displaced, 2 placed; web insufficient_resource(nvidia.com/gpu) 1: needs 1 on one "
            "node");
  EXPECT_EQ(placement.before.free.Get("nvidia.com/gpu"), 2);
  EXPECT_EQ(placement.after.free.Get("nvidia.com/gpu"), 0);
  EXPECT_EQ(placement.after.largest.Get("ephemeral-storage"), 9 * kGiB);
}

TEST(PlacementTest, WhatNoNodeHasFitsNowhere) {
  ClusterParts parts = ThreeZones();
  kube::PodSpec spec;
  spec.requests.others = {{"example.com/card", 2}};
  WebPods(parts, "web", 1, "na", Spec(spec));
  EXPECT_EQ(Told(Without(parts, "a")),
            "1 displaced, 0 placed; web insufficient_resource(example.com/card) 1: needs 2 on one "
            "node");
}

TEST(PlacementTest, TerminatingPodsHoldTheirRoomAndFinishedOnesDoNot) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "nb", "b");
  WebPods(parts, "web", 1, "na", Spec(Asking(3000)));
  kube::Pod& other = parts.Pod("other", "nb", {});
  other.spec = Spec(Asking(2000));
  other.meta.terminating = true;
  EXPECT_EQ(Told(Without(parts, "a")),
            "1 displaced, 0 placed; web insufficient_cpu(cpu) 1: needs 3 on one node");
  other.phase = kube::PodPhase::kFailed;
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 1 placed");
}

TEST(PlacementTest, OvercommittedNodeTakesWhatAsksForNothing) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "nb", "b");
  parts.Pod("huge", "nb", {}).spec = Spec(Asking(9000));
  WebPods(parts, "web", 1, "na", Spec(Asking(0)));
  const Placement placement = Without(parts, "a");
  EXPECT_EQ(Told(placement), "1 displaced, 1 placed");
  EXPECT_EQ(placement.before.free.cpu_milli, 0);
}

TEST(PlacementTest, HigherPriorityAndLargerRequestsGoFirst) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "nb", "b");
  const auto add = [&](const std::string& name, std::int64_t cpu, std::int64_t priority) {
    kube::PodSpec spec = Asking(cpu);
    spec.priority = priority;
    kube::Pod& pod = parts.Pod(name, "na", {});
    pod.spec = Spec(spec);
    pod.owners = {{"Rollout", name, true}};
  };
  add("a-small", 1500, 0);
  add("b-large", 2500, 0);
  add("c-urgent", 1000, 7);
  // 4 CPUs: the urgent one, the large one; half a CPU is left.
  EXPECT_EQ(Told(Without(parts, "a")),
            "3 displaced, 2 placed; a-small insufficient_cpu(cpu) 1: needs 1500m on one node");
}

TEST(PlacementTest, NodeSelectorAndAffinity) {
  ClusterParts parts = ThreeZones();
  test::AddLabel(parts.nodes[0].meta, "zzz-pool", "gpu");
  kube::PodSpec selecting;
  selecting.node_selector = {{"zzz-pool", "gpu"}};
  WebPods(parts, "web", 2, "na", Spec(selecting));
  EXPECT_EQ(Told(Without(parts, "a")),
            "2 displaced, 0 placed; web node_affinity 2: node selector zzz-pool=gpu");
  test::AddLabel(parts.nodes[2].meta, "zzz-pool", "gpu");
  EXPECT_EQ(Told(Without(parts, "a")), "2 displaced, 2 placed");

  kube::PodSpec bound;
  bound.required_node_affinity = {{{{{kZoneKey, kube::SelectorOp::kIn, {"a"}}}, {}}}};
  kube::Pod& pod = parts.Pod("bound", "na", {});
  pod.spec = Spec(bound);
  pod.owners = {{"Rollout", "bound", true}};
  EXPECT_EQ(Told(Without(parts, "a")),
            "3 displaced, 2 placed; bound node_affinity 1: required node affinity");
}

TEST(PlacementTest, Taints) {
  ClusterParts parts = ThreeZones();
  parts.nodes[1].taints = {{"dedicated", "db", "NoSchedule"}};
  parts.nodes[2].taints = {{"sick", "", "NoExecute"}};
  WebPods(parts, "web", 1, "na", Spec(Asking(100)));
  EXPECT_EQ(Told(Without(parts, "a")),
            "1 displaced, 0 placed; web taints 1: dedicated=db:NoSchedule");
  parts.nodes[2].taints[0].effect = "PreferNoSchedule";
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 1 placed");
  parts.nodes[2].taints[0].effect = "NoExecute";
  kube::PodSpec tolerating;
  tolerating.tolerations = {{"dedicated", kube::Toleration::Op::kEqual, "db", "NoSchedule"}};
  parts.pods[0].spec = Spec(tolerating);
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 1 placed");
}

TEST(PlacementTest, ReasonIsOfTheNodeThatGotFurthest) {
  // b is full, c is not wanted: with room in b the pod would go there.
  ClusterParts parts = ThreeZones();
  parts.Pod("huge", "nb", {}).spec = Spec(Asking(3900));
  kube::PodSpec spec = Asking(500);
  spec.required_node_affinity = {{{{{kZoneKey, kube::SelectorOp::kNotIn, {"c"}}}, {}}}};
  WebPods(parts, "web", 1, "na", Spec(spec));
  EXPECT_EQ(Told(Without(parts, "a")),
            "1 displaced, 0 placed; web insufficient_cpu(cpu) 1: needs 500m on one node");
}

TEST(PlacementTest, FurthestNodeNeedNotBeTheFirst) {
  // The first node of b takes no more pods, the second one would but for the card.
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "nb1", "b").allocatable.pods = 0;
  ReadyNode(parts, "nb2", "b");
  kube::PodSpec spec;
  spec.requests.others = {{"example.com/card", 1}};
  WebPods(parts, "web", 1, "na", Spec(spec));
  EXPECT_EQ(Told(Without(parts, "a")),
            "1 displaced, 0 placed; web insufficient_resource(example.com/card) 1: needs 1 on one "
            "node");
}

TEST(PlacementTest, VolumeDoesNotLeaveItsZone) {
  ClusterParts parts = ThreeZones();
  for (int i = 0; i < 2; ++i) {
    const std::string name = "orders-" + std::to_string(i);
    kube::Pod& pod = parts.Pod(name, "na", {{"app", "orders"}});
    pod.owners = {{"StatefulSet", "orders", true}};
    parts.Claim(pod, "scratch-" + name, "");
    parts.Claim(pod, "data-" + name, i == 0 ? "a" : "");
  }
  EXPECT_EQ(Told(Without(parts, "a")),
            "2 displaced, 1 placed; orders volume_zone 1: volume data-orders-0 is bound to a");
  EXPECT_EQ(Without(parts, "a").stateful, 2);
}

TEST(PlacementTest, VolumeOfOneNodeOrOfALabel) {
  ClusterParts parts = ThreeZones();
  parts.Claim(parts.Pod("local-0", "na", {}), "local", "");
  parts.volumes[0].node_affinity = {{{{{kHostKey, kube::SelectorOp::kIn, {"na"}}}, {}}}};
  parts.Claim(parts.Pod("old-0", "na", {}), "old", "");
  parts.volumes[1].meta.labels = {{"failure-domain.beta.kubernetes.io/zone", "a"}};
  parts.Claim(parts.Pod("regional-0", "na", {}), "regional", "");
  parts.volumes[2].meta.labels = {{kZoneKey, "a__c"}};
  EXPECT_EQ(Told(Without(parts, "a")),
            "3 displaced, 1 placed; web volume_zone 1: volume local is bound to a; web "
            "volume_zone 1: volume old is bound to a");
}

TEST(PlacementTest, VolumeOfANodeThatIsGone) {
  ClusterParts parts = ThreeZones();
  parts.Claim(parts.Pod("db-0", "na", {}), "data", "x");
  EXPECT_EQ(Told(Without(parts, "a")),
            "1 displaced, 0 placed; web volume_zone 1: volume data is bound to no node that is "
            "there");
}

TEST(PlacementTest, ClaimThatIsNotKnownBindsToNothing) {
  ClusterParts parts = ThreeZones();
  parts.Pod("db-0", "na", {}).claims = {"who-knows"};
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 1 placed");
}

TEST(PlacementTest, StorageClassSaysWhereAnUnboundVolumeIsMade) {
  ClusterParts parts = ThreeZones();
  kube::StorageClass& here = parts.storage_classes.emplace_back();
  here.meta.name = "here";
  here.is_default = true;
  here.allowed_topologies = {{{{kZoneKey, kube::SelectorOp::kIn, {"a"}}}}};
  parts.storage_classes.emplace_back().meta.name = "everywhere";
  kube::PersistentVolumeClaim& claim = parts.Claim(parts.Pod("db-0", "na", {}), "data", "");
  claim.volume_name.clear();
  const std::string refused =
      "1 displaced, 0 placed; web volume_zone 1: volume data may only be made in a";
  EXPECT_EQ(Told(Without(parts, "a")), refused);  // by the default class
  claim.storage_class = "here";
  EXPECT_EQ(Told(Without(parts, "a")), refused);
  claim.storage_class = "everywhere";
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 1 placed");
  claim.storage_class = "";
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 1 placed");
  // Once bound, the volume alone counts.
  claim.storage_class = "here";
  claim.volume_name = "volume-data";
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 1 placed");
}

TEST(PlacementTest, ModelIsNotUsedUp) {
  ClusterParts parts = ThreeZones();
  WebPods(parts, "web", 5, "na", Spec(Asking(1500)));
  const kube::ClusterState cluster = parts.Build();
  PlacementModel model(cluster);
  const std::string first = Told(model.Without("a", LossKind::kFailure));
  EXPECT_EQ(Told(model.Without("b", LossKind::kFailure)), "0 displaced, 0 placed");
  EXPECT_EQ(Told(model.Without("a", LossKind::kFailure)), first);
}

}  // namespace
}  // namespace azexporter::zones
