#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "azexporter/audit/audit.h"

namespace azexporter::audit {
namespace {

Report TwoBudgets() {
  Manifests manifests;
  manifests.Add(
      "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b, namespace: n}\n"
      "spec: {minAvailable: 2, maxUnavailable: 1, selector: {}}\n---\n[\n",
      "a.yaml");
  return Audit(manifests, {});
}

TEST(ReportTest, TextNamesPlaceObjectAndFix) {
  EXPECT_EQ(ToText(TwoBudgets()),
            "a.yaml:4:25: error: budget-both-fields: PodDisruptionBudget n/b: minAvailable 2 and "
            "maxUnavailable 1 exclude each other\n"
            "    fix: Keep one; maxUnavailable follows the number of replicas by itself.\n\n"
            "1 object audited: 1 error, 0 warnings, 0 info\n");
  EXPECT_EQ(ToText({}), "0 objects audited: 0 errors, 0 warnings, 0 info\n");
  EXPECT_EQ(ToText({.ignored = 2}),
            "0 objects audited: 0 errors, 0 warnings, 0 info; 2 ignored by annotation\n");
}

TEST(ReportTest, JsonHasFindingsAndFaults) {
  const auto json = nlohmann::json::parse(ToJson(TwoBudgets()));
  ASSERT_EQ(json["findings"].size(), 1u);
  const auto& finding = json["findings"][0];
  EXPECT_EQ(finding["check"], "budget-both-fields");
  EXPECT_EQ(finding["severity"], "error");
  EXPECT_EQ(finding["kind"], "PodDisruptionBudget");
  EXPECT_EQ(finding["namespace"], "n");
  EXPECT_EQ(finding["name"], "b");
  EXPECT_EQ(finding["line"], 4);
  EXPECT_EQ(finding["column"], 25);
  EXPECT_EQ(json["faults"].size(), 1u);
  EXPECT_EQ(json["objects"], 1);
}

TEST(ReportTest, SarifNamesFilesByUri) {
  Report report = TwoBudgets();
  report.findings[0].file = "/a b/standard input";
  const auto sarif = nlohmann::json::parse(ToSarif(report, ""));
  EXPECT_EQ(
      sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
      "/a%20b/standard%20input");
}

// Of a running cluster.
TEST(ReportTest, AFindingWithoutAFileHasAnObject) {
  Report report = TwoBudgets();
  report.faults.clear();
  report.findings[0].file.clear();
  EXPECT_TRUE(ToText(report).starts_with("error: budget-both-fields: PodDisruptionBudget n/b: "))
      << ToText(report);
  const auto location =
      nlohmann::json::parse(ToSarif(report, ""))["runs"][0]["results"][0]["locations"][0];
  EXPECT_FALSE(location.contains("physicalLocation"));
  EXPECT_EQ(location["logicalLocations"][0]["fullyQualifiedName"], "PodDisruptionBudget n/b");
}

TEST(ReportTest, SarifPointsIntoItsRules) {
  const auto sarif = nlohmann::json::parse(ToSarif(TwoBudgets(), "1.2.3"));
  EXPECT_EQ(sarif["version"], "2.1.0");
  const auto& run = sarif["runs"][0];
  const auto& rules = run["tool"]["driver"]["rules"];
  EXPECT_EQ(rules.size(), Checks().size());
  ASSERT_EQ(run["results"].size(), 1u);
  const auto& result = run["results"][0];
  EXPECT_EQ(rules[result["ruleIndex"].get<std::size_t>()]["id"], result["ruleId"]);
  EXPECT_EQ(result["level"], "error");
  const auto& location = result["locations"][0]["physicalLocation"];
  EXPECT_EQ(location["artifactLocation"]["uri"], "a.yaml");
  EXPECT_EQ(location["region"]["startLine"], 4);
  EXPECT_EQ(run["invocations"][0]["executionSuccessful"], false);
  EXPECT_EQ(run["invocations"][0]["toolExecutionNotifications"].size(), 1u);
}

}  // namespace
}  // namespace azexporter::audit
