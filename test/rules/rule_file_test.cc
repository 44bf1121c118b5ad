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

}  // namespace
}  // namespace azexporter::rules
