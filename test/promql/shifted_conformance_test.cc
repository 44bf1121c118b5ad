// Prometheus's scripts and our own in other worlds: what passes as it stands must pass there too.

#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "query_files.h"
#include "script_runner.h"
#include "script_transform.h"

namespace azexporter::promql {
namespace {

using Transformation = std::function<Transformed(const std::vector<ScriptCommand>&)>;

std::set<int> FailingLines(const std::vector<ScriptCommand>& commands) {
  std::set<int> lines;
  const auto report = RunCommands(commands);
  EXPECT_TRUE(report);
  if (!report) return lines;
  for (const ScriptFailure& failure : report->failures) lines.insert(failure.line);
  return lines;
}

// How many evals passed in both worlds.
int PassAlike(const std::filesystem::path& path, const Transformation& transformation,
              std::map<std::string, int>& omitted) {
  const auto commands = ReadScript(ReadFile(path));
  EXPECT_TRUE(commands) << path;
  if (!commands) return 0;
  const std::set<int> failing = FailingLines(*commands);
  const Transformed transformed = transformation(*commands);
  for (const auto& [reason, count] : transformed.omitted) omitted[reason] += count;
  const auto report = RunCommands(transformed.commands);
  EXPECT_TRUE(report) << path;
  if (!report) return 0;
  for (const ScriptFailure& failure : report->failures) {
    if (failing.contains(failure.line)) continue;
    ADD_FAILURE() << FormatFailure(path.filename().string(), failure);
  }
  return report->passed;
}

// `passed`: so many evals at least must be covered, for the test not to become empty unnoticed.
void ExpectPassAlike(const Transformation& transformation, int own, int prometheus) {
  std::map<std::string, int> omitted;
  int passed = 0;
  for (const auto& path : OwnScripts()) passed += PassAlike(path, transformation, omitted);
  EXPECT_GE(passed, own);
  std::cout << passed << " evals of our own scripts";
  if (const auto paths = ConformanceScripts(); !paths.empty()) {
    passed = 0;
    for (const auto& path : paths) passed += PassAlike(path, transformation, omitted);
    EXPECT_GE(passed, prometheus);
    std::cout << " and " << passed << " of Prometheus's";
  }
  std::cout << " pass alike; left out:\n";
  for (const auto& [reason, count] : omitted) std::cout << "  " << count << ": " << reason << "\n";
}

TEST(ShiftedConformanceTest, AtAnotherTime) {
  // 420 days: a multiple of all subquery steps in sight, which are aligned to absolute time.
  constexpr std::int64_t kShiftMs = 420LL * 24 * 3600 * 1000;
  ExpectPassAlike([](const auto& commands) { return ShiftTimes(commands, kShiftMs); }, 400, 2100);
}

TEST(ShiftedConformanceTest, BeforeTheEpoch) {
  constexpr std::int64_t kShiftMs = -420LL * 24 * 3600 * 1000;
  ExpectPassAlike([](const auto& commands) { return ShiftTimes(commands, kShiftMs); }, 400, 2100);
}

TEST(ShiftedConformanceTest, WithOtherNames) {
  ExpectPassAlike([](const auto& commands) { return PrefixNames(commands, "renamed_"); }, 400,
                  2100);
}

TEST(ShiftedConformanceTest, WithNamesThatNeedQuotes) {
  ExpectPassAlike([](const auto& commands) { return PrefixNames(commands, "\xc3\xa9 {\"}\\."); },
                  400, 2100);
}

TEST(ShiftedConformanceTest, InOtherUnits) {
  ExpectPassAlike([](const auto& commands) { return ScaleValues(commands, 1024); }, 370, 1900);
  ExpectPassAlike([](const auto& commands) { return ScaleValues(commands, 0.25); }, 370, 1900);
}

}  // namespace
}  // namespace azexporter::promql
