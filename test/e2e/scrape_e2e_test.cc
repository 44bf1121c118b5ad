// azexporter on the embedded platform, scraped by a real Prometheus with the shipped scrape
// configuration: the page passes promtool, labels arrive as they left, and every panel of the
// dashboard has something to show, from either side.

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "azexporter/base/file.h"
#include "azexporter/net/http_client.h"
#include "dashboards/dashboard.h"
#include "servers/child_process.h"
#include "servers/postgres_server.h"
#include "support/eventually.h"

namespace azexporter {
namespace {

using nlohmann::json;
using servers::ChildProcess;
using servers::PostgresServer;
using servers::RunProgram;
using test::Eventually;

constexpr int kWaitMs = 30'000;

// The embedded platform has no database: these panels must stay empty, and no others.
const std::set<std::string> kDatabasePanels = {"Primaries", "Replication lag",
                                               "Replication lag in log bytes", "Roles", "Stale"};

// `text` with the first `from` replaced.
std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from << " is not in\n" << text;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// What stands behind `key` in the first line that has it, up to a space.
std::string AwaitValue(ChildProcess& child, const std::string& event, const std::string& key) {
  std::string seen;
  while (const auto line = child.ReadLine(kWaitMs)) {
    seen += *line + "\n";
    const std::size_t at = line->find(key);
    if (line->find(event) == std::string::npos || at == std::string::npos) continue;
    const std::string value = line->substr(at + key.size());
    return value.substr(0, value.find(' '));
  }
  ADD_FAILURE() << "no " << event << " in:\n" << seen;
  return "";
}

class ScrapeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = ::testing::TempDir() + "/azx-scrape-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    StartPlatform();
    if (HasFatalFailure()) return;
    StartAzexporter();
  }

  void TearDown() override {
    for (auto* child : {prometheus_.get(), azexporter_.get(), platform_.get()}) {
      if (child == nullptr) continue;
      child->Signal(SIGTERM);
      EXPECT_EQ(child->Wait(kWaitMs), 0);
    }
    std::filesystem::remove_all(folder_);
  }

  std::string PathOf(const std::string& name) const { return (folder_ / name).string(); }

  void StartPlatform() {
    platform_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        AZX_PLATFORM_PROGRAM, "--kubeconfig-out", PathOf("kubeconfig"), "--config-out",
        PathOf("platform.yaml"), "--ready-file", PathOf("ready")});
    ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(folder_ / "ready"); }, kWaitMs));
  }

  void StartAzexporter() {
    const auto config = base::ReadFile(PathOf("platform.yaml"));
    ASSERT_TRUE(config);
    std::ofstream(PathOf("azexporter.yaml"))
        << Replaced(*config, "interval: 2s", "interval: 200ms")
        << "global: {collect_interval: 500ms, evaluation_interval: 500ms}\n"
        << databases_;
    azexporter_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{AZX_PROGRAM, "--config.file", PathOf("azexporter.yaml"),
                                 "--web.listen-address", "127.0.0.1:0", "--rule.file",
                                 std::string(AZX_SOURCE_DIR) + "/rules/alerts/documented.yaml"});
    azexporter_url_ = AwaitValue(*azexporter_, "azexporter is up", "url=");
    // Every source answered, and every probe ended at least once.
    ASSERT_TRUE(
        Eventually([&] { return Count(azexporter_url_, "az_zone_health_up == 1") == 3; }, kWaitMs));
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
    const std::string target = azexporter_url_.substr(std::string("http://").size());
    std::string config = *shipped;
    config.replace(begin, end - begin,
                   "  static_configs:\n  - targets: ['" + target +
                       "']\n    labels: {__meta_kubernetes_service_name: azexporter, "
                       "__meta_kubernetes_endpoint_port_name: http}\n");
    config = Replaced(config, "scrape_interval: 15s", "scrape_interval: 1s");
    return config + "- job_name: defaults\n  scrape_interval: 1s\n  static_configs:\n" +
           "  - targets: ['" + target + "']\n";
  }

  // Sets prometheus_url_; leaves it empty where there is no Prometheus.
  void StartPrometheus() {
    if (!RunProgram({"prometheus", "--version"})) return;
    std::ofstream(PathOf("prometheus.yaml")) << PrometheusConfig();
    prometheus_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        "prometheus", "--config.file=" + PathOf("prometheus.yaml"),
        "--storage.tsdb.path=" + PathOf("tsdb"), "--web.listen-address=127.0.0.1:0"});
    prometheus_url_ = "http://" + AwaitValue(*prometheus_, "\"Listening on\"", "address=");
    ASSERT_TRUE(Eventually([&] { return Count(prometheus_url_, "up == 1") == 2; }, kWaitMs));
  }

  // The data of an API's answer; null while there is none.
  json Ask(const std::string& url, const std::string& path) {
    const auto response =
        http_.Fetch({.url = url + path, .timeout_ms = kWaitMs, .fresh_connection = true});
    if (!response || !response->ok()) return nullptr;
    const json answer = json::parse(response->body, nullptr, /*allow_exceptions=*/false);
    return answer.is_discarded() ? json() : answer["data"];
  }

  // Samples of an instant query that are numbers; -1 where the query has no answer.
  int Count(const std::string& url, const std::string& query) {
    const json data = Ask(url, "/api/v1/query?query=" + net::UrlEscape(query));
    if (data.is_null()) return -1;
    int count = 0;
    for (const json& series : data["result"]) count += series["value"][1] != "NaN" ? 1 : 0;
    return count;
  }

  std::set<std::string> Strings(const std::string& url, const std::string& path) {
    const json data = Ask(url, path);
    return data.is_null() ? std::set<std::string>() : data.get<std::set<std::string>>();
  }

  std::string databases_;  // the section of the configuration, where there are any
  std::filesystem::path folder_;
  net::HttpClient http_{{.user_agent = "scrape-e2e-test"}};
  std::string azexporter_url_;
  std::string prometheus_url_;
  std::unique_ptr<ChildProcess> platform_;
  std::unique_ptr<ChildProcess> azexporter_;
  std::unique_ptr<ChildProcess> prometheus_;
};

TEST_F(ScrapeTest, PromtoolFindsNothingToSay) {
  const auto page = http_.Fetch({.url = azexporter_url_ + "/metrics", .fresh_connection = true});
  ASSERT_TRUE(page) << page.error().message();
  std::ofstream(PathOf("metrics")) << page->body;
  ChildProcess promtool({"sh", "-c", "exec promtool check metrics <\"$0\"", PathOf("metrics")});
  EXPECT_EQ(promtool.ReadAll(kWaitMs), "");
  EXPECT_EQ(promtool.Wait(kWaitMs), 0);
}

TEST_F(ScrapeTest, LabelsArriveAsTheyLeft) {
  StartPrometheus();
  if (prometheus_url_.empty()) GTEST_SKIP() << "no prometheus";
  // Scraped either way, no label had to give way to one of the target.
  const std::set<std::string> own = Strings(azexporter_url_, "/api/v1/labels");
  EXPECT_TRUE(own.contains("zone"));
  EXPECT_FALSE(own.contains("job"));
  EXPECT_FALSE(own.contains("instance"));
  std::set<std::string> expected = own;
  expected.insert({"job", "instance"});
  for (const std::string job : {"azexporter", "defaults"}) {
    const std::string path = "/api/v1/labels?match[]=" + net::UrlEscape("{job=\"" + job + "\"}");
    EXPECT_TRUE(Eventually([&] { return Strings(prometheus_url_, path) == expected; }, kWaitMs))
        << job << ": " << json(Strings(prometheus_url_, path));
  }
  for (const std::string& label : Strings(prometheus_url_, "/api/v1/labels")) {
    EXPECT_FALSE(label.starts_with("exported_")) << label;
  }
}

TEST_F(ScrapeTest, EveryPanelHasDataFromEitherSource) {
  StartPrometheus();
  if (prometheus_url_.empty()) GTEST_SKIP() << "no prometheus";
  const json dashboard = test::LoadDashboard();
  ASSERT_FALSE(dashboard.is_discarded());
  const std::set<std::string> zones = {"us-east-1a", "us-east-1b", "us-east-1c"};
  for (const std::string& url : {azexporter_url_, prometheus_url_}) {
    EXPECT_EQ(Strings(url, "/api/v1/label/zone/values?match[]=az_zone_state"), zones) << url;
    for (const auto& [panel, query] : test::DashboardQueries(dashboard)) {
      if (kDatabasePanels.contains(panel)) {
        EXPECT_EQ(Count(url, query), 0) << url << ": " << panel << ": " << query;
        continue;
      }
      EXPECT_TRUE(Eventually([&, &wanted = query] { return Count(url, wanted) > 0; }, kWaitMs))
          << url << ": " << panel << ": " << query;
    }
  }
}

class DatabaseScrapeTest : public ScrapeTest {
 protected:
  void SetUp() override {
    if (PostgresServer::ProgramFolder().empty()) GTEST_SKIP() << "skipped: no PostgreSQL";
    primary_ = PostgresServer::StartPrimary();
    ASSERT_NE(primary_, nullptr);
    standby_ = PostgresServer::StartStandby(primary_->dsn());
    ASSERT_NE(standby_, nullptr);
    databases_ = "postgres: {clusters: [{name: orders, instances: [" +
                 Instance("one", "us-east-1a", primary_->dsn()) + ", " +
                 Instance("two", "us-east-1b", standby_->dsn()) + "]}]}\n";
    ScrapeTest::SetUp();
  }

  static std::string Instance(const std::string& name, const std::string& zone,
                              const std::string& dsn) {
    return "{name: " + name + ", zone: " + zone + ", dsn: \"" + dsn + "\"}";
  }

  std::unique_ptr<PostgresServer> primary_;
  std::unique_ptr<PostgresServer> standby_;
};

TEST_F(DatabaseScrapeTest, DatabasePanelsHaveData) {
  const json dashboard = test::LoadDashboard();
  ASSERT_FALSE(dashboard.is_discarded());
  std::string roles;
  for (const auto& [panel, query] : test::DashboardQueries(dashboard)) {
    if (!kDatabasePanels.contains(panel)) continue;
    if (panel == "Roles") roles = query;
    EXPECT_TRUE(
        Eventually([&, &wanted = query] { return Count(azexporter_url_, wanted) > 0; }, kWaitMs))
        << panel << ": " << query;
  }
  // 0 a primary, 1 a standby, -1 down.
  EXPECT_EQ(Count(azexporter_url_, "(" + roles + ") == 0"), 1);
  EXPECT_EQ(Count(azexporter_url_, "(" + roles + ") == 1"), 1);
  standby_->Kill();
  const std::string down = "(" + roles + ") == -1";
  EXPECT_TRUE(Eventually([&] { return Count(azexporter_url_, down) == 1; }, kWaitMs));
  EXPECT_EQ(Count(azexporter_url_, roles), 2);
}

}  // namespace
}  // namespace azexporter
