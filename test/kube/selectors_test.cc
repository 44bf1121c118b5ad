// What selectors, node affinity and tolerations match, by Kubernetes's rules.

#include "azexporter/kube/selectors.h"

#include <gtest/gtest.h>

#include "azexporter/kube/pod_spec.h"

namespace azexporter::kube {
namespace {

const StringMap kLabels = {{"app", "web"}, {"empty", ""}, {"shard", "7"}, {"tier", "front"}};

struct RequirementCase {
  Requirement requirement;
  bool matches;
};

TEST(RequirementTest, Matches) {
  using Op = SelectorOp;
  const RequirementCase kCases[] = {
      {{"app", Op::kIn, {"api", "web"}}, true},
      {{"app", Op::kIn, {"api"}}, false},
      {{"app", Op::kIn, {}}, false},
      {{"none", Op::kIn, {""}}, false},
      {{"empty", Op::kIn, {""}}, true},
      {{"app", Op::kNotIn, {"api"}}, true},
      {{"app", Op::kNotIn, {"web"}}, false},
      {{"none", Op::kNotIn, {"web"}}, true},
      {{"empty", Op::kExists, {}}, true},
      {{"none", Op::kExists, {}}, false},
      {{"none", Op::kDoesNotExist, {}}, true},
      {{"app", Op::kDoesNotExist, {}}, false},
      {{"shard", Op::kGt, {"6"}}, true},
      {{"shard", Op::kGt, {"7"}}, false},
      {{"shard", Op::kLt, {"8"}}, true},
      {{"shard", Op::kLt, {"-8"}}, false},
      {{"shard", Op::kLt, {"x"}}, false},
      {{"shard", Op::kLt, {"8", "9"}}, false},
      {{"app", Op::kGt, {"0"}}, false},
      {{"none", Op::kLt, {"8"}}, false},
  };
  for (const auto& [requirement, matches] : kCases) {
    EXPECT_EQ(requirement.Matches(kLabels), matches)
        << SelectorText(LabelSelector{.match_labels = {}, .requirements = {requirement}});
  }
}

TEST(LabelSelectorTest, AnAbsentOneMatchesNothingAnEmptyOneEverything) {
  EXPECT_FALSE(Matches(std::nullopt, kLabels));
  EXPECT_TRUE(Matches(LabelSelector{}, kLabels));
  EXPECT_TRUE(Matches(LabelSelector{}, {}));
  LabelSelector both{{{"app", "web"}}, {{"tier", SelectorOp::kNotIn, {"back"}}}};
  EXPECT_TRUE(both.Matches(kLabels));
  both.requirements.push_back({"none", SelectorOp::kExists, {}});
  EXPECT_FALSE(both.Matches(kLabels));
  EXPECT_FALSE((LabelSelector{{{"none", ""}}, {}}).Matches(kLabels)) << "absent is not empty";
}

TEST(LabelSelectorTest, PrintsAsKubectlDoes) {
  EXPECT_EQ(SelectorText(std::nullopt), "<none>");
  EXPECT_EQ(SelectorText(LabelSelector{}), "");
  EXPECT_EQ(SelectorText(LabelSelector{{{"app", "web"}},
                                       {{"tier", SelectorOp::kIn, {"a", "b"}},
                                        {"old", SelectorOp::kDoesNotExist, {}},
                                        {"x", SelectorOp::kNotIn, {"y"}}}}),
            "app=web,tier in (a,b),!old,x notin (y)");
}

TEST(NodeSelectorTest, TermsAreAlternatives) {
  const StringMap labels = {{"topology.kubernetes.io/zone", "a"}};
  const NodeSelectorTerm in_a{{{"topology.kubernetes.io/zone", SelectorOp::kIn, {"a"}}}, {}};
  const NodeSelectorTerm in_b{{{"topology.kubernetes.io/zone", SelectorOp::kIn, {"b"}}}, {}};
  const NodeSelectorTerm named{{}, {{"metadata.name", SelectorOp::kIn, {"n1"}}}};
  const NodeSelectorTerm other_field{{}, {{"spec.x", SelectorOp::kIn, {"n1"}}}};
  EXPECT_TRUE((NodeSelector{{in_b, in_a}}).Matches("n2", labels));
  EXPECT_FALSE((NodeSelector{{in_b}}).Matches("n2", labels));
  EXPECT_FALSE((NodeSelector{{}}).Matches("n2", labels)) << "no term matches no node";
  EXPECT_FALSE((NodeSelector{{{}}}).Matches("n2", labels)) << "an empty term matches no node";
  EXPECT_TRUE((NodeSelector{{named}}).Matches("n1", {}));
  EXPECT_FALSE((NodeSelector{{named}}).Matches("n2", {}));
  EXPECT_FALSE((NodeSelector{{other_field}}).Matches("n1", {}));
}

TEST(PodSpecTest, NodeSelectorAndAffinityMustBothAdmitANode) {
  PodSpec spec;
  EXPECT_TRUE(spec.AdmitsNode("n1", {}));
  spec.node_selector = {{"disk", "ssd"}};
  EXPECT_FALSE(spec.AdmitsNode("n1", {}));
  EXPECT_TRUE(spec.AdmitsNode("n1", {{"disk", "ssd"}}));
  spec.required_node_affinity =
      NodeSelector{{NodeSelectorTerm{{{"zone", SelectorOp::kIn, {"a"}}}, {}}}};
  EXPECT_FALSE(spec.AdmitsNode("n1", {{"disk", "ssd"}}));
  EXPECT_TRUE(spec.AdmitsNode("n1", {{"disk", "ssd"}, {"zone", "a"}}));
}

struct TolerationCase {
  Toleration toleration;
  Taint taint;
  bool tolerates;
};

TEST(TolerationTest, Tolerates) {
  using Op = Toleration::Op;
  const Taint gpu{"gpu", "true", "NoSchedule"};
  const TolerationCase kCases[] = {
      {{"gpu", Op::kEqual, "true", "NoSchedule"}, gpu, true},
      {{"gpu", Op::kEqual, "true", ""}, gpu, true},
      {{"gpu", Op::kEqual, "false", ""}, gpu, false},
      {{"gpu", Op::kEqual, "", ""}, gpu, false},
      {{"gpu", Op::kEqual, "", ""}, {"gpu", "", "NoExecute"}, true},
      {{"gpu", Op::kExists, "", "NoExecute"}, gpu, false},
      {{"gpu", Op::kExists, "", ""}, gpu, true},
      {{"", Op::kExists, "", ""}, gpu, true},
      {{"", Op::kExists, "", "NoExecute"}, gpu, false},
      {{"disk", Op::kExists, "", ""}, gpu, false},
      {{"gpu", Op::kOther, "true", ""}, gpu, false},
  };
  for (const TolerationCase& c : kCases) {
    EXPECT_EQ(Tolerates(c.toleration, c.taint), c.tolerates)
        << c.toleration.key << "=" << c.toleration.value << ":" << c.toleration.effect;
  }
  EXPECT_FALSE(Tolerates(std::vector<Toleration>(), gpu));
  EXPECT_TRUE(Tolerates({kCases[2].toleration, kCases[0].toleration}, gpu));
}

}  // namespace
}  // namespace azexporter::kube
