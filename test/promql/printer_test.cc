#include "azexporter/promql/printer.h"

#include <gtest/gtest.h>

#include "azexporter/promql/parser.h"

namespace azexporter::promql {
namespace {

struct Case {
  std::string_view query;
  std::string_view pretty;
};

TEST(PrettyTest, BreaksWhatIsTooLongForALine) {
  const Case cases[] = {
      {"sum( up )", "sum(up)"},
      // Exactly 100 bytes stay on one line.
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa + "
       "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa + "
       "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
      {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa + "
       "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
       "  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
       "+\n"
       "  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"},
      {"sum by (zone) (rate(probe_failures_total{job=\"probe\", zone!=\"\"}[5m])) / on(zone) "
       "group_left(role) "
       "sum by (zone) (rate(probe_attempts_total{job=\"probe\", zone!=\"\"}[5m])) > bool 0.05",
       "    sum by (zone) (rate(probe_failures_total{job=\"probe\",zone!=\"\"}[5m]))\n"
       "  / on (zone) group_left (role)\n"
       "    sum by (zone) (rate(probe_attempts_total{job=\"probe\",zone!=\"\"}[5m]))\n"
       "> bool\n"
       "  0.05"},
      {"topk(3, avg without(instance) (a_metric_with_quite_a_long_name_indeed{zone=\"us-east-1a\"} "
       "* (another_metric_with_quite_a_long_name - 1)))",
       "topk(\n"
       "  3,\n"
       "  avg without (instance) (\n"
       "      a_metric_with_quite_a_long_name_indeed{zone=\"us-east-1a\"}\n"
       "    *\n"
       "      (another_metric_with_quite_a_long_name - 1)\n"
       "  )\n"
       ")"},
      {"-label_replace(a_metric_with_quite_a_long_name_indeed, \"destination\", \"$1 and more\", "
       "\"source\", \"(.*)-[0-9]+\")",
       "-label_replace(\n"
       "  a_metric_with_quite_a_long_name_indeed,\n"
       "  \"destination\",\n"
       "  \"$1 and more\",\n"
       "  \"source\",\n"
       "  \"(.*)-[0-9]+\"\n"
       ")"},
      // A subquery that fits on a line is not indented, as in Prometheus.
      {"max_over_time(deriv(rate(a_metric_with_quite_a_long_name_indeed_total{zone=\"eu-central-"
       "1\"}"
       "[1m])[5m:1m])[10m:]) unless (a_metric)",
       "  max_over_time(\n"
       "deriv(rate(a_metric_with_quite_a_long_name_indeed_total{zone=\"eu-central-1\"}[1m])[5m:1m])"
       "[10m:]\n"
       "  )\n"
       "unless\n"
       "  (a_metric)"},
      {"max_over_time((sum(a_metric_with_quite_a_long_name_indeed) or "
       "sum(another_metric_with_a_name_that_is_quite_a_bit_longer))[10m:] offset 5m)",
       "max_over_time(\n"
       "  (\n"
       "      sum(a_metric_with_quite_a_long_name_indeed)\n"
       "    or\n"
       "      sum(another_metric_with_a_name_that_is_quite_a_bit_longer)\n"
       "  )[10m:] offset 5m\n"
       ")"},
  };
  for (const Case& c : cases) {
    const auto expr = ParseExpr(c.query);
    ASSERT_TRUE(expr) << c.query << ": " << expr.error().message();
    EXPECT_EQ(Pretty(**expr), c.pretty);
    const auto again = ParseExpr(c.pretty);
    ASSERT_TRUE(again) << c.pretty << ": " << again.error().message();
    EXPECT_EQ(Print(**again), Print(**expr)) << "only blanks differ";
  }
}

// What is experimental, as it is printed again; and what of it is refused without its feature.
TEST(PrintTest, PrintsExperimentalSyntaxAsItIsRead) {
  const struct {
    std::string_view query;
    std::string_view printed;
  } cases[] = {
      {"up[5m+step()]", "up[5m + step()]"},
      {"up[(1m+2m)*2]", "up[(1m + 2m) * 2]"},
      {"up[max_of(range(),30s)] offset -min_of(1m,2m)",
       "up[max_of(range(), 30s)] offset -min_of(1m, 2m)"},
      {"up[1h:step()^2]", "up[1h:step() ^ 2]"},
      {"up offset (3m)", "up offset 3m"},
      {"up[5m]anchored @ 3 offset 1m", "up[5m] anchored @ 3.000 offset 1m"},
      {"up smoothed", "up smoothed"},
      {"a + on(zone) fill(0) b", "a + on (zone) fill (0) b"},
      {"a + fill_right(1) fill_left(-2) b", "a + fill_left (-2) fill_right (1) b"},
      {"limitk by(zone)(2,up)", "limitk by (zone) (2, up)"},
      {"limit_ratio(-0.5,up)", "limit_ratio(-0.5, up)"},
      {"info(up,{version=~\".+\"})", "info(up, {version=~\".+\"})"},
      {"info(up,{})", "info(up, {})"},
      {"min_of(step(),range())", "min_of(step(), range())"},
  };
  for (const auto& c : cases) {
    const auto expr = ParseExpr(c.query, ParserOptions::All());
    ASSERT_TRUE(expr) << c.query << ": " << expr.error().message();
    EXPECT_EQ(Print(**expr), c.printed);
    const auto again = ParseExpr(c.printed, ParserOptions::All());
    ASSERT_TRUE(again) << c.printed << ": " << again.error().message();
    EXPECT_EQ(Print(**again), c.printed);
  }
}

TEST(ShowPlaceTest, DrawsACaretUnderTheFault) {
  struct PlaceCase {
    std::string_view query;
    std::string_view message;
    std::string_view shown;
  };
  const PlaceCase cases[] = {
      {"1 +", "1:4: parse error: unexpected end of input", "  1 +\n     ^\n"},
      {"sum(\n\tup up)", "2:5: parse error: unexpected identifier", "  \tup up)\n  \t   ^\n"},
      // Columns count bytes, the caret counts characters.
      {"\"\xc3\xa9\" $", "1:6: parse error: unexpected character", "  \"\xc3\xa9\" $\n      ^\n"},
      {"rate(up[5m])", "PromQL info: metric might not be a counter: \"up\" (1:6)",
       "  rate(up[5m])\n       ^\n"},
      {"", "unknown position: parse error: no expression found in input", ""},
      {"up", "query timed out (on purpose)", ""},
      {"up", "3:1: parse error: not there", ""},
      {"up", "1:9: parse error: not there", ""},
      {"up", "1:0: parse error: not there", ""},
  };
  for (const PlaceCase& c : cases) EXPECT_EQ(ShowPlace(c.query, c.message), c.shown) << c.message;
}

}  // namespace
}  // namespace azexporter::promql
