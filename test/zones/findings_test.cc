#include "azexporter/zones/findings.h"

#include <gtest/gtest.h>

#include "cluster_parts.h"
#include "support/add_label.h"

namespace azexporter::zones {
namespace {

using test::ClusterParts;

constexpr std::int64_t kNow = 1'800'000'000'000;

struct World {
  ClusterParts parts;
  ExpectedZones expected;
  std::set<std::string> seen;
  // Resources of which nothing is known, and why; "absent" where nobody asked.
  std::map<std::string, std::string> unknown;
  std::map<std::string, std::int64_t> maintenance;
};

std::shared_ptr<const kube::ClusterState> ClusterOf(const World& world) {
  kube::ClusterState::Parts parts = world.parts.Lists();
  for (const char* resource : {"nodes", "pods", "deployments", "replicasets", "statefulsets",
                               "daemonsets", "jobs", "poddisruptionbudgets", "services",
                               "endpointslices", "persistentvolumes", "persistentvolumeclaims"}) {
    kube::ResourceHealth& health = parts.health.emplace_back();
    health.resource = resource;
    health.optional = health.resource != "nodes" && health.resource != "pods";
    const auto unknown = world.unknown.find(resource);
    health.synced = unknown == world.unknown.end();
    if (!health.synced) {
      health.absent = unknown->second == "absent";
      health.last_error = unknown->second;
    }
    health.last_contact_ms = kNow;
  }
  return std::make_shared<const kube::ClusterState>(std::move(parts));
}

ZoneReport ReportOf(const World& world) {
  return MakeZoneReport({.cluster = ClusterOf(world),
                         .expected = world.expected,
                         .expectations = {.known = true},
                         .probes = {},
                         .postgres = {},
                         .seen_zones = world.seen,
                         .pod_namespace = "",
                         .pod_selector = {},
                         .maintenance_until_ms = world.maintenance,
                         .now_ms = kNow});
}

// A line a finding: "warning loss a: the loss of a ...".
std::string Told(const World& world, const Scope& scope = {}) {
  std::string text;
  for (const Finding& finding : FindingsOf(ReportOf(world), scope)) {
    text += std::string(SeverityName(finding.severity)) + " " +
            std::string(TopicName(finding.topic)) + ": " + finding.text + "\n";
  }
  return text;
}

void AddNode(World& world, const std::string& name, const std::string& zone,
             kube::ConditionStatus ready = kube::ConditionStatus::kTrue) {
  kube::Node& node = zone.empty() ? world.parts.Node(name, {}) : world.parts.ZoneNode(name, zone);
  node.conditions.push_back({"Ready", ready});
}

World Zones(std::string_view zones) {
  World world;
  for (const char zone : zones) {
    AddNode(world, std::string("node-") + zone, std::string(1, zone));
  }
  return world;
}

void AddPods(World& world, const std::string& name, std::string_view zones) {
  for (std::size_t i = 0; i < zones.size(); ++i) {
    kube::Pod& pod = world.parts.Pod(name + "-" + std::to_string(i),
                                     std::string("node-") + zones[i], {{"app", name}});
    pod.owners = {{"Rollout", name, true}};
  }
}

TEST(FindingsTest, AClusterThatCanBearAnyLossIsQuiet) {
  World world = Zones("abc");
  AddPods(world, "web", "abc");
  EXPECT_EQ(Told(world),
            "note spread: 1 workload with more than one replica has no rule that spreads over "
            "zones: Rollout shop/web\n");
}

TEST(FindingsTest, TwoZonesAreJudgedAsTwo) {
  World world = Zones("ab");
  AddPods(world, "web", "ab");
  EXPECT_EQ(Told(world, {.only = {Topic::kZones, Topic::kLoss}}), "");
}

TEST(FindingsTest, TheLossOfAnOnlyZoneIsNotSurvivedAndNoReasonForAlarm) {
  World world = Zones("a");
  AddPods(world, "web", "aa");
  EXPECT_EQ(Told(world, {.only = {Topic::kZones, Topic::kLoss}}),
            "note loss: a is the only zone: its loss would be the loss of all\n");
  EXPECT_EQ(ReportOf(world).losses[0].verdict, Verdict::kNotSurvived);
  world.seen = {"b"};
  EXPECT_NE(Told(world, {.only = {Topic::kLoss}}).find("warning loss: the loss of a would not be"),
            std::string::npos)
      << "there was a second one";
}

TEST(FindingsTest, WithoutZoneLabelsNoZoneIsKnown) {
  World world;
  AddNode(world, "node-x", "");
  AddPods(world, "web", "xx");
  EXPECT_EQ(Told(world, {.only = {Topic::kZones, Topic::kLoss}}),
            "unknown zones: no zone is known: no node carries a zone label, none is expected\n"
            "note zones: 1 node carries no zone label and counts for no zone\n");
}

TEST(FindingsTest, AnEmptyClusterHasNoZone) {
  EXPECT_EQ(Told(World()),
            "unknown zones: no zone is known: no node carries a zone label, none is expected\n");
}

TEST(FindingsTest, AManagedControlPlaneIsNotVisibleAndNoReasonForAlarm) {
  World world = Zones("ab");
  const ZoneReport report = ReportOf(world);
  EXPECT_FALSE(report.losses[0].control_plane_visible);
  EXPECT_EQ(report.losses[0].verdict, Verdict::kSurvived);
  kube::Node& node = world.parts.nodes[0];
  test::AddLabel(node.meta, "node-role.kubernetes.io/control-plane", "");
  EXPECT_EQ(Told(world, {.only = {Topic::kLoss}}),
            "warning loss: the loss of a would not be survived: control plane: 0 of 1 nodes are "
            "left, fewer than a majority\n");
}

TEST(FindingsTest, WhatCouldNotBeReadIsNeverFine) {
  World world = Zones("ab");
  world.unknown["poddisruptionbudgets"] = "403 Forbidden";
  EXPECT_EQ(Told(world),
            "unknown sources: disruption budgets are not known: 403 Forbidden\n"
            "unknown loss: nothing was found that would not survive the loss of a; not known: "
            "disruption budgets\n"
            "unknown loss: nothing was found that would not survive the loss of b; not known: "
            "disruption budgets\n");
  world.unknown["poddisruptionbudgets"] = "absent";
  EXPECT_EQ(Told(world, {.only = {Topic::kZones}}),
            "note sources: disruption budgets are not known: absent\n");
  EXPECT_EQ(ReportOf(world).losses[0].verdict, Verdict::kUnknown);
  world.unknown = {{"pods", "timed out"}};
  EXPECT_EQ(Told(world), "critical sources: pods could not be asked: timed out\n");
}

TEST(FindingsTest, OfSomeNamespacesAloneNoLossIsCalledSurvived) {
  World world = Zones("ab");
  AddPods(world, "web", "ab");
  world.parts.namespaces = {"bank", "shop"};
  world.parts.Pod("teller", "node-a", {}).meta.ns = "bank";
  EXPECT_EQ(Told(world, {.only = {Topic::kLoss}}),
            "warning loss: the loss of a would not be survived: Rollout bank/web: its only ready "
            "pod is there\n"
            "note sources: only namespaces bank, shop are watched\n"
            "note loss: nothing was found that would not survive the loss of b; not known: all "
            "else of the cluster, since only namespaces bank, shop are watched\n")
      << "what they show is reason enough";
  EXPECT_EQ(ReportOf(world).losses[0].verdict, Verdict::kNotSurvived);
  EXPECT_EQ(ReportOf(world).losses[1].verdict, Verdict::kUnknown);
  world.unknown["services"] = "403 Forbidden";
  EXPECT_NE(
      Told(world).find("unknown loss: nothing was found that would not survive the loss of b"),
      std::string::npos)
      << "that something failed is no choice";
}

TEST(FindingsTest, ANamespaceThatIsWatchedAndEmptyMayNotExist) {
  World world = Zones("ab");
  AddPods(world, "web", "ab");
  world.parts.namespaces = {"shop", "shpo"};
  EXPECT_EQ(Told(world, {.only = {Topic::kZones}}),
            "warning sources: namespace shpo is watched and has nothing in it, or does not exist\n"
            "note sources: only namespaces shop, shpo are watched\n");
  world.unknown["pods"] = "timed out";
  EXPECT_EQ(Told(world, {.only = {Topic::kZones}}),
            "critical sources: pods could not be asked: timed out\n"
            "note sources: only namespaces shop, shpo are watched\n")
      << "what was not read is not empty";
}

TEST(FindingsTest, ANamespaceThatIsNotWatchedIsNotFine) {
  World world = Zones("ab");
  AddPods(world, "web", "ab");
  world.parts.namespaces = {"shop"};
  EXPECT_EQ(Told(world, {.ns = "bank"}),
            "unknown sources: namespace bank is not known: only namespace shop is watched\n"
            "note sources: only namespace shop is watched\n");
}

TEST(FindingsTest, AZoneUnderMaintenanceIsNotedUntilThen) {
  World world = Zones("b");
  world.expected["a"] = {};
  EXPECT_EQ(Told(world, {.zone = "a"}), "critical zones: a is missing: it has no nodes\n");
  world.maintenance["a"] = kNow + 3'600'000;
  EXPECT_EQ(Told(world, {.zone = "a"}),
            "note zones: a is missing: it has no nodes (maintenance until 2027-01-15T09:00:00Z)\n");
  world.maintenance["a"] = kNow;
  EXPECT_EQ(Told(world, {.zone = "a"}), "critical zones: a is missing: it has no nodes\n");
}

TEST(FindingsTest, AnAnnotationOfItsNodesDeclaresMaintenance) {
  World world = Zones("a");
  kube::Node& node = world.parts.nodes[0];
  node.conditions = {{"Ready", kube::ConditionStatus::kFalse}};
  node.meta.annotations = {{"azexporter.io/maintenance-until", "2027-01-15T09:00:00Z"}};
  EXPECT_EQ(Told(world),
            "note zones: a is down: none of its 1 nodes is ready (maintenance until "
            "2027-01-15T09:00:00Z)\n");
}

// A dead zone that still counts keeps replacements out of the zones that are left.
TEST(FindingsTest, PodsHeldBackByADeadZoneAreTold) {
  World world = Zones("bc");
  AddNode(world, "node-a", "a", kube::ConditionStatus::kUnknown);
  AddPods(world, "web", "bc");
  kube::Pod& pending = world.parts.Pod("web-9", "", {{"app", "web"}});
  pending.owners = {{"Rollout", "web", true}};
  pending.phase = kube::PodPhase::kPending;
  pending.ready = kube::ConditionStatus::kFalse;
  pending.unschedulable = true;
  const auto spec = test::SpecWith(test::Constraint(test::kZoneKey, 1, test::Label("app", "web")));
  for (kube::Pod& pod : world.parts.pods) pod.spec = spec;
  EXPECT_EQ(Told(world, {.only = {Topic::kPending}}),
            "warning pending: Rollout shop/web: 1 pod is held back by DoNotSchedule over "
            "topology.kubernetes.io/zone (maxSkew 1), a still counts with 0\n"
            "note pending: 1 pod of namespace shop found no node\n");
}

TEST(FindingsTest, AScopeKeepsToItsZoneNamespaceAndTopics) {
  World world = Zones("ab");
  AddPods(world, "web", "aa");
  AddPods(world, "other", "b");
  world.parts.pods.back().meta.ns = "bank";
  EXPECT_EQ(Told(world, {.only = {Topic::kLoss}, .ns = "bank"}),
            "warning loss: the loss of b would not be survived: Rollout bank/other: its only ready "
            "pod is there\n");
  EXPECT_EQ(Told(world, {.only = {Topic::kLoss}, .zone = "a"}),
            "warning loss: the loss of a would not be survived: Rollout shop/web: all of its 2 "
            "ready pods are there\n");
  EXPECT_EQ(Told(world, {.only = {Topic::kHealth}}), "");
}

TEST(FindingsTest, NamesOfTopicsReadBack) {
  for (const Topic topic : AllTopics()) EXPECT_EQ(TopicOf(TopicName(topic)), topic);
  EXPECT_EQ(TopicOf("zone"), std::nullopt);
}

}  // namespace
}  // namespace azexporter::zones
