// azexporter sends to a real Prometheus by remote write.

#include <gtest/gtest.h>

#include <csignal>
#include <set>

#include "azexporter/base/text.h"
#include "support/azexporter_process.h"
#include "support/eventually.h"
#include "support/temp_folder.h"

namespace azexporter {
namespace {

using nlohmann::json;
using test::Eventually;

constexpr int kWaitMs = 30'000;

constexpr char kRules[] = R"(
groups:
- name: test
  interval: 500ms
  rules:
  - {record: "test:builds", expr: sum(azexporter_build_info)}
  - {alert: Built, expr: azexporter_build_info == 1, labels: {severity: none}}
)";
constexpr char kRulesWithoutAlert[] = R"(
groups:
- name: test
  interval: 500ms
  rules:
  - {record: "test:builds", expr: sum(azexporter_build_info)}
)";

class RemoteWriteE2eTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::PrometheusProcess::Installed()) GTEST_SKIP() << "skipped: no Prometheus";
    StartPrometheus({});
    folder_.Write("rules.yaml", kRules);
    const std::string config =
        folder_.Write("azexporter.yaml",
                      "global: {external_labels: {cluster: test}, collect_interval: 500ms}\n"
                      "rule_files: [rules.yaml]\n"
                      "remote_write:\n"
                      "- url: " +
                          prometheus().url() +
                          "/api/v1/write\n"
                          "  name: prometheus\n"
                          "  queue_config: {batch_send_deadline: 200ms, max_backoff: 500ms}\n");
    azexporter_ = std::make_unique<test::AzexporterProcess>(
        config, std::vector<std::string>{"--kube.snapshot", "/dev/null", "--storage.keep=all"});
    ASSERT_FALSE(azexporter_->url().empty());
  }
  void TearDown() override {
    azexporter_.reset();
    prometheus_.reset();
  }

  // At the given address, or a free port.
  void StartPrometheus(const std::string& address) {
    std::vector<std::string> flags = {"--web.enable-remote-write-receiver"};
    if (!address.empty()) flags.push_back("--web.listen-address=" + address);
    prometheus_ = std::make_unique<test::PrometheusProcess>(
        folder_.path(), "global: {scrape_interval: 1h}\n", flags);
    ASSERT_TRUE(Eventually(
        [&] { return prometheus().Text("/-/ready").find("Ready") != std::string::npos; }, kWaitMs));
  }
  test::PrometheusApi& prometheus() { return prometheus_->api(); }
  bool Arrives(const std::string& query) {
    return Eventually([&] { return prometheus().Count(query) == 1; }, kWaitMs);
  }
  // The times of a series' samples in the last minutes.
  static std::set<double> Times(test::PrometheusApi& api, const std::string& series) {
    std::set<double> times;
    const json data = api.Data("/api/v1/query?query=" + base::UrlEscape(series + "[5m]"));
    if (data.is_null()) return times;
    for (const json& one : data["result"]) {
      for (const json& point : one["values"]) times.insert(point[0].get<double>());
    }
    return times;
  }

  const test::TempFolder folder_;
  std::unique_ptr<test::AzexporterProcess> azexporter_;
  std::unique_ptr<test::PrometheusProcess> prometheus_;
};

TEST_F(RemoteWriteE2eTest, CollectedAndRecordedSeriesAndAlertsArriveAndEnd) {
  EXPECT_TRUE(Arrives(R"(azexporter_build_info{cluster="test"} == 1)"));
  EXPECT_TRUE(Arrives(R"({__name__="test:builds",cluster="test"} == 1)"));
  EXPECT_TRUE(Arrives(
      R"(ALERTS{alertname="Built",alertstate="firing",severity="none",cluster="test"} == 1)"));
  EXPECT_TRUE(Arrives(R"(time() - ALERTS_FOR_STATE{alertname="Built",cluster="test"} < 60)"));
  EXPECT_EQ(prometheus().Count(R"({cluster!="test",__name__!=""})"), 0);
  // A rule that is gone ends its series with a marker, long before a look-back would.
  folder_.Write("rules.yaml", kRulesWithoutAlert);
  azexporter_->Signal(SIGHUP);
  EXPECT_TRUE(Eventually([&] { return prometheus().Count("ALERTS") == 0; }, kWaitMs));
  EXPECT_TRUE(Arrives("azexporter_remote_storage_samples_total > 0"));
  EXPECT_EQ(azexporter_->api().Count("azexporter_remote_storage_samples_dropped_total > 0"), 0);
  EXPECT_EQ(azexporter_->api().Count("azexporter_remote_storage_samples_failed_total > 0"), 0);
  EXPECT_EQ(azexporter_->api().Count("azexporter_remote_storage_metadata_failed_total > 0"), 0);
}

TEST_F(RemoteWriteE2eTest, NothingIsMissingAfterPrometheusWasAway) {
  ASSERT_TRUE(Arrives("{__name__=\"test:builds\"}"));
  const std::string address = prometheus().url().substr(std::string("http://").size());
  prometheus_.reset();
  ASSERT_TRUE(Eventually(
      [&] {
        return azexporter_->api().Count("azexporter_remote_storage_samples_retried_total > 0") == 1;
      },
      kWaitMs));
  const std::size_t before = Times(azexporter_->api(), "test:builds").size();
  ASSERT_TRUE(Eventually(
      [&] { return Times(azexporter_->api(), "test:builds").size() >= before + 4; }, kWaitMs));
  ASSERT_NO_FATAL_FAILURE(StartPrometheus(address));
  const std::set<double> ours = Times(azexporter_->api(), "test:builds");
  ASSERT_GE(ours.size(), before + 4);
  std::set<double> theirs;
  EXPECT_TRUE(Eventually(
      [&] {
        theirs = Times(prometheus(), "test:builds");
        return std::includes(theirs.begin(), theirs.end(), ours.begin(), ours.end());
      },
      kWaitMs))
      << ours.size() << " samples, " << theirs.size() << " arrived";
  EXPECT_EQ(azexporter_->api().Count("azexporter_remote_storage_samples_dropped_total > 0"), 0);
  EXPECT_EQ(azexporter_->api().Count("azexporter_remote_storage_samples_failed_total > 0"), 0);
}

}  // namespace
}  // namespace azexporter
