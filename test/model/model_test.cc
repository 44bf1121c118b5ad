#include <gtest/gtest.h>

#include <unordered_set>

#include "azexporter/model/labels.h"
#include "azexporter/model/matcher.h"
#include "azexporter/model/regexp.h"
#include "azexporter/model/sample.h"

namespace azexporter::model {
namespace {

TEST(LabelsTest, SortsDropsEmptyAndKeepsTheLast) {
  const Labels labels = Labels::Of({{"b", "2"}, {"__name__", "up"}, {"a", ""}, {"b", "3"}});
  EXPECT_EQ(labels.ToString(), "up{b=\"3\"}");
  EXPECT_EQ(labels.size(), 2u);
  EXPECT_EQ(labels.Get("b"), "3");
  EXPECT_EQ(labels.Get("a"), "");
}

TEST(LabelsTest, EqualSetsHaveEqualHashes) {
  const Labels a = Labels::Of({{"x", "1"}, {"y", "2"}});
  const Labels b = Labels::Of({{"y", "2"}, {"x", "1"}});
  const Labels c = Labels::Of({{"x", "12"}, {"y", ""}});
  EXPECT_EQ(a, b);
  EXPECT_EQ(a.Hash(), b.Hash());
  EXPECT_NE(a, c);
}

TEST(LabelsTest, BoundariesBetweenNameAndValueCount) {
  EXPECT_NE(Labels::Of({{"ab", "c"}}), Labels::Of({{"a", "bc"}}));
  EXPECT_NE(Labels::Of({{"ab", "c"}}).Hash(), Labels::Of({{"a", "bc"}}).Hash());
}

TEST(LabelsTest, OrdersAsPrometheus) {
  EXPECT_LT(Labels::Of({{"a", "1"}}), Labels::Of({{"a", "2"}}));
  EXPECT_LT(Labels::Of({{"a", "1"}}), Labels::Of({{"a", "1"}, {"b", "1"}}));
  EXPECT_LT(Labels(), Labels::Of({{"a", "1"}}));
}

TEST(LabelsTest, PrintsUnusualNamesInQuotes) {
  EXPECT_EQ(Labels().ToString(), "{}");
  EXPECT_EQ(Labels::Of({{"__name__", "a.b"}, {"c d", "e\n\""}}).ToString(),
            "{\"a.b\", \"c d\"=\"e\\n\\\"\"}");
}

TEST(LabelsBuilderTest, ChangesACopy) {
  const Labels base = Labels::Of({{"a", "1"}, {"b", "2"}, {"c", "3"}});
  EXPECT_EQ(LabelsBuilder(base).Set("b", "x").Remove("a").Build().ToString(), "{b=\"x\", c=\"3\"}");
  EXPECT_EQ(LabelsBuilder(base).Keep({"a", "z"}).Build().ToString(), "{a=\"1\"}");
  EXPECT_EQ(base.Get("b"), "2");
}

TEST(MatcherTest, MatchesAnchoredAndSeesAbsentAsEmpty) {
  struct Case {
    MatchType type;
    std::string value;
    std::string_view input;
    bool want;
  };
  const Case cases[] = {
      {MatchType::kEqual, "a", "a", true},     {MatchType::kEqual, "", "", true},
      {MatchType::kNotEqual, "a", "", true},   {MatchType::kRegexp, "a|b", "b", true},
      {MatchType::kRegexp, "a", "ab", false},  {MatchType::kRegexp, "a.b", "a\nb", true},
      {MatchType::kNotRegexp, ".+", "", true}, {MatchType::kRegexp, "(?<x>a)b", "ab", true},
  };
  for (const Case& c : cases) {
    auto matcher = Matcher::Create(c.type, "l", c.value);
    ASSERT_TRUE(matcher) << c.value;
    EXPECT_EQ(matcher->Matches(c.input), c.want) << matcher->ToString() << " on " << c.input;
  }
}

TEST(MatcherTest, RefusesABrokenRegexp) {
  auto matcher = Matcher::Create(MatchType::kRegexp, "l", "a(");
  ASSERT_FALSE(matcher);
  EXPECT_NE(matcher.error().message().find("a("), std::string::npos);
}

TEST(AnchoredRegexpTest, ExpandsAsGo) {
  auto re = AnchoredRegexp::Create("(?P<first>\\w+)-(\\d+)");
  ASSERT_TRUE(re);
  struct Case {
    std::string_view replacement, want;
  };
  const Case cases[] = {
      {"$2/$1", "7/ab"}, {"${first}x", "abx"}, {"$firstx", ""},
      {"$$1", "$1"},     {"$9", ""},           {"a$", "a$"},
  };
  for (const Case& c : cases) {
    std::string out;
    EXPECT_TRUE(re->Expand("ab-7", c.replacement, out));
    EXPECT_EQ(out, c.want) << c.replacement;
  }
  std::string out;
  EXPECT_FALSE(re->Expand("ab-7-", "$1", out));
}

TEST(ReplaceAllTest, ReplacesAsGo) {
  struct Case {
    std::string_view pattern, replacement, text, want;
  };
  const Case cases[] = {
      {"a", "x", "banana", "bxnxnx"}, {"a*", "-", "baac", "-b-c-"},   {"", "-", "né", "-n-é-"},
      {"(a)(n)", "$2$1", "an", "na"}, {"z", "x", "banana", "banana"}, {"$", "!", "a", "a!"},
  };
  for (const Case& c : cases) EXPECT_EQ(*ReplaceAll(c.pattern, c.replacement, c.text), c.want);
  EXPECT_EQ(ReplaceAll("a", "$0$0", "aa", 4), "aaaa");
  EXPECT_EQ(ReplaceAll("a", "$0$0", "aa", 3).error().message(), "text is longer than 3 bytes");
  EXPECT_FALSE(ReplaceAll("(", "", "a"));
}

TEST(FindsMatchTest, LooksAnywhere) {
  EXPECT_TRUE(*FindsMatch("a+", "baab"));
  EXPECT_FALSE(*FindsMatch("^a", "ba"));
  EXPECT_FALSE(FindsMatch("(", "a"));
}

TEST(StaleNaNTest, OnlyTheExactBitsCount) {
  EXPECT_TRUE(IsStaleNaN(StaleNaN()));
  EXPECT_FALSE(IsStaleNaN(std::numeric_limits<double>::quiet_NaN()));
}

}  // namespace
}  // namespace azexporter::model
