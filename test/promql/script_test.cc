#include "azexporter/promql/script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "azexporter/promql/parser.h"
#include "azexporter/promql/printer.h"
#include "azexporter/promql/series_notation.h"

namespace azexporter::promql {
namespace {

namespace fs = std::filesystem;

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<fs::path> Scripts(const fs::path& folder) {
  std::vector<fs::path> paths;
  if (!fs::exists(folder)) return paths;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

// Prometheus's own scripts, where they are at hand.
fs::path ConformanceFolder() {
  const char* folder = std::getenv("AZX_CONFORMANCE");
  const fs::path root =
      folder != nullptr ? fs::path(folder) : fs::path(AZX_SOURCE_DIR) / "../shared/conformance";
  return root / "promql";
}

fs::path OwnFolder() { return fs::path(AZX_SOURCE_DIR) / "test/promql/testdata"; }

TEST(SeriesNotationTest, UnfoldsSequences) {
  struct Case {
    std::string_view text;
    std::string_view values;
  };
  const Case cases[] = {
      {"", ""},
      {"1 2.5 -3", "1 2.5 -3"},
      {"1x2", "1 1 1"},
      {"1+2x3", "1 3 5 7"},
      {"-2-4.5x2", "-2 -6.5 -11"},
      {"1e3+1e+2x1", "1000 1100"},
      {"_ _x2 4", "_ _ _ 4"},
      {"stale NaN Inf -Inf", "stale NaN +Inf -Inf"},
      {"0x0", "0"},
  };
  for (const Case& c : cases) {
    const auto sequence = ParseSequence(c.text);
    ASSERT_TRUE(sequence) << c.text << ": " << sequence.error().message();
    const auto wanted = ParseSequence(c.values);
    ASSERT_TRUE(wanted);
    ASSERT_EQ(sequence->size(), wanted->size()) << c.text;
    for (std::size_t i = 0; i < wanted->size(); ++i) {
      ASSERT_EQ((*sequence)[i].has_value(), (*wanted)[i].has_value()) << c.text;
      if (!(*wanted)[i]) continue;
      const double a = *(*sequence)[i];
      const double b = *(*wanted)[i];
      EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << c.text << " at " << i;
    }
  }
  EXPECT_TRUE(model::IsStaleNaN(*ParseSequence("stale")->front()));
  EXPECT_FALSE(model::IsStaleNaN(*ParseSequence("NaN")->front()));
}

TEST(SeriesNotationTest, RefusesMalformedSequences) {
  for (std::string_view text : {"1x", "1+2", "x3", "abc", "1x-1", "1+2x3y", "_3", "1..2", "--1",
                                "1x99999999999", "{{schema:1}}"}) {
    EXPECT_FALSE(ParseSequence(text)) << text;
  }
  EXPECT_FALSE(ParseSequence("1x600000 1x600000")) << "no more than kMaxSequence altogether";
}

TEST(SeriesNotationTest, SplitsSeriesFromPoints) {
  const auto series = ParseSeriesNotation("up{a=\"} 1\"}  1 2");
  ASSERT_TRUE(series) << series.error().message();
  EXPECT_EQ(series->labels.Get("a"), "} 1");
  EXPECT_EQ(series->values.size(), 2u);
  EXPECT_EQ(ParseSeriesNotation("{} 3")->labels.size(), 0u);
  EXPECT_FALSE(ParseSeriesNotation("up{a= 1"));
}

TEST(ScriptTest, ReportsEveryEvalThatComesOutOtherwise) {
  const auto report = RunScript(
      "load 1m\n"
      "  up{zone=\"a\"} 1 2 3\n"
      "\n"
      "eval instant at 1m up\n"
      "  up{zone=\"a\"} 2\n"
      "\n"
      "eval instant at 2m sum(up)\n"
      "  {} 4\n"
      "\n"
      "eval range from 0 to 2m step 1m up\n"
      "  up{zone=\"a\"} 1 2 _\n"
      "\n"
      "eval instant at 0 nope(\n"
      "  expect fail\n"
      "\n"
      "eval instant at 0 up\n"
      "  expect fail\n"
      "\n"
      "clear\n"
      "eval instant at 1m up\n");
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->passed, 3);
  ASSERT_EQ(report->failed, 3);
  EXPECT_EQ(FormatFailure("x.test", report->failures[0]),
            "x.test:7: sum(up)\n  expected: 4\n  got:      {} 3");
  EXPECT_EQ(report->failures[1].line, 10);
  EXPECT_EQ(report->failures[1].got, "up{zone=\"a\"} 1@0ms 2@60000ms 3@120000ms");
  EXPECT_EQ(report->failures[2].expected, "an error");
}

TEST(ScriptTest, RefusesMalformedScripts) {
  struct Case {
    std::string_view script;
    std::string_view error;
  };
  const Case cases[] = {
      {"nonsense", "line 1: unknown command \"nonsense\""},
      {"\nload\n", "line 2: empty duration string"},
      {"eval instant at x up", "line 1: not a valid duration string: \"x\""},
      {"eval range from 1m to 0 step 1m up", "line 1: the range ends before it starts"},
      {"eval range from 0 step 1m up", "line 1: expected 'to' after the start of the range"},
      {"eval instant at 1m", "line 1: eval without a query"},
      {"eval instant at 0 up\n expect nothing", "line 2: unknown expectation \"nothing\""},
      {"eval instant at 0 \"x\"\n expect string x", "line 2: expected a string in quotes"},
  };
  for (const Case& c : cases) {
    const auto report = RunScript(c.script);
    ASSERT_FALSE(report) << c.script;
    EXPECT_EQ(report.error().message(), c.error) << c.script;
  }
}

// The scripts in testdata: what the engine answers, theme by theme.
class OwnScriptTest : public testing::TestWithParam<fs::path> {};

TEST_P(OwnScriptTest, Passes) {
  const auto report = RunScript(ReadFile(GetParam()));
  ASSERT_TRUE(report) << GetParam() << ": " << report.error().message();
  EXPECT_GT(report->passed, 0);
  for (const std::string& note : report->notes) ADD_FAILURE() << note;
  for (const ScriptFailure& failure : report->failures) {
    ADD_FAILURE() << FormatFailure(GetParam().filename().string(), failure);
  }
}

INSTANTIATE_TEST_SUITE_P(Testdata, OwnScriptTest, testing::ValuesIn(Scripts(OwnFolder())),
                         [](const auto& test) { return test.param.stem().string(); });

// How many evals of each of Prometheus's scripts pass at least: these numbers only go up.
struct Floor {
  std::string_view file;
  int passed;
  int total;
};
constexpr Floor kFloors[] = {
    {"aggregators.test", 124, 160},
    {"at_modifier.test", 77, 78},
    {"collision.test", 2, 2},
    {"duration_expression.test", 8, 59},
    {"extended_vectors.test", 30, 169},
    {"fill-modifier.test", 1, 46},
    {"functions.test", 299, 431},
    {"histograms.test", 87, 185},
    {"info.test", 1, 53},
    {"limit.test", 0, 37},
    {"literals.test", 25, 25},
    {"name_label_dropping.test", 30, 30},
    {"native_histograms.test", 3, 522},
    {"operators.test", 145, 214},
    {"range_queries.test", 15, 18},
    {"selectors.test", 31, 31},
    {"staleness.test", 17, 17},
    {"start_timestamps.test", 2, 26},
    {"subquery.test", 32, 34},
    {"trig_functions.test", 19, 19},
    {"type_and_unit.test", 58, 58},
};

TEST(ConformanceTest, PassesNoFewerEvalsThanBefore) {
  const fs::path folder = ConformanceFolder();
  if (!fs::exists(folder)) GTEST_SKIP() << "no conformance data in " << folder;
  for (const Floor& floor : kFloors) {
    const auto report = RunScript(ReadFile(folder / floor.file));
    ASSERT_TRUE(report) << floor.file << ": " << report.error().message();
    EXPECT_EQ(report->passed + report->failed, floor.total) << floor.file;
    EXPECT_GE(report->passed, floor.passed) << floor.file;
    if (report->passed > floor.passed) {
      std::cout << floor.file << ": raise the floor to " << report->passed << "\n";
    }
  }
}

// parse(print(parse(query))) prints the same, for every query in every script at hand.
TEST(ConformanceTest, PrintsEveryQueryAsAFixpoint) {
  std::vector<fs::path> scripts = Scripts(OwnFolder());
  for (const fs::path& path : Scripts(ConformanceFolder())) scripts.push_back(path);
  int queries = 0;
  for (const fs::path& path : scripts) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
      // Any tail of a line will do, as long as it parses: "eval instant at 5m QUERY" holds several.
      for (std::size_t at = line.find(' '); at != std::string::npos; at = line.find(' ', at + 1)) {
        const auto expr = ParseExpr(std::string_view(line).substr(at + 1));
        if (!expr) continue;
        ++queries;
        const std::string printed = Print(**expr);
        const auto again = ParseExpr(printed);
        ASSERT_TRUE(again) << printed << ": " << again.error().message();
        EXPECT_EQ(Print(**again), printed);
      }
    }
  }
  EXPECT_GT(queries, 100);
}

}  // namespace
}  // namespace azexporter::promql
