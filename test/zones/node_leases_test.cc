#include "azexporter/zones/node_leases.h"

#include <gtest/gtest.h>

#include "azexporter/zones/findings.h"
#include "support/cluster_builder.h"

namespace azexporter::zones {
namespace {

using kube::ConditionStatus;
using test::ClusterBuilder;

constexpr std::int64_t kNow = 1'800'000'000'000;

std::string AgesText(const kube::ClusterState& cluster) {
  std::string text;
  for (const NodeLeaseAge& age : NodeLeaseAgesOf(cluster)) {
    text += age.node->meta.name + " " + std::to_string(age.age_ms) + (age.silent ? " silent" : "") +
            "\n";
  }
  return text;
}

ZoneReport ReportOf(const kube::ClusterState& cluster) {
  return MakeZoneReport({.cluster = test::NotOwned(cluster),
                         .expected = {},
                         .expectations = {.known = true},
                         .seen_zones = {},
                         .now_ms = kNow});
}

std::string Told(const kube::ClusterState& cluster) {
  std::string text;
  for (const Finding& finding : FindingsOf(ReportOf(cluster), {.only = {Topic::kZones}})) {
    if (finding.object != "workloads" && finding.object != "disruption budgets" &&
        finding.object != "services" && finding.object != "volumes") {
      text += std::string(SeverityName(finding.severity)) + ": " + finding.text + "\n";
    }
  }
  return text;
}

ClusterBuilder TwoZones() {
  ClusterBuilder builder;
  builder.Nodes("a", 3, {"a"}).Node("b-1", {"b"}).Node("down", {"b", ConditionStatus::kUnknown});
  return builder;
}

TEST(NodeLeasesTest, ANodeIsSilentAfterHalfOfItsLease) {
  const auto cluster = TwoZones()
                           .Lease("a-1", kNow - 9'999)
                           .Lease("a-2", kNow - 20'000)
                           .Lease("a-3", kNow - 20'001)
                           .Lease("b-1", kNow + 3'000)
                           .Lease("down", kNow - 300'000)
                           .Lease("gone", kNow - 300'000)
                           .Build(kNow);
  EXPECT_EQ(AgesText(cluster), "a-1 9999\na-2 20000\na-3 20001 silent\nb-1 0\ndown 300000 silent\n")
      << "a clock that is ahead is no renewal to come";
}

TEST(NodeLeasesTest, OnlyNodesThatCountAsReadyAreTold) {
  EXPECT_EQ(Told(TwoZones()
                     .Lease("a-1", kNow - 20'001)
                     .Lease("a-2", kNow - 27'000)
                     .Lease("b-1", kNow - 1'000)
                     .Lease("down", kNow - 300'000)
                     .Build(kNow)),
            "warning: 2 nodes of a are ready but have stopped renewing their Leases: first a-2, 27 "
            "s ago\n");
  EXPECT_EQ(Told(TwoZones().Lease("a-1", kNow - 31'000).Build(kNow)),
            "warning: 1 node of a is ready but has stopped renewing its Lease: a-1, 31 s ago\n");
}

// When azexporter hears nothing itself, it says nothing of others.
TEST(NodeLeasesTest, AgeIsMeasuredUpToTheLastWordOfTheServer) {
  const auto cluster =
      TwoZones()
          .Lease("a-1", kNow - 95'000)
          .Health({.resource = "leases", .synced = true, .last_contact_ms = kNow - 90'000})
          .Build(kNow);
  EXPECT_EQ(AgesText(cluster), "a-1 5000\n");
  EXPECT_EQ(Told(cluster), "");
}

TEST(NodeLeasesTest, WhatMayNotBeReadIsNamed) {
  const auto cluster =
      TwoZones()
          .Health({.resource = "leases", .optional = true, .last_error = "403 Forbidden"})
          .Build(kNow);
  EXPECT_EQ(Told(cluster), "unknown: Leases of nodes are not known: 403 Forbidden\n");
  EXPECT_TRUE(ReportOf(cluster).silent_nodes.empty());
}

TEST(NodeLeasesTest, NothingIsSaidWhereNobodyAsked) {
  EXPECT_FALSE(ReportOf(TwoZones().Build(kNow)).node_leases);
  const auto file =
      TwoZones()
          .Lease("a-1", kNow - 95'000)
          .Health(
              {.resource = "leases", .synced = true, .from_file = true, .last_contact_ms = kNow})
          .Build(kNow);
  EXPECT_EQ(AgesText(file), "") << "a file is as old as it is";
  EXPECT_FALSE(ReportOf(file).node_leases);
}

// 500 renewals a second must cost nothing beyond themselves: the reports of the namespaces are
// those of before, and so are placements.
TEST(NodeLeasesTest, ARenewalLeavesTheReportAsItIs) {
  ClusterBuilder builder = TwoZones();
  kube::ClusterState::Parts parts = builder.Pod("web", {.node = "a-1"}).Parts(kNow);
  ZoneModel model;
  const auto update = [&](std::int64_t renewed_ms) {
    parts.node_leases = ClusterBuilder().Lease("a-1", renewed_ms).Parts(kNow).node_leases;
    return model.Update({.cluster = std::make_shared<const kube::ClusterState>(parts),
                         .expected = {},
                         .expectations = {.known = true},
                         .seen_zones = {},
                         .now_ms = kNow});
  };
  const ZoneReport first = update(kNow - 10'000);
  const ZoneReport second = update(kNow);
  ASSERT_EQ(first.namespaces.size(), 1u);
  EXPECT_EQ(second.namespaces[0], first.namespaces[0]);
  ASSERT_NE(first.losses[0].placement, nullptr);
  EXPECT_EQ(second.losses[0].placement, first.losses[0].placement);
}

}  // namespace
}  // namespace azexporter::zones
