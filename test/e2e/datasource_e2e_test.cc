// azexporter's rules ask a real Prometheus.

#include <gtest/gtest.h>

#include "azexporter/base/text.h"
#include "support/azexporter_process.h"
#include "support/eventually.h"
#include "support/temp_folder.h"

namespace azexporter {
namespace {

using nlohmann::json;
using test::Eventually;

constexpr int kWaitMs = 30'000;

// The label `cluster` is an external one: only what was sent on to Prometheus has it.
constexpr char kRules[] = R"yaml(
groups:
- name: test
  interval: 500ms
  rules:
  - {record: "sent:count", expr: 'count(azexporter_build_info{cluster="test"})'}
  - {record: "now", expr: time()}
  - alert: Sent
    expr: azexporter_build_info{cluster="test"} == 1
    for: 2s
    labels: {severity: none}
    annotations:
      summary: >-
        {{ with query "sum(azexporter_build_info{cluster='test'})" }}{{ . | first | value }}{{ end }}
)yaml";

class DatasourceE2eTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!test::PrometheusProcess::Installed()) GTEST_SKIP() << "skipped: no Prometheus";
    prometheus_ = std::make_unique<test::PrometheusProcess>(
        folder_.path(), "global: {scrape_interval: 1h}\n",
        std::vector<std::string>{"--web.enable-remote-write-receiver"});
    const std::string url = prometheus_->api().url();
    ASSERT_TRUE(Eventually(
        [&] { return prometheus_->api().Text("/-/ready").find("Ready") != std::string::npos; },
        kWaitMs));
    folder_.Write("rules.yaml", kRules);
    config_ =
        folder_.Write("azexporter.yaml",
                      "global: {external_labels: {cluster: test}, collect_interval: 500ms}\n"
                      "rule_files: [rules.yaml]\n"
                      "datasource: {url: '" +
                          url +
                          "', timeout: 2s}\n"
                          "remote_write:\n"
                          "- {url: '" +
                          url + "/api/v1/write', queue_config: {batch_send_deadline: 200ms}}\n");
    azexporter_ = std::make_unique<test::AzexporterProcess>(
        config_, std::vector<std::string>{"--kube.snapshot", "/dev/null"});
    ASSERT_FALSE(azexporter_->url().empty());
  }
  void TearDown() override {
    azexporter_.reset();
    prometheus_.reset();
  }
  // The rule as /api/v1/rules tells it.
  json Rule(const std::string& name) {
    const json data = azexporter_->api().Data("/api/v1/rules?rule_name[]=" + base::UrlEscape(name));
    if (data.is_null() || data["groups"].empty()) return json::object();
    return data["groups"][0]["rules"][0];
  }

  // By a check of its own, not by the daemon.
  std::string Checked() const {
    return test::RunAzexporter(
               {"--check", "--config.file", config_, "--kube.snapshot", "/dev/null"})
        .text;
  }

  const test::TempFolder folder_;
  std::string config_;
  std::unique_ptr<test::PrometheusProcess> prometheus_;
  std::unique_ptr<test::AzexporterProcess> azexporter_;
};

TEST_F(DatasourceE2eTest, RulesHoldOverWhatPrometheusHas) {
  test::PrometheusApi& ours = azexporter_->api();
  bool was_pending = false;
  EXPECT_TRUE(Eventually(
      [&] {
        const std::string state = ours.StateOf("Sent");
        was_pending = was_pending || state == "pending";
        return state == "firing";
      },
      kWaitMs));
  EXPECT_TRUE(was_pending);
  const auto alerts = ours.Alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].labels.at("cluster"), "test");
  EXPECT_EQ(alerts[0].annotations.at("summary"), "1");
  // What rules make stands in the own store, and goes to Prometheus.
  EXPECT_EQ(ours.Count(R"({__name__="sent:count"} == 1)"), 1);
  EXPECT_EQ(ours.Count("time() - now < 60"), 1);
  EXPECT_EQ(ours.Count(R"(ALERTS{alertname="Sent",alertstate="firing"})"), 1);
  EXPECT_TRUE(Eventually(
      [&] {
        return prometheus_->api().Count(
                   R"(ALERTS{alertname="Sent",alertstate="firing",cluster="test"})") == 1;
      },
      kWaitMs));
  // The own store does not know the label.
  EXPECT_EQ(ours.Count(R"(azexporter_build_info{cluster="test"})"), 0);

  // So does a check of its own.
  const std::string checked = Checked();
  EXPECT_NE(checked.find("Sent"), std::string::npos) << checked;
  EXPECT_NE(checked.find("true now"), std::string::npos) << checked;
  EXPECT_EQ(checked.find("could not be judged"), std::string::npos) << checked;

  // While Prometheus is away the rule fails and says why, and the alert stays as it is.
  prometheus_.reset();
  ASSERT_TRUE(Eventually([&] { return Rule("Sent").value("health", "") == "err"; }, kWaitMs));
  EXPECT_TRUE(Rule("Sent").value("lastError", "").starts_with("datasource: POST http://127.0.0.1:"))
      << Rule("Sent");
  EXPECT_EQ(ours.StateOf("Sent"), "firing");
  const std::string in_the_dark = Checked();
  EXPECT_NE(in_the_dark.find("1 of 1 alert rules could not be judged"), std::string::npos)
      << in_the_dark;
  EXPECT_NE(in_the_dark.find("datasource: POST http://127.0.0.1:"), std::string::npos)
      << in_the_dark;
}

}  // namespace
}  // namespace azexporter
