#include "azexporter/promql/parser.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "azexporter/promql/functions.h"
#include "azexporter/promql/printer.h"

namespace azexporter::promql {
namespace {

// How the printer shows what the parser understood.
struct Good {
  std::string_view query;
  std::string_view printed;
};

TEST(ParserTest, UnderstandsWhatPrometheusUnderstands) {
  const Good cases[] = {
      // Numbers and strings.
      {"1", "1"},
      {"0x1F", "31"},
      {"0755", "493"},
      {"1_000.5", "1000.5"},
      {".5e-3", "0.0005"},
      {"+Inf", "+Inf"},
      {"-inf", "-Inf"},
      {"nAn", "NaN"},
      {"5m30s", "5m30s"},
      {"-5m", "-5m"},
      {R"("a\"b\u00e9\x41\101\n")",
       "\"a\\\"b\xc3\xa9"
       "AA\\n\""},
      {"`raw\\n`", R"("raw\\n")"},
      {"'single \"'", R"("single \"")"},
      // Operators: precedence and association.
      {"1 + 2 * 3 ^ 4 ^ 5", "1 + 2 * 3 ^ 4 ^ 5"},
      {"-1 ^ 2", "-1 ^ 2"},
      {"Inf ^ 2", "Inf ^ 2"},
      {"2 ^ Inf", "2 ^ +Inf"},
      {"- (1)", "-(1)"},
      {"--x", "--x"},
      {"2 ^ -1", "2 ^ -1"},
      {"a atan2 b % c", "a atan2 b % c"},
      {"h </ 1 + 2 >/ on(x) b", "h </ 1 + 2 >/ on (x) b"},
      {"a and b or c unless d", "a and b or c unless d"},
      {"1 < bool 2", "1 < bool 2"},
      {"a == bool on(x, \"y z\",) group_left(w) b", "a == bool on (x, \"y z\") group_left (w) b"},
      {"a / ignoring(x) group_right b", "a / ignoring (x) group_right () b"},
      {"a + on() b", "a + on () b"},
      {"a + ignoring() b", "a + b"},
      // Selectors.
      {"up", "up"},
      {"job:up:sum{zone!=\"b\", zone=~'a.*'}", "job:up:sum{zone!=\"b\",zone=~\"a.*\"}"},
      {"{__name__=\"up\",}", "{__name__=\"up\"}"},
      {"{\"a.b\", \"c d\"=\"e\"}", "{\"c d\"=\"e\",__name__=\"a.b\"}"},
      {"up @ 1609746000.1234 offset -5m", "up @ 1609746000.123 offset -5m"},
      {"up offset 1.001", "up offset 1s1ms"},
      {"up offset -(5m)", "up offset -5m"},
      {"up offset 5m - 1", "up offset 5m - 1"},
      {"up[5m] @ end() offset 1h", "up[5m] @ end() offset 1h"},
      {"up[300]", "up[5m]"},
      {"sum(up)[30m:1m] @ start()", "sum(up)[30m:1m] @ start()"},
      {"up[1h:] offset 1w", "up[1h:] offset 1w"},
      {"up # a comment\n + 1", "up + 1"},
      // Keywords are names where a name is wanted.
      {"sum", "sum"},
      {"offset offset 5m", "offset offset 5m"},
      {"by + and", "by + and"},
      {"sum by (by, on, bool, group_left, offset) (start)",
       "sum by (by, on, bool, group_left, offset) (start)"},
      {"fill + fill_left", "fill + fill_left"},
      {"{sum=\"x\", by=\"y\"}", "{by=\"y\",sum=\"x\"}"},
      {"SUM BY (a) (b)", "sum by (a) (b)"},
      // Aggregations and calls.
      {"sum(up) without (a, b)", "sum without (a, b) (up)"},
      {"sum by () (up)", "sum(up)"},
      {"topk(3, up) by (zone)", "topk by (zone) (3, up)"},
      {"count_values(\"v\", up)", "count_values(\"v\", up)"},
      {"round(up)", "round(up)"},
      {"label_join(up, \"a\", \",\")", "label_join(up, \"a\", \",\")"},
      {"time()", "time()"},
      {"hour()", "hour()"},
  };
  for (const Good& c : cases) {
    const auto expr = ParseExpr(c.query);
    ASSERT_TRUE(expr) << c.query << ": " << expr.error().message();
    EXPECT_EQ(Print(**expr), c.printed) << c.query;
    const auto again = ParseExpr(Print(**expr));
    ASSERT_TRUE(again) << c.printed << ": " << again.error().message();
    EXPECT_EQ(Print(**again), c.printed) << "printing is a fixpoint";
  }
}

struct Bad {
  std::string_view query;
  std::string_view error;
};

TEST(ParserTest, RefusesWhatPrometheusRefusesInItsWords) {
  const Bad cases[] = {
      {"", "unknown position: parse error: no expression found in input"},
      {"# nothing", "1:1: parse error: no expression found in input"},
      {"1 +", "1:4: parse error: unexpected end of input"},
      {"sum(\n  up", "2:5: parse error: unclosed left parenthesis"},
      {"(1))", "1:5: parse error: unexpected right parenthesis ')'"},
      {"up up", "1:4: parse error: unexpected identifier \"up\""},
      {"sum(up up)", "1:8: parse error: unexpected identifier \"up\" in aggregation"},
      {"1 == 1", "1:3: parse error: comparisons between scalars must use BOOL modifier"},
      {"a + bool b", "1:3: parse error: bool modifier can only be used on comparison operators"},
      {"a </ bool b", "1:3: parse error: bool modifier can only be used on comparison operators"},
      {"a and 1", "1:1: parse error: set operator \"and\" not allowed in binary scalar expression"},
      {"a and on(x) group_left b", "1:1: parse error: no grouping allowed for \"and\" operation"},
      {"a + on(x) group_left bool b",
       "1:22: parse error: unexpected <bool> in grouping opts, expected \"(\""},
      {"a + group_left b", "1:5: parse error: unexpected <group_left>"},
      {"a + on(x) group_left(x) b",
       "1:3: parse error: label \"x\" must not occur in ON and GROUP clause at once"},
      {"a + on(x) 1", "1:1: parse error: vector matching only allowed between instant vectors"},
      {"1 =~ 2", "1:3: parse error: unexpected character after '=': '~'"},
      {"\"x\" + 1",
       "1:1: parse error: binary expression must contain only scalar and instant vector types"},
      {"-\"x\"",
       "1:1: parse error: unary expression only allowed on expressions of type scalar or instant "
       "vector, got \"string\""},
      {"{}", "1:1: parse error: vector selector must contain at least one non-empty matcher"},
      {"{a=~\".*\"}",
       "1:1: parse error: vector selector must contain at least one non-empty matcher"},
      {"up{__name__=~\"x\\\\d\"}",
       "1:1: parse error: metric name must not be set twice: \"up\" or \"x\\\\d\""},
      {"up{__name__=\"x\"}",
       "1:1: parse error: metric name must not be set twice: \"up\" or \"x\""},
      {"up{a}",
       "1:5: parse error: unexpected \"}\" in label matching, expected label matching "
       "operator"},
      {"up{a=b}",
       "1:6: parse error: unexpected identifier \"b\" in label matching, expected "
       "string"},
      {"up{,}",
       "1:4: parse error: unexpected \",\" in label matching, expected identifier or "
       "\"}\""},
      {"up{", "1:4: parse error: unexpected end of input inside braces"},
      {"up{a=~\"(\"}", "1:4: parse error: error parsing regexp: missing closing ): `(`"},
      {"up[", "1:4: parse error: unexpected end of input in duration expression"},
      {"up[]",
       "1:4: parse error: unexpected \"]\" in subquery or range selector, expected "
       "number, duration, step(), or range()"},
      {"up[5mm]", "1:4: parse error: bad number or duration syntax: \"5mm\""},
      {"up[5y1hs]", "1:4: parse error: unknown unit \"hs\" in duration \"5y1hs\""},
      {"up[9999999999999999999999s]",
       "1:4: parse error: not a valid duration string: \"9999999999999999999999s\""},
      {"up[300y]", "1:4: parse error: duration out of range"},
      {"up[5m1h]", "1:4: parse error: not a valid duration string: \"5m1h\""},
      {"up[0s]", "1:4: parse error: duration must be greater than 0"},
      {"up[9.5e10]", "1:4: parse error: duration out of range"},
      {"up[2m/0]", "1:6: parse error: division by zero"},
      {"up[2m%0s]", "1:6: parse error: modulo by zero"},
      {"up[-(5m)]", "1:4: parse error: duration must be greater than 0"},
      {"up[max_of(5m)]",
       "1:13: parse error: unexpected \")\" in subquery or range selector, expected number, "
       "duration, step(), or range()"},
      {"up[5m + ]",
       "1:9: parse error: unexpected \"]\" in subquery or range selector, expected number, "
       "duration, "
       "step(), or range()"},
      {"up[5m > 1]",
       "1:7: parse error: unexpected <op:>> in subquery or range, expected \":\" or \"]\""},
      {"up[(5m]",
       "1:7: parse error: unexpected \"]\" in subquery or range selector, expected number, "
       "duration, "
       "step(), or range()"},
      {"up offset step)", "1:16: parse error: unexpected right parenthesis ')'"},
      {"sum(up)[5m]", "1:8: parse error: ranges only allowed for vector selectors"},
      {"up offset 1m[5m]", "1:13: parse error: no offset modifiers allowed before range"},
      {"up @ 1 [5m]", "1:8: parse error: no @ modifiers allowed before range"},
      {"up[5m:1m][5m:]",
       "1:1: parse error: subquery is only allowed on instant vector, got matrix instead"},
      {"up offset",
       "1:10: parse error: unexpected end of input in offset, expected number, "
       "duration, step(), or range()"},
      {"up offset 1m offset 1m", "1:1: parse error: offset may not be set multiple times"},
      {"1 offset 1m",
       "1:1: parse error: offset modifier must be preceded by an instant vector "
       "selector or range vector selector or a subquery"},
      {"up @ +Inf", "1:1: parse error: timestamp out of bounds for @ modifier: +Inf"},
      {"up @ start", "1:11: parse error: unexpected end of input in @, expected timestamp"},
      {"rate(up)",
       "1:6: parse error: expected type range vector in call to function \"rate\", "
       "got instant vector"},
      {"rate()", "1:1: parse error: expected 1 argument(s) in call to \"rate\", got 0"},
      {"round(up, 1, 2)",
       "1:1: parse error: expected at most 2 argument(s) in call to "
       "\"round\", got 3"},
      {"label_join(up)",
       "1:1: parse error: expected at least 3 argument(s) in call to "
       "\"label_join\", got 1"},
      {"rate(up[5m],)", "1:12: parse error: trailing commas not allowed in function call args"},
      {"nope(up)", "1:1: parse error: unknown function with name \"nope\""},
      {"info(up)", "1:1: parse error: function \"info\" is not enabled"},
      {"limitk(1, up)",
       "1:1: parse error: limitk() is experimental and must be enabled with "
       "--enable-feature=promql-experimental-functions"},
      {"a + fill(1) ", "1:13: parse error: unexpected end of input"},
      {"a + fill_left(1 b", "1:17: parse error: unexpected identifier \"b\""},
      {"a + fill_left(1) fill_right(-2) b",
       "1:1: parse error: binop fill modifiers are experimental and not enabled"},
      {"a + fill(1) b", "1:1: parse error: binop fill modifiers are experimental and not enabled"},
      {"up[5m] smoothed", "1:1: parse error: smoothed modifier is experimental and not enabled"},
      {"sum()", "1:1: parse error: no arguments for aggregate expression provided"},
      // A word that cannot be comes before what is wrong with the words so far, where it might have
      // belonged to them.
      {"sum(a, b))", "1:11: parse error: unexpected right parenthesis ')'"},
      {"up[0s $", "1:7: parse error: unexpected character: '$'"},
      {"1 offset 1m $",
       "1:1: parse error: offset modifier must be preceded by an instant vector selector or range "
       "vector selector or a subquery"},
      {"topk(up)",
       "1:1: parse error: wrong number of arguments for aggregate expression provided, "
       "expected 2, got 1"},
      {"topk(up, up)",
       "1:6: parse error: expected type scalar in aggregation parameter, got "
       "instant vector"},
      {"sum by up (x)",
       "1:8: parse error: unexpected identifier \"up\" in grouping opts, expected "
       "\"(\""},
      {"sum by (a b) (x)",
       "1:11: parse error: unexpected identifier \"b\" in grouping opts, "
       "expected \",\" or \")\""},
      {"sum by (without) (x)",
       "1:9: parse error: unexpected <without> in grouping opts, expected "
       "label"},
      {"\"abc", "1:1: parse error: unterminated quoted string"},
      {"\"\\q\"", "1:1: parse error: unknown escape sequence U+0071 'q'"},
      {"\"\\xg0\"", "1:1: parse error: illegal character U+0067 'g' in escape sequence"},
      {"\"\\ud800\"", "1:1: parse error: escape sequence is an invalid Unicode code point"},
      {"\"\xff\"", "1:1: parse error: invalid UTF-8 rune"},
      {"up $", "1:4: parse error: unexpected character: '$'"},
      {"1..2", "1:1: parse error: bad number or duration syntax: \"1..\""},
  };
  for (const Bad& c : cases) {
    const auto expr = ParseExpr(c.query);
    ASSERT_FALSE(expr) << c.query << " printed as " << Print(**expr);
    EXPECT_EQ(expr.error().code(), base::ErrorCode::kBadData);
    EXPECT_EQ(expr.error().message(), c.error) << c.query;
  }
}

// Every word with a meaning of its own, and where it may be a name all the same.
TEST(ParserTest, TakesKeywordsForNamesWhereANameIsWanted) {
  constexpr std::string_view kEverywhere[] = {
      "anchored", "avg",    "bottomk", "by",   "count",       "count_values", "end",
      "fill",     "group",  "limitk",  "max",  "limit_ratio", "max_of",       "min",
      "min_of",   "offset", "or",      "and",  "quantile",    "range",        "smoothed",
      "start",    "stddev", "stdvar",  "step", "sum",         "topk",         "unless",
      "rate",     "le",     "time",    "SUM",  "fill_left",   "fill_right"};
  constexpr std::string_view kLabelsOnly[] = {"atan2",       "bool", "group_left",
                                              "group_right", "on",   "ignoring"};
  const auto parses = [](std::string_view before, std::string_view word, std::string_view after) {
    return ParseExpr(std::string(before) + std::string(word) + std::string(after)).has_value();
  };
  const auto expect_label = [&](std::string_view word, bool grouping) {
    EXPECT_EQ(parses("sum by (", word, ") (x)"), grouping) << word;
    EXPECT_EQ(parses("a + on(", word, ") b"), grouping) << word;
    EXPECT_EQ(parses("a + on(x) group_left(", word, ") b"), grouping) << word;
    EXPECT_TRUE(parses("{", word, "=\"a\"}")) << word << ": within braces there are no keywords";
    EXPECT_TRUE(parses("{\"", word, "\"}")) << word;
  };
  for (const std::string_view word : kEverywhere) {
    for (const std::string_view after : {"", "{a=\"b\"}", "[5m]", " offset 5m", " + 1", " @ 1"}) {
      EXPECT_TRUE(parses("", word, after)) << word << after;
    }
    expect_label(word, true);
  }
  for (const std::string_view word : kLabelsOnly) {
    EXPECT_FALSE(parses("", word, "{a=\"b\"}")) << word;
    expect_label(word, true);
  }
  // This one is the other way round.
  EXPECT_TRUE(parses("", "without", "{a=\"b\"}"));
  expect_label("without", false);
  // Numbers are never names, but within braces.
  for (const std::string_view word : {"inf", "NaN"}) {
    EXPECT_FALSE(parses("", word, "{a=\"b\"}")) << word;
    expect_label(word, false);
  }
}

std::string Repeat(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(ParserTest, BoundsTheDepthOfATree) {
  for (const auto& [begin, end] : {std::pair{"(", ")"},
                                   {"-", ""},
                                   {"abs(", ")"},
                                   {"", "+1"},
                                   {"sum by (a) (", ")"},
                                   {"2^", ""}}) {
    EXPECT_TRUE(ParseExpr(Repeat(begin, 190) + "x" + Repeat(end, 190))) << begin << end;
    EXPECT_FALSE(ParseExpr(Repeat(begin, 100'000) + "x" + Repeat(end, 100'000))) << begin << end;
  }
  EXPECT_FALSE(ParseExpr(std::string("x").append(Repeat("[5m:]", 100'000))));
  EXPECT_TRUE(ParseExpr(std::string("x").append(Repeat(" or x", 450))))
      << "a long chain is no deep nest";
}

TEST(ParserTest, SurvivesEveryPrefixAndEveryChangedByte) {
  const std::string query =
      "topk(3, sum by (\"a.b\") (rate({\"x\", y=~'z.*'}[5m] @ end() offset -1h)) > bool on(a) "
      "group_left(b) -0x1F ^ 2)[1h:1m] # end";
  for (std::size_t i = 0; i < query.size(); ++i) {
    (void)ParseExpr(query.substr(0, i));
    for (int byte = 0; byte < 256; byte += 3) {
      std::string changed = query;
      changed[i] = static_cast<char>(byte);
      const auto expr = ParseExpr(changed);
      if (!expr) continue;
      const auto again = ParseExpr(Print(**expr));
      ASSERT_TRUE(again) << Print(**expr);
      EXPECT_EQ(Print(**again), Print(**expr));
    }
  }
}

TEST(ParserTest, KnowsWhereEachNodeStands) {
  const auto expr = ParseExpr("1 +\n  rate(up[5m] offset 1m)");
  ASSERT_TRUE(expr);
  const auto& sum = As<BinaryExpr>(**expr);
  const auto& call = As<CallExpr>(*sum.rhs);
  EXPECT_EQ(call.position().line, 2);
  EXPECT_EQ(call.position().column, 3);
  EXPECT_EQ(call.args[0]->position().start, 11u);
  EXPECT_EQ(call.args[0]->position().end, 27u);
}

TEST(ParserTest, ReadsSelectorsAndSeries) {
  EXPECT_EQ(ParseMetricSelector("up{zone=~\"a|b\"}")->size(), 2u);
  EXPECT_FALSE(ParseMetricSelector("up[5m]"));
  EXPECT_FALSE(ParseMetricSelector("{a=\"\"}"));
  EXPECT_EQ(ParseMetric("up{zone=\"a\"}")->ToString(), "up{zone=\"a\"}");
  EXPECT_EQ(ParseMetric("{}")->ToString(), "{}");
  EXPECT_EQ(ParseMetric("{\"a.b\", c=\"d\"}")->ToString(), "{\"a.b\", c=\"d\"}");
  EXPECT_EQ(ParseMetric("sum{'a b'=`c`,}")->ToString(), "sum{\"a b\"=\"c\"}");
  EXPECT_EQ(ParseMetric("up{\"other\"}")->ToString(), "up") << "the name before the braces wins";
  const Bad cases[] = {
      {"up{zone!=\"a\"}", "1:8: parse error: unexpected <op:!=> in label set, expected \"=\""},
      {"up{zone=a}", "1:9: parse error: unexpected identifier \"a\" in label set, expected string"},
      {"up{=\"a\"}",
       "1:4: parse error: unexpected \"=\" in label set, expected identifier or \"}\""},
      {"up{\"a\" \"b\"}",
       "1:8: parse error: unexpected string \"\\\"b\\\"\" in label set, expected \",\" or \"}\""},
      {"up[5m]", "1:3: parse error: unexpected \"[\""},
      {"1", "1:1: parse error: unexpected number \"1\""},
  };
  for (const Bad& c : cases) {
    const auto metric = ParseMetric(c.query);
    ASSERT_FALSE(metric) << c.query;
    EXPECT_EQ(metric.error().message(), c.error);
  }
}

TEST(FunctionTableTest, IsSortedAndComplete) {
  const auto table = AllFunctions();
  EXPECT_TRUE(std::ranges::is_sorted(table, {}, &Function::name));
  for (const Function& function : table) {
    EXPECT_NE(function.body, nullptr) << function.name;
    EXPECT_EQ(FindFunction(function.name), &function);
  }
  EXPECT_EQ(table.size(), 90u);
  EXPECT_EQ(FindFunction("Rate"), nullptr);
}

TEST(SelectionsTest, TellsWhatAnExpressionLooksAt) {
  const auto expr = ParseExpr(
      "a + sum_over_time(rate(b[5m] offset 10m)[1h:1m]) + c offset -1m + d @ 100 + e[1m:] @ end()");
  ASSERT_FALSE(expr) << "a range vector has no place in a sum";
  const auto good =
      ParseExpr("a + sum_over_time(rate(b[5m] offset 10m)[1h:1m]) + c offset -1h + d @ 100");
  ASSERT_TRUE(good);
  const std::vector<Selection> selections = Selections(**good);
  ASSERT_EQ(selections.size(), 4u);
  constexpr std::int64_t kMinute = 60'000;
  EXPECT_EQ(selections[0].reach_ms, 5 * kMinute);
  EXPECT_EQ(selections[1].reach_ms, 75 * kMinute);
  EXPECT_EQ(selections[1].matchers[0].value(), "b");
  EXPECT_EQ(selections[2].reach_ms, 0) << "all it looks at lies ahead";
  EXPECT_TRUE(selections[3].at_fixed_time);
  EXPECT_FALSE(selections[0].at_fixed_time);
}

TEST(SelectionsTest, TellsWhatOnlyTakesAway) {
  const auto expr = ParseExpr("(a unless on (z) max by (z) (b) == 1) and c unless (d or e) + f");
  ASSERT_TRUE(expr);
  std::string taking;
  for (const Selection& selection : Selections(**expr)) {
    if (selection.takes_away) taking += selection.matchers[0].value();
  }
  EXPECT_EQ(taking, "bdef");
}

}  // namespace
}  // namespace azexporter::promql
