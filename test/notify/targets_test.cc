// Targets and what relabelling makes of them; the pauses between failures.

#include "azexporter/notify/targets.h"

#include <gtest/gtest.h>

#include "backoff.h"

namespace azexporter::notify {
namespace {

using model::Labels;

model::RelabelRule Rule(model::RelabelOptions options) {
  return *model::RelabelRule::Create(std::move(options));
}

TEST(TargetsTest, AreWhereTheConfigurationSays) {
  const AlertmanagerGroup group{
      .common = {.timeout_ms = 3'000}, .scheme = "https", .path_prefix = "/am/"};
  Targets targets;
  AddTargets(group, {Labels::Of({{kAddressLabel, "a:1"}}), Labels::Of({{kAddressLabel, "b"}})},
             targets);
  AddTargets({}, {Labels::Of({{kAddressLabel, "a:1"}}), Labels::Of({{kAddressLabel, "a:1"}})},
             targets);
  const std::vector<Alertmanager> want = {
      {.url = "https://a:1/am/api/v2/alerts", .timeout_ms = 3'000},
      {.url = "https://b/am/api/v2/alerts", .timeout_ms = 3'000},
      {.url = "http://a:1/api/v2/alerts"}};
  EXPECT_EQ(targets.alertmanagers, want);
  EXPECT_TRUE(targets.dropped.empty());
  EXPECT_TRUE(targets.errors.empty());
}

TEST(TargetsTest, AreRelabelled) {
  const AlertmanagerGroup group{
      .relabel = {
          Rule({.action = model::RelabelAction::kKeep, .source_labels = {"env"}, .regex = "prod"}),
          Rule({.source_labels = {std::string(kAddressLabel)},
                .regex = "([^:]+)(:.*)?",
                .target_label = std::string(kAddressLabel),
                .replacement = "$1:9093"}),
          Rule({.source_labels = {"tls"},
                .regex = "yes",
                .target_label = "__scheme__",
                .replacement = "https"}),
          Rule({.source_labels = {"path"}, .regex = "(.+)", .target_label = "__alerts_path__"}),
      }};
  Targets targets;
  AddTargets(group,
             {Labels::Of({{kAddressLabel, "a:80"}, {"env", "prod"}, {"tls", "yes"}}),
              Labels::Of({{kAddressLabel, "b"}, {"env", "prod"}, {"path", "x/y"}}),
              Labels::Of({{kAddressLabel, "c"}, {"env", "dev"}})},
             targets);
  ASSERT_EQ(targets.alertmanagers.size(), 2U);
  EXPECT_EQ(targets.alertmanagers[0].url, "https://a:9093/api/v2/alerts");
  EXPECT_EQ(targets.alertmanagers[1].url, "http://b:9093/x/y");
  EXPECT_EQ(targets.dropped, (std::vector<std::string>{"http://c/api/v2/alerts"}));
}

TEST(TargetsTest, NamesWhatIsNoTarget) {
  const AlertmanagerGroup group{
      .relabel = {Rule({.source_labels = {"to"},
                        .regex = "(.+)",
                        .target_label = std::string(kAddressLabel)}),
                  Rule({.source_labels = {"by"}, .regex = "(.+)", .target_label = "__scheme__"})}};
  Targets targets;
  AddTargets(group,
             {Labels::Of({{"env", "prod"}}), Labels::Of({{kAddressLabel, "a"}, {"to", "b/c"}}),
              Labels::Of({{kAddressLabel, "a"}, {"by", "ftp"}})},
             targets);
  EXPECT_TRUE(targets.alertmanagers.empty());
  EXPECT_EQ(targets.errors,
            (std::vector<std::string>{"no Alertmanager can be at \"http:///api/v2/alerts\"",
                                      "no Alertmanager can be at \"http://b/c/api/v2/alerts\"",
                                      "no Alertmanager can be at \"ftp://a/api/v2/alerts\""}));
}

TEST(BackoffTest, DoublesUpToItsBoundAndBeginsAnew) {
  Backoff backoff(100, 500, 7);
  for (const std::int64_t step : {100, 200, 400, 500, 500}) {
    const std::int64_t pause = backoff.NextMs();
    EXPECT_GE(pause, step * 3 / 4);
    EXPECT_LE(pause, step * 5 / 4);
  }
  backoff.Reset();
  EXPECT_LE(backoff.NextMs(), 125);
}

}  // namespace
}  // namespace azexporter::notify
