#include "azexporter/zones/spread.h"

#include <gtest/gtest.h>

#include "cluster_parts.h"

namespace azexporter::zones {
namespace {

using kube::NodeInclusionPolicy;
using kube::SelectorOp;
using kube::WhenUnsatisfiable;
using test::ClusterParts;
using test::Constraint;
using test::HasLabel;
using test::kZoneKey;
using test::Label;
using test::Spec;
using test::SpecWith;

// "zone1=3 zone2=2"
std::string Counts(const SpreadStatus& status) {
  std::string text;
  for (const DomainCount& domain : status.domains) {
    text += (text.empty() ? "" : " ") + domain.domain + "=" + std::to_string(domain.pods);
  }
  return text;
}

const SpreadStatus* Find(const SpreadReport& report, std::string_view key) {
  for (const SpreadStatus& status : report.constraints) {
    if (status.topology_key == key) return &status;
  }
  return nullptr;
}

// ---- Rows after kube-scheduler's tests ----
//
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

kube::PodSpec With(std::vector<kube::TopologySpreadConstraint> constraints) {
  kube::PodSpec spec;
  spec.spread_constraints = std::move(constraints);
  return spec;
}
kube::PodSpec WithNodeSelector(kube::PodSpec spec) {
  spec.node_selector = {{"foo", ""}};
  return spec;
}
kube::PodSpec WithAffinity(kube::PodSpec spec, kube::Requirement requirement) {
  spec.required_node_affinity = {{{{std::move(requirement)}, {}}}};
  return spec;
}
kube::PodSpec Tolerating(kube::PodSpec spec) {
  spec.tolerations = {{"node.kubernetes.io/unschedulable", kube::Toleration::Op::kExists, "", ""}};
  return spec;
}

kube::TopologySpreadConstraint Soft(kube::TopologySpreadConstraint constraint) {
  constraint.when_unsatisfiable = WhenUnsatisfiable::kScheduleAnyway;
  return constraint;
}
kube::TopologySpreadConstraint IgnoreAffinity(kube::TopologySpreadConstraint constraint) {
  constraint.node_affinity_policy = NodeInclusionPolicy::kIgnore;
  return constraint;
}
kube::TopologySpreadConstraint HonorTaints(kube::TopologySpreadConstraint constraint) {
  constraint.node_taints_policy = NodeInclusionPolicy::kHonor;
  return constraint;
}
kube::TopologySpreadConstraint MinDomains(kube::TopologySpreadConstraint constraint,
                                          std::int64_t min_domains) {
  constraint.min_domains = min_domains;
  return constraint;
}
kube::TopologySpreadConstraint LabelKeys(kube::TopologySpreadConstraint constraint,
                                         std::vector<std::string> keys) {
  constraint.match_label_keys = std::move(keys);
  return constraint;
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
    pod.owners.clear();
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

TEST(SpreadTest, SoftAndHardConstraintsAreJudgedWithTheirOwnKeys) {
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

TEST(SpreadTest, SkewIsComparedWithMaxSkew) {
  Row row{"", kFoo, With({kZoneFoo}), TwoZones(), Placed({"node-a", "node-b"}), {}};
  SpreadStatus status = MakeSpreadReport(ClusterOf(row).Build(), {}).constraints.at(0);
  EXPECT_EQ(status.skew(), 2);
  EXPECT_TRUE(status.violated());
  row.spec.spread_constraints[0].max_skew = 2;
  status = MakeSpreadReport(ClusterOf(row).Build(), {}).constraints.at(0);
  EXPECT_FALSE(status.violated());
}

TEST(SpreadTest, APodThatDoesNotMatchItselfIsNotSpread) {
  // After TestSingleConstraint/pods spread across nodes as 2/1/0/3, but pod doesn't match itself.
  const Row row{"", kBar, With({kNodeFoo}), TwoZones(), Placed({"node-a", "node-a"}), {}};
  const SpreadReport report = MakeSpreadReport(ClusterOf(row).Build(), {});
  EXPECT_FALSE(report.constraints.at(0).self_match);
  EXPECT_EQ(report.constraints.at(0).skew(), 2);
}

TEST(SpreadTest, FinishedPodsAndPodsOnUnknownNodesDoNotCount) {
  ClusterParts parts = ClusterOf({"", kFoo, With({kZoneFoo}), TwoZones(), Placed({"node-a"}), {}});
  parts.Pod("done", "node-a", kFoo).phase = kube::PodPhase::kSucceeded;
  parts.Pod("failed", "node-y", kFoo).phase = kube::PodPhase::kFailed;
  parts.Pod("elsewhere", "gone", kFoo);
  const SpreadReport report = MakeSpreadReport(parts.Build(), {});
  EXPECT_EQ(Counts(report.constraints.at(0)), "zone1=1 zone2=0");
}

// ---- Traps ----

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
  parts.Pod("own", "a1", {{"app", "web"}}).spec = SpecWith(kNodeFoo);
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
