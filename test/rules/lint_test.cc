// Each finding with cases that have it and near twins that have not: a wrong finding is worse than
// none.

#include "azexporter/rules/lint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "azexporter/base/file.h"
#include "rule_groups.h"
#include "support/paths.h"

namespace azexporter::rules {
namespace {

namespace fs = std::filesystem;

std::vector<Finding> LintOf(const std::string& text, const std::string& name = "r.yaml") {
  const RuleFile file = ReadRuleFile(text, name);
  EXPECT_TRUE(file.errors.empty()) << file.errors.front().message() << "\n" << text;
  const LintedFile linted[] = {{name, text, file.groups}};
  const Catalogue catalogue = app::MetricCatalogue();
  return Lint(linted, catalogue);
}

// "NAME SEVERITY" of each finding, with commas.
std::string Names(const std::vector<Finding>& findings) {
  std::string names;
  for (const Finding& finding : findings) {
    names += (names.empty() ? "" : ", ") + std::string(finding.name) + " " +
             std::string(SeverityName(finding.severity));
  }
  return names;
}

std::string AlertOf(const std::string& expr, const std::string& more = "") {
  std::string lines;
  for (std::size_t start = 0; start <= expr.size();) {
    const std::size_t end = std::min(expr.find('\n', start), expr.size());
    lines += "      " + expr.substr(start, end - start) + "\n";
    start = end + 1;
  }
  return "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: |\n" + lines + more;
}

struct Case {
  std::string_view expr;
  std::string_view want;  // as Names() tells it
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.expr; }

class LintExprTest : public ::testing::TestWithParam<Case> {};

TEST_P(LintExprTest, FindsThisAndNothingElse) {
  const auto findings = LintOf(AlertOf(std::string(GetParam().expr)));
  EXPECT_EQ(Names(findings), GetParam().want);
  for (const Finding& finding : findings) {
    EXPECT_NE(finding.excerpt.find('^'), std::string::npos);
    EXPECT_NE(std::string_view(".?").find(finding.explanation.back()), std::string_view::npos)
        << finding.explanation;
  }
}

constexpr Case kNeverTrue[] = {
    // The sides of a difference are the same.
    {"max by (z) (count(x) by (z)) - min by (z) (count(x) by (z)) > 2", "never-true error"},
    {"max(count(x) by (z)) - min(count(x) by (z)) > 2", ""},
    {"max by (z) (count(x) by (z, y)) - min by (z) (count(x) by (z, y)) > 2", ""},
    {"max by (z) (x) - min by (z) (x) > 2", ""},
    {"max without (y) (count(x) by (z)) - count(x) by (z) > 0", "never-true error"},
    {"sum(x) - sum(x) > 0", "never-true error"},
    {"sum(x) - sum(x) >= 0", ""},
    {"sum(x) - sum(x offset 5m) > 0", ""},
    {"sum(x) - sum(y) > 0", ""},
    {"sum(x) / sum(x) > 1", "never-true error"},
    {"x > x", "never-true error"},
    {"x != x", ""},  // finds NaN
    {"x == x", ""},  // takes NaN away
    {"{job=\"a\"} > {job=\"a\"}", ""},
    // Bounds that are known.
    {"az_zone_ready_ratio > 1", "never-true error"},
    {"az_zone_ready_ratio >= 1", ""},
    {"az_zone_ready_ratio < 0", "never-true error"},
    {"az_zone_state{state=\"missing\"} > 1", "never-true error"},
    {"max by (zone) (az_zone_state{state=\"missing\"}) == 2", "never-true error"},
    {"sum by (zone) (az_zone_state) == 2", ""},
    {"az_zone_health_up == 0.5", "never-true error"},
    {"avg(az_zone_health_up) == 0.5", ""},
    {"2 < az_zone_health_up", "never-true error"},
    {"rate(az_probe_results_total[5m]) < 0", "never-true error"},
    {"rate(az_probe_results_total[5m]) > 0", ""},
    {"rate(foreign_total[5m]) < 0", ""},
    {"foreign_ratio > 1", ""},
    {"kube_pod_info > 1", "never-true error"},
    {"count(x) == 0", "never-true error"},
    {"count(x) == 1", ""},
    {"(count(x) or vector(0)) == 0", ""},
    {"count(count by (z) (x)) < 1", "never-true error"},
    {"absent(x) == 0", "never-true error"},
    {"absent(x) == 1", "always-true info"},
    {"hour() > 23", "never-true error"},
    {"hour() > 22", ""},
    {"x > 5 < 3", "never-true error"},
    {"x > 3 < 5", ""},
    {"x > 5 <= 5", "never-true error"},
    {"x >= 5 <= 5", ""},
    // The same series are asked for values that exclude each other.
    {"x > 5 and x < 3", "never-true error"},
    {"x > 3 and x < 5", ""},
    {"x > 5 and x{a=\"b\"} < 3", ""},
    {"x > 5 and y < 3", ""},
    {"x > 5 and on (z) x < 3", ""},
    {"sum by (z) (x) > 5 and on (z) sum by (z) (x) < 3", "never-true error"},
    {"x > 5 and x offset 5m < 3", ""},
    {"{job=\"a\"} > 5 and {job=\"a\"} < 3", ""},
    {"x > 5 unless x > 3", "never-true error"},
    {"x > 3 unless x > 5", ""},
    {"x unless x", "never-true error"},
    {"x unless y", ""},
    // Matchers that exclude each other.
    {"x{a=\"b\", a=\"c\"}", "never-true error"},
    {"x{a=\"b\", a!=\"c\"}", ""},
    {"x{a=\"b\", a!=\"b\"}", "never-true error"},
    {"x{a=~\"b|c\", a!~\"b.*|c.*\"}", "never-true error"},
    {"x{a=~\"b|c\", a!=\"b\"}", ""},
    {"x{a=~\"b.*\", a=\"c\"}", "never-true error"},
    {"x{a=~\"b.*\", a=~\"c.*\"}", ""},  // not looked into
    {"y or x{a=\"b\", a=\"c\"}", "never-true warning"},
    {"y unless x{a=\"b\", a=\"c\"}", "never-true warning"},
    {"y and x{a=\"b\", a=\"c\"}", "never-true error"},
    {"absent(vector(1))", "never-true error"},
    {"absent(sum(x) or vector(0))", "never-true error"},
    {"absent(sum(x) > 0)", ""},
    {"absent(x)", ""},
};
INSTANTIATE_TEST_SUITE_P(NeverTrue, LintExprTest, ::testing::ValuesIn(kNeverTrue));

constexpr Case kAlwaysTrue[] = {
    {"count(x == 0) by (z) > 0", "always-true warning"},
    {"count(x == 0) by (z) > 1", ""},
    {"sum(x == bool 0) by (z) > 0", ""},
    {"az_zone_ready_ratio <= 1", "always-true warning"},
    {"az_zone_ready_ratio < 1", ""},
    {"az_zone_pods >= 0", "always-true warning"},
    {"az_pdb_zone_headroom >= 0", ""},
    {"az_zone_pods{state=\"ready\"} >= 0", "always-true warning"},
    {"foreign >= 0", ""},
    {"count_over_time(x[5m]) > 0", "always-true info"},
    {"count(x) by (z) > 0", "always-true info"},
    {"sum_over_time(x[5m]) > 0", ""},
    {"x > 5 > 3", "always-true warning"},
    {"vector(1)", ""},
    {"1", ""},
    {"1 < bool 2", ""},
    {"kube_pod_info", ""},
    {"(count(x) or vector(0)) >= 0", "always-true info"},
    {"(count(x) > 0) or vector(0)", "always-true info"},
};
INSTANTIATE_TEST_SUITE_P(AlwaysTrue, LintExprTest, ::testing::ValuesIn(kAlwaysTrue));

constexpr Case kCatalogue[] = {
    {"az_zone_stat == 1", "unknown-metric warning"},
    {"az_zone_state == 1", ""},
    {"azexporter_nothing > 0", "unknown-metric warning"},
    {"azexporter_collector_success == 0", ""},
    {"azexporter_check_status > 1", ""},
    {"azexporter:zone:pods > 0", ""},
    {"azure_zone > 0", ""},
    {"rate(az_probe_results[5m]) > 0", "unknown-metric warning"},
    {"az_alerts{alertstate=\"firing\"} > 0", ""},
    {"az_alerts{alertstate=\"fireing\"} > 0", "unknown-value error"},
    {"az_zone_state{stat=\"missing\"} == 1", "unknown-label warning"},
    {"az_zone_state{role=\"worker\"} == 1", "unknown-label warning"},
    {"az_zone_state{cluster=\"prod\", job=\"az\", instance=~\".+\", prometheus=\"a/b\"} == 1", ""},
    {"az_zone_state{namespace=\"monitoring\", pod=~\"az.*\", exported_zone=\"a\"} == 1", ""},
    {"az_zone_state{colour=\"red\"} == 1", "unknown-label info"},
    {"az_zone_state{state=\"mising\"} == 1", "unknown-value error"},
    {"az_zone_state{state=~\"missing|full_disruption\"} == 1", ""},
    {"az_zone_state{state=~\"missing|disrupted\"} == 1", "unknown-value warning"},
    {"az_zone_state{state=~\".*_disruption\"} == 1", ""},
    {"az_zone_state{state=~\"gone.*\"} == 1", "unknown-value error"},
    {"az_zone_nodes{state!=\"reday\"} > 0", "unknown-value warning"},
    {"az_zone_nodes{state!=\"ready\"} > 0", ""},
    {"az_zone_nodes{state!=\"\"} > 0", ""},
    {"az_zone_pods{zone=\"anything\"} > 0", ""},
    // Names that others write, too: only what all of them keep to.
    {"kube_node_status_condition{condition=\"Ready\", status=\"True\"} == 0",
     "unknown-value error"},
    {"kube_node_status_condition{condition=\"Mine\", status=\"true\"} == 0", ""},
    {"kube_pod_status_phase{phase=\"running\"} == 1", "unknown-value error"},
    {"kube_pod_info{created_by_kinds=\"Job\"}", "unknown-label warning"},
    {"kube_pod_info{anything=\"Job\"}", ""},
    {"rate(http_request_duration_seconds_count{handler=\"/\", code=~\"5..\"}[5m]) > 1", ""},
    {"http_request_duration_seconds > 1", ""},
    {"pg_up{server=\"a:5432\"} == 0", ""},
    {"sum by (role) (az_zone_state) > 1", "unknown-label warning"},
    {"sum by (job, namespace) (az_zone_state) > 1", ""},
    {"sum by (zone) (az_nodes_without_zone) > 1", "unknown-label warning"},
    {"sum by (zoen) (az_zone_pods) > 1", "unknown-label warning"},
    {"sum without (role) (az_zone_state) > 1", ""},
};
INSTANTIATE_TEST_SUITE_P(Catalogue, LintExprTest, ::testing::ValuesIn(kCatalogue));

constexpr Case kLabels[] = {
    // Asked for after it was taken away.
    {"max by (zone, pod) (sum by (zone) (x)) > 1", "lost-label warning"},
    {"max by (zone) (sum by (zone, pod) (x)) > 1", ""},
    {"max by (zone) (sum(x)) > 1", "lost-label warning"},
    {"max by (pod) (sum without (pod) (x)) > 1", "lost-label warning"},
    {"max by (node) (sum without (pod) (x)) > 1", ""},
    {"max without (pod) (sum by (zone) (x)) > 1", ""},
    {"max by (zone, cluster) (sum by (zone) (x)) > 1", ""},
    {"max by (zone, dst) (label_replace(sum by (zone) (x), \"dst\", \"$1\", \"zone\", \"(.*)\")) > "
     "1",
     ""},
    {"max by (version) (count_values by (zone) (\"version\", x)) > 1", ""},
    {"max by (le) (histogram_quantile(0.9, x_bucket)) > 1", "lost-label warning"},
    {"sum(x) + on (zone) sum(y) > 1", "lost-label warning"},
    {"sum(x) + on () sum(y) > 1", ""},
    {"x + on (zone) sum(y) > 1", "lost-label info"},
    {"x + on (zone) y > 1", ""},
    {"x + on (job) sum(y) > 1", ""},
    {"x * on (pod) group_left (node) sum by (pod) (y) > 1", "lost-label warning"},
    {"x * on (pod) group_left (node) sum by (pod, node) (y) > 1", ""},
    {"x * on (pod) group_left (node) y > 1", ""},
    {"sum by (pod) (y) * on (pod) group_right (node) x > 1", "lost-label warning"},
    {"max by (node) (x * on (pod) group_left (node) y) > 1", ""},
    {"max by (node) (sum by (pod) (x) * on (pod) group_left (node) y) > 1", ""},
    {"max by (zone) (absent(x{zone=\"a\"})) > 1", "never-true error"},
    {"max by (pod) (sum by (zone) (x) or sum by (pod) (y)) > 1", ""},
    // The sides differ in a label that must be equal.
    {"sum by (zone) (x) > sum(y)", "never-matches error"},
    {"sum by (zone) (x) > ignoring (zone) group_left () sum(y)", ""},
    {"sum by (zone) (x) > on () group_left () sum(y)", ""},
    {"sum by (zone) (x) > scalar(sum(y))", ""},
    {"sum by (zone) (x) > sum by (zone) (y)", ""},
    {"sum by (zone) (x) > sum by (zone, pod) (y)", "never-matches error"},
    {"sum by (cluster) (x) > sum(y)", ""},
    {"x > sum(y)", ""},
    {"x{zone=\"a\"} > sum(y)", "never-matches error"},
    {"x{zone=\"a\"} / x{zone=\"b\"} > 1", "never-matches error"},
    {"x{zone=\"a\"} / ignoring (zone) x{zone=\"b\"} > 1", ""},
    {"x{zone=\"a\"} / on (pod) x{zone=\"b\"} > 1", ""},
    {"x{zone=\"a\"} / x{pod=\"b\"} > 1", ""},
    {"x{job=\"a\"} and hour() > 9", "never-matches error"},
    {"x{job=\"a\"} and on () hour() > 9", ""},
    {"x and hour() > 9", ""},
    {"az_zone_nodes{state=\"ready\"} / az_zone_nodes{state=\"unknown\"} > 1",
     "never-matches error"},
    {"az_zone_nodes{state=\"ready\"} / ignoring (state) az_zone_nodes{state=\"unknown\"} > 1", ""},
    {"az_zone_nodes{state!=\"ready\"} / az_zone_nodes{state=\"ready\"} > 1", "never-matches error"},
    {"sum by (zone) (x) unless sum(y)", "never-matches warning"},
    {"sum by (zone) (x) unless on () sum(y)", ""},
    {"sum by (zone) (x) or sum(y)", ""},
    {"sum by (zone) (x) and on (zone) sum(y)", "never-matches error"},
    {"sum by (zone) (x) and on (zone) y", ""},
    {"x or (sum by (zone) (x) > sum(y))", "never-matches warning"},
    {"(sum by (zone) (x) > sum(y)) or (sum by (zone) (x) < sum(y))",
     "never-matches error, never-matches error"},
};
INSTANTIATE_TEST_SUITE_P(Labels, LintExprTest, ::testing::ValuesIn(kLabels));

constexpr Case kFunctions[] = {
    {"rate(az_zone_pods[5m]) > 1", "rate-of-gauge error"},
    {"increase(kube_pod_info[5m]) > 1", "rate-of-gauge error"},
    {"irate(azexporter_kube_synced[5m]) > 1", "rate-of-gauge error"},
    {"rate(az_probe_results_total[5m]) > 1", ""},
    {"rate(http_request_duration_seconds_sum[5m]) > 1", ""},
    {"rate(foreign_gauge[5m]) > 1", ""},
    {"delta(az_zone_pods[5m]) > 1", ""},
    {"changes(az_zone_pods[5m]) > 1", ""},
    {"delta(az_probe_results_total[5m]) > 1", "delta-of-counter warning"},
    {"deriv(azexporter_kube_lists_total[5m]) > 1", "delta-of-counter warning"},
    {"predict_linear(http_request_duration_seconds_count[5m], 60) > 1", "delta-of-counter warning"},
    {"deriv(foreign_total[5m]) > 1", ""},
    {"histogram_quantile(0.9, sum by (zone) (rate(x_bucket[5m]))) > 1",
     "quantile-without-le error"},
    {"histogram_quantile(0.9, sum by (zone, le) (rate(x_bucket[5m]))) > 1", ""},
    {"histogram_quantile(0.9, sum without (le) (rate(x_bucket[5m]))) > 1",
     "quantile-without-le error"},
    {"histogram_quantile(0.9, sum by (zone) (rate(x_seconds[5m]))) > 1", ""},  // native
    {"histogram_quantile(0.9, rate(x_bucket[5m])) > 1", ""},
};
INSTANTIATE_TEST_SUITE_P(Functions, LintExprTest, ::testing::ValuesIn(kFunctions));

struct TemplateCase {
  std::string_view expr;
  std::string_view more;  // of the rule
  std::string_view want;
};

TEST(LintTemplateTest, FindsLabelsThatAreNotThereAndValuesInLabels) {
  const TemplateCase cases[] = {
      {"sum(x) > 1", "annotations: {a: '{{ $labels.zone }}'}", "template-label warning"},
      {"sum by (zone) (x) > 1", "annotations: {a: '{{ $labels.zone }}'}", ""},
      {"sum(x) > 1", "labels: {a: '{{ $labels.zone }}'}", "template-label warning"},
      {"x > 1", "annotations: {a: '{{ $labels.zone }}'}", ""},
      {"sum(x) > 1", "annotations: {a: '{{ $labels.job }}'}", "template-label info"},
      {"sum without (pod) (x) > 1", "annotations: {a: '{{ $labels.pod }} {{ $labels.node }}'}",
       "template-label warning"},
      {"sum(x) > 1", "annotations: {a: '{{ $labels.zone }}', b: '{{ $labels.zone }}'}",
       "template-label warning"},
      {"sum(x) > 1", "annotations: {a: '{{ if $labels.zone }}in {{ $labels.zone }}{{ end }}'}", ""},
      {"sum(x) > 1", "annotations: {a: '{{ \"$labels.zone\" }} $labels.zone'}", ""},
      {"sum(x) > 1", "annotations: {a: '{{ $labels.zone | title }}'}", "template-label warning"},
      {"absent(x{zone=\"a\"})", "annotations: {a: '{{ $labels.zone }} {{ $labels.pod }}'}",
       "template-label warning"},
      {"az_nodes_without_zone > 0", "annotations: {a: '{{ $labels.zone }}'}",
       "template-label warning"},
      {"az_zone_pods > 0", "annotations: {a: '{{ $labels.zone }} {{ $labels.instance }}'}", ""},
      {"sum by (zone) (x) / on (zone) group_left (node) y > 1",
       "annotations: {a: '{{ $labels.node }}'}", ""},
      {"x > 1", "labels: {a: '{{ $value }}'}", "value-in-label warning"},
      {"x > 1", "labels: {a: '{{ $value | humanize }}'}", "value-in-label warning"},
      {"x > 1", "labels: {severity: '{{ if gt $value 5.0 }}high{{ else }}low{{ end }}'}", ""},
      {"x > 1", "annotations: {a: '{{ $value }}'}", ""},
      {"x > 1", "labels: {a: '$value'}", ""},
  };
  for (const TemplateCase& c : cases) {
    const auto findings = LintOf(AlertOf(std::string(c.expr), "    " + std::string(c.more) + "\n"));
    EXPECT_EQ(Names(findings), c.want) << c.expr << "\n" << c.more;
  }
}

TEST(LintTest, KnowsWhatTheRulesOfTheFilesRecord) {
  const auto lint = [](const std::string& expr) {
    return Names(
        LintOf("groups:\n- name: g\n  rules:\n"
               "  - {record: 'zone:x:sum', expr: sum by (zone) (x), labels: {kind: node}}\n"
               "  - {record: 'zone:x:ratio', expr: 'zone:x:sum / 2'}\n"
               "  - {record: az_made_up, expr: count(x)}\n"
               "  - {record: twice, expr: sum by (a) (x)}\n"
               "  - {record: twice, expr: sum by (b) (x)}\n"
               "  - alert: A\n    expr: " +
               expr + "\n"));
  };
  EXPECT_EQ(lint("max by (pod) (zone:x:sum) > 1"), "lost-label warning");
  EXPECT_EQ(lint("max by (zone, kind) (zone:x:sum) > 1"), "");
  EXPECT_EQ(lint("max by (zone, cluster, job) (zone:x:sum) > 1"), "");
  EXPECT_EQ(lint("max by (pod) (zone:x:ratio) > 1"), "lost-label warning");
  EXPECT_EQ(lint("az_made_up > 1"), "");
  EXPECT_EQ(lint("az_made_up < 1"), "never-true error");
  // Series of the one rule lack the label of the other: there both sides have none.
  EXPECT_EQ(lint("max by (a) (twice) > 1 and max by (b) (twice) > 1"), "");
  EXPECT_EQ(lint("max by (a, b) (twice) > 1"), "");
  EXPECT_EQ(lint("max by (c) (twice) > 1"), "lost-label warning");
  EXPECT_EQ(lint("zone:x:sum{kind=\"node\"} > 1"), "");
  EXPECT_EQ(lint("other:x:sum{kind=\"node\"} > 1"), "");
}

TEST(LintTest, TellsThePlaceWithACaretAndWhatFollows) {
  const auto findings = LintOf(AlertOf("sum by (zone) (x)\n> 1 < 0"));
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings.front().ToString(),
            "r.yaml:7:11: error: never-true: A: The comparison `< 0` can never hold: only "
            "values > 1 pass `>`. The alert can never fire.\n"
            "  > 1 < 0\n"
            "      ^\n");
  const auto in_template = LintOf(AlertOf("sum(x) > 1",
                                          "    annotations:\n      # $labels.zone\n"
                                          "      a: in {{ $labels.zone }}\n"));
  ASSERT_EQ(in_template.size(), 1U);
  EXPECT_EQ(in_template.front().ToString(),
            "r.yaml:9:16: warning: template-label: A: The expression returns no label zone (`sum` "
            "keeps no label): the template prints nothing there.\n"
            "  a: in {{ $labels.zone }}\n"
            "           ^\n");
}

TEST(LintTest, ACommentSilencesAFinding) {
  const std::string head = "groups:\n- name: g\n  rules:\n";
  const auto names = [&](const std::string& rules) { return Names(LintOf(head + rules)); };
  EXPECT_EQ(names("  # azexporter: ignore never-true\n  - alert: A\n    expr: count(x) < 1\n"), "");
  EXPECT_EQ(names("  # azexporter: ignore always-true\n  - alert: A\n    expr: count(x) < 1\n"),
            "never-true error");
  EXPECT_EQ(
      names("  # azexporter: ignore always-true, never-true\n  # why\n  - alert: A\n    expr: "
            "count(x) < 1\n"),
      "");
  EXPECT_EQ(names("  - alert: A\n    # azexporter: ignore never-true\n    expr: count(x) < 1\n"),
            "");
  EXPECT_EQ(names("  - alert: A\n    expr: count(x) < 1 # azexporter: ignore never-true\n"), "");
  // A comment belongs to the rule that it stands above, or in.
  EXPECT_EQ(names("  - alert: A\n    expr: count(x) < 1\n  # azexporter: ignore never-true\n"
                  "  - alert: B\n    expr: count(x) < 1\n"),
            "never-true error");
  EXPECT_EQ(names("  - alert: A\n    expr: count(x) < 1\n"
                  "# azexporter: ignore never-true\n"
                  "- name: h\n  rules: [{alert: B, expr: count(x) < 1}]\n"),
            "never-true error, never-true error");
}

// Whatever loads is linted without a fault: here rules whose texts are cut and spliced anywhere.
TEST(LintTest, WithstandsGarbage) {
  std::string text(RecommendedPack());
  std::mt19937 random(7);
  for (int i = 0; i < 300; ++i) {
    std::string cut = text;
    for (int edits = 0; edits < 3; ++edits) {
      const std::size_t at = random() % cut.size();
      const std::size_t from = random() % cut.size();
      cut.replace(at, random() % 20, cut.substr(from, random() % 20));
    }
    const RuleFile file = ReadRuleFile(cut, "r.yaml");
    const LintedFile linted[] = {{"r.yaml", cut, file.groups}};
    for (const Finding& finding : Lint(linted, app::MetricCatalogue())) {
      EXPECT_GT(finding.place.line, 0);
      EXPECT_GT(finding.place.column, 0);
    }
  }
}

TEST(LintTest, KnowsEachOfItsChecks) {
  EXPECT_TRUE(std::ranges::is_sorted(LintChecks(), {}, &LintCheck::name));
  EXPECT_EQ(LintChecks().size(), 12U);
}

std::vector<Finding> LintFiles(const std::vector<std::string>& paths) {
  std::vector<std::string> texts;
  std::vector<RuleFile> files;
  for (const std::string& path : paths) {
    const auto text = base::ReadFile(path);
    EXPECT_TRUE(text.has_value()) << path;
    texts.push_back(text.value_or(""));
    files.push_back(ReadRuleFile(texts.back(), path));
  }
  std::vector<LintedFile> linted;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    linted.push_back({paths[i], texts[i], files[i].groups});
  }
  return Lint(linted, app::MetricCatalogue());
}

TEST(LintTest, ExplainsTheDocumentedPack) {
  const auto findings = LintFiles({std::string(AZX_SOURCE_DIR) + "/rules/alerts/documented.yaml"});
  ASSERT_EQ(Names(findings), "always-true warning, never-true error");
  EXPECT_EQ(findings[0].rule, "ZoneUnavailable");
  EXPECT_EQ(findings[1].rule, "PodDistributionImbalanced");
  EXPECT_EQ(findings[1].explanation,
            "The comparison `> 2` can never hold: both sides of `-` are the same, since `max "
            "by (topology_kubernetes_io_zone)` and `min by (topology_kubernetes_io_zone)` have one "
            "series in each group and change nothing: the difference is always 0. The alert can "
            "never fire.");
}

TEST(LintTest, FindsNothingInTheRecommendedPack) {
  for (const Finding& finding :
       LintFiles({std::string(AZX_SOURCE_DIR) + "/rules/alerts/recommended.yaml"})) {
    ADD_FAILURE() << finding.ToString();
  }
}

TEST(LintTest, SaysAtMostInfoOfWhatKubePrometheusInstalls) {
  const std::string folder = test::ConformanceFolder() + "/rules/kube-prometheus";
  AZX_SKIP_WITHOUT(folder);
  std::vector<std::string> paths;
  for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path().string());
  for (const Finding& finding : LintFiles(paths)) {
    EXPECT_EQ(finding.severity, Severity::kInfo) << finding.ToString();
  }
}

TEST(LintTest, SaysAtMostInfoOfPrometheussFixtures) {
  for (const char* name : {"fixtures", "promtool"}) {
    const std::string folder = test::ConformanceFolder() + "/rules/" + name;
    AZX_SKIP_WITHOUT(folder);
    std::vector<std::string> paths;
    for (const auto& entry : fs::directory_iterator(folder)) paths.push_back(entry.path().string());
    for (const Finding& finding : LintFiles(paths)) {
      EXPECT_EQ(finding.severity, Severity::kInfo) << finding.ToString();
    }
  }
}

TEST(DuplicateRulesTest, TellsRulesOfOneNameWithTheSameLabelsOnce) {
  const auto groups = ParseRuleFile(
      "groups:\n"
      "- {name: a, labels: {t: x}, rules: [{record: r, expr: 1}, {record: s, expr: 1}]}\n"
      "- {name: b, rules: [{record: r, expr: 2, labels: {t: x}}, {record: s, expr: 1}]}\n"
      "- {name: c, rules: [{record: r, expr: 3, labels: {t: x}}]}\n",
      "r.yaml");
  ASSERT_TRUE(groups.has_value());
  const std::vector<DuplicateRule> want = {{"r", {{"t", "x"}}}};
  EXPECT_EQ(DuplicateRules(*groups), want);
}

}  // namespace
}  // namespace azexporter::rules
