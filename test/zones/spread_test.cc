#include "azexporter/zones/spread.h"

#include <gtest/gtest.h>

#include "spread_helpers.h"

namespace azexporter::zones {
namespace {

ClusterParts ThreeRealZones() {
  ClusterParts parts;
  parts.ZoneNode("a1", "a");
  parts.ZoneNode("b1", "b");
  parts.ZoneNode("c1", "c");
  return parts;
}

const kube::TopologySpreadConstraint kRealZone = Constraint(kZoneKey, 1, Label("app", "web"));

TEST(SpreadTest, AZoneThatVanishedReadsAsBalanceOnlyToTheScheduler) {
  ClusterParts parts;
  parts.ZoneNode("a1", "a");
  parts.ZoneNode("b1", "b");
  for (const char* node : {"a1", "a1", "b1", "b1"}) {
    parts.Pod("p" + std::to_string(parts.pods.size()), node, {{"app", "web"}}).spec =
        SpecWith(kRealZone);
  }
  SpreadOptions options;
  options.expected_zones = {"a", "b", "c"};
  const SpreadReport report = MakeSpreadReport(parts.Build(), options);
  const SpreadStatus& status = report.constraints.at(0);
  EXPECT_EQ(status.skew(), 0);
  EXPECT_EQ(status.domain_count, 2);
  EXPECT_EQ(status.expected_skew, 2);
  EXPECT_EQ(status.absent_zones, std::vector<std::string>{"c"});
  EXPECT_EQ(report.summaries.at(0).worst_expected_skew, 2);
}

TEST(SpreadTest, AZoneThatIsRuledOutIsNotExpected) {
  SpreadOptions options;
  options.expected_zones = {"a", "b", "c", "d"};
  const auto absent = [&](const kube::PodSpec& spec) {
    ClusterParts parts = ThreeRealZones();
    parts.Pod("p", "a1", {{"app", "web"}}).spec = Spec(spec);
    std::string text;
    const SpreadReport report = MakeSpreadReport(parts.Build(), options);
    for (const std::string& zone : report.constraints.at(0).absent_zones) text += zone;
    return text;
  };
  kube::PodSpec spec = With({kRealZone});
  EXPECT_EQ(absent(spec), "d");  // has no nodes
  EXPECT_EQ(absent(WithAffinity(spec, {kZoneKey, SelectorOp::kIn, {"a", "b"}})), "");
  EXPECT_EQ(absent(WithAffinity(spec, {kZoneKey, SelectorOp::kIn, {"a", "d"}})), "d");
  EXPECT_EQ(absent(WithAffinity(spec, {"disk", SelectorOp::kIn, {"ssd"}})), "d");
  spec.node_selector = {{kZoneKey, "b"}};
  EXPECT_EQ(absent(spec), "");
}

TEST(SpreadTest, ADeadZoneCountsUnlessTaintsAreHonored) {
  ClusterParts parts = ThreeRealZones();
  parts.nodes[2].taints.push_back({"node.kubernetes.io/unreachable", "", "NoExecute"});
  parts.Pod("p", "a1", {{"app", "web"}}).spec = SpecWith(kRealZone);
  parts.Pod("q", "b1", {{"app", "web"}}).spec = SpecWith(kRealZone);
  SpreadOptions options;
  options.expected_zones = {"a", "b", "c"};
  SpreadStatus status = MakeSpreadReport(parts.Build(), options).constraints.at(0);
  EXPECT_EQ(Counts(status), "a=1 b=1 c=0");  // the next pod in a or b would exceed maxSkew
  EXPECT_EQ(status.skew(), 1);

  for (kube::Pod& pod : parts.pods) pod.spec = SpecWith(HonorTaints(kRealZone));
  status = MakeSpreadReport(parts.Build(), options).constraints.at(0);
  EXPECT_EQ(Counts(status), "a=1 b=1");
  EXPECT_EQ(status.skew(), 0);
  EXPECT_EQ(status.expected_skew, 1);  // it still should be there
}

TEST(SpreadTest, TellsHowManyPodsADeadZoneWouldLeavePending) {
  struct Case {
    const char* name;
    std::vector<const char*> pods;
    kube::TopologySpreadConstraint constraint;
    std::int64_t want;  // without zone c
  };
  const std::vector<const char*> even = {"a1", "b1", "c1"};
  const std::vector<const char*> six = {"a1", "a1", "b1", "b1", "c1", "c1"};
  auto two = kRealZone;
  two.max_skew = 2;
  const Case cases[] = {
      {"the dead zone holds the others at one pod each", even, kRealZone, 1},
      {"and more pods are stuck the more there are", six, kRealZone, 2},
      {"room for one each", even, two, 0},
      {"empty zones take a pod each", {"c1", "c1", "c1"}, kRealZone, 1},
      {"taints take the zone out of the count", six, HonorTaints(kRealZone), 0},
      {"but minDomains brings the 0 back", six, MinDomains(HonorTaints(kRealZone), 3), 2},
      {"fewer minDomains do not", six, MinDomains(HonorTaints(kRealZone), 2), 0},
      {"soft", six, Soft(kRealZone), 0},
      {"nothing in the zone", {"a1", "b1"}, kRealZone, 0},
  };
  for (const Case& c : cases) {
    ClusterParts parts = ThreeRealZones();
    for (const char* node : c.pods) {
      parts.Pod("p" + std::to_string(parts.pods.size()), node, {{"app", "web"}}).spec =
          SpecWith(c.constraint);
    }
    const SpreadReport report = MakeSpreadReport(parts.Build(), {});
    EXPECT_EQ(report.constraints.at(0).PendingWithout("c"), c.want) << c.name;
  }
}

// A Deployment with an old and a new ReplicaSet, each with two pods in one zone.
ClusterParts Rollout(std::vector<std::string> match_label_keys) {
  ClusterParts parts = ThreeRealZones();
  const auto spec = SpecWith(LabelKeys(kRealZone, std::move(match_label_keys)));
  auto& deployment = ClusterParts::Named(parts.deployments, "web");
  deployment.template_labels = {{"app", "web"}};
  deployment.template_spec = spec;
  std::int64_t created_ms = 0;
  for (const char* hash : {"zz-old", "aa-new"}) {
    auto& set = ClusterParts::Named(parts.replica_sets, std::string("web-") + hash);
    set.meta.created_ms = ++created_ms;
    set.owners.push_back({"Deployment", "web", true});
    set.template_labels = {{"app", "web"}, {"pod-template-hash", hash}};
    set.template_spec = spec;
    const bool is_new = created_ms == 2;
    for (const char* node : is_new ? std::vector{"b1", "c1"} : std::vector{"a1", "a1"}) {
      kube::Pod& pod = parts.Pod(set.meta.name + "-" + std::to_string(parts.pods.size()), node,
                                 set.template_labels);
      pod.owners = {{"ReplicaSet", set.meta.name, true}};
      pod.spec = spec;
    }
  }
  return parts;
}

TEST(SpreadTest, InARolloutOldPodsCountUnlessTheKeysTellThemApart) {
  const SpreadReport report = MakeSpreadReport(Rollout({}).Build(), {});
  ASSERT_EQ(report.constraints.size(), 1u);
  EXPECT_EQ(Counts(report.constraints[0]), "a=2 b=1 c=1");
  EXPECT_EQ(report.constraints[0].carriers, 4);
  EXPECT_TRUE(report.constraints[0].newest);
  EXPECT_EQ(report.constraints[0].workload, (WorkloadRef{"shop", "Deployment", "web"}));
}

TEST(SpreadTest, EachTemplateHasItsOwnConstraintAndTheNewestComesFirst) {
  const SpreadReport report = MakeSpreadReport(Rollout({"pod-template-hash"}).Build(), {});
  ASSERT_EQ(report.constraints.size(), 2u);
  EXPECT_EQ(Counts(report.constraints[0]), "a=0 b=1 c=1");
  EXPECT_TRUE(report.constraints[0].newest);
  EXPECT_EQ(Counts(report.constraints[1]), "a=2 b=0 c=0");
  EXPECT_FALSE(report.constraints[1].newest);
  ASSERT_EQ(report.summaries.size(), 1u);
  EXPECT_EQ(report.summaries[0].count, 2u);
  EXPECT_EQ(report.summaries[0].newest, 0u);
  EXPECT_EQ(report.summaries[0].worst_skew, 2);
  EXPECT_TRUE(report.summaries[0].violated);
}

TEST(SpreadTest, AfterARollbackTheOldReplicaSetIsTheNewestTemplate) {
  ClusterParts parts = Rollout({"pod-template-hash"});
  kube::PodSpec other = *parts.deployments[0].template_spec;
  other.priority = 7;
  parts.replica_sets[1].template_spec = Spec(other);  // no longer what the Deployment says
  const SpreadReport report = MakeSpreadReport(parts.Build(), {});
  EXPECT_EQ(Counts(report.constraints.at(0)), "a=2 b=0 c=0");
  EXPECT_TRUE(report.constraints[0].newest);
}

TEST(SpreadTest, KeysThatTheServerMergedAreNotDemandedTwice) {
  auto constraint = LabelKeys(kRealZone, {"pod-template-hash"});
  constraint.selector->requirements.push_back({"pod-template-hash", SelectorOp::kIn, {"1"}});
  const auto selector = EffectiveSelector(constraint, {{"app", "web"}, {"pod-template-hash", "1"}});
  EXPECT_EQ(kube::SelectorText(selector), "app=web,pod-template-hash in (1)");
}

TEST(SpreadTest, PodsOfADaemonSetHaveNothingToSpread) {
  ClusterParts parts = ThreeRealZones();
  ClusterParts::Named(parts.daemon_sets, "agent");
  for (const char* node : {"a1", "b1"}) {
    kube::Pod& pod = parts.Pod(std::string("agent-") + node, node, {{"app", "web"}});
    pod.owners = {{"DaemonSet", "agent", true}};
    pod.pinned_node = node;
    pod.spec = SpecWith(kRealZone);
  }
  const SpreadReport report = MakeSpreadReport(parts.Build(), {{"a", "b", "c"}, {}});
  ASSERT_EQ(report.constraints.size(), 1u);
  EXPECT_TRUE(report.constraints[0].pinned);
  EXPECT_EQ(report.constraints[0].carriers, 2);
  EXPECT_EQ(report.constraints[0].skew(), 0);
  EXPECT_FALSE(report.constraints[0].expected_skew);
}

TEST(SpreadTest, ThousandsOfDomainsAreJudgedButNotKept) {
  ClusterParts parts;
  for (int i = 0; i < 65; ++i) parts.ZoneNode("n" + std::to_string(i), "a");
  parts.Pod("p", "n1", {{"app", "web"}}).spec =
      SpecWith(Constraint("kubernetes.io/hostname", 1, Label("app", "web")));
  const SpreadReport report = MakeSpreadReport(parts.Build(), {});
  EXPECT_EQ(report.constraints.at(0).domain_count, 65);
  EXPECT_EQ(report.constraints[0].skew(), 1);
  EXPECT_TRUE(report.constraints[0].domains.empty());
}

// ---- Cluster defaults ----

TEST(SpreadTest, DefaultsApplyToPodsOfAServiceWithoutConstraintsOfTheirOwn) {
  // After TestPreFilterState/default constraints and a service, and its neighbours.
  ClusterParts parts = ThreeRealZones();
  parts.Node("bare", {{"kubernetes.io/hostname", "bare"}});
  parts.Pod("p", "a1", {{"app", "web"}, {"tier", "x"}});
  parts.Pod("q", "a1", {{"app", "other"}});
  parts.Pod("own", "a1", {{"app", "web"}}).spec = SpecWith(Constraint("node", 1, HasLabel("foo")));
  parts.pods.back().owners = {{"Rollout", "own", true}};
  ClusterParts::Named(parts.services, "web").selector = {{"app", "web"}};
  SpreadOptions options;
  options.defaults = SystemDefaultConstraints();
  const SpreadReport report = MakeSpreadReport(parts.Build(), options);
  ASSERT_EQ(report.constraints.size(), 3u);  // two defaults of web, one of own
  const SpreadStatus& zone = *Find(report, kZoneKey);
  EXPECT_TRUE(zone.cluster_default);
  EXPECT_EQ(zone.selector, "app=web");
  EXPECT_EQ(Counts(zone), "a=2 b=0 c=0");
  EXPECT_EQ(zone.carriers, 1);
  EXPECT_EQ(zone.max_skew, 5);
  // The built-in defaults count nodes that lack one of the keys; a list does not.
  EXPECT_EQ(Find(report, "kubernetes.io/hostname")->domain_count, 4);
  options.defaults.all_keys_needed = true;
  EXPECT_EQ(Find(MakeSpreadReport(parts.Build(), options), "kubernetes.io/hostname")->domain_count,
            3);
}

TEST(SpreadTest, DefaultsTakeTheSelectorOfAReplicaSet) {
  ClusterParts parts = ThreeRealZones();
  kube::Pod& pod = parts.Pod("web-1-x", "a1", {{"app", "web"}, {"pod-template-hash", "1"}});
  pod.owners = {{"ReplicaSet", "web-1", true}};
  auto& set = ClusterParts::Named(parts.replica_sets, "web-1");
  set.selector = kube::LabelSelector{{{"app", "web"}, {"pod-template-hash", "1"}}, {}};
  SpreadOptions options;
  options.defaults = SystemDefaultConstraints();
  const SpreadReport report = MakeSpreadReport(parts.Build(), options);
  EXPECT_EQ(Find(report, kZoneKey)->selector, "app in (web),pod-template-hash in (1)");
  parts.replica_sets.clear();
  EXPECT_TRUE(MakeSpreadReport(parts.Build(), options).constraints.empty());
}

}  // namespace
}  // namespace azexporter::zones
