// Each check on a failing case and its passing near-twin: testdata/NAME/bad.yaml, whose lines with
// a finding end in "# found", and testdata/NAME/good.yaml.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "azexporter/audit/audit.h"
#include "azexporter/base/file.h"
#include "azexporter/base/text.h"

namespace azexporter::audit {
namespace {

namespace fs = std::filesystem;

const std::string kTestData = std::string(AZX_SOURCE_DIR) + "/test/audit/testdata/";

// What a cluster of the testdata is made of: three zones with two nodes each.
const Options kCluster{.zones = 3, .nodes = 6};

Report AuditFile(const std::string& path) { return Audit(ReadManifests({path}), kCluster); }

std::set<int> LinesOf(const Report& report, std::string_view check) {
  std::set<int> lines;
  for (const Finding& finding : report.findings) {
    if (finding.check->name == check) lines.insert(finding.line);
  }
  return lines;
}

std::set<int> MarkedLines(const std::string& path) {
  std::set<int> lines;
  const std::string text = base::ReadFile(path).value();
  int line = 0;
  for (std::string_view content : base::SplitLines(text)) {
    ++line;
    if (content.ends_with("# found")) lines.insert(line);
  }
  return lines;
}

std::string Told(const Report& report) {
  return ToText(report) + (report.faults.empty() ? std::string() : report.faults.front().message());
}

class CheckTest : public testing::TestWithParam<std::size_t> {};

TEST_P(CheckTest, FindsTheFaultWhereItStands) {
  const std::string name(Checks()[GetParam()].name);
  const std::string path = kTestData + name + "/bad.yaml";
  const Report report = AuditFile(path);
  EXPECT_TRUE(report.faults.empty()) << Told(report);
  EXPECT_FALSE(MarkedLines(path).empty());
  EXPECT_EQ(LinesOf(report, name), MarkedLines(path)) << Told(report);
}

TEST_P(CheckTest, PassesItsNearTwin) {
  const std::string name(Checks()[GetParam()].name);
  const Report report = AuditFile(kTestData + name + "/good.yaml");
  EXPECT_TRUE(report.faults.empty()) << Told(report);
  EXPECT_GT(report.objects, 0u);
  EXPECT_EQ(LinesOf(report, name), std::set<int>()) << Told(report);
}

INSTANTIATE_TEST_SUITE_P(All, CheckTest, testing::Range(std::size_t{0}, Checks().size()),
                         [](const auto& param) {
                           std::string name(Checks()[param.param].name);
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(ChecksTest, TableIsSortedAndWhole) {
  EXPECT_TRUE(std::ranges::is_sorted(Checks(), {}, &Check::name));
  for (const Check& check : Checks()) {
    SCOPED_TRACE(check.name);
    EXPECT_TRUE(check.explanation.ends_with('.'));
    EXPECT_TRUE(check.fix.ends_with('.'));
    EXPECT_TRUE(check.source.starts_with("https://"));
    EXPECT_FALSE(check.title.ends_with('.'));
  }
}

TEST(ChecksTest, ThereIsNoDataOfOtherChecks) {
  std::set<std::string> folders;
  for (const auto& entry : fs::directory_iterator(kTestData)) {
    folders.insert(entry.path().filename().string());
  }
  std::set<std::string> names;
  for (const Check& check : Checks()) names.emplace(check.name);
  EXPECT_EQ(folders, names);
}

TEST(ChecksTest, ThePageSaysWhatTheTableSays) {
  const std::string path = std::string(AZX_SOURCE_DIR) + "/exporter/audit/CHECKS.md";
  if (std::getenv("AZX_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << DescribeChecks();
  EXPECT_EQ(base::ReadFile(path).value_or(""), DescribeChecks());
}

TEST(ChecksTest, FindsNothingInTheManifestsOfAzexporter) {
  const Report report =
      Audit(ReadManifests({std::string(AZX_SOURCE_DIR) + "/deploy/kubernetes"}), {});
  EXPECT_GT(report.objects, 10u);
  EXPECT_TRUE(report.findings.empty()) << Told(report);
  EXPECT_TRUE(report.faults.empty()) << Told(report);
}

}  // namespace
}  // namespace azexporter::audit
