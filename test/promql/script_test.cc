#include "azexporter/promql/script.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>

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
      const double a = (*sequence)[i]->f;
      const double b = (*wanted)[i]->f;
      EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << c.text << " at " << i;
    }
  }
  EXPECT_TRUE(model::IsStaleNaN(ParseSequence("stale")->front()->f));
  EXPECT_FALSE(model::IsStaleNaN(ParseSequence("NaN")->front()->f));
}

TEST(SeriesNotationTest, ReadsNativeHistograms) {
  struct Case {
    std::string_view text;
    std::vector<std::string> values;  // as they are printed again; "" for a gap
  };
  const std::string full =
      "{{schema:1 count:9 sum:-2.5 z_bucket:1 z_bucket_w:0.5 counter_reset_hint:gauge offset:-2 "
      "buckets:[1 0 3] n_offset:1 n_buckets:[4]}}";
  const Case cases[] = {
      {"{{}}", {"{{}}"}},
      {full, {full}},
      {"{{ schema:-53 count:3 custom_values:[5 10] buckets:[1 2] }}x1 _",
       {"{{schema:-53 count:3 custom_values:[5 10] buckets:[1 2]}}",
        "{{schema:-53 count:3 custom_values:[5 10] buckets:[1 2]}}", ""}},
      {"{{count:2 buckets:[2]}}+{{count:1 buckets:[0 1]}}x2",
       {"{{count:2 buckets:[2]}}", "{{count:3 buckets:[2 1]}}", "{{count:4 buckets:[2 2]}}"}},
      {"{{count:4}}-{{count:1}}x1 {{count:7}}", {"{{count:4}}", "{{count:3}}", "{{count:7}}"}},
  };
  for (const Case& c : cases) {
    const auto sequence = ParseSequence(c.text);
    ASSERT_TRUE(sequence) << c.text << ": " << sequence.error().message();
    std::vector<std::string> values;
    for (const auto& value : *sequence) values.push_back(value ? value->h->ToNotation() : "");
    EXPECT_EQ(values, c.values) << c.text;
  }
  EXPECT_TRUE(ParseSequence("{{counter_reset_hint:unknown}}")->front()->names_hint);
  EXPECT_FALSE(ParseSequence("{{count:1}}")->front()->names_hint);
}

TEST(SeriesNotationTest, ReadsStartTimes) {
  const auto times = ParseStartTimes("-30s-1mx2 _x2 0 _ 1ms");
  ASSERT_TRUE(times) << times.error().message();
  EXPECT_EQ(*times,
            (std::vector<std::optional<std::int64_t>>{-30'000, -90'000, -150'000, std::nullopt,
                                                      std::nullopt, 0, std::nullopt, 1}));
  for (const char* text : {"5", "-1mx", "1mxx", "1m1", "_y"}) {
    EXPECT_FALSE(ParseStartTimes(text)) << text;
  }
}

TEST(SeriesNotationTest, RefusesMalformedSequences) {
  for (std::string_view text : {"1x",
                                "1+2",
                                "x3",
                                "abc",
                                "1x-1",
                                "1+2x3y",
                                "_3",
                                "1..2",
                                "--1",
                                "1x99999999999",
                                "{{schema:1",
                                "{{schema:9}}",
                                "{{schema}}",
                                "{{buckets:[1 x]}}",
                                "{{colour:1}}",
                                "{{sum:1}}x",
                                "{{sum:1}}+2x3",
                                "{{counter_reset_hint:maybe}}",
                                "{{schema:1}}+{{schema:0}}x1",
                                "{{schema:-53 custom_values:[1]}}+{{}}x1"}) {
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

TEST(ScriptTest, ComparesNativeHistograms) {
  const auto report = RunScript(
      "load 1m\n"
      "  native {{count:3 sum:5 buckets:[1 2]}}x2\n"
      "  classic_bucket{le=\"1\"} 1\n"
      "  counter@st 0s -1m\n"
      "  counter 1 2\n"
      "\n"
      "load_with_nhcb 1m\n"
      "  late_bucket{le=\"1\"} 1\n"
      "  late_bucket{le=\"+Inf\"} 3\n"
      "  late_sum 7\n"
      "\n"
      "eval instant at 1m native\n"
      "  native {{count:3 sum:5.000000001 buckets:[1 2]}}\n"
      "\n"
      "eval instant at 1m native\n"
      "  native {{count:3 sum:5 buckets:[1 2] counter_reset_hint:reset}}\n"
      "\n"
      "eval instant at 1m native\n"
      "  native {{count:3 sum:5 buckets:[2 1]}}\n"
      "\n"
      "eval instant at 1m native\n"
      "  native 3\n"
      "\n"
      "eval instant at 0 late\n"
      "  late {{schema:-53 count:3 sum:7 custom_values:[1] buckets:[1 2]}}\n"
      "\n"
      "eval instant at 0 classic\n"
      "\n"
      "eval instant at 1m start_timestamp(counter)\n"
      "  {} 0\n");
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->notes, std::vector<std::string>());
  EXPECT_EQ(report->passed, 4);
  ASSERT_EQ(report->failed, 3);
  EXPECT_EQ(FormatFailure("x.test", report->failures[1]),
            "x.test:18: native\n  expected: {{count:3 sum:5 buckets:[2 1]}}\n  got:      native "
            "{{count:3 sum:5 counter_reset_hint:not_reset buckets:[1 2]}}");
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
  for (const Case& c : cases) EXPECT_EQ(PinnedAt(c.query, 3'000, {}), c.pinned) << c.query;
  for (const char* query : {"time()", "1 + hour()", "timestamp(up)", "predict_linear(up[5m], 1)"}) {
    EXPECT_EQ(PinnedAt(query, 0, {}), std::nullopt) << query;
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

// Prometheus's scripts, and how many evals each has.
struct Script {
  std::string_view file;
  int evals;
};
constexpr Script kScripts[] = {
    {"aggregators.test", 160},
    {"at_modifier.test", 78},
    {"collision.test", 2},
    {"duration_expression.test", 59},
    {"extended_vectors.test", 169},
    {"fill-modifier.test", 46},
    {"functions.test", 431},
    {"histograms.test", 185},
    {"info.test", 53},
    {"limit.test", 37},
    {"literals.test", 25},
    {"name_label_dropping.test", 30},
    {"native_histograms.test", 522},
    {"operators.test", 214},
    {"range_queries.test", 18},
    {"selectors.test", 31},
    {"staleness.test", 17},
    {"start_timestamps.test", 26},
    {"subquery.test", 34},
    {"trig_functions.test", 19},
    {"type_and_unit.test", 58},
};

void PrintTo(const Script& script, std::ostream* out) { *out << script.file; }

class ConformanceTest : public testing::TestWithParam<Script> {};

TEST_P(ConformanceTest, Passes) {
  const fs::path folder = ConformanceFolder() / "promql";
  if (!fs::exists(folder)) GTEST_SKIP() << "no conformance data in " << folder;
  const auto report = RunScript(ReadFile(folder / GetParam().file));
  ASSERT_TRUE(report) << report.error().message();
  EXPECT_EQ(report->passed, GetParam().evals);
  for (const std::string& note : report->notes) ADD_FAILURE() << note;
  for (const ScriptFailure& failure : report->failures) {
    ADD_FAILURE() << FormatFailure(GetParam().file, failure);
  }
}

INSTANTIATE_TEST_SUITE_P(Prometheus, ConformanceTest, testing::ValuesIn(kScripts),
                         [](const auto& test) {
                           std::string name(test.param.file.substr(0, test.param.file.find('.')));
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace azexporter::promql
