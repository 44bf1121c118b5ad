#include "azexporter/zones/distribution.h"

#include <gtest/gtest.h>

#include "cluster_parts.h"
#include "reports.h"

namespace azexporter::zones {
namespace {

using test::ClusterParts;

// "Deployment/web 3: a=1/2 -=0/1" with ready/total by zone, "-" for none.
std::string Text(const std::vector<WorkloadDistribution>& all) {
  std::string text;
  for (const WorkloadDistribution& of : all) {
    text += of.workload.kind + "/" + of.workload.name + " " +
            (of.desired ? std::to_string(*of.desired) : "?") + ":";
    for (const auto& [zone, counts] : of.zones) {
      text += " " + (zone.empty() ? "-" : zone) + "=" + std::to_string(counts.ready) + "/" +
              std::to_string(counts.total);
    }
    text += "\n";
  }
  return text;
}

TEST(DistributionTest, CountsPodsOfEachWorkloadByZone) {
  ClusterParts parts;
  parts.ZoneNode("a1", "a");
  parts.ZoneNode("b1", "b");
  parts.Node("bare", {});
  ClusterParts::Named(parts.deployments, "web").desired = 4;
  auto& set = ClusterParts::Named(parts.replica_sets, "web-1");
  set.owners = {{"Deployment", "web", true}};
  set.desired = 4;
  const auto of_web = [&](const char* name, const char* node) -> kube::Pod& {
    kube::Pod& pod = parts.Pod(name, node, {});
    pod.owners = {{"ReplicaSet", "web-1", true}};
    return pod;
  };
  of_web("p1", "a1");
  of_web("p2", "a1").ready = kube::ConditionStatus::kFalse;
  of_web("p3", "bare");
  kube::Pod& pending = of_web("p4", "");
  pending.phase = kube::PodPhase::kPending;
  pending.ready = kube::ConditionStatus::kFalse;
  of_web("p5", "b1").meta.terminating = true;
  of_web("p6", "b1").phase = kube::PodPhase::kFailed;
  const auto all = DistributionOf(parts.Build());
  EXPECT_EQ(Text(all), "Deployment/web 4: -=1/2 a=1/2\n");
  EXPECT_EQ(all[0].pods, (PodCounts{4, 2}));
  EXPECT_EQ(all[0].ready_in("a"), 1);
  EXPECT_EQ(all[0].ready_in("c"), 0);
  EXPECT_EQ(all[0].ready_zones(), 1);
}

TEST(DistributionTest, ChoosesTheWorkloads) {
  ClusterParts parts;
  parts.ZoneNode("a1", "a");
  ClusterParts::Named(parts.stateful_sets, "db").desired = 3;  // no pods: a finding, not absence
  ClusterParts::Named(parts.jobs, "done").finished = true;
  ClusterParts::Named(parts.replica_sets, "old").desired = 0;
  ClusterParts::Named(parts.replica_sets, "lone").desired = 2;
  parts.Pod("rolled", "a1", {});  // of a Rollout
  parts.Pod("static", "a1", {}).owners = {{"Node", "a1", true}};
  parts.Pod("bare", "a1", {}).owners = {};
  parts.Pod("backup", "a1", {}).owners = {{"ReplicaSet", "unknown", true}};
  EXPECT_EQ(Text(DistributionOf(parts.Build())),
            "ReplicaSet/lone 2:\nReplicaSet/unknown ?: a=1/1\nRollout/web ?: a=1/1\n"
            "StatefulSet/db 3:\n");
}

}  // namespace
}  // namespace azexporter::zones
