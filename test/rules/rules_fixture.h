#pragma once

// What the tests of the rule engine share: a store, a clock that stands still, and text in, text
// out.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/float_format.h"
#include "azexporter/promql/engine.h"
#include "azexporter/promql/parser.h"
#include "azexporter/promql/series_notation.h"
#include "azexporter/rules/manager.h"
#include "azexporter/storage/memory_store.h"

namespace azexporter::rules {

inline constexpr std::int64_t kMinuteMs = 60'000;

// Groups of a text that is known to be good.
inline std::vector<RuleGroup> Groups(std::string_view yaml) {
  auto groups = ParseRuleFile(yaml, "test.yaml");
  EXPECT_TRUE(groups.has_value()) << groups.error().message();
  return groups ? std::move(*groups) : std::vector<RuleGroup>();
}

// "firing {alertname="A"} 1; pending ...": sorted by labels.
inline std::string Told(const std::vector<Alert>& alerts) {
  std::string text;
  for (const Alert& alert : alerts) {
    text += (text.empty() ? "" : "; ") + std::string(AlertStateName(alert.state)) + " " +
            alert.labels.ToString() + " " + base::FormatFloatG(alert.value);
  }
  return text;
}

class RulesFixture : public testing::Test {
 protected:
  static constexpr model::TimestampMs kStart = 1'700'000'000'000;

  // One sample at `t`, in the notation of series: "up{zone=\"a\"} 1". Only its first value counts.
  void Put(model::TimestampMs t, const std::vector<std::string>& lines) {
    const auto appender = store_.NewAppender();
    for (const std::string& line : lines) {
      const auto series = promql::ParseSeriesNotation(line);
      ASSERT_TRUE(series.has_value()) << series.error().message();
      const auto appended = promql::AppendValue(
          *appender, series->labels, t, series->values.front().value_or(promql::SequenceValue()));
      ASSERT_TRUE(appended) << appended.error().message();
    }
    ASSERT_TRUE(appender->Commit().has_value());
  }

  // The instant vector of `query` at `t`: "{a="b"} 1; ...", sorted.
  std::string Ask(model::TimestampMs t, std::string_view query) const {
    const auto expr = promql::ParseExpr(query);
    if (!expr) return expr.error().message();
    const auto result = engine_.Instant(store_, **expr, t);
    if (!result) return result.error().message();
    std::vector<std::string> lines;
    for (const model::Sample& sample : std::get<promql::Vector>(result->value)) {
      lines.push_back(sample.labels.ToString() + " " + base::FormatFloatG(sample.f));
    }
    std::sort(lines.begin(), lines.end());
    std::string text;
    for (const std::string& line : lines) text += (text.empty() ? "" : "; ") + line;
    return text;
  }

  base::FakeClock clock_{kStart};
  storage::MemoryStore store_;
  const promql::Engine engine_{promql::EngineOptions{}, clock_};
};

}  // namespace azexporter::rules
