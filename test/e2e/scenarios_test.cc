// Every scenario of deploy/demo/scenarios, played whole: the program azexporter on the embedded
// platform with a real PostgreSQL cluster and a real Redis Cluster, evaluating the documented
// alerts (the file with only its `for:` shortened) and the recommended pack. A real Prometheus
// scrapes it and evaluates the same files. After each stage: which alerts fire, and no others, on
// both sides alike; what --check says.

#include <gtest/gtest.h>

#include <filesystem>

#include "scenario.h"
#include "support/eventually.h"
#include "support/platform_fixture.h"

namespace azexporter {
namespace {

using test::ActiveAlert;
using test::Eventually;
using test::Outcome;
using Names = std::set<std::string>;

constexpr int kSettledMs = 60'000;

struct StageIs {
  const char* stage;
  Names firing;  // beside Watchdog, which always does
  int check;     // exit code of --check
};

struct ScenarioIs {
  const char* name;
  std::vector<StageIs> stages;
  // What must never have fired, not for a moment.
  Names never;
  // Annotations of alerts that are seen firing on the way.
  std::map<std::string, std::string> summaries;
};

const std::vector<ScenarioIs>& Scenarios() {
  static const std::vector<ScenarioIs> scenarios = {
      {"zone-outage",
       {{"healthy", {}, 0},
        {"outage",
         {"ZoneUnavailable", "ZonePodsBelowExpected", "ZoneHealthEndpointDown",
          "ZoneLossNotSurvivable", "TopologySpreadHeldBack", "PostgresInstanceDown",
          "PostgresNoPrimary", "PostgresReplicationStale", "PostgresStandbyNotStreaming",
          "RedisNodeDown", "RedisMajorityInOneZone", "RedisShardInOneZone",
          "AzexporterCollectorFailing"},
         2},
        {"failover",
         {"ZoneUnavailable", "ZonePodsBelowExpected", "ZoneHealthEndpointDown",
          "ZoneLossNotSurvivable", "TopologySpreadHeldBack", "PostgresInstanceDown",
          "RedisNodeDown", "RedisMajorityInOneZone", "RedisShardInOneZone",
          "AzexporterCollectorFailing"},
         2},
        {"recovery", {}, 0}},
       {"ZoneMissing", "NodesWithoutZone", "PostgresSplitBrain", "AzexporterKubernetesSilent",
        "AzexporterRuleFailing"},
       {{"ZoneUnavailable", "Zone us-east-1a is unavailable"},
        {"ZonePodsBelowExpected", "Ready pods missing in zone us-east-1a: 3"},
        {"PostgresNoPrimary", "postgres-cluster has no primary"}}},
      {"nodes-deleted",
       {{"healthy", {}, 0},
        {"deleted",
         {"ZoneMissing", "ZonePodsBelowExpected", "ZoneLossNotSurvivable",
          "SpreadOverVanishedZones", "PostgresInstanceDown", "RedisNodeDown",
          "RedisMajorityInOneZone", "RedisShardInOneZone", "AzexporterCollectorFailing"},
         2},
        {"recovery",
         {"ZonePodsBelowExpected", "PodDistributionImbalanced", "TopologySpreadViolated",
          "ZoneLossNotSurvivable"},
         1},
        {"rebalanced", {}, 0}},
       // Nobody is NotReady: the documented rule sees nothing.
       {"ZoneUnavailable", "ZoneNodesNotReady", "AzexporterRuleFailing"},
       {{"ZoneMissing", "Zone us-east-1c is missing"}}},
      {"slow-zone",
       {{"healthy", {}, 0}, {"slow", {"CrossZoneLatencyHigh"}, 1}, {"recovery", {}, 0}},
       {"ZoneUnavailable", "ZoneHealthEndpointDown", "AzexporterRuleFailing"},
       {}},
      {"replica-lag",
       {{"healthy", {}, 0},
        {"behind",
         {"DatabaseReplicationLag", "PostgresReplicationLagHigh", "PostgresReplicationStale",
          "PostgresStandbyNotStreaming"},
         1},
        {"recovery", {}, 0}},
       {"PostgresNoPrimary", "PostgresInstanceDown", "AzexporterRuleFailing"},
       {}},
      {"db-failover",
       {{"healthy", {}, 0},
        {"stopped",
         {"PostgresNoPrimary", "PostgresInstanceDown", "PostgresReplicationStale",
          "PostgresStandbyNotStreaming", "ZoneLossUnknown", "AzexporterCollectorFailing"},
         2},
        {"promoted", {"PostgresInstanceDown", "AzexporterCollectorFailing"}, 2},
        {"split", {"PostgresSplitBrain"}, 2},
        {"repaired", {}, 0}},
       {"ZoneUnavailable", "DatabaseReplicationLag", "AzexporterRuleFailing"},
       {{"PostgresSplitBrain", "postgres-cluster has 2 primaries"}}},
      {"drain",
       {{"healthy", {}, 0},
        {"handover", {}, 0},
        {"drained",
         {"TopologySpreadHeldBack", "ZoneLossNotSurvivable", "PostgresInstanceDown",
          "RedisNodeDown", "RedisMajorityInOneZone", "RedisShardInOneZone",
          "AzexporterCollectorFailing"},
         2},
        {"returned", {}, 0}},
       {"ZoneUnavailable", "ZoneMissing", "PostgresSplitBrain", "PodDistributionImbalanced",
        "AzexporterRuleFailing"},
       {}},
      {"redis-failover",
       {{"healthy", {}, 0},
        {"stopped",
         {"RedisNodeDown", "RedisMajorityInOneZone", "RedisShardInOneZone", "ZoneLossNotSurvivable",
          "AzexporterCollectorFailing"},
         2},
        {"returned", {}, 0}},
       {"ZoneUnavailable", "PostgresNoPrimary", "RedisNodeFailed", "AzexporterRuleFailing"},
       {{"RedisMajorityInOneZone", "Without zone us-east-1b redis-cluster could not fail over"}}},
  };
  return scenarios;
}

class ScenarioTest : public test::PlatformFixture,
                     public ::testing::WithParamInterface<ScenarioIs> {
 protected:
  void SetUp() override {
    if (!platform::Databases::Installed()) GTEST_SKIP() << "skipped: no PostgreSQL";
    if (!test::PrometheusProcess::Installed()) GTEST_SKIP() << "skipped: no Prometheus";
    ASSERT_NO_FATAL_FAILURE(StartPlatform({.database = true, .pace = 60}));
    WritePack("documented", "documented.yaml", "2s");
    WritePack("recommended", "recommended.yaml", "2s");
    Write("azexporter.yaml", *model::ReplaceAll("interval: 2s", "interval: 200ms", Config()) +
                                 "global: {collect_interval: 500ms, evaluation_interval: 500ms}\n"
                                 "rule_files: [documented.yaml, recommended.yaml]\n");
    ASSERT_NO_FATAL_FAILURE(StartAzexporter("azexporter.yaml"));
    prometheus_ = std::make_unique<test::PrometheusProcess>(folder_.path(), PrometheusConfig());
  }

  void TearDown() override {
    prometheus_.reset();
    PlatformFixture::TearDown();
  }

  std::string PrometheusConfig() const {
    return "global: {scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 500ms}\n"
           "rule_files: [documented.yaml, recommended.yaml]\n"
           "scrape_configs:\n- job_name: azexporter\n  static_configs:\n  - targets: ['" +
           azexporter_->url().substr(std::string("http://").size()) + "']\n";
  }

  // "ZoneUnavailable{zone="us-east-1a"} firing", a line each.
  static std::string Shown(const std::vector<ActiveAlert>& alerts) {
    std::string text;
    for (const ActiveAlert& alert : alerts) {
      text += alert.name + nlohmann::json(alert.labels).dump() + " " + alert.state + "\n";
    }
    return text;
  }

  void ExpectStage(const StageIs& expected) {
    SCOPED_TRACE(expected.stage);
    Names firing = expected.firing;
    firing.insert("Watchdog");
    ASSERT_TRUE(Eventually([&] { return azexporter_->api().Firing() == firing; }, kSettledMs))
        << Shown(azexporter_->api().Alerts());
    // The same alerts, with the same labels, in the same states, on both sides.
    ASSERT_TRUE(Eventually(
        [&] { return Shown(azexporter_->api().Alerts()) == Shown(prometheus_->api().Alerts()); },
        kSettledMs))
        << "azexporter:\n"
        << Shown(azexporter_->api().Alerts()) << "Prometheus:\n"
        << Shown(prometheus_->api().Alerts());
    ExpectCheck({"--check", "--url", azexporter_->url()}, expected.check);
    ExpectCheck({"--check", "--config.file", folder_ / "azexporter.yaml"}, expected.check);
  }

  // In the end: it sees the moment, and a standby may just be turning to its new primary.
  void ExpectCheck(const std::vector<std::string>& arguments, int code) {
    Outcome seen;
    EXPECT_TRUE(Eventually([&] {
      seen = test::RunAzexporter(arguments);
      return seen.code == code;
    })) << seen.code
        << "\n"
        << seen.text;
  }

  void ExpectSummaries(const Names& of, const std::map<std::string, std::string>& summaries) {
    for (test::PrometheusApi* api : {&azexporter_->api(), &prometheus_->api()}) {
      for (const ActiveAlert& alert : api->Alerts()) {
        const auto expected = summaries.find(alert.name);
        if (alert.state != "firing" || expected == summaries.end() || !of.contains(alert.name)) {
          continue;
        }
        EXPECT_EQ(alert.annotations.at("summary"), expected->second) << api->url();
        seen_summaries_.insert(alert.name);
      }
    }
  }

  std::unique_ptr<test::PrometheusProcess> prometheus_;
  Names seen_summaries_;
};

TEST_P(ScenarioTest, GoesAsItShould) {
  const ScenarioIs& expected = GetParam();
  const std::string file =
      std::string(AZX_SOURCE_DIR) + "/deploy/demo/scenarios/" + expected.name + ".scenario";
  const auto text = base::ReadFile(file);
  ASSERT_TRUE(text);
  const auto scenario = platform::ParseScenario(*text, file);
  ASSERT_TRUE(scenario) << scenario.error().message();
  ASSERT_EQ(scenario->stages.size(), expected.stages.size());
  platform::Player player(
      {.control_url = platform_->control_url(), .azexporter_url = azexporter_->url(), .pace = 10},
      clock_);
  for (std::size_t i = 0; i < expected.stages.size(); ++i) {
    ASSERT_EQ(scenario->stages[i].name, expected.stages[i].stage);
    const auto played = player.PlayStage(*scenario, scenario->stages[i]);
    ASSERT_TRUE(played) << played.error().message() << "\n" << Shown(azexporter_->api().Alerts());
    ASSERT_NO_FATAL_FAILURE(ExpectStage(expected.stages[i]));
    ExpectSummaries(expected.stages[i].firing, expected.summaries);
  }
  EXPECT_EQ(seen_summaries_.size(), expected.summaries.size());
  for (const std::string& name : expected.never) {
    const std::string ever =
        "max_over_time(ALERTS{alertname=\"" + name + "\", alertstate=\"firing\"}[1h])";
    EXPECT_EQ(azexporter_->api().Count(ever), 0) << name;
    EXPECT_EQ(prometheus_->api().Count(ever), 0) << name;
  }
}

std::string TestName(const ::testing::TestParamInfo<ScenarioIs>& scenario) {
  std::string name = scenario.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ScenarioTest, ::testing::ValuesIn(Scenarios()), TestName);

// A scenario that nobody expects anything of would be no test.
TEST(ScenariosTest, EveryShippedScenarioIsPlayedHere) {
  Names shipped;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(AZX_SOURCE_DIR) +
                                                               "/deploy/demo/scenarios")) {
    shipped.insert(entry.path().stem());
  }
  Names played;
  for (const ScenarioIs& scenario : Scenarios()) played.insert(scenario.name);
  EXPECT_EQ(played, shipped);
}

}  // namespace
}  // namespace azexporter
