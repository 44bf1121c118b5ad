// The program is killed while alerts are on, and another one takes over its folder.

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "support/eventually.h"
#include "support/platform_fixture.h"

namespace azexporter {
namespace {

using test::Eventually;

constexpr int kSoonMs = 30'000;

constexpr char kRules[] = R"(
groups:
- name: zones
  rules:
  - {alert: Down, expr: 'az_zone_state{state="full_disruption"} == 1', for: 2s}
  - {alert: DownForLong, expr: 'az_zone_state{state="full_disruption"} == 1', for: 10m}
)";

class RestartTest : public test::PlatformFixture {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartPlatform({.pace = 60}));
    Write("rules.yaml", kRules);
    Write("azexporter.yaml", Config() + kCommon);
    Start("azexporter.yaml");
  }

  void Start(const std::string& config) {
    ASSERT_NO_FATAL_FAILURE(StartAzexporter(config, {"--storage.path", folder_ / "state"}));
  }

  // "pending since 2026-...", by alert.
  std::map<std::string, std::string> Alerts() {
    std::map<std::string, std::string> alerts;
    const nlohmann::json data = azexporter_->api().Data("/api/v1/alerts");
    if (data.is_null()) return alerts;
    for (const auto& alert : data["alerts"]) {
      const std::string name = alert["labels"]["alertname"];
      alerts[name] =
          alert["state"].get<std::string>() + " since " + alert["activeAt"].get<std::string>();
    }
    return alerts;
  }

  void MakeAlerts() {
    ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
    ASSERT_TRUE(Eventually(
        [&] { return Alerts()["Down"].starts_with("firing") && Alerts().size() == 2; }, kSoonMs));
  }

  static constexpr char kCommon[] =
      "global: {collect_interval: 500ms, evaluation_interval: 500ms}\n"
      "rule_files: [rules.yaml]\n";
};

TEST_F(RestartTest, AKillLosesNoAlert) {
  ASSERT_NO_FATAL_FAILURE(MakeAlerts());
  const auto before = Alerts();
  azexporter_->Kill();
  ASSERT_NO_FATAL_FAILURE(Start("azexporter.yaml"));
  EXPECT_EQ(Alerts(), before) << "before the first evaluation";
  ASSERT_TRUE(Eventually([&] { return azexporter_->api().Count("ALERTS") == 2; }, kSoonMs));
  EXPECT_EQ(Alerts(), before) << "after it";
  ASSERT_TRUE(platform_->Do("zone us-east-1a up"));
  EXPECT_TRUE(Eventually([&] { return Alerts().empty(); }, kSoonMs));
}

TEST_F(RestartTest, ASourceThatDoesNotAnswerResolvesNothing) {
  ASSERT_NO_FATAL_FAILURE(MakeAlerts());
  const auto before = Alerts();
  azexporter_->Kill();
  Write("nowhere",
        "apiVersion: v1\nkind: Config\ncurrent-context: c\n"
        "contexts: [{name: c, context: {cluster: c, user: u}}]\n"
        "clusters: [{name: c, cluster: {server: 'http://127.0.0.1:1'}}]\n"
        "users: [{name: u, user: {token: t}}]\n");
  Write("cut-off.yaml", std::string("kubernetes: {kubeconfig: nowhere}\n") + kCommon);
  ASSERT_NO_FATAL_FAILURE(Start("cut-off.yaml"));
  // The rules begin without their source after half a minute.
  ASSERT_TRUE(Eventually([&] { return azexporter_->api().Count("ALERTS") == 2; }, 60'000));
  EXPECT_EQ(Alerts(), before);
}

TEST_F(RestartTest, WhatCannotBeWrittenStopsNothing) {
  azexporter_.reset();
  ASSERT_NO_FATAL_FAILURE(StartAzexporter("azexporter.yaml", {"--storage.path", "/proc/state"}));
  ASSERT_NO_FATAL_FAILURE(MakeAlerts());
  EXPECT_TRUE(Eventually(
      [&] { return azexporter_->api().Count("azexporter_state_write_failures_total > 0") == 1; },
      kSoonMs));
}

}  // namespace
}  // namespace azexporter
