// azexporter on the embedded platform, scraped by a real Prometheus with the shipped scrape
// configuration: the page passes promtool, labels arrive as they left, and every panel of the
// dashboard has something to show, from either side.

#include <gtest/gtest.h>

#include <set>

#include "azexporter/base/text.h"
#include "dashboards/dashboard.h"
#include "simulator/json.h"
#include "support/eventually.h"
#include "support/platform_fixture.h"

namespace azexporter {
namespace {

using nlohmann::json;
using servers::ChildProcess;
using test::Eventually;
using test::PrometheusApi;

constexpr int kWaitMs = 30'000;

// `text` with the first `from` replaced.
std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " is not in\n" << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// A Cluster of CloudNativePG that is being made: nobody is there to be asked.
constexpr char kReporting[] =
    R"({"apiVersion":"postgresql.cnpg.io/v1","kind":"Cluster",
        "metadata":{"name":"reporting","namespace":"platform-03","labels":{"team":"reporting"}},
        "spec":{"instances":2},
        "status":{"phase":"Setting up primary","targetPrimary":"reporting-1"}})";

class ScrapeTest : public test::PlatformFixture {
 protected:
  void SetUp() override {
    if (!platform::Databases::Installed()) GTEST_SKIP() << "skipped: no PostgreSQL";
    if (!test::PrometheusProcess::Installed()) GTEST_SKIP() << "skipped: no Prometheus";
    ASSERT_NO_FATAL_FAILURE(StartPlatform({.database = true}));
    WritePack("documented", "documented.yaml", "1s");
    ASSERT_TRUE(platform_->store().Apply(*simulator::ParseJson(kReporting)));
    const std::string with_cnpg =
        Replaced(Config(), "postgres:\n", "postgres:\n  cnpg: {selector: {team: reporting}}\n");
    Write("azexporter.yaml", Replaced(with_cnpg, "interval: 2s", "interval: 200ms") +
                                 "global: {collect_interval: 500ms, evaluation_interval: 500ms}\n"
                                 "rule_files: [documented.yaml]\n");
    ASSERT_NO_FATAL_FAILURE(StartAzexporter("azexporter.yaml"));
    // Every probe ended at least once.
    ASSERT_TRUE(Eventually([&] { return azexporter_->api().Count("az_zone_health_up == 1") == 3; },
                           kWaitMs));
    prometheus_ = std::make_unique<test::PrometheusProcess>(folder_.path(), PrometheusConfig());
    ASSERT_TRUE(Eventually([&] { return prometheus_->api().Count("up == 1") == 2; }, kWaitMs));
  }

  void TearDown() override {
    prometheus_.reset();
    PlatformFixture::TearDown();
  }

  // The shipped scrape configuration, with a fixed target in place of the one that Kubernetes would
  // name, and beside it a job that leaves everything at Prometheus's defaults.
  std::string PrometheusConfig() const {
    const auto shipped =
        base::ReadFile(std::string(AZX_SOURCE_DIR) + "/deploy/kubernetes/prometheus-scrape.yaml");
    EXPECT_TRUE(shipped);
    const std::size_t begin = shipped->find("  kubernetes_sd_configs:\n");
    const std::size_t end = shipped->find("  relabel_configs:\n");
    EXPECT_TRUE(begin < end && end != std::string::npos);
    const std::string target = azexporter_->url().substr(std::string("http://").size());
    std::string config = *shipped;
    config.replace(begin, end - begin,
                   "  static_configs:\n  - targets: ['" + target +
                       "']\n    labels: {__meta_kubernetes_service_name: azexporter, "
                       "__meta_kubernetes_endpoint_port_name: http}\n");
    config = Replaced(config, "scrape_interval: 15s", "scrape_interval: 1s");
    return config + "- job_name: defaults\n  scrape_interval: 1s\n  static_configs:\n" +
           "  - targets: ['" + target + "']\n";
  }

  static std::set<std::string> Strings(PrometheusApi& api, const std::string& path) {
    const json data = api.Data(path);
    return data.is_null() ? std::set<std::string>() : data.get<std::set<std::string>>();
  }

  std::vector<PrometheusApi*> BothSides() { return {&azexporter_->api(), &prometheus_->api()}; }

  std::unique_ptr<test::PrometheusProcess> prometheus_;
};

TEST_F(ScrapeTest, PromtoolFindsNothingToSay) {
  const auto lint = [&] {
    Write("metrics", azexporter_->api().Text("/metrics"));
    ChildProcess promtool(
        {"sh", "-c", "exec promtool check metrics <\"$0\"", (folder_ / "metrics").string()});
    EXPECT_EQ(promtool.ReadAll(kWaitMs), "");
    EXPECT_EQ(promtool.Wait(kWaitMs), 0);
  };
  lint();
  // Nor of what is there only when something is wrong.
  ASSERT_TRUE(platform_->Do("zone us-east-1b down"));
  EXPECT_TRUE(Eventually([&] { return azexporter_->api().Count("pg_up == 0") == 1; }, kWaitMs));
  lint();
}

TEST_F(ScrapeTest, LabelsArriveAsTheyLeft) {
  // Scraped either way, no label had to give way to one of the target.
  const std::set<std::string> own = Strings(azexporter_->api(), "/api/v1/labels");
  EXPECT_TRUE(own.contains("zone"));
  EXPECT_FALSE(own.contains("job"));
  EXPECT_FALSE(own.contains("instance"));
  std::set<std::string> expected = own;
  expected.insert({"job", "instance"});
  PrometheusApi& prometheus = prometheus_->api();
  for (const std::string job : {"azexporter", "defaults"}) {
    const std::string path = "/api/v1/labels?match[]=" + base::UrlEscape("{job=\"" + job + "\"}");
    EXPECT_TRUE(Eventually([&] { return Strings(prometheus, path) == expected; }, kWaitMs))
        << job << ": " << json(Strings(prometheus, path));
  }
  for (const std::string& label : Strings(prometheus, "/api/v1/labels")) {
    EXPECT_FALSE(label.starts_with("exported_")) << label;
  }
}

// azexporter has the latencies as native histograms, and so has a Prometheus that asks for
// protobuf, be it by scraping or by federating.
TEST_F(ScrapeTest, NativeHistogramsArrive) {
  const std::string target = azexporter_->url().substr(std::string("http://").size());
  const test::TempFolder folder;
  test::PrometheusProcess prometheus(
      folder.path(),
      "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: native\n  static_configs:\n"
      "  - targets: ['" +
          target +
          "']\n- job_name: federated\n  metrics_path: /federate\n  honor_labels: true\n"
          "  params: {'match[]': [http_request_duration_seconds]}\n  static_configs:\n"
          "  - targets: ['" +
          target + "']\n",
      {"--enable-feature=native-histograms"});
  const std::string rate = "rate(http_request_duration_seconds{job=~\"JOB\"}[1m])";
  const std::string quantile =
      "histogram_quantile(0.95, sum by (destination_zone) (" + rate + ")) > 0";
  const auto arrives = [&](PrometheusApi& api, const std::string& job) {
    EXPECT_TRUE(Eventually([&] { return api.Count(Replaced(quantile, "JOB", job)) == 3; }, kWaitMs))
        << api.url() << ", job " << job;
  };
  arrives(azexporter_->api(), "");
  arrives(prometheus.api(), "native");
  arrives(prometheus.api(), "federated");
}

TEST_F(ScrapeTest, EveryPanelHasDataFromEitherSource) {
  const json dashboard = test::LoadDashboard();
  ASSERT_FALSE(dashboard.is_discarded());
  const std::set<std::string> zones = {"us-east-1a", "us-east-1b", "us-east-1c"};
  for (PrometheusApi* api : BothSides()) {
    EXPECT_EQ(Strings(*api, "/api/v1/label/zone/values?match[]=az_zone_state"), zones);
    for (const auto& [panel, query] : test::DashboardQueries(dashboard)) {
      EXPECT_TRUE(Eventually([&, &wanted = query] { return api->Count(wanted) > 0; }, kWaitMs))
          << api->url() << ": " << panel << ": " << query;
    }
  }
}

// What each panel shows of a lost zone that the primary was in: of one of its queries so many
// series are then so. Panels that the outage does not touch are there, too, so that none is
// forgotten.
struct PanelShows {
  std::string_view panel;
  std::string_view becomes;  // a comparison put behind the query
  int series;
};

constexpr PanelShows kOutageOnPanels[] = {
    {"Zones normal", "== 2", 1},
    {"Zones disrupted or missing", "== 1", 1},
    {"Alerts firing", "> 0", 1},     // critical ones
    {"Nodes ready", "< 0.64", 1},    // 14 of 22
    {"Zone state", "== 4", 1},       // full disruption
    {"Workers by zone", "== 0", 6},  // two states of each zone
    {"Ready pods by zone", "== 0", 1},
    {"Pod imbalance", "== 3", 1},
    {"Could be lost now", "== 0", 2},  // no further zone
    {"What would not survive", "> 0", 2},
    {"Pods that would find no other node", "> 0", 2},
    {"Skew over zones", ">= 0", 1},  // the pods are not evicted yet
    {"Room by zone", "== 0", 1},
    {"Policy issues", "> 0", 2},  // warnings and infos, of the outage or not
    {"Probe latency", "> 1", 1},  // the 95th percentile
    {"Probe results", "> 0", 4},  // time-outs of a beside what is healthy
    {"Health endpoints", "== 0", 1},
    {"Replication lag", "> 1", 2},                // a lower bound that grows
    {"Replication lag in log bytes", ">= 0", 0},  // nobody knows
    {"Roles", "== -1", 1},
    {"Stale", "== 1", 2},
    {"Primaries", "== 0", 1},
    {"CloudNativePG phases", "== 1", 1},  // of kReporting, as are the next two
    {"Instances of CloudNativePG", "== 2", 1},
    {"Switchovers", "== 1", 1},
    {"Redis as each zone sees it", "== 1", 2},   // a does not answer
    {"Redis masters by zone", ">= 2", 1},        // a's was replaced
    {"Redis slots lost with a zone", "> 0", 1},  // with that zone no majority is left
    {"Collectors", "== 0", 1},
    {"Kubernetes contact age", "< 180", 3},
    {"Rules failing", "== 0", 1},
};

TEST_F(ScrapeTest, AZoneOutageShowsOnEveryPanelItTouches) {
  const json dashboard = test::LoadDashboard();
  std::set<std::string> titles;
  for (const auto& [panel, query] : test::DashboardQueries(dashboard)) titles.insert(panel);
  EXPECT_EQ(titles.size(), std::size(kOutageOnPanels));
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  for (PrometheusApi* api : BothSides()) {
    for (const PanelShows& expected : kOutageOnPanels) {
      EXPECT_TRUE(titles.contains(std::string(expected.panel))) << expected.panel;
      const auto shows = [&] {
        for (const auto& [panel, query] : test::DashboardQueries(dashboard)) {
          if (panel != expected.panel) continue;
          const std::string so = "(" + query + ") " + std::string(expected.becomes);
          const int count = api->Count(so);
          if (expected.series == 0 ? count == 0 : count >= expected.series) return true;
        }
        return false;
      };
      EXPECT_TRUE(Eventually(shows, kWaitMs)) << api->url() << ": " << expected.panel;
    }
  }
  ASSERT_TRUE(platform_->Do("zone us-east-1a up"));
  for (PrometheusApi* api : BothSides()) {
    for (const char* whole : {"sum(max by (zone) (az_zone_state{state=\"normal\"})) == 3",
                              "max(az_postgres_primaries) == 1", "min(az_zone_health_up) == 1"}) {
      EXPECT_TRUE(Eventually([&] { return api->Count(whole) == 1; }, kWaitMs)) << whole;
    }
  }
}

}  // namespace
}  // namespace azexporter
