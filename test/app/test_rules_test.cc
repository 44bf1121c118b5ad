#include <gtest/gtest.h>

#include <filesystem>

#include "app/run_command.h"
#include "azexporter/base/file.h"
#include "support/paths.h"

namespace azexporter::app {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTwoTests =
    "tests:\n"
    "- name: right\n"
    "  promql_expr_test: [{expr: '1', exp_samples: [{value: 1}]}]\n"
    "- name: wrong\n"
    "  promql_expr_test: [{expr: '1', exp_samples: [{value: 2}]}]\n";

TEST(TestRulesTest, TellsEachFileAndFailsWhenAnyTestDoes) {
  const std::string file = Put("two_test.yaml", kTwoTests);
  const Output all = RunAs(RunTestRules, "test", "rules", file.c_str());
  EXPECT_EQ(all.code, 1);
  EXPECT_EQ(all.out, "Unit Testing:  " + file +
                         "\n  FAILED:\n    name: wrong,\n    expr: \"1\", time: 0s, line: 5,\n"
                         "        exp: {} 2\n        got: {} 1\n\n");
  EXPECT_EQ(all.err, "");
  const Output run = RunAs(RunTestRules, "test", "rules", "--run", "^ri", file.c_str());
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, "Unit Testing:  " + file + "\n  SUCCESS\n\n");
  EXPECT_EQ(RunAs(RunTestRules, "test", "rules", "--run", "none", "--run", "wr", file.c_str()).code,
            1);
  const Output bad = RunAs(RunTestRules, "test", "rules", "--run", "(", file.c_str());
  EXPECT_EQ(bad.code, 1);
  EXPECT_TRUE(bad.err.starts_with("azexporter: --run: ")) << bad.err;
}

TEST(TestRulesTest, FailsForAFileThatIsNotThereAndGoesOn) {
  const std::string file = Put("two_test.yaml", kTwoTests);
  const Output output =
      RunAs(RunTestRules, "test", "rules", "/nowhere.yaml", "--run", "right", file.c_str());
  EXPECT_EQ(output.code, 1);
  EXPECT_EQ(output.out,
            "Unit Testing:  /nowhere.yaml\n  FAILED:\n"
            "    /nowhere.yaml: No such file or directory\n\n"
            "Unit Testing:  " +
                file + "\n  SUCCESS\n\n");
}

TEST(TestRulesTest, WritesJunitAndCoverageAndSamples) {
  Put("rules.yaml",
      "groups: [{name: g, rules: [{alert: A, expr: 1}, {alert: B, expr: vector(0) > 1}]}]\n");
  const std::string file = Put("alerts_test.yaml",
                               "rule_files: [rules.yaml]\n"
                               "tests:\n"
                               "- alert_rule_test: [{alertname: A, exp_alerts: [{}]}]\n");
  const std::string junit = Put("junit.xml", "");
  const Output output = RunAs(RunTestRules, "test", "rules", "--coverage", "--debug", "--junit",
                              junit.c_str(), file.c_str());
  EXPECT_EQ(output.code, 0);
  EXPECT_NE(output.out.find("Coverage: 1 of 2 alerting rules fired in a test (50.0%)\n"),
            std::string::npos)
      << output.out;
  EXPECT_NE(output.err.find("DEBUG: samples of unnamed#0:\nALERTS{"), std::string::npos)
      << output.err;
  const auto xml = base::ReadFile(junit);
  ASSERT_TRUE(xml);
  EXPECT_NE(xml->find("<testcase name=\"unnamed#0\"/>"), std::string::npos) << *xml;
  const Output nowhere =
      RunAs(RunTestRules, "test", "rules", "--junit", "/nowhere/junit.xml", file.c_str());
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_EQ(nowhere.err, "azexporter: --junit: /nowhere/junit.xml: No such file or directory\n");
}

TEST(TestRulesTest, ExitsAsPromtoolDoes) {
  const std::string folder = test::ConformanceFolder() + "/rules/promtool/";
  AZX_SKIP_WITHOUT(folder);
  struct Case {
    const char* file;
    const char* flag;  // nullptr: none
    const char* value;
    int code;
  };
  const Case cases[] = {
      {"long-period.yml", nullptr, nullptr, 0},
      {"at-modifier-test.yml", nullptr, nullptr, 0},
      {"negative-offset-test.yml", nullptr, nullptr, 0},
      {"no-test-group-interval.yml", nullptr, nullptr, 0},
      {"start-time-test.yml", nullptr, nullptr, 0},
      {"bad-input-series.yml", nullptr, nullptr, 1},
      {"bad-promql.yml", nullptr, nullptr, 1},
      {"bad-rules-syntax-test.yml", nullptr, nullptr, 1},
      {"bad-rules-error-test.yml", nullptr, nullptr, 1},
      {"failing.yml", nullptr, nullptr, 1},
      {"rules_run.yml", nullptr, nullptr, 1},
      {"rules_run.yml", "--run", "correct", 0},
      {"rules_run.yml", "--run", "wrong", 1},
      {"rules_run_extrafields.yml", nullptr, nullptr, 1},
      {"rules_run_extrafields.yml", "--ignore-unknown-fields", nullptr, 0},
      {"rules_run_fuzzy.yml", nullptr, nullptr, 1},
      {"rules_run_fuzzy.yml", "--run", "correct", 0},
      {"rules_run_no_fuzzy.yml", nullptr, nullptr, 1},
  };
  for (const Case& c : cases) {
    const std::string path = folder + c.file;
    const Output output = c.flag == nullptr ? RunAs(RunTestRules, "test", "rules", path.c_str())
                          : c.value == nullptr
                              ? RunAs(RunTestRules, "test", "rules", path.c_str(), c.flag)
                              : RunAs(RunTestRules, "test", "rules", path.c_str(), c.flag, c.value);
    EXPECT_EQ(output.code, c.code) << c.file << " " << (c.flag ? c.flag : "") << "\n" << output.out;
  }
}

TEST(TestRulesTest, PassesPromtoolsOwnTest) {
  const std::string file = test::ConformanceFolder() + "/rules/promtool/unittest.yml";
  AZX_SKIP_WITHOUT(fs::path(file).parent_path().string());
  const Output output = RunAs(RunTestRules, "test", "rules", file.c_str());
  EXPECT_EQ(output.code, 0) << output.out;
}

}  // namespace
}  // namespace azexporter::app
