#include "azexporter/promql/script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>

#include "azexporter/promql/series_notation.h"
#include "query_files.h"
#include "script_pinned.h"

namespace azexporter::promql {
namespace {

namespace fs = std::filesystem;

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
  const SeriesLine halves = SplitSeriesNotation("up{a='} {{'} {{sum:1}} 2");
  EXPECT_EQ(halves.series, "up{a='} {{'}");
  EXPECT_EQ(halves.points, " {{sum:1}} 2");
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

TEST(ScriptTest, TellsWhatAnEvalLacks) {
  const auto report = RunScript(
      "load 1m\n"
      "  plain 1 2\n"
      "  native {{schema:0 sum:1 count:1 buckets:[1]}}\n"
      "  counter@st 0s -1m\n"
      "  counter 1 2\n"
      "\n"
      "load_with_nhcb 1m\n"
      "  classic_bucket{le=\"1\"} 1\n"
      "\n"
      "eval instant at 0 plain\n"
      "  plain 7\n"
      "\n"
      "eval instant at 0 count({__name__=~\"nat.*\"})\n"
      "  {} 1\n"
      "\n"
      "eval instant at 0 plain\n"
      "  plain {{sum:1}}\n"
      "\n"
      "eval instant at 1m sum(counter)\n"
      "  {} 7\n"
      "\n"
      "eval instant at 0 count(classic)\n"
      "  {} 1\n"
      "\n"
      "eval instant at 0 limitk(1, plain)\n"
      "  plain 1\n"
      "\n"
      "clear\n"
      "eval instant at 0 count(native)\n"
      "  {} 1\n");
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->notes.size(), 2u);
  std::vector<ScriptLack> lacks;
  for (const ScriptFailure& failure : report->failures) lacks.push_back(failure.lack);
  using enum ScriptLack;
  EXPECT_EQ(lacks, (std::vector{kNone, kNativeHistograms, kNativeHistograms, kStartTimestamps,
                                kNativeHistograms, kExperimental, kNone}));
  EXPECT_TRUE(
      FormatFailure("x.test", report->failures[1]).ends_with("\n  needs:    native histograms"));
}

// `up @ 2m` is the same whenever it is asked: a script finds out where it is not.
TEST(ScriptTest, AsksInstantQueriesAtOtherTimesToo) {
  struct Case {
    std::string query;
    std::string pinned;
  };
  const Case cases[] = {
      {"up", "up @ 3.000"},
      {"-sum(rate(up[5m] offset 1m))", "-sum(rate(up[5m] @ 3.000 offset 1m))"},
      {"max_over_time(up[5m:1m])", "max_over_time(up[5m:1m] @ 3.000)"},
      {"max_over_time((up @ 1)[5m:1m] @ end())", "max_over_time((up @ 1.000)[5m:1m] @ 3.000)"},
      {"up @ 1 + topk(scalar(a), (b))", "up @ 1.000 + topk(scalar(a @ 3.000), (b @ 3.000))"},
  };
  for (const Case& c : cases) EXPECT_EQ(PinnedAt(c.query, 3'000), c.pinned) << c.query;
  for (const char* query : {"time()", "1 + hour()", "timestamp(up)", "predict_linear(up[5m], 1)"}) {
    EXPECT_EQ(PinnedAt(query, 0), std::nullopt) << query;
  }
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
      {"eval instant at 0 up\n up 1 2",
       "line 2: several values expected of an instant query without 'expect range vector'"},
      {"eval instant at 0 up\n expect warn\n expect no_warn",
       "line 3: 'expect warn' beside 'no_warn'"},
      {"eval instant at 0 up\n expect info\n expect no_info",
       "line 3: 'expect info' beside 'no_info'"},
      {"eval instant at 0 up\n expect fail\n expect fail", "line 3: 'expect fail' more than once"},
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

INSTANTIATE_TEST_SUITE_P(Testdata, OwnScriptTest, testing::ValuesIn(OwnScripts()),
                         [](const auto& test) { return test.param.stem().string(); });

// How many evals of each of Prometheus's scripts pass at least, and what the others lack: the first
// number only goes up, the others only go down.
struct Floor {
  std::string_view file;
  int passed;
  int experimental;
  int native_histograms;
  int start_timestamps;
};
constexpr Floor kFloors[] = {
    {"aggregators.test", 124, 2, 34, 0},
    {"at_modifier.test", 77, 1, 0, 0},
    {"collision.test", 2, 0, 0, 0},
    {"duration_expression.test", 8, 51, 0, 0},
    {"extended_vectors.test", 30, 135, 4, 0},
    {"fill-modifier.test", 1, 45, 0, 0},
    {"functions.test", 299, 80, 52, 0},
    {"histograms.test", 87, 14, 84, 0},
    {"info.test", 1, 52, 0, 0},
    {"limit.test", 0, 31, 6, 0},
    {"literals.test", 25, 0, 0, 0},
    {"name_label_dropping.test", 30, 0, 0, 0},
    {"native_histograms.test", 3, 5, 514, 0},
    {"operators.test", 145, 0, 69, 0},
    {"range_queries.test", 15, 2, 1, 0},
    {"selectors.test", 31, 0, 0, 0},
    {"staleness.test", 17, 0, 0, 0},
    {"start_timestamps.test", 2, 2, 7, 15},
    {"subquery.test", 32, 0, 2, 0},
    {"trig_functions.test", 19, 0, 0, 0},
    {"type_and_unit.test", 58, 0, 0, 0},
};

void PrintTo(const Floor& floor, std::ostream* out) { *out << floor.file; }

class ConformanceTest : public testing::TestWithParam<Floor> {};

TEST_P(ConformanceTest, PassesAllThatNeedsNoMissingFeature) {
  const fs::path folder = ConformanceFolder() / "promql";
  if (!fs::exists(folder)) GTEST_SKIP() << "no conformance data in " << folder;
  const Floor& floor = GetParam();
  const auto report = RunScript(ReadFile(folder / floor.file));
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->passed + report->failed,
            floor.passed + floor.experimental + floor.native_histograms + floor.start_timestamps);
  EXPECT_GE(report->passed, floor.passed);
  if (report->passed > floor.passed) std::cout << "raise the floor to " << report->passed << "\n";
  std::map<ScriptLack, int> lacks;
  for (const ScriptFailure& failure : report->failures) {
    ++lacks[failure.lack];
    if (failure.lack == ScriptLack::kNone) ADD_FAILURE() << FormatFailure(floor.file, failure);
  }
  EXPECT_LE(lacks[ScriptLack::kExperimental], floor.experimental);
  EXPECT_LE(lacks[ScriptLack::kNativeHistograms], floor.native_histograms);
  EXPECT_LE(lacks[ScriptLack::kStartTimestamps], floor.start_timestamps);
}

INSTANTIATE_TEST_SUITE_P(Prometheus, ConformanceTest, testing::ValuesIn(kFloors),
                         [](const auto& test) {
                           std::string name(test.param.file.substr(0, test.param.file.find('.')));
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace azexporter::promql
