#include <gtest/gtest.h>

#include <filesystem>

#include "app/run_command.h"
#include "azexporter/rules/rule_file.h"
#include "support/paths.h"

namespace azexporter::app {
namespace {

namespace fs = std::filesystem;

TEST(CheckRulesTest, TellsEachFileAsPromtoolDoes) {
  const std::string good = Put("good.yaml", "groups: [{name: a, rules: [{record: b, expr: up}]}]");
  const std::string bad = Put("bad.yaml", "groups: [{name: a, rules: [{expr: 'up >'}]}]\n");
  const Output output = RunAs(RunCheckRules, "check", "rules", good.c_str(), bad.c_str());
  EXPECT_EQ(output.code, 1);
  EXPECT_EQ(output.out,
            "Checking " + good + "\n  SUCCESS: 1 rules found\n\nChecking " + bad + "\n\n");
  EXPECT_EQ(output.err, "  FAILED:\n" + bad + ":1:28: one of 'record' or 'alert' must be set\n" +
                            bad +
                            ":1:35: could not parse expression of \"\": 1:5: parse error: "
                            "unexpected end of input\n");
  const Output nowhere = RunAs(RunCheckRules, "check", "rules", "/nowhere.yaml");
  EXPECT_EQ(nowhere.code, 1);
  EXPECT_EQ(nowhere.err, "  FAILED:\n/nowhere.yaml: No such file or directory\n");
}

TEST(CheckRulesTest, WarnsOfDocumentsThatAreNotRead) {
  const std::string file = Put("two.yaml", "groups: []\n---\ngroups: []\n");
  const Output output = RunAs(RunCheckRules, "check", "rules", file.c_str());
  EXPECT_EQ(output.code, 0);
  EXPECT_EQ(output.err, "  WARNING: " + file +
                            ": several YAML documents: only the first one is read, as Prometheus "
                            "does\n");
}

TEST(CheckRulesTest, LintIsChosenByName) {
  const std::string file = Put("rules.yaml",
                               "groups:\n- name: g\n  rules:\n"
                               "  - {alert: A, expr: count(x) < 1}\n"
                               "  - {record: r, expr: 1, labels: {a: b}}\n"
                               "  - {record: r, expr: 2, labels: {a: b}}\n");
  struct Case {
    const char* lint;
    bool duplicates;
    bool findings;
  };
  const Case cases[] = {
      {"all", true, true},         {"none", false, false},
      {"", false, false},          {"duplicate-rules", true, false},
      {"azexporter", false, true}, {"duplicate-rules,azexporter", true, true},
  };
  for (const Case& c : cases) {
    const Output output =
        RunAs(RunCheckRules, "check", "rules", "--lint", c.lint, "--lint-fatal", file.c_str());
    SCOPED_TRACE(c.lint);
    EXPECT_EQ(output.code, c.duplicates || c.findings ? 3 : 0);
    EXPECT_EQ(output.err.find("lint error 1 duplicate rule(s) found.\nMetric: r\nLabel(s):\n\ta: "
                              "b\nMight cause inconsistency while recording expressions\n") !=
                  std::string::npos,
              c.duplicates)
        << output.err;
    EXPECT_EQ(output.err.find(":4:31: error: never-true: A: ") != std::string::npos, c.findings)
        << output.err;
    EXPECT_EQ(RunAs(RunCheckRules, "check", "rules", "--lint", c.lint, file.c_str()).code, 0);
  }
  const Output unknown = RunAs(RunCheckRules, "check", "rules", "--lint", "x", file.c_str());
  EXPECT_EQ(unknown.code, 0);
  EXPECT_TRUE(unknown.out.starts_with("WARNING: unknown lint option: \"x\"\n")) << unknown.out;
  // By default both.
  EXPECT_EQ(RunAs(RunCheckRules, "check", "rules", "--lint-fatal", file.c_str()).code, 3);
}

TEST(CheckRulesTest, InformationIsNoFault) {
  const std::string file =
      Put("rules.yaml",
          "groups: [{name: g, rules: [{alert: A, expr: 'az_zone_state{colour=\"red\"} == 1'}]}]\n");
  const Output output = RunAs(RunCheckRules, "check", "rules", "--lint-fatal", file.c_str());
  EXPECT_EQ(output.code, 0);
  EXPECT_EQ(output.err, "");
  EXPECT_NE(
      output.out.find("  SUCCESS: 1 rules found\n" + file + ":1:46: info: unknown-label: A: "),
      std::string::npos)
      << output.out;
}

// The table of conformance/README.md.
TEST(CheckRulesTest, ExitsAsPromtoolDoes) {
  const std::string folder = test::ConformanceFolder() + "/rules/";
  AZX_SKIP_WITHOUT(folder);
  struct Case {
    const char* file;
    const char* flag;  // nullptr: none
    int code;
  };
  const Case cases[] = {
      {"promtool/rules.yml", nullptr, 0},
      {"promtool/rules.yml", "--lint-fatal", 0},
      {"promtool/rules-bad.yml", nullptr, 1},
      {"promtool/rules-bad.yml", "--lint-fatal", 1},
      {"promtool/rules_duplicates.yml", nullptr, 0},
      {"promtool/rules_duplicates.yml", "--lint-fatal", 3},
      {"promtool/prometheus-rules.lint.yml", nullptr, 0},
      {"promtool/prometheus-rules.lint.yml", "--lint-fatal", 3},
      {"promtool/rules_extrafields.yml", nullptr, 1},
      {"promtool/rules_extrafields.yml", "--ignore-unknown-fields", 0},
      {"fixtures/invalid_rules.yaml", nullptr, 1},
  };
  for (const Case& c : cases) {
    const std::string path = folder + c.file;
    const Output output = c.flag == nullptr
                              ? RunAs(RunCheckRules, "check", "rules", path.c_str())
                              : RunAs(RunCheckRules, "check", "rules", path.c_str(), c.flag);
    EXPECT_EQ(output.code, c.code) << c.file << "\n" << output.err;
  }
  for (const auto& entry : fs::directory_iterator(folder + "fixtures")) {
    const std::string path = entry.path().string();
    if (path.ends_with("/invalid_rules.yaml")) continue;
    EXPECT_EQ(RunAs(RunCheckRules, "check", "rules", path.c_str()).code, 0) << path;
  }
}

TEST(ExportRulesTest, WritesAnObjectThatReadsBackAsItWas) {
  const Output output = RunAs(RunExportRules, "rules", "export", "--name", "az", "--namespace",
                              "monitoring", "--label", "prometheus=k8s", "--label", "role=rules");
  EXPECT_EQ(output.code, 0);
  EXPECT_TRUE(
      output.out.starts_with("apiVersion: monitoring.coreos.com/v1\n"
                             "kind: PrometheusRule\n"
                             "metadata:\n"
                             "  name: \"az\"\n"
                             "  namespace: \"monitoring\"\n"
                             "  labels:\n"
                             "    \"prometheus\": \"k8s\"\n"
                             "    \"role\": \"rules\"\n"
                             "spec:\n"
                             "  groups:\n"
                             "  - name: \"azexporter-zones\"\n"))
      << output.out.substr(0, 400);
  const auto read = rules::ParseRuleFile(output.out, "object.yaml");
  const auto want = rules::ParseRuleFile(rules::RecommendedPack(), "pack.yaml");
  ASSERT_TRUE(read.has_value()) << read.error().message();
  ASSERT_EQ(read->size(), want->size());
  for (std::size_t g = 0; g < want->size(); ++g) {
    ASSERT_EQ((*read)[g].rules.size(), (*want)[g].rules.size());
    for (std::size_t r = 0; r < (*want)[g].rules.size(); ++r) {
      const rules::Rule& a = (*read)[g].rules[r];
      const rules::Rule& b = (*want)[g].rules[r];
      EXPECT_EQ(
          std::tie(a.name, a.expr_text, a.for_ms, a.keep_firing_for_ms, a.labels, a.annotations),
          std::tie(b.name, b.expr_text, b.for_ms, b.keep_firing_for_ms, b.labels, b.annotations));
    }
  }
}

TEST(ExportRulesTest, KeepsWhatIsHardToWrite) {
  const std::string file = Put("rules.yaml",
                               "groups:\n- name: \"a: #\"\n  interval: 90s\n  query_offset: 1m\n"
                               "  limit: 5\n  labels: {t: 'x\"y\\z'}\n  rules:\n"
                               "  - record: r\n    expr: \"\\n  up\\n\\n== 1 # c\"\n"
                               "  - record: s\n    expr: \"up\\t== 1\\n\\nor x\\n\"\n"
                               "- name: empty\n");
  const Output output = RunAs(RunExportRules, "rules", "export", file.c_str());
  ASSERT_EQ(output.code, 0) << output.err;
  const auto read = rules::ParseRuleFile(output.out, "object.yaml");
  ASSERT_TRUE(read.has_value()) << read.error().message() << output.out;
  const rules::RuleGroup& group = read->front();
  EXPECT_EQ(group.name, "a: #");
  EXPECT_EQ(group.interval_ms, 90'000);
  EXPECT_EQ(group.query_offset_ms, 60'000);
  EXPECT_EQ(group.limit, 5);
  EXPECT_EQ(group.rules[0].expr_text, "\n  up\n\n== 1 # c");
  EXPECT_EQ(group.rules[1].expr_text, "up\t== 1\n\nor x\n");
  EXPECT_EQ(group.rules[1].labels, (rules::TemplateMap{{"t", "x\"y\\z"}}));
  const Output twice = RunAs(RunExportRules, "rules", "export", file.c_str(), file.c_str());
  EXPECT_EQ(twice.code, 1);
  EXPECT_EQ(twice.err, "azexporter: two groups are named \"a: #\": an object must not have both\n");
  EXPECT_EQ(RunAs(RunExportRules, "rules", "export", "--label", "x").code, 1);
}

}  // namespace
}  // namespace azexporter::app
