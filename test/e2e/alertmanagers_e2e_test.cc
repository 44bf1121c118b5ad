// azexporter and several real Alertmanagers: one that is down for a while, one that wants to know
// who speaks, one behind a proxy, and those that a Service leads to.

#include <gtest/gtest.h>

#include "servers/loopback.h"
#include "simulator/certificate.h"
#include "simulator/http_server.h"
#include "support/alertmanager_process.h"
#include "support/eventually.h"
#include "support/platform_fixture.h"

namespace azexporter {
namespace {

using nlohmann::json;
using test::AlertmanagerProcess;
using test::Eventually;

constexpr int kWaitMs = 30'000;

class AlertmanagersTest : public test::PlatformFixture {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartPlatform());
    WritePack("recommended", "rules.yaml", "1s");
  }
  void TearDown() override {
    azexporter_.reset();  // before those it tells
    first_.reset();
    second_.reset();
    PlatformFixture::TearDown();
  }

  void Start(const std::string& alerting, const std::string& resend_delay) {
    Write("config.yaml",
          Config() +
              "global: {collect_interval: 300ms, evaluation_interval: 300ms, external_labels: "
              "{cluster: demo, replica: a}}\n"
              "rule_files: [rules.yaml]\n" +
              alerting);
    ASSERT_NO_FATAL_FAILURE(
        StartAzexporter("config.yaml", {"--rules.alert.resend-delay", resend_delay}));
  }
  std::unique_ptr<AlertmanagerProcess> Alertmanager(const std::string& name, int port = 0) {
    return std::make_unique<AlertmanagerProcess>(
        test::AlertmanagerOptions{.folder = folder_ / name, .port = port});
  }
  bool Fires(const std::string& name) {
    return Eventually([&] { return azexporter_->api().StateOf(name) == "firing"; }, kWaitMs);
  }
  bool MetricIs(const std::string& sample) {
    return Eventually(
        [&] {
          const std::string page = azexporter_->api().Text("/metrics");
          return page.find("\n" + sample + "\n") != std::string::npos;
        },
        kWaitMs);
  }

  std::unique_ptr<AlertmanagerProcess> first_;
  std::unique_ptr<AlertmanagerProcess> second_;
};

// With a delay of an hour every alert is handed over once: what arrives late was kept.
TEST_F(AlertmanagersTest, OneThatIsDownGetsWhatWasToldMeanwhile) {
  const int late_port = servers::FreePort();
  first_ = Alertmanager("first");
  Start("alerting: {alertmanagers: [{static_configs: [{targets: ['" + first_->address() +
            "', '127.0.0.1:" + std::to_string(late_port) + "']}]}]}\n",
        "1h");
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  ASSERT_TRUE(first_->Arrives("ZoneUnavailable"));
  ASSERT_TRUE(first_->Arrives("Watchdog"));
  second_ = Alertmanager("second", late_port);
  ASSERT_TRUE(second_->Arrives("ZoneUnavailable"));
  EXPECT_TRUE(second_->Arrives("Watchdog"));
  EXPECT_EQ(second_->Alert("ZoneUnavailable")["startsAt"],
            first_->Alert("ZoneUnavailable")["startsAt"]);
  EXPECT_EQ(second_->Alerts("ZoneUnavailable").size(), 1U);
  EXPECT_TRUE(MetricIs("azexporter_notifications_dropped_total 0"));
}

TEST_F(AlertmanagersTest, OneThatForgotGetsWhatStillFires) {
  first_ = Alertmanager("first");
  second_ = Alertmanager("second");
  Start("alerting: {alertmanagers: [{static_configs: [{targets: ['" + first_->address() + "', '" +
            second_->address() + "']}]}]}\n",
        "1s");
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  ASSERT_TRUE(second_->Arrives("ZoneUnavailable"));
  const int port = second_->port();
  second_->Kill();
  ASSERT_TRUE(platform_->Do("zone us-east-1b down"));
  ASSERT_TRUE(Eventually([&] { return first_->Alerts("ZoneUnavailable").size() == 2; }, kWaitMs));
  second_ = Alertmanager("again", port);
  EXPECT_TRUE(Eventually([&] { return second_->Alerts("ZoneUnavailable").size() == 2; }, kWaitMs));
}

TEST_F(AlertmanagersTest, SpeaksTlsAndSaysWhoItIs) {
  const auto certificate = simulator::MakeLoopbackCertificate();
  ASSERT_TRUE(certificate);
  Write("cert.pem", certificate->certificate_pem);
  Write("key.pem", certificate->private_key_pem);
  Write("user", "azx\n");
  Write("password", "wrong\n");
  // The sum is that of "s3cret".
  first_ = std::make_unique<AlertmanagerProcess>(test::AlertmanagerOptions{
      .folder = folder_ / "first",
      .web_config =
          "tls_server_config: {cert_file: ../cert.pem, key_file: ../key.pem, min_version: TLS12}\n"
          "basic_auth_users: {azx: "
          "$2b$04$abcdefghijklmnopqrstuuLZYjhNQAOdpbzt4WxWlUHjv1wsyH5DG}\n",
      .tls = {.ca_pem = certificate->certificate_pem},
      .basic_auth = "azx:s3cret"});
  Start("alerting: {alertmanagers: [{scheme: https, static_configs: [{targets: ['" +
            first_->address() +
            "']}], basic_auth: {username_file: user, password_file: password}, "
            "tls_config: {ca_file: cert.pem, server_name: localhost, min_version: TLS13}}]}\n",
        "1h");
  ASSERT_TRUE(Fires("Watchdog"));
  EXPECT_TRUE(first_->Alert("Watchdog").is_null());
  Write("password", "s3cret\n");  // rotated, without a reload; the batch is sent again
  EXPECT_TRUE(first_->Arrives("Watchdog"));
}

TEST_F(AlertmanagersTest, ABearerTokenAndRelabelledAlerts) {
  first_ = Alertmanager("first");
  net::HttpClient onward({.user_agent = "proxy"});
  auto proxy = simulator::HttpServer::Start({}, [&](const simulator::HttpRequest& request) {
    if (request.Header("Authorization") != "Bearer s3cret" || request.path != "/am/api/v2/alerts") {
      return simulator::HttpResponse{.status = 401};
    }
    const auto answer = onward.Fetch({.method = "POST",
                                      .url = first_->url() + "/api/v2/alerts",
                                      .headers = {{"Content-Type", "application/json"}},
                                      .body = request.body});
    return simulator::HttpResponse{.status = answer ? answer->status : 502};
  });
  ASSERT_TRUE(proxy);
  Write("token", "s3cret\n");
  Start(R"(
alerting:
  alert_relabel_configs:
  - {action: labeldrop, regex: replica}
  - {source_labels: [cluster, zone], separator: /, regex: (.+/.+), target_label: place}
  alertmanagers:
  - static_configs: [{targets: ['127.0.0.1:1'], labels: {real: ')" +
            (*proxy)->url().substr(7) + R"('}}]
    relabel_configs:
    - {source_labels: [real], target_label: __address__}
    - {target_label: __alerts_path__, replacement: /am/api/v2/alerts}
    authorization: {credentials_file: token}
    alert_relabel_configs:
    - {source_labels: [alertname], regex: Watchdog, action: drop}
)",
        "1s");
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  EXPECT_TRUE(first_->Arrives("ZoneUnavailable"));
  const json labels = first_->Alert("ZoneUnavailable")["labels"];
  EXPECT_EQ(labels.value("place", ""), "demo/us-east-1a");
  EXPECT_FALSE(labels.contains("replica"));
  EXPECT_EQ(azexporter_->api().StateOf("Watchdog"), "firing");
  EXPECT_TRUE(first_->Alert("Watchdog").is_null());
  azexporter_.reset();
  (*proxy)->Stop();
}

json EndpointSlice(int port, bool ready) {
  return {{"kind", "EndpointSlice"},
          {"apiVersion", "discovery.k8s.io/v1"},
          {"metadata",
           {{"name", "am-1"},
            {"namespace", "monitoring"},
            {"labels", {{"kubernetes.io/service-name", "am"}}}}},
          {"addressType", "IPv4"},
          {"endpoints",
           json::array({{{"addresses", {"127.0.0.1"}}, {"conditions", {{"ready", ready}}}}})},
          {"ports", json::array({{{"name", "web"}, {"port", port}, {"protocol", "TCP"}}})}};
}

TEST_F(AlertmanagersTest, AreFoundByTheirService) {
  first_ = Alertmanager("first");
  Start(R"(
alerting:
  alertmanagers:
  - kubernetes_sd_configs: [{role: endpointslice, namespaces: {names: [monitoring]}}]
    relabel_configs:
    - source_labels: [__meta_kubernetes_service_name, __meta_kubernetes_endpointslice_port_name,
                      __meta_kubernetes_endpointslice_endpoint_conditions_ready]
      regex: am;web;true
      action: keep
)",
        "1s");
  EXPECT_TRUE(MetricIs("azexporter_notifications_alertmanagers_discovered 0"));
  simulator::Store& store = platform_->store();
  const simulator::ObjectKey key = {simulator::FindKind("discovery.k8s.io/v1", "EndpointSlice"),
                                    "monitoring", "am-1"};
  ASSERT_TRUE(store.Create({{"kind", "Service"},
                            {"apiVersion", "v1"},
                            {"metadata", {{"name", "am"}, {"namespace", "monitoring"}}},
                            {"spec", json::object()}}));
  ASSERT_TRUE(store.Create(EndpointSlice(first_->port(), true)));
  EXPECT_TRUE(first_->Arrives("Watchdog"));
  EXPECT_TRUE(MetricIs("azexporter_notifications_alertmanagers_discovered 1"));
  ASSERT_TRUE(store.Modify(
      key, [&](simulator::Json& slice) { slice = EndpointSlice(first_->port(), false); }));
  EXPECT_TRUE(MetricIs("azexporter_notifications_alertmanagers_discovered 0"));
  const json shown = azexporter_->api().Data("/api/v1/alertmanagers");
  EXPECT_EQ(shown["droppedAlertmanagers"][0]["url"], first_->url() + "/api/v2/alerts") << shown;
}

}  // namespace
}  // namespace azexporter
