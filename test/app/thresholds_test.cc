#include "azexporter/app/thresholds.h"

#include <gtest/gtest.h>

namespace azexporter::app {
namespace {

TEST(ThresholdRangeTest, IsBadAsMonitoringPluginsSay) {
  struct Case {
    const char* range;
    double value;
    bool bad;
  };
  const Case cases[] = {
      {"10", 5, false},     {"10", 10, false},    {"10", 10.5, true},   {"10", -1, true},
      {"10:", 9, true},     {"10:", 10, false},   {"10:", 1e9, false},  {"~:10", -5, false},
      {"~:10", 11, true},   {"10:20", 9, true},   {"10:20", 20, false}, {"10:20", 21, true},
      {"@10:20", 9, false}, {"@10:20", 10, true}, {"@10:20", 20, true}, {"@10", 0, true},
      {"0.5", 0.6, true},
  };
  for (const Case& c : cases) {
    const auto range = ParseThresholdRange(c.range);
    ASSERT_TRUE(range) << c.range;
    EXPECT_EQ(range->IsBad(c.value), c.bad) << c.range << " " << c.value;
  }
}

TEST(ThresholdRangeTest, RefusesWhatIsNoRange) {
  for (const char* text : {"", "x", "10:x", "20:10", "@", ":", "1:2:3", "nan", "inf", "10 "}) {
    EXPECT_FALSE(ParseThresholdRange(text)) << text;
  }
}

TEST(ThresholdsTest, AreReadByName) {
  const auto thresholds = ParseThresholds({"lag=30,skew=~:2"});
  ASSERT_TRUE(thresholds) << thresholds.error().message();
  EXPECT_EQ(ThresholdText(*thresholds, kLagThreshold), "30");
  EXPECT_EQ(ThresholdText(*thresholds, kSkewThreshold), "~:2");
  EXPECT_EQ(ParseThresholds({"lag=1", "skew=2"})->size(), 2u);
  struct Case {
    std::vector<std::string> texts;
    const char* message;
  };
  const Case cases[] = {
      {{"lags=1"}, "expected lag=RANGE or skew=RANGE, got \"lags=1\""},
      {{"30"}, "expected lag=RANGE or skew=RANGE, got \"30\""},
      {{"lag=1,lag=2"}, "lag is given twice"},
      {{"lag=x"}, "not a range like 30, 10:, ~:30, 10:20 or @10:20: \"x\""},
  };
  for (const Case& c : cases) {
    const auto refused = ParseThresholds(c.texts);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message(), c.message);
  }
}

}  // namespace
}  // namespace azexporter::app
