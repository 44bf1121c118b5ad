#include "azexporter/promql/explain.h"

#include <gtest/gtest.h>

#include "azexporter/promql/parser.h"
#include "azexporter/storage/memory_store.h"

namespace azexporter::promql {
namespace {

constexpr std::int64_t kMinute = 60'000;

class ExplainTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto appender = store_.NewAppender();
    for (const char* zone : {"a", "b", "c"}) {
      const auto labels = model::Labels::Of({{"__name__", "up"}, {"zone", zone}});
      for (int minute = 0; minute <= 10; ++minute) {
        ASSERT_EQ(appender->Append(labels, minute * kMinute, zone[0] == 'a' ? 0 : minute),
                  storage::AppendOutcome::kAppended);
      }
    }
    ASSERT_TRUE(appender->Commit());
  }

  base::Result<Explanation> Ask(std::string_view query, ExplainOptions options = {},
                                EngineOptions engine_options = {}) {
    if (options.t == 0) options.t = 10 * kMinute;
    AZX_ASSIGN_OR_RETURN(const auto expr, ParseExpr(query));
    const Engine engine(engine_options, clock_);
    return Explain({engine, clock_, store_}, *expr, options);
  }
  std::string Text(std::string_view query, ExplainOptions options = {}) {
    const auto explanation = Ask(query, options);
    return explanation ? FormatExplanation(*explanation) : explanation.error().message();
  }

  base::FakeClock clock_;
  storage::MemoryStore store_;
};

TEST_F(ExplainTest, ShowsWhereAVectorBecameEmpty) {
  EXPECT_EQ(Text("sum by (zone) (up > 20) / 2"),
            "sum by (zone) (up > 20) / 2\n"
            "    = vector, 0 series\n"
            "  sum by (zone) (up > 20)\n"
            "      = vector, 0 series\n"
            "    up > 20\n"
            "        = vector, 0 series  <-- became empty here\n"
            "      up\n"
            "          = vector, 3 series\n"
            "            up{zone=\"a\"}  0\n"
            "            up{zone=\"b\"}  10\n"
            "            up{zone=\"c\"}  10\n"
            "      20\n"
            "          = scalar 20\n"
            "  2\n"
            "      = scalar 2\n");
}

TEST_F(ExplainTest, TellsASeriesThatNeverWasFromOneThatIsGone) {
  EXPECT_EQ(Text("down"), "down\n    = vector, 0 series  <-- no such series\n");
  EXPECT_EQ(Text("up", {.t = 60 * kMinute}),
            "up\n    = vector, 0 series  <-- none of 3 series has a sample then\n");
}

TEST_F(ExplainTest, ShowsTheFirstValuesAndRangesByTheirNewest) {
  EXPECT_EQ(Text("max_over_time(up[2m])", {.max_values = 1}),
            "max_over_time(up[2m])\n"
            "    = vector, 3 series\n"
            "      {zone=\"a\"}  0\n"
            "      and 2 more\n"
            "  up[2m]\n"
            "      = matrix, 3 series\n"
            "        up{zone=\"a\"}  2 points, the newest 0\n"
            "        and 2 more\n");
}

TEST_F(ExplainTest, EvaluatesASubqueryAtItsNewestStep) {
  const auto explanation = Ask("sum_over_time(sum(up)[5m:4m] offset 1m)");
  ASSERT_TRUE(explanation);
  const Explanation& subquery = explanation->children.front();
  EXPECT_EQ(subquery.type, ValueType::kMatrix);
  EXPECT_EQ(subquery.t, 10 * kMinute);
  const Explanation& inner = subquery.children.front();
  EXPECT_EQ(inner.text, "sum(up)");
  EXPECT_EQ(inner.t, 8 * kMinute);
  EXPECT_EQ(inner.values.front().value, 16);
  EXPECT_EQ(inner.children.front().t, 8 * kMinute);
}

TEST_F(ExplainTest, DoesNotGuessWhatStartAndEndAreInASubquery) {
  const auto explanation = Ask("max_over_time((up @ end())[5m:4m])");
  ASSERT_TRUE(explanation);
  const Explanation& inner = explanation->children.front().children.front();
  EXPECT_EQ(inner.text, "(up @ end())");
  EXPECT_EQ(inner.error, "not evaluated: @ start() and @ end() are times of the whole query");
  EXPECT_FALSE(inner.series);
  // Where the times are the same there is nothing to guess.
  EXPECT_EQ(Ask("max_over_time((up @ end())[5m:5m])")->children[0].children[0].error, "");
  EXPECT_EQ(Ask("up @ end()")->series, 3U);
}

TEST_F(ExplainTest, AFaultStandsInItsNode) {
  const auto explanation = Ask("1 + count(up + on() up)");
  ASSERT_TRUE(explanation);
  EXPECT_NE(explanation->error, "");
  const Explanation& sum = explanation->children[1].children[0];
  EXPECT_EQ(sum.text, "up + on () up");
  EXPECT_NE(sum.error, "");
  EXPECT_EQ(sum.children[0].series, 3U);
}

TEST_F(ExplainTest, KnowsStringsAndScalars) {
  const auto explanation = Ask("label_replace(up, \"a\", \"$1\", \"zone\", \"(.)\")");
  ASSERT_TRUE(explanation);
  ASSERT_EQ(explanation->children.size(), 5U);
  EXPECT_EQ(explanation->children[1].type, ValueType::kString);
  EXPECT_EQ(Text("\"x\""), "\"x\"\n    = string\n");
  EXPECT_EQ(Text("1"), "1\n    = scalar 1\n");
}

TEST_F(ExplainTest, IsBounded) {
  std::string many = "1";
  for (int i = 0; i < 250; ++i) many += "+1";
  EXPECT_EQ(Text(many), "the expression has 501 parts, at most 500 can be explained");
  const auto late = Ask("up", {}, {.timeout_ms = 0});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code(), base::ErrorCode::kTimeout);
}

}  // namespace
}  // namespace azexporter::promql
