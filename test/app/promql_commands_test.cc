#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "app/run_command.h"

namespace azexporter::app {
namespace {

TEST(FormatPromqlTest, PrintsTheExpressionOrPointsAtItsFault) {
  const Output good = RunAs(RunFormatPromql, "promql", "format", "sum(up)by(zone)");
  EXPECT_EQ(good.code, 0);
  EXPECT_EQ(good.out, "sum by (zone) (up)\n");
  EXPECT_EQ(good.err, "");

  const Output bad = RunAs(RunFormatPromql, "promql", "format", "sum(up) by zone");
  EXPECT_EQ(bad.code, 1);
  EXPECT_EQ(bad.out, "");
  EXPECT_EQ(bad.err,
            "azexporter: 1:12: parse error: unexpected identifier \"zone\" in grouping opts, "
            "expected \"(\"\n"
            "  sum(up) by zone\n"
            "             ^\n");
}

TEST(TestPromqlTest, ReportsALineAFileAndTheSum) {
  const std::filesystem::path folder = testing::TempDir();
  const std::string good = folder / "azx_good.test";
  const std::string bad = folder / "azx_bad.test";
  std::ofstream(good) << "eval instant at 0 1\n  1\n";
  std::ofstream(bad) << "load 1m\n  h {{count:1}}\n\n"
                        "eval instant at 0 1\n  2\n\neval instant at 0 count(h)\n  {} 1\n";
  const Output passed = RunAs(RunTestPromql, "test", "promql", good.c_str());
  EXPECT_EQ(passed.code, 0);
  EXPECT_EQ(passed.out, good + ": 1 passed, 0 failed\n1 passed, 0 failed\n");
  const Output failed =
      RunAs(RunTestPromql, "test", "promql", good.c_str(), bad.c_str(), "/nowhere");
  EXPECT_EQ(failed.code, 1);
  EXPECT_EQ(failed.out, good + ": 1 passed, 0 failed\n" + bad +
                            ":4: 1\n  expected: 2\n  got:      1\n" + bad +
                            ": 1 passed, 1 failed\n" +
                            "/nowhere: /nowhere: No such file or directory\n"
                            "2 passed, 2 failed\n");
}

}  // namespace
}  // namespace azexporter::app
