// azexporter on the embedded platform tells a real Alertmanager, which tells a webhook.

#include <gtest/gtest.h>
#include <poll.h>

#include <csignal>
#include <mutex>

#include "azexporter/base/text.h"
#include "azexporter/base/time_text.h"
#include "servers/loopback.h"
#include "simulator/http_server.h"
#include "support/alertmanager_process.h"
#include "support/eventually.h"
#include "support/platform_fixture.h"

namespace azexporter {
namespace {

using nlohmann::json;
using servers::ChildProcess;
using test::Eventually;

constexpr int kWaitMs = 30'000;
constexpr std::string_view kExternalUrl = "http://azexporter.example/az";

// What Alertmanager posts to its receivers.
class Webhook {
 public:
  Webhook() {
    auto server = simulator::HttpServer::Start({}, [this](const simulator::HttpRequest& request) {
      const json message = json::parse(request.body, nullptr, false);
      std::lock_guard lock(mu_);
      for (const json& alert : message.value("alerts", json::array())) alerts_.push_back(alert);
      return simulator::HttpResponse();
    });
    EXPECT_TRUE(server);
    if (server) server_ = std::move(*server);
  }
  ~Webhook() { server_->Stop(); }

  std::string url() const { return server_->url() + "/hook"; }
  // The first notification of this status about this alert; null where none came.
  json Find(const std::string& alert, const std::string& status) {
    std::lock_guard lock(mu_);
    for (const json& one : alerts_) {
      if (one["labels"]["alertname"] == alert && one["status"] == status) return one;
    }
    return {};
  }

 private:
  std::mutex mu_;
  std::vector<json> alerts_;
  std::unique_ptr<simulator::HttpServer> server_;
};

class AlertmanagerTest : public test::PlatformFixture {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartPlatform());
    WritePack("recommended", "rules.yaml", "1s");
  }

  void TearDown() override {
    if (daemon_) {
      daemon_->Signal(SIGTERM);
      EXPECT_EQ(daemon_->Wait(kWaitMs), 0);
    }
    alertmanager_.reset();
    PlatformFixture::TearDown();
  }

  void WriteConfig(const std::string& alerting) {
    Write("config.yaml", Config() +
                             "global: {collect_interval: 300ms, evaluation_interval: 300ms, "
                             "external_labels: {cluster: demo, severity: of the alert}}\n"
                             "rule_files: [rules.yaml]\n" +
                             alerting);
  }
  static std::string AlertingTo(int port) {
    return "alerting: {alertmanagers: [{static_configs: [{targets: [\"127.0.0.1:" +
           std::to_string(port) + "\"]}]}]}\n";
  }

  void StartAlertmanager(int port) {
    alertmanager_ = std::make_unique<test::AlertmanagerProcess>(test::AlertmanagerOptions{
        .folder = folder_ / "am", .port = port, .webhook = webhook_.url()});
  }

  void StartDaemon() {
    daemon_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        AZX_PROGRAM, "--config.file", folder_ / "config.yaml", "--web.listen-address",
        "127.0.0.1:0", "--web.external-url", std::string(kExternalUrl) + "/",
        "--rules.alert.resend-delay", "1s"});
    const auto up = AwaitLog("azexporter is up");
    const std::size_t url = up.find(" url=");
    ASSERT_NE(url, std::string::npos) << up;
    url_ = up.substr(url + 5);
  }
  // The next line of the daemon's log that holds `text`; "" where none comes.
  std::string AwaitLog(const std::string& text) {
    while (auto line = daemon_->ReadLine(kWaitMs)) {
      log_ += *line + "\n";
      if (line->find(text) != std::string::npos) return *line;
    }
    return "";
  }

  net::HttpResponse Fetch(const std::string& url) {
    auto response = http_.Fetch({.url = url, .fresh_connection = true});
    return response ? *response : net::HttpResponse();
  }
  json FetchJson(const std::string& url) { return json::parse(Fetch(url).body, nullptr, false); }

  // Null where there is none.
  static json Named(const json& alerts, const std::string& name) {
    if (!alerts.is_array()) return {};
    for (const json& alert : alerts) {
      if (alert["labels"]["alertname"] == name) return alert;
    }
    return {};
  }
  json Own(const std::string& name) {
    const json answer = FetchJson(url_ + "/api/v1/alerts");
    return answer.is_object() ? Named(answer["data"]["alerts"], name) : json();
  }
  json Received(const std::string& name) { return alertmanager_->Alert(name); }
  bool Arrives(const std::string& name) { return alertmanager_->Arrives(name); }
  // When the alert first fired, as azexporter's own samples tell.
  std::int64_t FiredAtMs(const std::string& name) {
    const json answer =
        FetchJson(url_ + "/api/v1/query?query=" +
                  base::UrlEscape("ALERTS{alertstate=\"firing\",alertname=\"" + name + "\"}[5m]"));
    const double seconds = answer["data"]["result"][0]["values"][0][0];
    return std::llround(seconds * 1000);
  }
  bool MetricIs(const std::string& sample) {
    return Eventually(
        [&] { return Fetch(url_ + "/metrics").body.find(sample + "\n") != std::string::npos; },
        kWaitMs);
  }
  static std::int64_t TimeOf(const json& alert, const char* key) {
    return base::ParseTimeMs(alert[key].get<std::string>()).value_or(-1);
  }

  Webhook webhook_;
  net::HttpClient http_{{.user_agent = "test"}};
  std::unique_ptr<test::AlertmanagerProcess> alertmanager_;
  std::unique_ptr<ChildProcess> daemon_;
  std::string url_;
  std::string log_;
};

TEST_F(AlertmanagerTest, AnAlertArrivesAndResolves) {
  const int port = servers::FreePort();
  const std::string push_url = "http://127.0.0.1:" + std::to_string(port) + "/api/v2/alerts";
  StartAlertmanager(port);
  WriteConfig(AlertingTo(port));
  StartDaemon();
  // A Watchdog is sent like any other: its silence is what it is for.
  ASSERT_TRUE(Arrives("Watchdog"));
  EXPECT_TRUE(Received("ZoneUnavailable").is_null());
  EXPECT_EQ(FetchJson(url_ + "/api/v1/alertmanagers")["data"],
            json::parse(R"({"activeAlertmanagers":[{"url":")" + push_url +
                        R"("}],"droppedAlertmanagers":[]})"));

  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  ASSERT_TRUE(Arrives("ZoneUnavailable"));
  const json own = Own("ZoneUnavailable");
  const json received = Received("ZoneUnavailable");
  EXPECT_EQ(own["state"], "firing");
  json labels = own["labels"];
  labels["cluster"] = "demo";  // and its own severity wins over the external one
  EXPECT_EQ(received["labels"], labels);
  EXPECT_EQ(received["annotations"], own["annotations"]);
  EXPECT_EQ(TimeOf(received, "startsAt"), FiredAtMs("ZoneUnavailable"));
  EXPECT_GE(TimeOf(received, "startsAt"), TimeOf(own, "activeAt") + 1'000);
  EXPECT_GT(TimeOf(received, "endsAt"), clock_.NowMs());
  EXPECT_TRUE(
      MetricIs("azexporter_notifications_errors_total{alertmanager=\"" + push_url + "\"} 0"));
  EXPECT_TRUE(MetricIs("azexporter_notifications_alertmanagers_discovered 1"));

  // Its link leads to what it was made of.
  const std::string link = received["generatorURL"];
  ASSERT_TRUE(link.starts_with(std::string(kExternalUrl) + "/graph?g0.expr=sum+by+%28zone%29+"))
      << link;
  const net::HttpResponse graph = Fetch(url_ + link.substr(kExternalUrl.size()));
  EXPECT_EQ(graph.status, 302);
  const json value = FetchJson(url_ + "/" + std::string(graph.Header("location")));
  EXPECT_EQ(value["data"]["result"][0]["metric"]["zone"], "us-east-1a") << value;

  ASSERT_TRUE(
      Eventually([&] { return !webhook_.Find("ZoneUnavailable", "firing").is_null(); }, kWaitMs));
  ASSERT_TRUE(platform_->Do("zone us-east-1a up"));
  ASSERT_TRUE(
      Eventually([&] { return !webhook_.Find("ZoneUnavailable", "resolved").is_null(); }, kWaitMs));
  const json resolved = webhook_.Find("ZoneUnavailable", "resolved");
  EXPECT_EQ(resolved["startsAt"], webhook_.Find("ZoneUnavailable", "firing")["startsAt"]);
  EXPECT_LE(TimeOf(resolved, "endsAt"), clock_.NowMs());
  EXPECT_TRUE(Received("ZoneUnavailable").is_null());
  EXPECT_NE(AwaitLog("alert=ZoneUnavailable pending=0 firing=0 resolved=1"), "") << log_;
  EXPECT_NE(log_.find("msg=\"alerts changed\" alert=ZoneUnavailable pending=1 firing=0"),
            std::string::npos)
      << log_;
}

TEST_F(AlertmanagerTest, AnAlertArrivesOnceAlertmanagerIsBack) {
  const int port = servers::FreePort();
  WriteConfig(AlertingTo(port));
  StartDaemon();
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  ASSERT_TRUE(Eventually(
      [&] {
        const json own = Own("ZoneUnavailable");
        return own.is_object() && own["state"] == "firing";
      },
      kWaitMs));
  EXPECT_NE(AwaitLog("level=warn msg=\"alerts not sent\""), "") << log_;
  StartAlertmanager(port);
  ASSERT_TRUE(Arrives("ZoneUnavailable"));
  EXPECT_EQ(TimeOf(Received("ZoneUnavailable"), "startsAt"), FiredAtMs("ZoneUnavailable"));
  EXPECT_NE(AwaitLog("level=info msg=\"alerts arrive again\""), "") << log_;
  EXPECT_EQ(log_.find("not sent"), log_.rfind("not sent")) << log_;
}

TEST_F(AlertmanagerTest, AReloadBringsAnAlertmanager) {
  const int port = servers::FreePort();
  StartAlertmanager(port);
  WriteConfig("");
  StartDaemon();
  EXPECT_TRUE(MetricIs("azexporter_notifications_errors_total 0"));
  EXPECT_TRUE(MetricIs("azexporter_notifications_alertmanagers_discovered 0"));
  WriteConfig(AlertingTo(port));
  daemon_->Signal(SIGHUP);
  EXPECT_TRUE(Arrives("Watchdog"));
  EXPECT_TRUE(MetricIs("azexporter_notifications_alertmanagers_discovered 1"));
  EXPECT_EQ(Fetch(url_ + "/metrics").body.find("\nazexporter_notifications_errors_total 0\n"),
            std::string::npos);
}

TEST_F(AlertmanagerTest, AnAlertmanagerThatHangsHoldsNoStop) {
  // It takes connections and never answers.
  const servers::Listener hanging = servers::ListenOnLoopback();
  WriteConfig(AlertingTo(hanging.port));
  StartDaemon();
  pollfd connection{.fd = hanging.fd.get(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&connection, 1, kWaitMs), 1);
  daemon_->Signal(SIGTERM);
  EXPECT_EQ(daemon_->Wait(1'000), 0) << daemon_->ReadAll(100);
}

}  // namespace
}  // namespace azexporter
