// Spread counted as kube-scheduler counts it: rows after the tests of its PodTopologySpread plugin.

#include <gtest/gtest.h>

#include "spread_helpers.h"

namespace azexporter::zones {
namespace {

// An incoming pod and the pods that are there. The pod stands in the cluster as a pending one,
// alone in its workload, so that the report's constraints are those of that pod.

struct PodRow {
  const char* node;
  kube::StringMap labels;
  const char* ns = "shop";
  bool terminating = false;
};

struct NodeRow {
  const char* name;
  kube::StringMap labels;
  bool cordoned = false;  // with the taint that the node controller adds
};

struct Row {
  const char* source;  // test and row in podtopologyspread/filtering_test.go
  kube::StringMap labels;
  kube::PodSpec spec;
  std::vector<NodeRow> nodes;
  std::vector<PodRow> pods;
  std::vector<std::pair<std::string, std::string>> want;  // key: counts
  std::int64_t want_least = -1;                           // of the first; -1: the smallest count
};

std::vector<NodeRow> TwoZones() {
  return {{"node-a", {{"node", "node-a"}, {"zone", "zone1"}}},
          {"node-b", {{"node", "node-b"}, {"zone", "zone1"}}},
          {"node-x", {{"node", "node-x"}, {"zone", "zone2"}}},
          {"node-y", {{"node", "node-y"}, {"zone", "zone2"}}}};
}
std::vector<NodeRow> OneNodeInZone2() {
  std::vector<NodeRow> nodes = TwoZones();
  nodes.erase(nodes.begin() + 2);
  return nodes;
}
std::vector<NodeRow> ThreeZones() {
  std::vector<NodeRow> nodes = TwoZones();
  nodes.push_back({"node-o", {{"node", "node-o"}, {"zone", "zone3"}}});
  return nodes;
}
std::vector<NodeRow> FooFooBar() {
  return {{"node-a", {{"foo", ""}, {"node", "node-a"}}},
          {"node-b", {{"foo", ""}, {"node", "node-b"}}},
          {"node-c", {{"bar", ""}, {"node", "node-c"}}}};
}
std::vector<NodeRow> CordonedC() {
  return {{"node-a", {{"node", "node-a"}}},
          {"node-b", {{"node", "node-b"}}},
          {"node-c", {{"bar", ""}, {"node", "node-c"}}, true}};
}

std::vector<PodRow> Placed(std::vector<const char*> on, kube::StringMap labels = {{"foo", ""}}) {
  std::vector<PodRow> pods;
  for (const char* node : on) pods.push_back({node, labels});
  return pods;
}

const kube::TopologySpreadConstraint kZoneFoo = Constraint("zone", 1, HasLabel("foo"));
const kube::TopologySpreadConstraint kNodeFoo = Constraint("node", 1, HasLabel("foo"));
const kube::TopologySpreadConstraint kNodeBar = Constraint("node", 1, HasLabel("bar"));
const kube::StringMap kFoo = {{"foo", ""}};
const kube::StringMap kBar = {{"bar", ""}};
const kube::StringMap kFooBar = {{"bar", ""}, {"foo", ""}};

std::vector<Row> PreFilterRows() {
  const std::vector<const char*> three_two = {"node-a", "node-a", "node-b", "node-y", "node-y"};
  const std::vector<const char*> three_four = {"node-a", "node-a", "node-b", "node-y",
                                               "node-y", "node-y", "node-y"};
  const std::vector<PodRow> bars = Placed({"node-a", "node-b", "node-b"}, kBar);
  std::vector<PodRow> namespaces = Placed({"node-a", "node-b", "node-y"});
  namespaces.push_back({"node-a", kFoo, "ns1"});
  namespaces.push_back({"node-y", kFoo, "ns2"});
  return {
      {"TestPreFilterState/clean cluster with one spreadConstraint",
       kFoo,
       With({Constraint("zone", 5, Label("foo", "bar"))}),
       TwoZones(),
       {},
       {{"zone", "zone1=0 zone2=0"}}},
      {"TestPreFilterState/normal case with one spreadConstraint",
       kFoo,
       With({kZoneFoo}),
       TwoZones(),
       Placed(three_two),
       {{"zone", "zone1=3 zone2=2"}}},
      {"TestPreFilterState/normal case with null label selector",
       kFoo,
       With({Constraint("zone", 1, std::nullopt)}),
       TwoZones(),
       Placed(three_two),
       {{"zone", "zone1=0 zone2=0"}}},
      {"TestPreFilterState/normal case with one spreadConstraint, on a 3-zone cluster",
       kFoo,
       With({kZoneFoo}),
       ThreeZones(),
       Placed(three_two),
       {{"zone", "zone1=3 zone2=2 zone3=0"}}},
      {"TestPreFilterState/namespace mismatch doesn't count",
       kFoo,
       With({kZoneFoo}),
       TwoZones(),
       namespaces,
       {{"zone", "zone1=2 zone2=1"}}},
      {"TestPreFilterState/normal case with two spreadConstraints",
       kFoo,
       With({kZoneFoo, kNodeFoo}),
       TwoZones(),
       Placed(three_four),
       {{"zone", "zone1=3 zone2=4"}, {"node", "node-a=2 node-b=1 node-x=0 node-y=4"}}},
      {"TestPreFilterState/different labelSelectors - simple version",
       kFooBar,
       With({kZoneFoo, kNodeBar}),
       OneNodeInZone2(),
       {{"node-a", kFoo}, {"node-b", kBar}},
       {{"zone", "zone1=1 zone2=0"}, {"node", "node-a=0 node-b=1 node-y=0"}}},
      {"TestPreFilterState/different labelSelectors - complex pods",
       kFooBar,
       With({kZoneFoo, kNodeBar}),
       OneNodeInZone2(),
       {{"node-a", kFoo},
        {"node-a", kFooBar},
        {"node-b", kFoo},
        {"node-y", kFoo},
        {"node-y", kFooBar},
        {"node-y", kFoo},
        {"node-y", kFooBar}},
       {{"zone", "zone1=3 zone2=4"}, {"node", "node-a=1 node-b=0 node-y=2"}}},
      {"TestPreFilterState/two spreadConstraints, and with podAffinity",
       kFoo,
       WithAffinity(With({kZoneFoo, kNodeFoo}), {"node", SelectorOp::kNotIn, {"node-x"}}),
       TwoZones(),
       Placed(three_four),
       {{"zone", "zone1=3 zone2=4"}, {"node", "node-a=2 node-b=1 node-y=4"}}},
      {"TestPreFilterState/NodeAffinityPolicy honored with labelSelectors",
       kFoo,
       WithNodeSelector(With({kNodeBar})),
       FooFooBar(),
       bars,
       {{"node", "node-a=1 node-b=2"}}},
      {"TestPreFilterState/NodeAffinityPolicy ignored with labelSelectors",
       kFoo,
       WithNodeSelector(With({IgnoreAffinity(kNodeBar)})),
       FooFooBar(),
       bars,
       {{"node", "node-a=1 node-b=2 node-c=0"}}},
      {"TestPreFilterState/NodeAffinityPolicy honored with nodeAffinity",
       kFoo,
       WithAffinity(With({kNodeBar}), {"foo", SelectorOp::kIn, {""}}),
       FooFooBar(),
       bars,
       {{"node", "node-a=1 node-b=2"}}},
      {"TestPreFilterState/NodeTaintsPolicy honored",
       kFoo,
       With({HonorTaints(kNodeBar)}),
       CordonedC(),
       bars,
       {{"node", "node-a=1 node-b=2"}}},
      {"TestPreFilterState/NodeTaintsPolicy honored with tolerated taints",
       kFoo,
       Tolerating(With({HonorTaints(kNodeBar)})),
       CordonedC(),
       bars,
       {{"node", "node-a=1 node-b=2 node-c=0"}}},
      {"TestPreFilterState/two node inclusion Constraints, zone: honor/ignore, node: ignore/ignore",
       kFoo,
       WithNodeSelector(With({kZoneFoo, IgnoreAffinity(kNodeFoo)})),
       {{"node-a", {{"foo", ""}, {"node", "node-a"}, {"zone", "zone1"}}},
        {"node-b", {{"node", "node-b"}, {"zone", "zone1"}}},
        {"node-x", {{"foo", ""}, {"node", "node-x"}, {"zone", "zone2"}}}},
       Placed({"node-b", "node-b", "node-x"}),
       {{"zone", "zone1=0 zone2=1"}, {"node", "node-a=0 node-b=2 node-x=1"}}},
      {"TestPreFilterState/two node inclusion Constraints, zone: honor/honor, node: honor/ignore",
       kFoo,
       With({HonorTaints(kZoneFoo), kNodeFoo}),
       {{"node-a", {{"node", "node-a"}, {"zone", "zone1"}}},
        {"node-b", {{"node", "node-b"}, {"zone", "zone1"}}, true},
        {"node-x", {{"node", "node-x"}, {"zone", "zone2"}}}},
       Placed({"node-b", "node-b", "node-x"}),
       {{"zone", "zone1=0 zone2=1"}, {"node", "node-a=0 node-b=2 node-x=1"}}},
      {"TestPreFilterState/two node inclusion Constraints, zone: ignore/ignore, node: honor/honor",
       kFoo,
       WithNodeSelector(With({IgnoreAffinity(kZoneFoo), HonorTaints(kNodeFoo)})),
       {{"node-a", {{"node", "node-a"}, {"zone", "zone1"}}},
        {"node-b", {{"foo", ""}, {"node", "node-b"}, {"zone", "zone1"}}, true},
        {"node-x", {{"foo", ""}, {"node", "node-x"}, {"zone", "zone2"}}},
        {"node-y", {{"foo", ""}, {"node", "node-y"}, {"zone", "zone2"}}}},
       Placed({"node-a", "node-a", "node-x", "node-x", "node-y"}),
       {{"zone", "zone1=2 zone2=3"}, {"node", "node-x=2 node-y=1"}}},
      {"TestPreFilterState/matchLabelKeys ANDed with LabelSelector when LabelSelector isn't empty",
       {{"bar", "a"}, {"foo", ""}},
       With({LabelKeys(kZoneFoo, {"bar"})}),
       TwoZones(),
       {{"node-a", kFoo},
        {"node-a", {{"bar", "a"}, {"foo", ""}}},
        {"node-b", kFoo},
        {"node-y", {{"bar", "a"}, {"foo", ""}}},
        {"node-y", kBar}},
       {{"zone", "zone1=1 zone2=1"}}},
      {"TestPreFilterState/matchLabelKeys ANDed with LabelSelector when LabelSelector is empty",
       {{"foo", "a"}},
       With({LabelKeys(Constraint("zone", 1, kube::LabelSelector()), {"foo"})}),
       TwoZones(),
       Placed(three_two, {{"foo", "a"}}),
       {{"zone", "zone1=3 zone2=2"}}},
      {"TestPreFilterState/key in matchLabelKeys is ignored when LabelSelector is nil",
       kFoo,
       With({LabelKeys(Constraint("zone", 1, std::nullopt), {"bar"})}),
       TwoZones(),
       Placed(three_two),
       {{"zone", "zone1=0 zone2=0"}}},
  };
}

std::vector<Row> SingleConstraintRows() {
  std::vector<NodeRow> typo = TwoZones();
  typo[1].labels = {{"node", "node-b"}, {"zon", "zone1"}};
  const std::vector<const char*> two_one_none_three = {"node-a", "node-a", "node-b",
                                                       "node-y", "node-y", "node-y"};
  std::vector<PodRow> leaving = Placed({"node-b"});
  leaving.push_back({"node-a", kFoo, "shop", true});
  const std::vector<NodeRow> abc = {{"node-a", {{"node", "node-a"}}},
                                    {"node-b", {{"node", "node-b"}}},
                                    {"node-c", {{"node", "node-c"}}}};
  const std::vector<const char*> two_two_one = {"node-a", "node-a", "node-b", "node-b", "node-c"};
  const auto node_two = Constraint("node", 2, HasLabel("foo"));
  return {
      {"TestSingleConstraint/pods spread across zones as 1/2 due to absence of label 'zone'",
       kFoo,
       With({kZoneFoo}),
       typo,
       Placed({"node-a", "node-b", "node-x", "node-y"}),
       {{"zone", "zone1=1 zone2=2"}}},
      {"TestSingleConstraint/pod cannot be scheduled as all nodes don't have label 'rack'",
       kFoo,
       With({Constraint("rack", 1, HasLabel("foo"))}),
       TwoZones(),
       {},
       {{"rack", ""}},
       0},
      {"TestSingleConstraint/pods spread across nodes as 2/1/0/3, only node-x fits",
       kFoo,
       With({kNodeFoo}),
       TwoZones(),
       Placed(two_one_none_three),
       {{"node", "node-a=2 node-b=1 node-x=0 node-y=3"}}},
      {"TestSingleConstraint/incoming pod has nodeAffinity, pods spread as 2/~1~/~0~/3",
       kFoo,
       WithAffinity(With({kNodeFoo}), {"node", SelectorOp::kIn, {"node-a", "node-y"}}),
       TwoZones(),
       Placed(two_one_none_three),
       {{"node", "node-a=2 node-y=3"}}},
      {"TestSingleConstraint/terminating Pods should be excluded",
       kFoo,
       With({kNodeFoo}),
       {{"node-a", {{"node", "node-a"}}}, {"node-b", {{"node", "node-b"}}}},
       leaving,
       {{"node", "node-a=0 node-b=1"}}},
      {"TestSingleConstraint/incoming pod has nodeAffinity, pods spread as 0/~2~/0/1",
       kFoo,
       WithAffinity(With({kZoneFoo}), {"node", SelectorOp::kNotIn, {"node-b"}}),
       TwoZones(),
       Placed({"node-b", "node-b", "node-y"}),
       {{"zone", "zone1=0 zone2=1"}}},
      {"TestSingleConstraint/2/2/1, maxSkew is 2, and the number of domains < minDomains",
       kFoo,
       With({MinDomains(node_two, 4)}),
       abc,
       Placed(two_two_one),
       {{"node", "node-a=2 node-b=2 node-c=1"}},
       0},
      {"TestSingleConstraint/2/2/1, maxSkew is 2, and the number of domains > minDomains",
       kFoo,
       With({MinDomains(node_two, 2)}),
       abc,
       Placed(two_two_one),
       {{"node", "node-a=2 node-b=2 node-c=1"}},
       1},
      {"TestSingleConstraint/2/1, maxSkew is 2 and the number of domains < minDomains",
       kFoo,
       With({MinDomains(Constraint("zone", 2, HasLabel("foo")), 3)}),
       TwoZones(),
       Placed({"node-a", "node-b", "node-y"}),
       {{"zone", "zone1=2 zone2=1"}},
       0},
  };
}

// The pod under test is not on a node, so it adds nothing to any count.
ClusterParts ClusterOf(const Row& row) {
  ClusterParts parts;
  for (const NodeRow& is : row.nodes) {
    kube::Node& node = parts.Node(is.name, is.labels);
    if (!is.cordoned) continue;
    node.unschedulable = true;
    node.taints.push_back({"node.kubernetes.io/unschedulable", "", "NoSchedule"});
  }
  int number = 0;
  for (const PodRow& is : row.pods) {
    kube::Pod& pod = parts.Pod("there-" + std::to_string(++number), is.node, is.labels);
    pod.meta.ns = is.ns;
    pod.meta.terminating = is.terminating;
    pod.owners = {};
  }
  parts.Pod("incoming", "", row.labels).spec = Spec(row.spec);
  return parts;
}

class SpreadRowTest : public testing::TestWithParam<Row> {};

TEST_P(SpreadRowTest, CountsAsTheScheduler) {
  const Row& row = GetParam();
  const SpreadReport report = MakeSpreadReport(ClusterOf(row).Build(), {});
  ASSERT_EQ(report.constraints.size(), row.want.size());
  for (const auto& [key, counts] : row.want) {
    const SpreadStatus* status = Find(report, key);
    ASSERT_NE(status, nullptr) << key;
    EXPECT_EQ(Counts(*status), counts) << key;
    EXPECT_FALSE(status->expected_skew);
  }
  const SpreadStatus& first = *Find(report, row.want[0].first);
  std::int64_t least = first.domains.empty() ? 0 : first.domains[0].pods;
  for (const DomainCount& domain : first.domains) least = std::min(least, domain.pods);
  EXPECT_EQ(first.least, row.want_least == -1 ? least : row.want_least);
}

std::string RowName(const testing::TestParamInfo<Row>& info) {
  std::string name = std::to_string(info.index) + "_" + info.param.source;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name;
}
void PrintTo(const Row& row, std::ostream* out) { *out << row.source; }

INSTANTIATE_TEST_SUITE_P(PreFilter, SpreadRowTest, testing::ValuesIn(PreFilterRows()), RowName);
INSTANTIATE_TEST_SUITE_P(Single, SpreadRowTest, testing::ValuesIn(SingleConstraintRows()), RowName);

TEST(SpreadSchedulerTest, SoftAndHardConstraintsAreJudgedWithTheirOwnKeys) {
  // After TestPreFilterState/soft spreadConstraints should be bypassed.
  Row row{"",
          kFoo,
          With({Soft(kZoneFoo), kZoneFoo, Soft(Constraint("rack", 1, HasLabel("foo")))}),
          TwoZones(),
          Placed({"node-a", "node-y"}),
          {}};
  row.nodes[0].labels = {{"node", "node-a"}, {"rack", "r1"}, {"zone", "zone1"}};
  const SpreadReport report = MakeSpreadReport(ClusterOf(row).Build(), {});
  ASSERT_EQ(report.constraints.size(), 3u);
  EXPECT_EQ(Counts(report.constraints[0]), "r1=1");             // rack, soft
  EXPECT_EQ(Counts(report.constraints[1]), "zone1=1 zone2=1");  // zone, hard
  EXPECT_EQ(Counts(report.constraints[2]), "zone1=1");          // zone, soft: needs a rack, too
}

TEST(SpreadSchedulerTest, SkewIsComparedWithMaxSkew) {
  Row row{"", kFoo, With({kZoneFoo}), TwoZones(), Placed({"node-a", "node-b"}), {}};
  SpreadStatus status = MakeSpreadReport(ClusterOf(row).Build(), {}).constraints.at(0);
  EXPECT_EQ(status.skew(), 2);
  EXPECT_TRUE(status.violated());
  row.spec.spread_constraints[0].max_skew = 2;
  status = MakeSpreadReport(ClusterOf(row).Build(), {}).constraints.at(0);
  EXPECT_FALSE(status.violated());
}

TEST(SpreadSchedulerTest, APodThatDoesNotMatchItselfIsNotSpread) {
  // After TestSingleConstraint/pods spread across nodes as 2/1/0/3, but pod doesn't match itself.
  const Row row{"", kBar, With({kNodeFoo}), TwoZones(), Placed({"node-a", "node-a"}), {}};
  const SpreadReport report = MakeSpreadReport(ClusterOf(row).Build(), {});
  EXPECT_FALSE(report.constraints.at(0).self_match);
  EXPECT_EQ(report.constraints.at(0).skew(), 2);
}

TEST(SpreadSchedulerTest, FinishedPodsAndPodsOnUnknownNodesDoNotCount) {
  ClusterParts parts = ClusterOf({"", kFoo, With({kZoneFoo}), TwoZones(), Placed({"node-a"}), {}});
  parts.Pod("done", "node-a", kFoo).phase = kube::PodPhase::kSucceeded;
  parts.Pod("failed", "node-y", kFoo).phase = kube::PodPhase::kFailed;
  parts.Pod("elsewhere", "gone", kFoo);
  const SpreadReport report = MakeSpreadReport(parts.Build(), {});
  EXPECT_EQ(Counts(report.constraints.at(0)), "zone1=1 zone2=0");
}

}  // namespace
}  // namespace azexporter::zones
