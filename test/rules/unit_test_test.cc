#include "azexporter/rules/unit_test.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>

namespace azexporter::rules {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRules =
    "groups:\n"
    "- name: zones\n"
    "  rules:\n"
    "  - alert: ZoneDown\n"
    "    expr: up == 0\n"
    "    for: 2m\n"
    "    labels: {severity: page}\n"
    "    annotations: {summary: '{{ $labels.zone }} of {{ $externalLabels.region }} is down'}\n"
    "  - record: zones:up\n"
    "    expr: sum(up)\n"
    "  - alert: Never\n"
    "    expr: up > 1\n"
    "    annotations: {link: '{{ $externalURL }}'}\n";

class UnitTestTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              ("azx_" + std::string(testing::UnitTest::GetInstance()->current_test_info()->name()));
    fs::create_directories(folder_);
    Put("rules.yaml", kRules);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string Put(const std::string& name, std::string_view text) const {
    const std::string path = folder_ / name;
    std::ofstream(path) << text;
    return path;
  }

  UnitTestReport RunFile(std::string_view text, const UnitTestOptions& options = {}) const {
    return RunUnitTests(Put("x_test.yaml", text), options);
  }

  // Everything that went wrong, without the folder; "" where all passed.
  std::string Told(const UnitTestReport& report) const {
    std::string text = report.error.empty() ? "" : report.error + "\n";
    for (const UnitTestCase& test : report.cases) {
      for (const std::string& failure : test.failures) text += failure + "\n";
    }
    const std::string prefix = folder_.string() + "/";
    for (std::size_t at = 0; (at = text.find(prefix)) != std::string::npos;) {
      text.erase(at, prefix.size());
    }
    return text;
  }
  std::string Run(std::string_view text) const { return Told(RunFile(text)); }

  // One test over a zone that is down from 1m on.
  static std::string ZoneTest(std::string_view checks) {
    return "rule_files: [rules.yaml]\n"
           "tests:\n"
           "- name: down\n"
           "  external_labels: {region: r1}\n"
           "  input_series: [{series: 'up{zone=\"a\"}', values: '1 0x9'}]\n" +
           std::string(checks);
  }

  fs::path folder_;
};

TEST_F(UnitTestTest, PassesWhereAllIsAsExpected) {
  EXPECT_EQ(Run(ZoneTest("  alert_rule_test:\n"
                         "  - {eval_time: 2m, alertname: ZoneDown}\n"
                         "  - eval_time: 3m59s\n"
                         "    alertname: ZoneDown\n"
                         "    exp_alerts:\n"
                         "    - exp_labels: {zone: a, severity: page}\n"
                         "      exp_annotations: {summary: a of r1 is down}\n"
                         "  promql_expr_test:\n"
                         "  - {expr: 'zones:up', eval_time: 0, exp_samples: [{labels: 'zones:up', "
                         "value: 1}]}\n"
                         "  - {expr: 'ALERTS{alertstate=\"firing\"}', eval_time: 2m}\n")),
            "");
}

TEST_F(UnitTestTest, TemplatesAskTheSeriesOfTheTest) {
  Put("asks.yaml",
      "groups:\n"
      "- name: g\n"
      "  rules:\n"
      "  - alert: Down\n"
      "    expr: count(up == 0) > 0\n"
      "    annotations:\n"
      "      zones: '{{ range query \"up == 0\" | sortByLabel \"zone\" }}{{ .Labels.zone }} {{ end "
      "}}'\n"
      "      since: '{{ (now | toTime).Format \"15:04\" }}'\n");
  EXPECT_EQ(Run("rule_files: [asks.yaml]\n"
                "tests:\n"
                "- input_series:\n"
                "  - {series: 'up{zone=\"b\"}', values: '0x9'}\n"
                "  - {series: 'up{zone=\"a\"}', values: '1 0x9'}\n"
                "  alert_rule_test:\n"
                "  - eval_time: 2m\n"
                "    alertname: Down\n"
                "    exp_alerts:\n"
                "    - exp_annotations: {zones: 'a b ', since: '00:02'}\n"),
            "");
}

TEST_F(UnitTestTest, TellsAnAlertThatIsNotAsExpected) {
  const std::string test = ZoneTest(
      "  alert_rule_test:\n"
      "  - eval_time: 3m\n"
      "    alertname: ZoneDown\n"
      "    exp_alerts: [{exp_labels: {zone: b, severity: page}}]\n");
  EXPECT_EQ(Run(test),
            "    name: down,\n"
            "    alertname: ZoneDown, time: 3m, line: 7,\n"
            "        exp:[\n"
            "            0:\n"
            "              Labels:{alertname=\"ZoneDown\", severity=\"page\", zone=\"b\"}\n"
            "              Annotations:{}\n"
            "            ],\n"
            "        got:[\n"
            "            0:\n"
            "              Labels:{alertname=\"ZoneDown\", severity=\"page\", zone=\"a\"}\n"
            "              Annotations:{summary=\"a of r1 is down\"}\n"
            "            ]\n");
  EXPECT_EQ(Told(RunFile(test, {.diff = true})),
            "    name: down,\n"
            "    alertname: ZoneDown, time: 3m, line: 7,\n"
            "        diff (- expected, + got):\n"
            "            firing\n"
            "              label alertname=\"ZoneDown\"\n"
            "              label severity=\"page\"\n"
            "          -   label zone=\"b\"\n"
            "          +   label zone=\"a\"\n"
            "          +   annotation summary=\"a of r1 is down\"\n");
}

TEST_F(UnitTestTest, LooksAtPendingAlertsWhereATestAsksForThem) {
  EXPECT_EQ(Run(ZoneTest("  alert_rule_test:\n"
                         "  - {eval_time: 2m, alertname: ZoneDown, exp_alerts: []}\n"
                         "  - eval_time: 2m\n"
                         "    alertname: ZoneDown\n"
                         "    exp_alerts:\n"
                         "    - state: pending\n"
                         "      exp_labels: {zone: a, severity: page}\n"
                         "      exp_annotations: {summary: a of r1 is down}\n"
                         "  - eval_time: 3m\n"
                         "    alertname: ZoneDown\n"
                         "    exp_alerts:\n"
                         "    - state: firing\n"
                         "      exp_labels: {zone: a, severity: page}\n"
                         "      exp_annotations: {summary: a of r1 is down}\n")),
            "");
  EXPECT_EQ(Run(ZoneTest("  alert_rule_test:\n"
                         "  - eval_time: 0m\n"
                         "    alertname: ZoneDown\n"
                         "    exp_alerts: [{state: pending}]\n")),
            "    name: down,\n"
            "    alertname: ZoneDown, time: 0s, line: 7,\n"
            "        exp:[\n"
            "            0:\n"
            "              State:pending\n"
            "              Labels:{alertname=\"ZoneDown\"}\n"
            "              Annotations:{}\n"
            "            ],\n"
            "        got:[]\n");
}

TEST_F(UnitTestTest, TellsSamplesThatAreNotAsExpected) {
  EXPECT_EQ(
      Run(ZoneTest("  promql_expr_test:\n"
                   "  - {expr: up, exp_samples: [{labels: 'up{zone=\"a\"}', value: 2}]}\n"
                   "  - {expr: 'up > 1', exp_samples: [{value: .inf}]}\n"
                   "  - {expr: up +}\n"
                   "  - {expr: '\"text\"'}\n"
                   "  - {expr: up, exp_samples: [{labels: 'up{', value: 1}]}\n"
                   "  - {expr: up, exp_samples: [{histogram: '{{count:1}}'}]}\n"
                   "  - {expr: 0 / 0, exp_samples: [{value: .nan}]}\n")),
      "    name: down,\n"
      "    expr: \"up\", time: 0s, line: 7,\n"
      "        exp: up{zone=\"a\"} 2\n"
      "        got: up{zone=\"a\"} 1\n"
      "    name: down,\n"
      "    expr: \"up > 1\", time: 0s, line: 8,\n"
      "        exp: {} +Inf\n"
      "        got: nil\n"
      "    name: down,\n"
      "    expr: \"up +\", time: 0s, line: 9, err: 1:5: parse error: unexpected end of input\n"
      "    name: down,\n"
      "    expr: \"\\\"text\\\"\", time: 0s, line: 10, err: the result is not a vector or "
      "scalar\n"
      "    name: down,\n"
      "    expr: \"up\", time: 0s, line: 11, err: labels \"up{\": 1:4: parse error: "
      "unexpected end of input inside braces\n"
      "    name: down,\n"
      "    expr: \"up\", time: 0s, line: 12,\n"
      "        exp: {} {{count:1}}\n"
      "        got: up{zone=\"a\"} 1\n");
}

TEST_F(UnitTestTest, KnowsNativeHistograms) {
  EXPECT_EQ(Run("tests:\n"
                "- input_series:\n"
                "  - {series: h, values: '{{count:1 sum:2 buckets:[1]}}+{{count:1 sum:2 "
                "buckets:[1]}}x2'}\n"
                "  promql_expr_test:\n"
                "  - {expr: sum(h), exp_samples: [{histogram: '{{sum:2 count:1 buckets:[1]}}'}]}\n"
                "  - {expr: histogram_sum(h), eval_time: 1m, exp_samples: [{value: 4}]}\n"
                "  - {expr: h, exp_samples: [{labels: h, histogram: '{{count:2}}'}]}\n"
                "  - {expr: h, exp_samples: [{labels: h, histogram: '{{'}]}\n"),
            "    expr: \"h\", time: 0s, line: 7,\n"
            "        exp: h {{count:2}}\n"
            "        got: h {{count:1 sum:2 buckets:[1]}}\n"
            "    expr: \"h\", time: 0s, line: 8, err: histogram \"{{\": series values: \"{{\": a "
            "histogram without an end (}})\n");
}

TEST_F(UnitTestTest, DoesNotRunATestWhoseSeriesAreMalformed) {
  EXPECT_EQ(Run("tests:\n"
                "- input_series:\n"
                "  - {series: up, values: 1 2x}\n"
                "  - {series: '{', values: 1}\n"
                "  promql_expr_test: [{expr: up +}]\n"
                "- promql_expr_test: [{expr: '1', exp_samples: [{value: 1}]}]\n"),
            "    x_test.yaml:3:14: up: series values: \"2x\": invalid repetition in series values\n"
            "    x_test.yaml:4:14: {: 1:2: parse error: unexpected end of input inside braces\n");
}

TEST_F(UnitTestTest, EndsATestWhenARuleFails) {
  Put("rules.yaml",
      "groups: [{name: g, rules: [{record: r, expr: a / on(x) b}, {alert: A, expr: 1}]}]\n");
  const std::string told =
      Run("rule_files: [rules.yaml]\n"
          "tests:\n"
          "- input_series:\n"
          "  - {series: 'a{x=\"1\"}', values: _ 1}\n"
          "  - {series: 'b{x=\"1\",y=\"1\"}', values: 1x5}\n"
          "  - {series: 'b{x=\"1\",y=\"2\"}', values: 1x5}\n"
          "  alert_rule_test: [{eval_time: 5m, alertname: A}]\n"
          "  promql_expr_test: [{expr: up +}]\n");
  EXPECT_TRUE(told.starts_with("    rule: r, time: 1m, err: found duplicate series")) << told;
  EXPECT_EQ(told.find('\n'), told.size() - 1) << told;
}

TEST_F(UnitTestTest, RefusesAnAlertTestWithoutAName) {
  EXPECT_EQ(Run(ZoneTest("  alert_rule_test: [{eval_time: 1m}]\n")),
            "    name: down,\n"
            "    alertname: , time: 1m, line: 6, err: an alert_rule_test without an alertname\n");
}

TEST_F(UnitTestTest, RefusesFilesWithTheirPlace) {
  struct Case {
    std::string_view text;
    std::string_view error;
  };
  const Case cases[] = {
      {"tests: 1\n", "x_test.yaml:1:8: tests must be a list\n"},
      {"tests: [\n", "x_test.yaml:2:1: end of sequence flow not found\n"},
      {"test: []\n",
       "x_test.yaml:1:1: unknown key \"test\" (known here: rule_files, group_eval_order, "
       "evaluation_interval, fuzzy_compare, tests)\n"},
      {"tests:\n- {alert_rule_test: [{exp_alerts: [{labels: {a: b}}]}]}\n",
       "x_test.yaml:2:37: unknown key \"labels\" (known here: state, exp_labels, "
       "exp_annotations)\n"},
      {"tests:\n- {alert_rule_test: [{exp_alerts: [{state: inactive}]}]}\n",
       "x_test.yaml:2:44: state must be firing or pending, got \"inactive\"\n"},
      {"tests:\n- {interval: 5}\n", "x_test.yaml:2:14: not a valid duration string: \"5\"\n"},
      {"tests:\n- {start_timestamp: noon}\n",
       "x_test.yaml:2:21: cannot parse \"noon\" to a valid timestamp\n"},
      {"tests:\n- {start_timestamp: 1e300}\n",
       "x_test.yaml:2:21: cannot parse \"1e300\" to a valid timestamp\n"},
      {"tests:\n- {input_series: [{values: 1}]}\n", "x_test.yaml:2:19: missing key \"series\"\n"},
      {"tests:\n- {promql_expr_test: [{expr: a, exp_samples: [{value: one}]}]}\n",
       "x_test.yaml:2:55: expected a number, got \"one\"\n"},
      {"fuzzy_compare: maybe\n", "x_test.yaml:1:16: expected true or false, got \"maybe\"\n"},
      {"rule_files: rules.yaml\n", "x_test.yaml:1:13: expected a list of strings\n"},
      {"rule_files: [x_test.yaml]\n",
       "x_test.yaml:1:1: unknown key \"rule_files\" (known here: groups)\n"},
      {"group_eval_order: [a, b, a]\n", "group name repeated in evaluation order: a\n"},
      {"{}\n---\n{}\n", "x_test.yaml:3:1: a second document where one was expected\n"},
  };
  for (const Case& c : cases) EXPECT_EQ(Run(c.text), c.error) << c.text;
  EXPECT_EQ(Run(""), "");
}

TEST_F(UnitTestTest, PassesOverUnknownKeysOnRequest) {
  Put("rules.yaml",
      "owner: me\ngroups: [{name: g, team: t, rules: [{alert: A, expr: 1, x: y}]}]\n");
  const std::string text =
      "rule_files: [rules.yaml]\n"
      "tests: [{alert_rule_test: [{alertname: A, note: n, exp_alerts: [{}]}]}]\n";
  EXPECT_EQ(Told(RunFile(text, {.unknown_keys = UnknownKeys::kIgnore})), "");
  EXPECT_NE(Run(text), "");
}

TEST_F(UnitTestTest, WarnsOfPatternsAndNamesThatMeanNothing) {
  const UnitTestReport report = RunFile(
      "rule_files: [none.yaml, 'r*.yaml', rules.yaml]\n"
      "tests: [{alert_rule_test: [{alertname: ZoneDwon}, {alertname: ZoneDown}]}]\n");
  EXPECT_TRUE(report.passed()) << Told(report);
  const std::vector<std::string> warnings = {
      "no file match pattern " + (folder_ / "none.yaml").string(),
      report.file + ":2: no alerting rule is named ZoneDwon"};
  EXPECT_EQ(report.warnings, warnings);
  EXPECT_EQ(report.alerts.size(), 2U) << "a file that two patterns name counts once";
}

TEST_F(UnitTestTest, EvaluatesGroupsInTheOrderAskedFor) {
  Put("rules.yaml",
      "groups:\n"
      "- {name: second, rules: [{record: b, expr: a + 1}]}\n"
      "- {name: first, rules: [{record: a, expr: time()}]}\n");
  const std::string test =
      "rule_files: [rules.yaml]\n"
      "tests:\n"
      "- promql_expr_test: [{expr: b, eval_time: 1m, exp_samples: [{labels: b, value: 61}]}]\n";
  EXPECT_EQ(Run("group_eval_order: [first, second]\n" + test), "");
  EXPECT_NE(Run(test), "") << "as they stand in the file, b is made of the a of a minute ago";
}

// As in promtool: points after the last evaluation are not there yet.
TEST_F(UnitTestTest, LaysDownPointsUpToTheLastEvaluation) {
  EXPECT_EQ(Run("evaluation_interval: 1m\n"
                "tests:\n"
                "- interval: 10s\n"
                "  input_series: [{series: a, values: 0+1x20}]\n"
                "  promql_expr_test: [{expr: a, eval_time: 90s, exp_samples: [{labels: a, value: "
                "6}]}]\n"),
            "");
}

TEST_F(UnitTestTest, BeginsWhereATestSays) {
  EXPECT_EQ(Run("tests:\n"
                "- start_timestamp: 2024-01-01T00:00:00Z\n"
                "  input_series: [{series: a, values: \"1\\n2\"}]\n"
                "  promql_expr_test:\n"
                "  - {expr: timestamp(a), eval_time: 1m, exp_samples: [{value: 1704067260}]}\n"),
            "");
}

TEST_F(UnitTestTest, RefusesATestThatWouldNotEnd) {
  EXPECT_EQ(Run("evaluation_interval: 1ms\n"
                "tests: [{promql_expr_test: [{expr: '1', eval_time: 1y}]}]\n"),
            "    more than 1000000 evaluations, an evaluation_interval of 1ms up to 1y\n");
}

TEST_F(UnitTestTest, RunsOnlyTestsWhoseNameIsAskedFor) {
  const std::string text =
      "tests:\n"
      "- {name: first one, promql_expr_test: [{expr: up +}]}\n"
      "- {name: second, promql_expr_test: [{expr: up +}]}\n"
      "- {promql_expr_test: [{expr: up +}]}\n";
  const auto names = [&](const std::vector<std::string>& patterns) {
    std::string told;
    for (const UnitTestCase& test : RunFile(text, {.run = *NameFilter::Create(patterns)}).cases) {
      told += test.name + ";";
    }
    return told;
  };
  EXPECT_EQ(names({}), "first one;second;unnamed#2;");
  EXPECT_EQ(names({"one"}), "first one;");
  EXPECT_EQ(names({"^one", "sec.*d$"}), "second;");
  EXPECT_EQ(names({"^$"}), "unnamed#2;");
  EXPECT_FALSE(NameFilter::Create({"ok", "["}));
}

TEST_F(UnitTestTest, CountsTheAlertingRulesThatATestMadeFire) {
  const std::string checks =
      "  alert_rule_test:\n"
      "  - eval_time: 3m\n"
      "    alertname: ZoneDown\n"
      "    exp_alerts: [{exp_labels: {zone: a, severity: page}, exp_annotations: {summary: a of r1 "
      "is down}}]\n"
      "  - {eval_time: 3m, alertname: Never}\n";
  const UnitTestReport fires = RunFile(ZoneTest(checks));
  EXPECT_EQ(Told(fires), "");
  const UnitTestReport quiet =
      RunFile(ZoneTest("  promql_expr_test: [{expr: 'ALERTS > 1', eval_time: 9m}]\n"));
  const std::string rules = (folder_ / "rules.yaml").string();
  EXPECT_EQ(FormatCoverage(std::vector{fires, quiet}),
            "Coverage: 1 of 2 alerting rules fired in a test (50.0%)\n  " + rules +
                ":11: Never (group zones) fired in none\n");
  EXPECT_TRUE(FormatCoverage(std::vector{quiet}).starts_with("Coverage: 0 of 2 "));
  EXPECT_EQ(FormatCoverage({}), "Coverage: no alerting rules\n");
}

TEST(UnitTestReportTest, IsPrintedAsPromtoolAndAsJunit) {
  const std::vector<UnitTestReport> reports = {
      {.file = "a_test.yaml",
       .warnings = {"hm"},
       .cases = {{.name = "fine"},
                 {.name = "<b>", .failures = {"    one\n  two & more", "three"}}}},
      {.file = "b_test.yaml", .error = "b_test.yaml:1:1: no"},
      {.file = "c_test.yaml", .cases = {{.name = "fine"}}},
  };
  EXPECT_EQ(FormatUnitTests(reports[0]),
            "Unit Testing:  a_test.yaml\n  WARNING: hm\n  FAILED:\n    one\n  two & more\n\nthree\n"
            "\n");
  EXPECT_EQ(FormatUnitTests(reports[1]),
            "Unit Testing:  b_test.yaml\n  FAILED:\n    b_test.yaml:1:1: no\n\n");
  EXPECT_EQ(FormatUnitTests(reports[2]), "Unit Testing:  c_test.yaml\n  SUCCESS\n\n");
  EXPECT_EQ(FormatUnitTestsAsJunit(reports, 1'700'000'000'123),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<testsuites>\n"
            "  <testsuite name=\"a_test.yaml\" tests=\"2\" failures=\"1\" errors=\"0\" "
            "skipped=\"0\" timestamp=\"2023-11-14T22:13:20Z\">\n"
            "    <testcase name=\"fine\"/>\n"
            "    <testcase name=\"&lt;b&gt;\">\n"
            "      <failure>    one\n  two &amp; more</failure>\n"
            "      <failure>three</failure>\n"
            "    </testcase>\n"
            "  </testsuite>\n"
            "  <testsuite name=\"b_test.yaml\" tests=\"1\" failures=\"0\" errors=\"1\" "
            "skipped=\"0\" timestamp=\"2023-11-14T22:13:20Z\">\n"
            "    <testcase name=\"load\">\n"
            "      <error>b_test.yaml:1:1: no</error>\n"
            "    </testcase>\n"
            "  </testsuite>\n"
            "  <testsuite name=\"c_test.yaml\" tests=\"1\" failures=\"0\" errors=\"0\" "
            "skipped=\"0\" timestamp=\"2023-11-14T22:13:20Z\">\n"
            "    <testcase name=\"fine\"/>\n"
            "  </testsuite>\n"
            "</testsuites>\n");
}

TEST(UnitTestPacksTest, OwnPacksPass) {
  int files = 0;
  for (const auto& entry :
       fs::directory_iterator(std::string(AZX_SOURCE_DIR) + "/rules/alerts/tests")) {
    if (!entry.path().string().ends_with("_test.yaml")) continue;
    ++files;
    const UnitTestReport report = RunUnitTests(entry.path().string());
    EXPECT_TRUE(report.passed()) << FormatUnitTests(report);
    EXPECT_TRUE(report.warnings.empty()) << FormatUnitTests(report);
    EXPECT_FALSE(report.cases.empty()) << entry.path();
  }
  EXPECT_GE(files, 7);
}

// A good file with characters struck, doubled or changed is read or refused, and never harms.
TEST_F(UnitTestTest, WithstandsGarbage) {
  const std::string good = ZoneTest(
      "  interval: 1m\n"
      "  start_timestamp: 100\n"
      "  alert_rule_test: [{eval_time: 3m, alertname: ZoneDown, exp_alerts: [{exp_labels: {a: "
      "b}}]}]\n"
      "  promql_expr_test: [{expr: 'sum(up)', eval_time: 1m, exp_samples: [{labels: '{}', value: "
      "1}]}]\n");
  constexpr std::string_view kOther = "{}[]:,'\"\n -0x_9\xff\tyd&*!|>";
  std::mt19937 random(20);  // the same on every run
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = good;
    for (std::size_t edits = 1 + below(4); edits > 0; --edits) {
      const std::size_t at = below(text.size());
      switch (below(3)) {
        case 0:
          text.erase(at, 1 + below(5));
          break;
        case 1:
          text.insert(at, 1, kOther[below(kOther.size())]);
          break;
        default:
          text[at] = kOther[below(kOther.size())];
      }
    }
    const UnitTestReport report = RunFile(text);
    refused += report.error.empty() ? 0 : 1;
    EXPECT_FALSE(FormatUnitTests(report).empty());
  }
  EXPECT_GT(refused, 100);
  for (const std::string_view garbage : {"\x01\xff", "&a [*a]", "- - -", "tests: {}", "5", "\""}) {
    EXPECT_FALSE(RunFile(garbage).error.empty()) << garbage;
  }
  EXPECT_FALSE(RunUnitTests(folder_.string()).error.empty()) << "a folder is no file";
}

}  // namespace
}  // namespace azexporter::rules
