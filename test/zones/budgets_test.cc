#include "azexporter/zones/budgets.h"

#include <gtest/gtest.h>

#include "cluster_parts.h"
#include "reports.h"

namespace azexporter::zones {
namespace {

using test::ClusterParts;
using test::Label;

kube::PodDisruptionBudget& Budget(ClusterParts& parts, const std::string& name,
                                  const std::string& app) {
  auto& budget = ClusterParts::Named(parts.budgets, name);
  budget.selector = Label("app", app);
  return budget;
}

TEST(BudgetsTest, TellsWhatIsLeftWithoutAZone) {
  ClusterParts parts;
  parts.ZoneNode("a1", "a");
  parts.ZoneNode("b1", "b");
  for (const char* node : {"a1", "a1", "b1"}) {
    parts.Pod("p" + std::to_string(parts.pods.size()), node, {{"app", "web"}});
  }
  parts.Pod("unready", "b1", {{"app", "web"}}).ready = kube::ConditionStatus::kFalse;
  parts.Pod("leaving", "b1", {{"app", "web"}}).meta.terminating = true;
  parts.Pod("elsewhere", "b1", {{"app", "web"}}).meta.ns = "bank";
  auto& budget = Budget(parts, "web", "web");
  budget.min_available = {2, false};
  budget.generation = 3;
  budget.observed_generation = 3;
  budget.current_healthy = 3;
  budget.desired_healthy = 2;
  budget.disruptions_allowed = 1;
  budget.expected_pods = 4;
  BudgetStatus status = BudgetsOf(parts.Build()).at(0);
  EXPECT_EQ(status.selected_pods, 4);
  EXPECT_EQ(status.HeadroomWithout("a"), -1);
  EXPECT_EQ(status.HeadroomWithout("b"), 0);
  EXPECT_EQ(status.HeadroomWithout("c"), 1);
  EXPECT_FALSE(status.outdated);
  EXPECT_FALSE(status.blocks_now());
  EXPECT_FALSE(status.blocks_always);
  parts.budgets[0].generation = 4;
  EXPECT_TRUE(BudgetsOf(parts.Build()).at(0).outdated);
}

TEST(BudgetsTest, ABudgetMayAllowNoEvictionEver) {
  using Amount = std::optional<kube::IntOrPercent>;
  struct Case {
    const char* name;
    Amount min_available, max_unavailable;
    std::int64_t expected_pods;
    bool want;
  };
  const Case cases[] = {
      {"one may go", std::nullopt, {{1, false}}, 3, false},
      {"none may go", std::nullopt, {{0, false}}, 3, true},
      {"0 %", std::nullopt, {{0, true}}, 3, true},
      {"1 %, rounded up to one", std::nullopt, {{1, true}}, 3, false},
      {"all must stay", {{3, false}}, std::nullopt, 3, true},
      {"more than there are must stay", {{5, false}}, std::nullopt, 3, true},
      {"100 %", {{100, true}}, std::nullopt, 3, true},
      {"90 % of three, rounded up to all", {{90, true}}, std::nullopt, 3, true},
      {"90 % of twenty", {{90, true}}, std::nullopt, 20, false},
      {"no pods, nothing to block", {{1, false}}, std::nullopt, 0, false},
      {"neither is given", std::nullopt, std::nullopt, 3, false},
  };
  for (const Case& c : cases) {
    ClusterParts parts;
    auto& budget = Budget(parts, "web", "web");
    budget.min_available = c.min_available;
    budget.max_unavailable = c.max_unavailable;
    budget.expected_pods = c.expected_pods;
    const BudgetStatus status = BudgetsOf(parts.Build()).at(0);
    EXPECT_EQ(status.blocks_always, c.want) << c.name;
    EXPECT_EQ(status.blocks_now(), c.expected_pods > 0) << c.name;  // allows 0 in all rows
  }
}

TEST(BudgetsTest, FindsBudgetsThatSelectNothingOrTheSamePods) {
  ClusterParts parts;
  parts.Pod("p", "", {{"app", "web"}});
  parts.Pod("q", "", {{"app", "db"}});
  Budget(parts, "db", "db");
  Budget(parts, "typo", "wbe");
  Budget(parts, "web", "web");
  ClusterParts::Named(parts.budgets, "whole-namespace").selector = kube::LabelSelector();
  ClusterParts::Named(parts.budgets, "without-selector");
  auto& other = Budget(parts, "other-namespace", "web");
  other.meta.ns = "bank";
  std::string got;
  for (const BudgetStatus& status : BudgetsOf(parts.Build())) {
    got += status.ns + "/" + status.name + " " + std::to_string(status.selected_pods);
    for (const std::string& name : status.overlaps) got += " " + name;
    got += "\n";
    EXPECT_EQ(status.selects_nothing(), status.selected_pods == 0);
  }
  EXPECT_EQ(got,
            "bank/other-namespace 0\nshop/db 1 whole-namespace\nshop/typo 0\n"
            "shop/web 1 whole-namespace\nshop/whole-namespace 2 db web\n"
            "shop/without-selector 0\n");
}

}  // namespace
}  // namespace azexporter::zones
