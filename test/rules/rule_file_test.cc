#include "azexporter/rules/rule_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "azexporter/base/file.h"
#include "azexporter/promql/printer.h"
#include "support/paths.h"

namespace azexporter::rules {
namespace {

namespace fs = std::filesystem;

const std::string kTestData = std::string(AZX_SOURCE_DIR) + "/test/rules/testdata/";

std::vector<std::string> FilesIn(const std::string& folder, std::string_view suffix) {
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().string().ends_with(suffix)) files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

TEST(RuleFileTest, GoodFilesLoad) {
  const auto files = FilesIn(kTestData, "_good.yaml");
  EXPECT_GE(files.size(), 3U);
  for (const std::string& file : files) {
    const auto loaded = LoadRuleFiles({file});
    EXPECT_TRUE(loaded.has_value()) << loaded.error().message();
  }
}

// Beside NAME_bad.yaml stands its message, without the folder, in NAME_bad.err.
TEST(RuleFileTest, BadFilesAreRefusedWithTheirPlace) {
  const auto files = FilesIn(kTestData, "_bad.yaml");
  EXPECT_GE(files.size(), 20U);
  for (const std::string& file : files) {
    const auto text = base::ReadFile(file);
    const auto want = base::ReadFile(fs::path(file).replace_extension(".err").string());
    ASSERT_TRUE(text && want) << file;
    const auto loaded = ParseRuleFile(*text, fs::path(file).filename().string());
    ASSERT_FALSE(loaded.has_value()) << file;
    EXPECT_EQ(loaded.error().message() + "\n", *want);
    EXPECT_EQ(loaded.error().code(), base::ErrorCode::kBadData);
  }
}

TEST(RuleFileTest, ReadsEveryField) {
  const auto loaded = LoadRuleFiles({kTestData + "every_field_good.yaml"});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  ASSERT_EQ(loaded->size(), 2U);
  const RuleGroup& group = loaded->front();
  EXPECT_EQ(group.name, "zones");
  EXPECT_EQ(group.file, kTestData + "every_field_good.yaml");
  EXPECT_EQ(group.interval_ms, 30'000);
  EXPECT_EQ(group.query_offset_ms, 5'000);
  EXPECT_EQ(group.limit, 10);
  ASSERT_EQ(group.rules.size(), 2U);

  const Rule& record = group.rules[0];
  EXPECT_EQ(record.kind, RuleKind::kRecording);
  EXPECT_EQ(record.name, "zone:up:sum");
  EXPECT_EQ(record.expr_text, "sum by (zone) (up)");
  EXPECT_EQ(promql::Print(*record.expr), "sum by (zone) (up)");
  // The group's label yields to the rule's own; a recording rule's is no template.
  EXPECT_EQ(record.labels, (TemplateMap{{"team", "{{ platform }}"}, {"tier", "1"}}));

  const Rule& alert = group.rules[1];
  EXPECT_EQ(alert.kind, RuleKind::kAlerting);
  EXPECT_EQ(alert.name, "ZoneDown");
  EXPECT_EQ(alert.for_ms, 5 * 60'000);
  EXPECT_EQ(alert.keep_firing_for_ms, 90'000);
  EXPECT_EQ(alert.labels, (TemplateMap{{"severity", "critical"}, {"team", "sre"}, {"tier", "1"}}));
  EXPECT_EQ(alert.annotations,
            (TemplateMap{{"empty", ""}, {"summary", "{{ $labels.zone }} is down"}}));
  EXPECT_EQ(alert.line, 15);
}

TEST(RuleFileTest, EmptyTextIsNoGroups) {
  for (std::string_view text : {"", "\n", "# only a comment\n", "groups:\n", "groups: []\n"}) {
    const auto loaded = ParseRuleFile(text, "rules.yaml");
    ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
    EXPECT_TRUE(loaded->empty());
  }
}

TEST(RuleFileTest, TheFirstDocumentCounts) {
  const auto loaded =
      ParseRuleFile("groups: [{name: a}]\n---\ngroups: [{name: b}]\n", "rules.yaml");
  ASSERT_TRUE(loaded.has_value()) << loaded.error().message();
  ASSERT_EQ(loaded->size(), 1U);
  EXPECT_EQ(loaded->front().name, "a");
}

TEST(RuleFileTest, WhatStandsBehindTheFirstDocumentIsPassedOver) {
  for (std::string_view rest : {"groups: 5\n", "a: [\n", "\"\n"}) {
    const RuleFile read =
        ReadRuleFile("groups: [{name: a}]\n---\n" + std::string(rest), "rules.yaml");
    EXPECT_TRUE(read.errors.empty()) << read.errors.front().message();
    EXPECT_EQ(read.groups.size(), 1U);
    ASSERT_EQ(read.warnings.size(), 1U);
    EXPECT_EQ(read.warnings.front(),
              "rules.yaml: several YAML documents: only the first one is read, as Prometheus does");
  }
}

TEST(RuleFileTest, ReadsPrometheusRuleObjects) {
  const std::string file = kTestData + "objects_good.yaml";
  const auto text = base::ReadFile(file);
  ASSERT_TRUE(text);
  const RuleFile read = ReadRuleFile(*text, "objects.yaml");
  EXPECT_TRUE(read.errors.empty()) << read.errors.front().message();
  ASSERT_EQ(read.groups.size(), 2U);
  // Each object is a file to itself: both may have a group of this name.
  EXPECT_EQ(read.groups[0].file, "objects.yaml#monitoring/zones");
  EXPECT_EQ(read.groups[1].file, "objects.yaml#monitoring/pods");
  EXPECT_EQ(read.groups[0].name, read.groups[1].name);
  EXPECT_EQ(read.groups[1].rules.front().line, 27);
  EXPECT_EQ(read.warnings, std::vector<std::string>{
                               "objects.yaml:16:3: passed over: ConfigMap is no PrometheusRule"});
  const auto one = ParseRuleFile(
      "apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRule\nspec: {groups: [{name: a}]}\n",
      "one.yaml");
  ASSERT_TRUE(one.has_value()) << one.error().message();
  EXPECT_EQ(one->front().file, "one.yaml");
}

TEST(RuleFileTest, TellsAllThatIsWrong) {
  const RuleFile read = ReadRuleFile(
      "groups:\n"
      "- name: a\n"
      "  interval: 5\n"
      "  rules:\n"
      "  - {record: 'x{}', expr: up, for: 5m, annotations: {a: b}}\n"
      "  - {record: good, expr: up}\n"
      "  - {alert: A, expr: 'up >', labels: {__name__: b}, oops: 1}\n"
      "more: 1\n",
      "r.yaml");
  std::string told;
  for (const base::Error& error : read.errors) told += error.message() + "\n";
  EXPECT_EQ(told,
            "r.yaml:3:13: not a valid duration string: \"5\"\n"
            "r.yaml:5:14: braces in the recording rule name \"x{}\"; should they be in expr?\n"
            "r.yaml:5:36: invalid field 'for' in recording rule\n"
            "r.yaml:5:53: invalid field 'annotations' in recording rule\n"
            "r.yaml:7:22: could not parse expression of \"A\": 1:5: parse error: unexpected end of "
            "input\n"
            "r.yaml:7:39: invalid label name \"__name__\"\n"
            "r.yaml:7:53: unknown key \"oops\" (known here: alert, record, expr, labels, "
            "annotations, for, keep_firing_for)\n"
            "r.yaml:8:1: unknown key \"more\" (known here: groups)\n");
  ASSERT_EQ(read.groups.size(), 1U);
  EXPECT_EQ(read.groups.front().rules.size(), 1U);
}

TEST(RuleFileTest, KnowsWhereEachLineOfAnExpressionStands) {
  struct Case {
    std::string_view expr;  // on line 5
    std::vector<Place> places;
  };
  const Case cases[] = {
      {"    expr: up == 0\n", {{5, 11}}},
      {"    expr: 'up == 0'\n", {{5, 12}}},
      {"    expr: |\n      up\n        == 0\n", {{6, 7}, {7, 7}}},
      {"    expr: |-\n\n      up\n", {{5, 11}, {7, 7}}},
      {"    expr: \"up{a=\\\"b\\\"}\"\n", {{5, 11}}},
  };
  for (const Case& c : cases) {
    const auto read = ParseRuleFile(
        "groups:\n- name: a\n  rules:\n  - alert: A\n" + std::string(c.expr), "r.yaml");
    ASSERT_TRUE(read.has_value()) << read.error().message();
    EXPECT_EQ(read->front().rules.front().expr_places, c.places) << c.expr;
  }
}

TEST(RuleFileTest, FindsFilesByPatterns) {
  const std::vector<std::string> found = FindRuleFiles(
      {kTestData + "utf8_names_good.yaml", kTestData + "*_good.yaml", "/nowhere/*", "/nowhere/a"});
  const auto files = FilesIn(kTestData, "_good.yaml");
  ASSERT_EQ(found.size(), files.size() + 1);
  EXPECT_EQ(found.front(), kTestData + "utf8_names_good.yaml");
  EXPECT_EQ(found.back(), "/nowhere/a");
}

TEST(RuleFileTest, AMissingFileIsNamed) {
  const auto loaded = LoadRuleFiles({"/nowhere/rules.yaml"});
  ASSERT_FALSE(loaded.has_value());
  EXPECT_EQ(loaded.error().message(), "/nowhere/rules.yaml: No such file or directory");
}

// What Prometheus's own tests load, loads; what they refuse is refused.
TEST(RuleFileTest, AgreesWithPrometheusOnItsFixtures) {
  const std::string folder = test::ConformanceFolder() + "/rules/fixtures";
  AZX_SKIP_WITHOUT(folder);
  for (const std::string& file : FilesIn(folder, ".yaml")) {
    const auto loaded = LoadRuleFiles({file});
    if (file.ends_with("/invalid_rules.yaml")) {
      ASSERT_FALSE(loaded.has_value());
      EXPECT_TRUE(
          loaded.error().message().starts_with(file + ":6:9: unknown key \"unexpected_field\""))
          << loaded.error().message();
    } else {
      EXPECT_TRUE(loaded.has_value()) << loaded.error().message();
    }
  }
}

// All of it loads, but for templates with what is not there yet.
TEST(RuleFileTest, LoadsWhatKubePrometheusInstalls) {
  const std::string folder = test::ConformanceFolder() + "/rules/kube-prometheus";
  AZX_SKIP_WITHOUT(folder);
  std::size_t rules = 0;
  for (const std::string& file : FilesIn(folder, ".yaml")) {
    const auto text = base::ReadFile(file);
    ASSERT_TRUE(text.has_value());
    const RuleFile read = ReadRuleFile(*text, file);
    for (const base::Error& error : read.errors) ADD_FAILURE() << error.message();
    for (const RuleGroup& group : read.groups) rules += group.rules.size();
  }
  EXPECT_GE(rules, 200U);
}

}  // namespace
}  // namespace azexporter::rules
