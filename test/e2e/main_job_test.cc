// The main job, whole: the program azexporter on the embedded platform, with the documented alerts
// word for word but for a shorter `for:`.

#include <gtest/gtest.h>

#include <csignal>

#include "support/eventually.h"
#include "support/platform_fixture.h"

namespace azexporter {
namespace {

using nlohmann::json;
using test::Eventually;
using test::Outcome;
using test::RunAzexporter;

class MainJobTest : public test::PlatformFixture {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartPlatform());
    WritePack("documented", "rules.yaml", "1s");
    WriteConfig("");
  }

  void WriteConfig(const std::string& more) {
    Write("config.yaml", Config() +
                             "global: {collect_interval: 300ms, evaluation_interval: 300ms}\n"
                             "rule_files: [rules.yaml]\n" +
                             more);
  }

  void StartDaemon() { StartAzexporter("config.yaml", {"--web.enable-lifecycle"}); }

  Outcome Check() { return RunAzexporter({"--check", "--config.file", folder_ / "config.yaml"}); }
  Outcome CheckDaemon() { return RunAzexporter({"--check", "--url", azexporter_->url()}); }

  test::PrometheusApi& api() { return azexporter_->api(); }
  std::string GetText(const std::string& path, const std::string& method = "GET") {
    return api().Text(path, method);
  }
  json Alerts() { return api().Data("/api/v1/alerts")["alerts"]; }
  std::string StateOf(const std::string& alert) { return api().StateOf(alert); }
  bool Becomes(const std::string& alert, const std::string& state) {
    return Eventually([&] { return StateOf(alert) == state; }, 30'000);
  }
};

TEST_F(MainJobTest, AZoneGoesAndComesBack) {
  const Outcome healthy = Check();
  EXPECT_EQ(healthy.code, 0) << healthy.text;
  EXPECT_TRUE(healthy.text.starts_with("AZ OK  3 zones normal, 0 of 4 alert rules true"))
      << healthy.text;

  StartDaemon();
  // Until the rules were evaluated once it does not call itself fine, but UNKNOWN.
  EXPECT_TRUE(Eventually([&] { return CheckDaemon().code == 0; }));
  EXPECT_EQ(StateOf("ZoneUnavailable"), "");

  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  EXPECT_TRUE(Becomes("ZoneUnavailable", "pending"));
  EXPECT_TRUE(Becomes("ZoneUnavailable", "firing"));
  const json alerts = Alerts();
  EXPECT_EQ(alerts[0]["annotations"]["summary"], "Zone us-east-1a is unavailable");
  EXPECT_EQ(alerts[0]["labels"]["severity"], "critical");
  EXPECT_EQ(alerts[0]["value"], "8e+00");
  const Outcome told = CheckDaemon();
  EXPECT_EQ(told.code, 2) << told.text;
  EXPECT_NE(told.text.find("ZoneUnavailable  us-east-1a  firing for "), std::string::npos)
      << told.text;
  const Outcome seen = Check();
  EXPECT_EQ(seen.code, 2) << seen.text;
  EXPECT_TRUE(seen.text.starts_with("AZ CRITICAL  us-east-1a is down: none of its 8 nodes"))
      << seen.text;
  EXPECT_NE(seen.text.find("true now, fires after 1s"), std::string::npos) << seen.text;

  ASSERT_TRUE(platform_->Do("zone us-east-1a up"));
  EXPECT_TRUE(Becomes("ZoneUnavailable", ""));
  EXPECT_EQ(Check().code, 0);
}

TEST_F(MainJobTest, ASlowZoneIsSeenAcrossZones) {
  StartDaemon();
  EXPECT_EQ(StateOf("CrossZoneLatencyHigh"), "");
  ASSERT_TRUE(platform_->Do("zone us-east-1b latency 800ms"));
  EXPECT_TRUE(Becomes("CrossZoneLatencyHigh", "firing"));
  const json alert = Alerts()[0];
  EXPECT_EQ(alert["labels"]["source_zone"], "us-east-1a");
  EXPECT_EQ(alert["labels"]["destination_zone"], "us-east-1b");
  const Outcome seen = Check();
  EXPECT_EQ(seen.code, 1) << seen.text;
  EXPECT_NE(seen.text.find("CrossZoneLatencyHigh"), std::string::npos) << seen.text;
}

TEST_F(MainJobTest, AZoneWithoutNodesIsMissingNotForgotten) {
  simulator::Store& store = platform_->store();
  const auto* nodes = simulator::FindKind("v1", "Node");
  for (const auto& node : store.List(*nodes, "").items) {
    const json labels = (*node)["metadata"]["labels"];
    if (labels["topology.kubernetes.io/zone"] != "us-east-1c") continue;
    const auto name = (*node)["metadata"]["name"].get<std::string>();
    ASSERT_TRUE(store.Delete({nodes, "", name}));
  }
  const Outcome seen = Check();
  EXPECT_EQ(seen.code, 2) << seen.text;
  EXPECT_TRUE(seen.text.starts_with("AZ CRITICAL  us-east-1c is missing: it has no nodes"))
      << seen.text;
}

TEST_F(MainJobTest, WhatCannotBeAskedIsNeverFine) {
  std::string kubeconfig = *base::ReadFile(folder_ / "kubeconfig");
  Write("kubeconfig", *model::ReplaceAll("token: \\S+", "token: wrong", kubeconfig));
  Outcome outcome = Check();
  EXPECT_EQ(outcome.code, 2) << outcome.text;
  EXPECT_NE(outcome.text.find("nodes could not be asked: list nodes: GET https://127.0.0.1:"),
            std::string::npos);
  EXPECT_NE(outcome.text.find("401 Unauthorized"), std::string::npos) << outcome.text;
  Write("kubeconfig", kubeconfig);
  ASSERT_TRUE(platform_->api().faults().Add("any pods status 403"));
  outcome = Check();
  EXPECT_EQ(outcome.code, 2) << outcome.text;
  EXPECT_NE(outcome.text.find("pods could not be asked"), std::string::npos) << outcome.text;
  EXPECT_EQ(RunAzexporter({"--check", "--check.unreachable", "unknown", "--config.file",
                           folder_ / "config.yaml"})
                .code,
            3);
}

TEST_F(MainJobTest, ARefusedReloadLeavesEverythingAsItWas) {
  StartDaemon();
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  ASSERT_TRUE(Becomes("ZoneUnavailable", "firing"));
  const std::string active_at = Alerts()[0]["activeAt"];
  WriteConfig("bogus: 1\n");
  const std::string refused = GetText("/-/reload", "POST");
  EXPECT_NE(refused.find("config.yaml:"), std::string::npos) << refused;
  EXPECT_NE(refused.find("unknown key \"bogus\""), std::string::npos) << refused;
  EXPECT_TRUE(Eventually([&] {
    return GetText("/metrics").find("azexporter_config_last_reload_successful 0\n") !=
           std::string::npos;
  }));
  Write("rules.yaml", "groups: [{name: g, rules: [{alert: X, expr: 'up{'}]}]");
  WriteConfig("");
  EXPECT_NE(GetText("/-/reload", "POST").find("rules.yaml:1:"), std::string::npos);
  EXPECT_EQ(StateOf("ZoneUnavailable"), "firing");
  // A good one keeps what did not change: the alert goes on, with its time.
  WritePack("documented", "rules.yaml", "1s");
  azexporter_->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] {
    return GetText("/metrics").find("azexporter_config_last_reload_successful 1\n") !=
           std::string::npos;
  }));
  EXPECT_EQ(StateOf("ZoneUnavailable"), "firing");
  EXPECT_EQ(Alerts()[0]["activeAt"], active_at);
}

TEST_F(MainJobTest, StopsAtOnceAndCleanly) {
  StartDaemon();
  EXPECT_EQ(azexporter_->Stop(5'000), 0);
}

}  // namespace
}  // namespace azexporter
