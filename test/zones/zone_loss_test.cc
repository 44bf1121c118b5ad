#include "azexporter/zones/zone_loss.h"

#include <gtest/gtest.h>

#include "cluster_parts.h"
#include "reports.h"

namespace azexporter::zones {
namespace {

using test::ClusterParts;

// A line a finding: "a blocker at_zero Deployment web: ...".
std::string Told(const ClusterParts& parts, LossFindings NamespaceReport::*part) {
  std::string text;
  for (const NamespaceReport& report : NamespaceReportsOf(parts.Build())) {
    for (const auto& [zone, findings] : report.*part) {
      for (const LossFinding& finding : findings) {
        text += zone + (finding.blocker ? " blocker " : " note ") +
                std::string(LossReasonName(finding.reason)) + " " + TextOf(finding) + "\n";
      }
    }
  }
  return text;
}
std::string Losses(const ClusterParts& parts) { return Told(parts, &NamespaceReport::losses); }
std::string Evictions(const ClusterParts& parts) {
  return Told(parts, &NamespaceReport::evictions);
}

// One node in each of the zones a, b and c, named as they are.
ClusterParts ThreeZones() {
  ClusterParts parts;
  for (const char* zone : {"a", "b", "c"}) parts.ZoneNode(zone, zone);
  return parts;
}

// Ready pods of one owner, one on each of the nodes named by a letter.
void Pods(ClusterParts& parts, const std::string& kind, const std::string& name,
          std::string_view nodes, const kube::StringMap& labels = {}) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    kube::Pod& pod = parts.Pod(name + "-" + std::to_string(i), std::string(1, nodes[i]), labels);
    pod.owners = {{kind, name, true}};
  }
}

TEST(ZoneLossTest, AWorkloadWhoseReadyPodsAreAllInAZoneIsLeftAtZero) {
  struct Case {
    const char* name;
    const char* kind;
    const char* nodes;
    const char* want;
  };
  const Case cases[] = {
      {"spread", "Rollout", "abc", ""},
      {"two in one zone", "Rollout", "aa",
       "a blocker at_zero Rollout shop/web: all of its 2 ready pods are there\n"},
      {"a single pod", "Rollout", "b",
       "b blocker at_zero Rollout shop/web: its only ready pod is there\n"},
      {"bound to nodes", "DaemonSet", "c",
       "c note at_zero DaemonSet shop/web: its only ready pod is there\n"},
      {"made anew", "Job", "c", "c note at_zero Job shop/web: its only ready pod is there\n"},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    Pods(parts, c.kind, "web", c.nodes);
    EXPECT_EQ(Losses(parts), c.want) << c.name;
  }
}

TEST(ZoneLossTest, PodsThatAreNotReadyLeaveNothing) {
  ClusterParts parts = ThreeZones();
  Pods(parts, "Rollout", "web", "ab");
  parts.pods[1].ready = kube::ConditionStatus::kFalse;
  EXPECT_EQ(Losses(parts), "a blocker at_zero Rollout shop/web: its only ready pod is there\n");
  parts.pods[0].ready = kube::ConditionStatus::kFalse;
  EXPECT_EQ(Losses(parts), "") << "what is at zero already is not the zone's doing";
}

TEST(ZoneLossTest, AConsensusGroupNeedsAMajorityOfItsMembers) {
  struct Case {
    const char* app;
    const char* nodes;
    int desired;
    const char* want;
  };
  const Case cases[] = {
      {"etcd", "abc", 3, ""},
      {"etcd", "aab", 3,
       "a blocker quorum StatefulSet shop/etcd: 1 of 3 members are left, fewer than a majority\n"},
      {"etcd", "aabbc", 5, ""},
      // One is down already: two of four that are left of five are not enough.
      {"etcd", "aabc", 5,
       "a blocker quorum StatefulSet shop/etcd: 2 of 5 members are left, fewer than a majority\n"},
      {"etcd", "ab", 5, ""},  // lost before
      {"web", "aab", 3, ""},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    kube::StatefulSet& set = ClusterParts::Named(parts.stateful_sets, "etcd");
    set.desired = c.desired;
    set.template_labels = {{"app.kubernetes.io/name", c.app}};
    Pods(parts, "StatefulSet", "etcd", c.nodes);
    EXPECT_EQ(Losses(parts), c.want) << c.app << " " << c.nodes;
  }
}

TEST(ZoneLossTest, ABudgetIsBrokenWhereTooFewHealthyPodsAreLeft) {
  struct Case {
    const char* nodes;
    int healthy, desired;
    const char* want;
  };
  const Case cases[] = {
      {"abc", 3, 2, ""},
      {"aab", 3, 2,
       "a blocker budget PodDisruptionBudget shop/web: 1 healthy pod left, 2 wanted\n"},
      {"abc", 3, 3,
       "a blocker budget PodDisruptionBudget shop/web: 2 healthy pods left, 3 wanted\n"
       "b blocker budget PodDisruptionBudget shop/web: 2 healthy pods left, 3 wanted\n"
       "c blocker budget PodDisruptionBudget shop/web: 2 healthy pods left, 3 wanted\n"},
      {"aab", 1, 2, ""},  // broken before
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    Pods(parts, "Rollout", "web", c.nodes, {{"app", "web"}});
    kube::PodDisruptionBudget& budget = ClusterParts::Named(parts.budgets, "web");
    budget.selector = test::Label("app", "web");
    budget.current_healthy = c.healthy;
    budget.desired_healthy = c.desired;
    budget.expected_pods = 3;
    EXPECT_EQ(Losses(parts), c.want) << c.nodes << " " << c.desired;
  }
}

void Endpoints(ClusterParts& parts, const std::string& service, std::string_view zones) {
  kube::EndpointSlice& slice = ClusterParts::Named(parts.endpoint_slices, service + "-1");
  slice.service = service;
  slice.address_type = "IPv4";
  for (std::size_t i = 0; i < zones.size(); ++i) {
    kube::Endpoint& endpoint = slice.endpoints.emplace_back();
    endpoint.target_pod = service + "-" + std::to_string(i);
    if (zones[i] != '?') endpoint.zone = std::string(1, zones[i]);
  }
}

TEST(ZoneLossTest, AServiceMustKeepAReadyEndpoint) {
  struct Case {
    const char* zones;
    const char* want;
  };
  const Case cases[] = {
      {"ab", ""},
      {"aa", "a blocker service Service shop/web: 2 ready endpoints there, none elsewhere\n"},
      {"a?",
       "a note service Service shop/web: 1 ready endpoint elsewhere, in which zone is not "
       "known\n"},
      {"", ""},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeZones();
    ClusterParts::Named(parts.services, "web").selector = {{"app", "web"}};
    Endpoints(parts, "web", c.zones);
    EXPECT_EQ(Losses(parts), c.want) << c.zones;
  }
}

TEST(ZoneLossTest, AServiceThatSelectsAPrimaryFollowsIt) {
  for (const bool standby : {true, false}) {
    ClusterParts parts = ThreeZones();
    kube::Service& service = ClusterParts::Named(parts.services, "db-rw");
    service.selector = {{"cnpg.io/cluster", "db"}, {"cnpg.io/instanceRole", "primary"}};
    Pods(parts, "Cluster", "db", standby ? "ab" : "aa", {{"cnpg.io/cluster", "db"}});
    Endpoints(parts, "db-rw", "a");
    EXPECT_EQ(Losses(parts).find("a note service Service shop/db-rw: its primary is there; ready "
                                 "pods elsewhere could take over\n") != std::string::npos,
              standby)
        << Losses(parts);
    EXPECT_EQ(Losses(parts).find("blocker service") == std::string::npos, standby);
  }
}

TEST(ZoneLossTest, ABudgetMayKeepAZoneFromBeingDrained) {
  ClusterParts parts = ThreeZones();
  Pods(parts, "Rollout", "web", "ab", {{"app", "web"}});
  kube::PodDisruptionBudget& budget = ClusterParts::Named(parts.budgets, "web");
  budget.selector = test::Label("app", "web");
  budget.current_healthy = budget.desired_healthy = budget.expected_pods = 2;
  EXPECT_EQ(Evictions(parts),
            "a note eviction PodDisruptionBudget shop/web: lets no pod go now: 2 healthy, 2 "
            "wanted\n"
            "b note eviction PodDisruptionBudget shop/web: lets no pod go now: 2 healthy, 2 "
            "wanted\n");
  budget.max_unavailable = kube::IntOrPercent{};
  EXPECT_EQ(Evictions(parts),
            "a blocker eviction PodDisruptionBudget shop/web: wants all of its 2 pods healthy: it "
            "lets none go\n"
            "b blocker eviction PodDisruptionBudget shop/web: wants all of its 2 pods healthy: it "
            "lets none go\n");
  kube::PodDisruptionBudget& other = ClusterParts::Named(parts.budgets, "all");
  other.selector = kube::LabelSelector{};
  EXPECT_NE(Evictions(parts).find("a blocker eviction PodDisruptionBudget shop/all: selects pods "
                                  "that web selects, too: the API refuses to evict such pods\n"),
            std::string::npos)
      << Evictions(parts);
}

TEST(ZoneLossTest, TheControlPlaneNeedsAMajorityOfAllItsNodes) {
  struct Case {
    int members, ready, in_zone;
    const char* want;
  };
  const Case cases[] = {
      {3, 3, 1, ""},
      {3, 3, 2, "1 of 3 nodes are left, fewer than a majority"},
      {7, 7, 3, ""},
      {7, 4, 2, "2 of 7 nodes are left, fewer than a majority"},
      {1, 1, 1, "0 of 1 nodes are left, fewer than a majority"},
      {3, 1, 0, ""},  // lost before
      {0, 0, 0, ""},  // managed, not visible
  };
  for (const Case& c : cases) {
    const auto finding = ControlPlaneFinding({c.members, c.ready, c.in_zone});
    EXPECT_EQ(finding ? finding->text : "", c.want) << c.members << " " << c.ready;
  }
}

TEST(ZoneLossTest, WhatMayBreakIsNoted) {
  ClusterParts parts = ThreeZones();
  Pods(parts, "Rollout", "web", "aa");
  Pods(parts, "Rollout", "api", "b");
  const kube::ClusterState cluster = parts.Build();
  const auto blockers = [&](const std::set<std::string>& accepted) {
    std::string text;
    NamespaceReporter reporter(cluster, {.accepted = accepted});
    for (const auto& [zone, findings] : reporter.Of(cluster, "shop").report.losses) {
      for (const LossFinding& finding : findings) {
        text += (finding.blocker ? "blocker " : "note ") + TextOf(finding) + "\n";
      }
    }
    return text;
  };
  EXPECT_EQ(blockers({"shop/web", "other"}),
            "note Rollout shop/web: all of its 2 ready pods are there (accepted)\n"
            "blocker Rollout shop/api: its only ready pod is there\n");
  EXPECT_EQ(blockers({"shop"}).find("blocker"), std::string::npos);
}

TEST(ZoneLossTest, NamesOfReasonsReadBack) {
  for (const LossReason reason : AllLossReasons()) {
    EXPECT_EQ(LossReasonOf(LossReasonName(reason)), reason);
  }
}

}  // namespace
}  // namespace azexporter::zones
