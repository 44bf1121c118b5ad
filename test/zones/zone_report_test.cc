#include "azexporter/zones/zone_report.h"

#include <gtest/gtest.h>

#include "cluster_parts.h"
#include "support/cluster_builder.h"

namespace azexporter::zones {
namespace {

using kube::ConditionStatus;
using test::ClusterBuilder;

constexpr std::int64_t kNow = 1'800'000'000'000;

struct Asked {
  ExpectedZones expected;
  std::set<std::string> seen;
  std::vector<probe::TargetFacts> probes;
  std::vector<db::PostgresFacts> postgres;
};

ZoneReport Report(const kube::ClusterState& cluster, const Asked& asked = {}) {
  return MakeZoneReport({.cluster = test::NotOwned(cluster),
                         .expected = asked.expected,
                         .expectations = {.known = true},
                         .probes = asked.probes,
                         .postgres = asked.postgres,
                         .seen_zones = asked.seen,
                         .pod_namespace = "",
                         .pod_selector = {{"app.kubernetes.io/name", "machine-native-ops"}},
                         .now_ms = kNow});
}

struct StateCase {
  const char* name;
  int ready, not_ready, unknown;
  bool cordoned;
  ZoneState want;
};

TEST(ZoneReportTest, JudgesTheStateAsKubeControllerManager) {
  const StateCase cases[] = {
      {"all ready", 5, 0, 0, false, ZoneState::kNormal},
      {"one of five not ready", 4, 1, 0, false, ZoneState::kNormal},
      {"two of three not ready: too few nodes for a verdict", 1, 2, 0, false, ZoneState::kNormal},
      {"three of five not ready: 60 %", 2, 3, 0, false, ZoneState::kPartialDisruption},
      {"unknown counts as not ready", 2, 1, 2, false, ZoneState::kPartialDisruption},
      {"eleven of twenty: exactly 55 %", 9, 11, 0, false, ZoneState::kPartialDisruption},
      {"ten of twenty", 10, 10, 0, false, ZoneState::kNormal},
      {"none ready", 0, 0, 5, false, ZoneState::kFullDisruption},
      {"one node, not ready", 0, 1, 0, false, ZoneState::kFullDisruption},
      {"all cordoned, all ready", 5, 0, 0, true, ZoneState::kEvacuated},
      {"all cordoned, none ready", 0, 5, 0, true, ZoneState::kFullDisruption},
  };
  for (const StateCase& c : cases) {
    ClusterBuilder builder;
    builder.Nodes("r", c.ready, {"a", ConditionStatus::kTrue, c.cordoned});
    builder.Nodes("n", c.not_ready, {"a", ConditionStatus::kFalse, c.cordoned});
    builder.Nodes("u", c.unknown, {"a", ConditionStatus::kUnknown, c.cordoned});
    const ZoneReport report = Report(builder.Build(kNow));
    ASSERT_EQ(report.zones.size(), 1u) << c.name;
    EXPECT_EQ(ZoneStateName(report.zones[0].state), ZoneStateName(c.want)) << c.name;
  }
}

TEST(ZoneReportTest, AZoneThatIsExpectedOrWasSeenNeverVanishes) {
  const auto cluster = ClusterBuilder().Nodes("n", 2, {"a"}).Build(kNow);
  Asked asked;
  asked.expected["b"] = {.nodes = 5, .expected_pods = 3, .health_endpoint = ""};
  asked.seen = {"c"};
  const ZoneReport report = Report(cluster, asked);
  ASSERT_EQ(report.zones.size(), 3u);
  EXPECT_EQ(report.zones[0].state, ZoneState::kNormal);
  EXPECT_EQ(report.zones[1].state, ZoneState::kMissing);
  EXPECT_EQ(report.zones[1].expected_workers, 5);
  EXPECT_EQ(report.zones[2].state, ZoneState::kMissing);
}

TEST(ZoneReportTest, ANodeWithoutARoleIsAWorkerAndOneWithoutAZoneIsCounted) {
  const auto cluster = ClusterBuilder()
                           .Node("w", {"a"})
                           .Node("c", {.zone = "a", .control_plane = true})
                           .Node("lost", {""})
                           .Build(kNow);
  const ZoneReport report = Report(cluster);
  EXPECT_EQ(report.zones[0].workers.ready, 1);
  EXPECT_EQ(report.zones[0].control_plane.ready, 1);
  EXPECT_EQ(report.nodes_without_zone, 1);
}

TEST(ZoneReportTest, CountsReadyPodsOfTheSelectorOnly) {
  const auto cluster = ClusterBuilder()
                           .Node("n", {"a"})
                           .Pod("ready", {.node = "n"})
                           .Pod("not-ready", {.node = "n", .ready = false})
                           .Pod("terminating", {.node = "n", .terminating = true})
                           .Pod("done", {.node = "n", .phase = kube::PodPhase::kSucceeded})
                           .Pod("other", {.node = "n", .app = "other"})
                           .Pod("pending", {.node = "", .ready = false})
                           .Build(kNow);
  const ZoneReport report = Report(cluster);
  EXPECT_EQ(report.zones[0].pods_ready, 1);
  EXPECT_EQ(report.zones[0].pods_not_ready, 1);
}

// The table of zone_report.h: what needs the pods of all namespaces is absent, never less.
TEST(ZoneReportTest, OfSomeNamespacesAloneTheZonesHaveNoSums) {
  test::ClusterParts parts;
  for (const char* zone : {"a", "b"}) {
    kube::Node& node = parts.ZoneNode(zone, zone);
    node.allocatable.cpu_milli = 4000;
    node.conditions.push_back({"Ready", ConditionStatus::kTrue});
  }
  kube::PodSpec spec;
  spec.requests.cpu_milli = 1000;
  parts.Pod("web", "a", {{"app.kubernetes.io/name", "machine-native-ops"}}).spec = test::Spec(spec);
  for (const char* resource : {"nodes", "pods"}) {
    parts.health.push_back({.resource = resource, .synced = true, .last_contact_ms = kNow});
  }
  const ZoneReport whole = Report(parts.Build());
  ASSERT_TRUE(whole.zones[0].requested);
  EXPECT_EQ(whole.zones[0].requested->cpu_milli, 1000);
  EXPECT_NE(whole.losses[0].placement, nullptr);
  EXPECT_NE(whole.evacuations[0].placement, nullptr);

  parts.namespaces = {"shop"};
  const ZoneReport part = Report(parts.Build());
  EXPECT_FALSE(part.zones[0].requested);
  EXPECT_FALSE(part.zones[1].requested) << "no pod is seen there, which is not none";
  EXPECT_EQ(part.zones[0].pods_ready, 1);
  EXPECT_EQ(part.zones[0].state, whole.zones[0].state);
  EXPECT_EQ(part.zones[0].allocatable, whole.zones[0].allocatable);
  EXPECT_EQ(part.losses[0].placement, nullptr);
  EXPECT_EQ(part.evacuations[0].placement, nullptr);
  EXPECT_EQ(part.evacuations[1].verdict, Verdict::kUnknown);
  EXPECT_EQ(part.losses[1].not_known.back(),
            "all else of the cluster, since only namespace shop is watched");
  EXPECT_EQ(part.watched_namespaces, std::set<std::string>{"shop"});
}

TEST(ZoneReportTest, NamesAFewOfManyNamespaces) {
  EXPECT_EQ(OnlyWatchedText({"a"}), "only namespace a is watched");
  EXPECT_EQ(OnlyWatchedText({"a", "b"}), "only namespaces a, b are watched");
  EXPECT_EQ(OnlyWatchedText({"a", "b", "c", "d", "e"}),
            "only namespaces a, b, c and 2 more are watched");
}

TEST(ZoneReportTest, WhatWasNotAskedIsUnknownNeverMissing) {
  const auto cluster = ClusterBuilder()
                           .Health({.resource = "nodes", .last_error = "list nodes: 403 Forbidden"})
                           .Build(kNow);
  Asked asked;
  asked.expected["a"] = {};
  const ZoneReport report = Report(cluster, asked);
  EXPECT_FALSE(report.nodes.known);
  EXPECT_EQ(report.nodes.error, "list nodes: 403 Forbidden");
  EXPECT_EQ(report.zones[0].state, ZoneState::kUnknown);
}

TEST(ZoneReportTest, OldFactsHoldForAWhileAndThenNoMore) {
  struct Case {
    std::int64_t age_ms;
    bool known;
  };
  for (const Case& c : {Case{119'000, true}, Case{121'000, false}}) {
    const auto cluster = ClusterBuilder()
                             .Node("n", {"a"})
                             .Health({.resource = "nodes",
                                      .synced = true,
                                      .last_contact_ms = kNow - c.age_ms,
                                      .last_error = "watch nodes: connection refused"})
                             .Build(kNow);
    const ZoneReport report = Report(cluster);
    EXPECT_EQ(report.nodes.known, c.known) << c.age_ms;
    EXPECT_TRUE(report.nodes.failing);
  }
}

TEST(ZoneReportTest, TellsAnEndpointThatIsDownFromOneThatIsNoUrl) {
  probe::TargetFacts down;
  down.target = {"b", "http://b/health", "b", true};
  down.probes = 3;
  down.last_outcome = probe::ProbeOutcome::kTimeout;
  down.last_error = "timed out";
  Asked asked;
  asked.expected["a"] = {.health_endpoint = "[EXTERNAL_URL_REMOVED]"};
  asked.expected["b"] = {.health_endpoint = "http://b/health"};
  asked.expected["c"] = {.health_endpoint = "http://c/health"};
  asked.expected["d"] = {};
  asked.probes = {down};
  const ZoneReport report = Report(ClusterBuilder().Build(kNow), asked);
  EXPECT_EQ(report.Find("a")->health, EndpointHealth::kNotAUrl);
  EXPECT_EQ(report.Find("b")->health, EndpointHealth::kDown);
  EXPECT_EQ(report.Find("b")->health_error, "timed out");
  EXPECT_EQ(report.Find("c")->health, EndpointHealth::kNotProbed);
  EXPECT_EQ(report.Find("d")->health, EndpointHealth::kNone);
}

TEST(ZoneReportTest, CountsPrimariesAndDoesNotGuessRolesOfTheSilent) {
  const auto instance = [](const char* name, bool up, bool in_recovery) {
    db::PostgresFacts facts;
    facts.cluster = "orders";
    facts.instance = name;
    facts.up = up;
    facts.in_recovery = in_recovery;
    facts.current_lsn = in_recovery ? std::optional<db::Lsn>() : 100;
    return facts;
  };
  Asked asked;
  asked.postgres = {instance("one", true, false), instance("two", true, false),
                    instance("three", false, false)};
  const ZoneReport report = Report(ClusterBuilder().Build(kNow), asked);
  EXPECT_EQ(report.primaries.at("orders"), 2);
  EXPECT_EQ(report.databases[2].role, DatabaseRole::kUnknown);
}

TEST(ParseExpectedZonesTest, ReadsTheDocumentedForm) {
  const auto zones = ParseExpectedZones(
      "zones:\n  us-east-1a:\n    nodes: 5\n    expected_pods: 3\n"
      "    health_endpoint: [EXTERNAL_URL_REMOVED]\n",
      "zones.yaml");
  ASSERT_TRUE(zones) << zones.error().message();
  const ExpectedZone& zone = zones->at("us-east-1a");
  EXPECT_EQ(zone.nodes, 5);
  EXPECT_EQ(zone.expected_pods, 3);
  EXPECT_EQ(zone.health_endpoint, "[EXTERNAL_URL_REMOVED]");
}

TEST(ParseExpectedZonesTest, NamesThePlaceOfAFault) {
  struct Case {
    std::string_view yaml, message;
  };
  const Case cases[] = {
      {"", "missing key \"zones\""},
      {"zones: 5", ":1:8: expected a map of zones"},
      {"zones:\n  a:\n    nodes: many\n", ":3:12: expected a whole number, got \"many\""},
      {"zones:\n  a:\n    nodes: -1\n", ":3:12: nodes must be between 0 and 1000000"},
      {"zones:\n  a:\n    nods: 5\n",
       ":3:5: unknown key \"nods\" (known here: nodes, expected_pods, health_endpoint, "
       "maintenance_until)"},
  };
  for (const Case& c : cases) {
    const auto zones = ParseExpectedZones(c.yaml, "z");
    ASSERT_FALSE(zones) << c.yaml;
    EXPECT_NE(zones.error().message().find(c.message), std::string::npos)
        << zones.error().message();
  }
}

}  // namespace
}  // namespace azexporter::zones
