// The rules of PrometheusRule objects, as they come, change and go.

#include "cluster_rules.h"

#include <gtest/gtest.h>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::app {
namespace {

kube::Object<kube::PrometheusRule> Rule(const std::string& ns, const std::string& name,
                                        const std::string& expr,
                                        kube::StringMap labels = {{"role", "alert-rules"}}) {
  kube::PrometheusRule rule;
  rule.meta.ns = ns;
  rule.meta.name = name;
  rule.meta.labels = std::move(labels);
  rule.json =
      R"({"apiVersion":"monitoring.coreos.com/v1","kind":"PrometheusRule","metadata":{"name":")" +
      name + R"(","namespace":")" + ns +
      R"("},"spec":{"groups":[{"name":"g","rules":[{"alert":"A","expr":")" + expr + R"("}]}]}})";
  return std::make_shared<const kube::PrometheusRule>(std::move(rule));
}

kube::ClusterState Cluster(kube::Objects<kube::PrometheusRule> rules, bool synced = true,
                           bool absent = false) {
  kube::ClusterState::Parts parts;
  parts.prometheus_rules = kube::MakeList(std::move(rules));
  parts.health.push_back({.resource = std::string(kube::PrometheusRule::kResource),
                          .synced = synced,
                          .optional = true,
                          .absent = absent});
  return kube::ClusterState(std::move(parts));
}

// "mon/a up == 0; ": objects and expressions in force.
std::string InForce(const ClusterRules& rules) {
  std::string text;
  for (const rules::RuleGroup& group : rules.groups()) {
    text += group.file.substr(std::string("PrometheusRule ").size()) + " " +
            group.rules.at(0).expr_text + "; ";
  }
  return text;
}

TEST(ClusterRulesTest, FollowTheObjectsThatAreSelected) {
  ClusterRules rules(base::Logger::Silent());
  rules.SetSelection(config::ObjectSelection{.selector = {{{"role", "alert-rules"}}, {}},
                                             .namespaces = {"mon", "shop"}});
  const auto a = Rule("mon", "a", "up == 0");
  const auto b = Rule("shop", "b", "up == 1");
  EXPECT_TRUE(rules.Update(Cluster({a, b, Rule("mon", "c", "up", {}), Rule("other", "d", "up")})));
  EXPECT_EQ(InForce(rules), "mon/a up == 0; shop/b up == 1; ");
  EXPECT_FALSE(rules.Update(Cluster({a, b}))) << "what is not selected changes nothing";
  EXPECT_TRUE(rules.Update(Cluster({Rule("mon", "a", "up < 1"), b})));
  EXPECT_EQ(InForce(rules), "mon/a up < 1; shop/b up == 1; ");
  EXPECT_TRUE(rules.Update(Cluster({b})));
  EXPECT_EQ(InForce(rules), "shop/b up == 1; ");
}

TEST(ClusterRulesTest, WhatCannotBeReadKeepsWhatWasThere) {
  ClusterRules rules(base::Logger::Silent());
  rules.SetSelection(config::ObjectSelection{});
  EXPECT_TRUE(rules.Update(Cluster({Rule("mon", "a", "up == 0"), Rule("mon", "b", "up ==")})));
  EXPECT_EQ(InForce(rules), "mon/a up == 0; ");
  EXPECT_EQ(rules.refused(), 1U);
  rules.Update(Cluster({Rule("mon", "a", "sum("), Rule("mon", "b", "up == 2")}));
  EXPECT_EQ(InForce(rules), "mon/a up == 0; mon/b up == 2; ");
  EXPECT_EQ(rules.refused(), 1U);
}

TEST(ClusterRulesTest, AreCompleteWhenTheClusterHasAnswered) {
  ClusterRules rules(base::Logger::Silent());
  EXPECT_TRUE(rules.complete()) << "none are asked for";
  rules.SetSelection(config::ObjectSelection{});
  EXPECT_FALSE(rules.complete());
  rules.Update(Cluster({}, /*synced=*/false));
  EXPECT_FALSE(rules.complete()) << "an error is no answer";
  EXPECT_TRUE(rules.Update(Cluster({}, /*synced=*/false, /*absent=*/true)));
  EXPECT_TRUE(rules.complete()) << "a cluster without the custom resource has none";
  EXPECT_TRUE(rules.Update(Cluster({Rule("mon", "a", "up")})));
  rules.Update(Cluster({}, /*synced=*/false));
  EXPECT_EQ(InForce(rules), "mon/a up; ") << "what is not known is not gone";
}

}  // namespace
}  // namespace azexporter::app
