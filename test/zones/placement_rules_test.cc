// Rules between pods: host ports, affinity, anti-affinity, topology spread.

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "placement_helpers.h"
#include "support/add_label.h"

namespace azexporter::zones {
namespace {

using kube::NodeInclusionPolicy;

kube::PodSpec Holding(std::vector<kube::HostPort> ports) {
  kube::PodSpec spec;
  spec.host_ports = std::move(ports);
  return spec;
}
kube::PodSpec Avoiding(kube::PodAffinityTerm term) {
  kube::PodSpec spec;
  spec.required_anti_affinity.push_back(std::move(term));
  return spec;
}
kube::PodSpec Following(kube::PodAffinityTerm term) {
  kube::PodSpec spec;
  spec.required_affinity.push_back(std::move(term));
  return spec;
}

// ---- Host ports ----

TEST(PlacementHostPortTest, OnePodOnANode) {
  ClusterParts parts = ThreeZones();
  WebPods(parts, "web", 3, "na", Spec(Holding({{443, "TCP", ""}})));
  EXPECT_EQ(Told(Without(parts, "a")), "3 displaced, 2 placed; web host_ports 1: port 443/TCP");
}

TEST(PlacementHostPortTest, ClashOnlyWithTheSameProtocolAndAddress) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "nb", "b");
  parts.Pod("dns", "nb", {}).spec = Spec(Holding({{53, "UDP", ""}, {53, "TCP", "10.0.0.1"}}));
  const auto moving = [&](kube::HostPort port) {
    WebPods(parts, "web", 1, "na", Spec(Holding({std::move(port)})));
    const std::string told = Told(Without(parts, "a"));
    parts.pods.pop_back();
    return told;
  };
  const std::string placed = "1 displaced, 1 placed";
  EXPECT_EQ(moving({53, "TCP", "10.0.0.2"}), placed);
  EXPECT_EQ(moving({54, "UDP", ""}), placed);
  EXPECT_EQ(moving({53, "TCP", "10.0.0.1"}),
            "1 displaced, 0 placed; web host_ports 1: port 53/TCP");
  EXPECT_EQ(moving({53, "TCP", "0.0.0.0"}), "1 displaced, 0 placed; web host_ports 1: port 53/TCP");
  EXPECT_EQ(moving({53, "UDP", "10.0.0.9"}),
            "1 displaced, 0 placed; web host_ports 1: port 53/UDP");
}

// ---- Anti-affinity ----

TEST(PlacementAntiAffinityTest, OneInAZoneLeavesTheThirdNoPlace) {
  ClusterParts parts = ThreeZones();
  const auto spec = Spec(Avoiding(Term(kZoneKey, Label("app", "web"))));
  WebPods(parts, "web-a", 1, "na", spec);
  WebPods(parts, "web-b", 1, "nb", spec);
  WebPods(parts, "web-c", 1, "nc", spec);
  EXPECT_EQ(Told(Without(parts, "a")),
            "1 displaced, 0 placed; web anti_affinity 1: its own, against app=web in the same "
            "topology.kubernetes.io/zone");
}

TEST(PlacementAntiAffinityTest, PlacedPodsCountForTheNext) {
  ClusterParts parts = ThreeZones();
  WebPods(parts, "web", 3, "na", Spec(Avoiding(Term(kHostKey, Label("app", "web")))));
  EXPECT_EQ(Told(Without(parts, "a")),
            "3 displaced, 2 placed; web anti_affinity 1: its own, against app=web in the same "
            "kubernetes.io/hostname");
}

TEST(PlacementAntiAffinityTest, PodsThatAreThereForbidIt) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "nb", "b");
  kube::Pod& loner = parts.Pod("loner", "nb", {{"app", "loner"}});
  loner.spec = Spec(Avoiding(Term(kZoneKey, Label("app", "web"))));
  WebPods(parts, "web", 1, "na", kube::EmptyPodSpec());
  const std::string refused =
      "1 displaced, 0 placed; web anti_affinity 1: of pods there, against app=web in the same "
      "topology.kubernetes.io/zone";
  EXPECT_EQ(Told(Without(parts, "a")), refused);
  // Until it is gone.
  loner.meta.terminating = true;
  EXPECT_EQ(Told(Without(parts, "a")), refused);
  loner.phase = kube::PodPhase::kSucceeded;
  EXPECT_EQ(Told(Without(parts, "a")), "1 displaced, 1 placed");
}

TEST(PlacementAntiAffinityTest, OfPodsOfTheLostZoneCountsOnlyWhereTheyStay) {
  for (const bool daemon : {false, true}) {
    ClusterParts parts;
    test::AddLabel(ReadyNode(parts, "na", "a").meta, "zzz", "shared");
    test::AddLabel(ReadyNode(parts, "nb", "b").meta, "zzz", "shared");
    kube::Pod& loner = parts.Pod("loner", "na", {{"app", "loner"}});
    loner.spec = Spec(Avoiding(Term("zzz", Label("app", "web"))));
    loner.owners = {};
    if (daemon) loner.owners = {{"DaemonSet", "loner", true}};
    WebPods(parts, "web", 1, "na", kube::EmptyPodSpec());
    EXPECT_EQ(Without(parts, "a").placed, daemon ? 0 : 1);
  }
}

TEST(PlacementAntiAffinityTest, NamespacesAndLabelKeys) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "nb", "b");
  kube::Pod& other = parts.Pod("other", "nb", {{"app", "web"}, {"hash", "1"}});
  kube::PodAffinityTerm term = Term(kZoneKey, Label("app", "web"));
  const auto placed = [&] {
    parts.Pod("web", "na", {{"app", "web"}, {"hash", "2"}}).spec = Spec(Avoiding(term));
    const std::int64_t count = Without(parts, "a").placed;
    parts.pods.pop_back();
    return count;
  };
  EXPECT_EQ(placed(), 0);
  term.match_label_keys = {"hash"};
  EXPECT_EQ(placed(), 1);
  term.match_label_keys.clear();
  term.mismatch_label_keys = {"hash"};
  EXPECT_EQ(placed(), 0);
  term.mismatch_label_keys.clear();
  other.meta.ns = "bank";
  EXPECT_EQ(placed(), 1);
  term.namespaces = {"bank"};
  EXPECT_EQ(placed(), 0);
  term.namespaces.clear();
  term.namespace_selector = kube::LabelSelector();
  EXPECT_EQ(placed(), 0);
  term.namespace_selector = Label("team", "bank");  // not known: selects nothing
  EXPECT_EQ(placed(), 1);
}

TEST(PlacementAntiAffinityTest, NodesWithoutTheKeyAreFree) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "stray", "");
  WebPods(parts, "web", 3, "na", Spec(Avoiding(Term(kZoneKey, Label("app", "web")))));
  EXPECT_EQ(Told(Without(parts, "a")), "3 displaced, 3 placed");
}

// ---- Affinity ----

TEST(PlacementAffinityTest, FollowsWhatIsThere) {
  ClusterParts parts = ThreeZones();
  parts.Pod("cache", "nc", {{"app", "cache"}}).spec = Spec(Asking(3000));
  kube::PodSpec spec = Following(Term(kZoneKey, Label("app", "cache")));
  spec.requests.cpu_milli = 600;
  WebPods(parts, "web", 2, "na", Spec(spec));
  // Only c has a cache; nb is refused earlier or later, nc has room for one.
  EXPECT_EQ(Told(Without(parts, "a")),
            "2 displaced, 1 placed; web pod_affinity 1: needs pods app=cache in the same "
            "topology.kubernetes.io/zone");
}

TEST(PlacementAffinityTest, WhatItFollowsIsLost) {
  ClusterParts parts = ThreeZones();
  parts.Pod("cache", "na", {{"app", "cache"}}).owners = {};
  WebPods(parts, "web", 1, "na", Spec(Following(Term(kZoneKey, Label("app", "cache")))));
  EXPECT_EQ(Told(Without(parts, "a")),
            "1 displaced, 0 placed; web pod_affinity 1: needs pods app=cache in the same "
            "topology.kubernetes.io/zone");
}

TEST(PlacementAffinityTest, FirstOfItsKindGoesAnywhereTheOthersFollow) {
  ClusterParts parts = ThreeZones();
  kube::PodSpec spec = Following(Term(kZoneKey, Label("app", "web")));
  spec.requests.cpu_milli = 2000;
  WebPods(parts, "web", 3, "na", Spec(spec));
  EXPECT_EQ(Told(Without(parts, "a")),
            "3 displaced, 2 placed; web pod_affinity 1: needs pods app=web in the same "
            "topology.kubernetes.io/zone");
}

TEST(PlacementAffinityTest, OnlyPodsThatMatchAllTermsCount) {
  ClusterParts parts = ThreeZones();
  parts.Pod("half", "nb", {{"app", "cache"}});
  parts.Pod("whole", "nc", {{"app", "cache"}, {"tier", "1"}});
  kube::PodSpec spec = Following(Term(kZoneKey, Label("app", "cache")));
  spec.required_affinity.push_back(Term(kHostKey, Label("tier", "1")));
  spec.requests.cpu_milli = 2500;
  WebPods(parts, "web", 2, "na", Spec(spec));
  EXPECT_EQ(Without(parts, "a").placed, 1);
}

// ---- Topology spread ----

// Three pods in each zone, spread by `constraint`.
ClusterParts NinePods(const kube::TopologySpreadConstraint& constraint) {
  ClusterParts parts = ThreeZones();
  for (const char* zone : {"a", "b", "c"}) {
    WebPods(parts, std::string("web-") + zone, 3, std::string("n") + zone, SpecWith(constraint));
  }
  return parts;
}

TEST(PlacementSpreadTest, LostZoneCountsWithNothingAndBlocksTheOthers) {
  const ClusterParts parts = NinePods(Constraint(kZoneKey, 1, Label("app", "web")));
  for (const LossKind kind : {LossKind::kFailure, LossKind::kEvacuation}) {
    EXPECT_EQ(Told(Without(parts, "a", kind)),
              "3 displaced, 0 placed; web topology_spread 3: DoNotSchedule over "
              "topology.kubernetes.io/zone (maxSkew 1), a still counts with 0");
  }
}

TEST(PlacementSpreadTest, SkewLeavesSomeRoom) {
  const ClusterParts parts = NinePods(Constraint(kZoneKey, 4, Label("app", "web")));
  EXPECT_EQ(Without(parts, "a").placed, 2);
}

TEST(PlacementSpreadTest, HonoredTaintsTakeTheLostZoneOut) {
  kube::TopologySpreadConstraint constraint = Constraint(kZoneKey, 1, Label("app", "web"));
  constraint.node_taints_policy = NodeInclusionPolicy::kHonor;
  EXPECT_EQ(Told(Without(NinePods(constraint), "a")), "3 displaced, 3 placed");
  // Unless the zones that are left are too few.
  constraint.min_domains = 3;
  EXPECT_EQ(Told(Without(NinePods(constraint), "a")),
            "3 displaced, 0 placed; web topology_spread 3: DoNotSchedule over "
            "topology.kubernetes.io/zone (maxSkew 1), 2 of minDomains 3");
}

TEST(PlacementSpreadTest, ToleratedTaintsKeepTheLostZoneIn) {
  kube::TopologySpreadConstraint constraint = Constraint(kZoneKey, 1, Label("app", "web"));
  constraint.node_taints_policy = NodeInclusionPolicy::kHonor;
  ClusterParts parts = NinePods(constraint);
  kube::PodSpec spec = *parts.pods[0].spec;
  spec.tolerations = {{"node.kubernetes.io/unreachable", kube::Toleration::Op::kExists, "", ""}};
  for (kube::Pod& pod : parts.pods) pod.spec = Spec(spec);
  EXPECT_EQ(Without(parts, "a", LossKind::kFailure).placed, 0);
  EXPECT_EQ(Without(parts, "a", LossKind::kEvacuation).placed, 3);
  // As the API server writes it: tolerated for a while, NoSchedule is not.
  spec.tolerations[0].effect = "NoExecute";
  for (kube::Pod& pod : parts.pods) pod.spec = Spec(spec);
  EXPECT_EQ(Without(parts, "a", LossKind::kFailure).placed, 3);
}

TEST(PlacementSpreadTest, SoftConstraintRefusesNobody) {
  kube::TopologySpreadConstraint constraint = Constraint(kZoneKey, 1, Label("app", "web"));
  constraint.when_unsatisfiable = kube::WhenUnsatisfiable::kScheduleAnyway;
  EXPECT_EQ(Told(Without(NinePods(constraint), "a")), "3 displaced, 3 placed");
}

TEST(PlacementSpreadTest, SelectorThatMissesItsOwnPodsCountsTheOthers) {
  ClusterParts parts = NinePods(Constraint(kZoneKey, 1, Label("app", "cache")));
  EXPECT_EQ(Without(parts, "a").placed, 3);
  // Two more in b than the lost zone has: b is out, c is not.
  parts.Pod("cache-1", "nb", {{"app", "cache"}});
  parts.Pod("cache-2", "nb", {{"app", "cache"}});
  const Placement placement = Without(parts, "a");
  EXPECT_EQ(placement.placed, 3);
  EXPECT_EQ(placement.after.largest.pods, 5);  // nb, as before
}

TEST(PlacementSpreadTest, AbsentSelectorCountsNothing) {
  EXPECT_EQ(Without(NinePods(Constraint(kZoneKey, 1, std::nullopt)), "a").placed, 3);
}

TEST(PlacementSpreadTest, NodesWithoutTheKeyTakeNone) {
  ClusterParts parts;
  ReadyNode(parts, "na", "a");
  ReadyNode(parts, "stray", "");
  WebPods(parts, "web", 1, "na", SpecWith(Constraint(kZoneKey, 1, Label("app", "web"))));
  EXPECT_EQ(Told(Without(parts, "a")),
            "1 displaced, 0 placed; web topology_spread 1: DoNotSchedule over "
            "topology.kubernetes.io/zone (maxSkew 1), no such label on the nodes");
}

TEST(PlacementSpreadTest, SelectedNodesAreTheDomains) {
  // Zone a is not among the nodes the pods may use, so it holds nobody back; one pod strayed there.
  kube::PodSpec spec;
  spec.spread_constraints = {Constraint(kZoneKey, 1, Label("app", "web"))};
  spec.node_selector = {{"pool", "web"}};
  ClusterParts parts = ThreeZones();
  for (const std::size_t i : {1u, 2u}) {
    test::AddLabel(parts.nodes[i].meta, "pool", "web");
  }
  WebPods(parts, "web-a", 2, "na", Spec(spec));
  WebPods(parts, "web-b", 2, "nb", Spec(spec));
  WebPods(parts, "web-c", 1, "nc", Spec(spec));
  EXPECT_EQ(Told(Without(parts, "a")), "2 displaced, 2 placed");
  // Ignoring the selector, the lost zone counts again.
  spec.spread_constraints[0].node_affinity_policy = NodeInclusionPolicy::kIgnore;
  for (kube::Pod& pod : parts.pods) pod.spec = Spec(spec);
  EXPECT_EQ(Without(parts, "a").placed, 0);
}

TEST(PlacementSpreadTest, HostsAreDomainsToo) {
  ClusterParts parts = ThreeZones();
  WebPods(parts, "web", 5, "na", SpecWith(Constraint(kHostKey, 2, Label("app", "web"))));
  // The lost node counts with 0: two on each of the others.
  EXPECT_EQ(Told(Without(parts, "a")),
            "5 displaced, 4 placed; web topology_spread 1: DoNotSchedule over "
            "kubernetes.io/hostname (maxSkew 2)");
}

TEST(PlacementSpreadTest, FewestPodsFirst) {
  // Two in b, none in c: the three that move go to c, c, and one of both.
  kube::TopologySpreadConstraint constraint = Constraint(kZoneKey, 1, Label("app", "web"));
  constraint.node_taints_policy = NodeInclusionPolicy::kHonor;
  ClusterParts parts = ThreeZones();
  WebPods(parts, "web-a", 3, "na", SpecWith(constraint));
  WebPods(parts, "web-b", 2, "nb", SpecWith(constraint));
  const Placement placement = Without(parts, "a");
  EXPECT_EQ(placement.placed, 3);
  EXPECT_EQ(placement.after.free.pods, 15);
  EXPECT_EQ(placement.after.largest.pods, 8);  // three and two
}

TEST(PlacementSpreadTest, LabelKeysTellRolloutsApart) {
  kube::TopologySpreadConstraint constraint = Constraint(kZoneKey, 1, Label("app", "web"));
  ClusterParts parts = ThreeZones();
  const auto placed = [&] {
    parts.pods.clear();
    const auto spec = SpecWith(constraint);
    const auto add = [&](const std::string& name, const std::string& node,
                         const std::string& hash) {
      parts.Pod(name, node, {{"app", "web"}, {"hash", hash}}).spec = spec;
    };
    add("old-1", "nb", "old");
    add("old-2", "nc", "old");
    add("new-1", "na", "new");
    return Without(parts, "a").placed;
  };
  EXPECT_EQ(placed(), 0);
  constraint.match_label_keys = {"hash"};
  EXPECT_EQ(placed(), 1);
}

TEST(PlacementSpreadTest, TerminatingPodsAreNotCounted) {
  ClusterParts parts = ThreeZones();
  const auto spec = SpecWith(Constraint(kZoneKey, 1, Label("app", "web")));
  WebPods(parts, "web-a", 1, "na", spec);
  WebPods(parts, "web-b", 1, "nb", spec);
  WebPods(parts, "web-c", 1, "nc", spec);
  EXPECT_EQ(Without(parts, "a").placed, 0);
  parts.pods[1].meta.terminating = true;
  EXPECT_EQ(Without(parts, "a").placed, 1);
}

TEST(PlacementSpreadTest, HardDefaultsOfTheClusterCount) {
  ClusterParts parts = NinePods(Constraint(kZoneKey, 1, std::nullopt));
  for (kube::Pod& pod : parts.pods) pod.spec = kube::EmptyPodSpec();
  kube::Service& service = ClusterParts::Named(parts.services, "web");
  service.selector = {{"app", "web"}};
  const kube::ClusterState cluster = parts.Build();
  EXPECT_EQ(PlacementModel(cluster).Without("a", LossKind::kFailure).placed, 3);
  EXPECT_EQ(
      PlacementModel(cluster, SystemDefaultConstraints()).Without("a", LossKind::kFailure).placed,
      3);
  const DefaultConstraints hard{{Constraint(kZoneKey, 1, std::nullopt)}};
  EXPECT_EQ(PlacementModel(cluster, hard).Without("a", LossKind::kFailure).placed, 0);
}

TEST(PlacementSpreadTest, DefaultsAreOfThePodsLabelsNotOfItsSpec) {
  ClusterParts parts = ThreeZones();
  const auto spec = kube::EmptyPodSpec();
  for (const char* app : {"api", "web"}) {
    ClusterParts::Named(parts.services, app).selector = {{"app", app}};
    for (const char* node : {"na", "nb", "nc"}) {
      parts.Pod(std::string(app) + "-" + node, node, {{"app", app}}).spec = spec;
    }
  }
  const kube::ClusterState cluster = parts.Build();
  const DefaultConstraints hard{{Constraint(kZoneKey, 1, std::nullopt)}};
  const Placement placement = PlacementModel(cluster, hard).Without("a", LossKind::kFailure);
  EXPECT_EQ(placement.displaced, 2);
  EXPECT_EQ(placement.placed, 0);
}

// As those of a StatefulSet: each pod has a label of its own.
TEST(PlacementSpreadTest, PodsOfOneSpecMayOrMayNotBeCounted) {
  ClusterParts parts = ThreeZones();
  const auto spec = SpecWith(Constraint(kZoneKey, 1, Label("role", "main")));
  parts.Pod("db-0", "na", {{"role", "main"}, {"index", "0"}}).spec = spec;
  parts.Pod("db-1", "na", {{"role", "spare"}, {"index", "1"}}).spec = spec;
  parts.Pod("db-2", "nb", {{"role", "main"}, {"index", "2"}}).spec = spec;
  parts.Pod("db-3", "nc", {{"role", "main"}, {"index", "3"}}).spec = spec;
  EXPECT_EQ(Told(Without(parts, "a")),
            "2 displaced, 1 placed; web topology_spread 1: DoNotSchedule over "
            "topology.kubernetes.io/zone (maxSkew 1), a still counts with 0");
}

}  // namespace
}  // namespace azexporter::zones
