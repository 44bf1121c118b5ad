#include "azexporter/audit/live.h"

#include <gtest/gtest.h>

#include "support/cluster_builder.h"

namespace azexporter::audit {
namespace {

std::shared_ptr<const kube::DestinationRule> Rule(const std::string& name,
                                                  const std::string& locality) {
  kube::DestinationRule rule;
  rule.meta.name = name;
  rule.meta.ns = "shop";
  rule.json =
      R"({"apiVersion":"networking.istio.io/v1","kind":"DestinationRule","metadata":{"name":")" +
      name + R"(","namespace":"shop","managedFields":[{"fieldsV1":{"f:spec":{}}}]},"spec":)" +
      R"({"host":")" + name + R"(","trafficPolicy":{"loadBalancer":{"localityLbSetting":)" +
      R"({"distribute":[{"from":")" + locality + R"(","to":{")" + locality + R"(":100}}]}}}}})";
  return std::make_shared<const kube::DestinationRule>(std::move(rule));
}

// Nodes of the zones "left" and "right", of which no name of a zone tells.
kube::ClusterState Cluster(kube::Objects<kube::DestinationRule> rules, int nodes = 2) {
  kube::ClusterState::Parts parts;
  kube::Objects<kube::Node> made;
  for (int i = 0; i < nodes; ++i) {
    kube::Node node;
    node.meta.name = "n" + std::to_string(i);
    test::AddLabel(node.meta, "topology.kubernetes.io/zone", i % 2 == 0 ? "left" : "right");
    made.push_back(std::make_shared<const kube::Node>(std::move(node)));
  }
  parts.nodes = kube::MakeList(std::move(made));
  parts.destination_rules = kube::MakeList(std::move(rules));
  return kube::ClusterState(std::move(parts));
}

TEST(LiveAuditTest, JudgesCustomResourcesByTheZonesOfTheNodes) {
  LiveAudit audit;
  const auto report = audit.Update(Cluster({Rule("a", "left/left/*"), Rule("b", "here/left/*")}));
  EXPECT_TRUE(report->faults.empty());
  EXPECT_EQ(report->objects, 2u);
  ASSERT_EQ(report->findings.size(), 1u) << ToText(*report);
  EXPECT_EQ(report->findings[0].check->name, "istio-locality-region");
  EXPECT_EQ(report->findings[0].Object(), "DestinationRule shop/a");
}

TEST(LiveAuditTest, IsMadeAnewOnlyWhereSomethingChanged) {
  LiveAudit audit;
  const auto rule = Rule("a", "left/left/*");
  const auto first = audit.Update(Cluster({rule}));
  EXPECT_EQ(audit.Update(Cluster({rule})), first);  // other nodes, with the same labels
  EXPECT_NE(audit.Update(Cluster({rule}, 3)), first);
  const auto repaired = audit.Update(Cluster({Rule("a", "here/left/*")}));
  EXPECT_NE(repaired, first);
  EXPECT_TRUE(repaired->findings.empty());
}

TEST(LiveAuditTest, FindsNothingWhereThereIsNothing) {
  LiveAudit audit;
  const auto report = audit.Update(kube::ClusterState());
  EXPECT_TRUE(report->findings.empty());
  EXPECT_EQ(report->objects, 0u);
}

}  // namespace
}  // namespace azexporter::audit
