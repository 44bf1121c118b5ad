#include "azexporter/app/retention.h"

#include <gtest/gtest.h>

namespace azexporter::app {
namespace {

constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 60 * kMinute;
using Keep = config::StorageConfig::Keep;

std::vector<rules::RuleGroup> Groups() {
  return *rules::ParseRuleFile(
      "groups:\n"
      "- name: g\n"
      "  rules:\n"
      "  - alert: A\n"
      "    expr: rate(requests_total{zone=\"a\"}[6h]) > 1 and up == 1\n"
      "  - alert: B\n"
      "    expr: max_over_time(load[30m]) > 1 or {job=~\"x.*\"} offset 1h > 1\n"
      "  - alert: C\n"
      "    expr: nailed @ 1700000000 > 1\n"
      "    annotations:\n"
      "      before: '{{ query \"told offset 2h\" | first | value }} {{ query \"((\" }}'\n",
      "test.yaml");
}

// In minutes; rules are given five more than they look back.
std::int64_t Minutes(const Retention& retention, std::initializer_list<model::Label> labels) {
  return retention.of(model::Labels::Of(labels)) / kMinute;
}

TEST(RetentionTest, KeepsWhatRulesAskForAndAllElseShortly) {
  const Retention kept = MakeRetention({.retention_ms = 2 * kHour, .keep = Keep::kRules}, Groups());
  EXPECT_EQ(Minutes(kept, {{"__name__", "requests_total"}, {"zone", "a"}}), 6 * 60 + 5);
  EXPECT_EQ(Minutes(kept, {{"__name__", "requests_total"}, {"zone", "b"}}), 15);
  EXPECT_EQ(Minutes(kept, {{"__name__", "up"}}), 15) << "a look-back is less than that";
  EXPECT_EQ(Minutes(kept, {{"__name__", "load"}}), 35);
  EXPECT_EQ(Minutes(kept, {{"__name__", "load"}, {"job", "xy"}}), 70) << "the offset counts";
  EXPECT_EQ(Minutes(kept, {{"__name__", "nailed"}}), 120) << "@ may look anywhere";
  EXPECT_EQ(Minutes(kept, {{"__name__", "told"}}), 130) << "templates ask too";
  EXPECT_EQ(Minutes(kept, {{"__name__", "unasked"}}), 15);
  EXPECT_EQ(kept.longest_ms, 6 * kHour + 5 * kMinute);
}

TEST(RetentionTest, KeepsAllForTheRetentionTimeAndLongerWhatRulesAskFor) {
  const Retention kept = MakeRetention({.retention_ms = 2 * kHour, .keep = Keep::kAll}, Groups());
  EXPECT_EQ(Minutes(kept, {{"__name__", "unasked"}}), 120);
  EXPECT_EQ(Minutes(kept, {{"__name__", "requests_total"}, {"zone", "a"}}), 6 * 60 + 5);
}

TEST(RetentionTest, AShortRetentionTimeIsKeptToWhereNoRuleAsks) {
  const Retention kept = MakeRetention({.retention_ms = kMinute, .keep = Keep::kRules}, Groups());
  EXPECT_EQ(Minutes(kept, {{"__name__", "unasked"}}), 1);
  EXPECT_EQ(Minutes(kept, {{"__name__", "load"}}), 35);
}

}  // namespace
}  // namespace azexporter::app
