// Two azexporters, one Lease on the simulated API server and a real Alertmanager: one tells, and
// when it dies the other does.

#include <gtest/gtest.h>

#include <csignal>

#include "azexporter/base/time_text.h"
#include "support/alertmanager_process.h"
#include "support/eventually.h"
#include "support/platform_fixture.h"

namespace azexporter {
namespace {

using nlohmann::json;
using servers::ChildProcess;
using test::Eventually;

constexpr int kWaitMs = 30'000;

// A replica, which may be killed.
class Replica {
 public:
  explicit Replica(const std::string& config)
      : process_({AZX_PROGRAM, "--config.file", config, "--web.listen-address", "127.0.0.1:0",
                  "--rules.alert.resend-delay", "1h"}) {
    while (const auto line = process_.ReadLine(kWaitMs)) {
      const std::size_t url = line->find(" url=");
      if (line->find("azexporter is up") == std::string::npos) continue;
      api_ = std::make_unique<test::PrometheusApi>(line->substr(url + 5));
      break;
    }
    EXPECT_TRUE(api_);
    // A full pipe would stop the program.
    log_reader_ = std::jthread([this] {
      while (process_.ReadLine(600'000)) {
      }
    });
  }
  ~Replica() {
    if (gone_) return;
    End(SIGTERM, 0);
  }

  test::PrometheusApi& api() { return *api_; }
  std::string Page() { return api_->Text("/metrics"); }
  bool Has(const std::string& sample) { return Page().find("\n" + sample) != std::string::npos; }
  bool Leads() { return Has("azexporter_leader 1\n"); }
  bool Follows() { return Has("azexporter_leader 0\n"); }
  void Signal(int signal) { process_.Signal(signal); }
  void End(int signal, int code) {
    gone_ = true;
    process_.Signal(signal);
    EXPECT_EQ(process_.Wait(kWaitMs), code);
  }

 private:
  ChildProcess process_;
  std::unique_ptr<test::PrometheusApi> api_;
  bool gone_ = false;
  std::jthread log_reader_;
};

class ReplicasTest : public test::PlatformFixture {
 protected:
  void SetUp() override {
    ASSERT_NO_FATAL_FAILURE(StartPlatform());
    WritePack("recommended", "rules.yaml", "1s");
    alertmanager_ = std::make_unique<test::AlertmanagerProcess>(
        test::AlertmanagerOptions{.folder = folder_ / "am"});
    std::string config = Config();
    constexpr std::string_view kSection = "kubernetes:\n";
    const std::size_t at = config.find(kSection);
    ASSERT_NE(at, std::string::npos) << config;
    config.insert(at + kSection.size(),
                  "  leader_election: {namespace: platform-03, lease_duration: 2s, renew_deadline: "
                  "1500ms, retry_period: 200ms}\n");
    Write("config.yaml", config +
                             "global: {collect_interval: 300ms, evaluation_interval: 300ms}\n"
                             "rule_files: [rules.yaml]\n"
                             "alerting: {alertmanagers: [{static_configs: [{targets: ['" +
                             alertmanager_->address() + "']}]}]}\n");
  }
  void TearDown() override {
    replicas_.clear();
    alertmanager_.reset();
    PlatformFixture::TearDown();
  }

  Replica& StartReplica() {
    return *replicas_.emplace_back(std::make_unique<Replica>(folder_ / "config.yaml"));
  }
  std::string Holder() {
    const auto lease = platform_->store().Get(
        {simulator::FindKind("coordination.k8s.io/v1", "Lease"), "platform-03", "azexporter"});
    return lease ? (*lease)["spec"].value("holderIdentity", "") : "";
  }
  static std::int64_t TimeOf(const json& alert, const char* key) {
    return base::ParseTimeMs(alert[key].get<std::string>()).value_or(-1);
  }

  std::unique_ptr<test::AlertmanagerProcess> alertmanager_;
  std::vector<std::unique_ptr<Replica>> replicas_;
};

TEST_F(ReplicasTest, OneTellsAndTheOtherTakesOver) {
  Replica& first = StartReplica();
  ASSERT_TRUE(Eventually([&] { return first.Leads(); }, kWaitMs));
  Replica& second = StartReplica();
  ASSERT_TRUE(Eventually([&] { return second.Follows(); }, kWaitMs));
  const std::string first_holder = Holder();

  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  ASSERT_TRUE(alertmanager_->Arrives("ZoneUnavailable"));
  const json before = alertmanager_->Alert("ZoneUnavailable");
  // The other evaluates too, and keeps it to itself.
  ASSERT_TRUE(
      Eventually([&] { return second.api().StateOf("ZoneUnavailable") == "firing"; }, kWaitMs));
  EXPECT_TRUE(second.Has("azexporter_notifications_sent_total{alertmanager=\"" +
                         alertmanager_->url() + "/api/v2/alerts\"} 0\n"))
      << second.Page();
  for (Replica* replica : {&first, &second}) {
    EXPECT_EQ(replica->api().Text("/-/ready").find("not ready"), std::string::npos);
    EXPECT_TRUE(replica->Has("azexporter_build_info{"));
    EXPECT_TRUE(replica->Has("az_probe_"));
  }
  for (const char* family : {"az_zone_state{", "kube_pod_info{", "az_alerts{"}) {
    EXPECT_TRUE(first.Has(family)) << family;
    EXPECT_FALSE(second.Has(family)) << family;
  }

  const std::int64_t killed_ns = clock_.SteadyNs();
  first.End(SIGKILL, 128 + SIGKILL);
  ASSERT_TRUE(Eventually([&] { return second.Leads(); }, kWaitMs));
  EXPECT_LT((clock_.SteadyNs() - killed_ns) / 1'000'000, 10'000);
  EXPECT_NE(Holder(), first_holder);
  // With a resend delay of an hour only the new leader's first word can move the end.
  ASSERT_TRUE(Eventually(
      [&] {
        const json now = alertmanager_->Alert("ZoneUnavailable");
        return !now.is_null() && now["updatedAt"] != before["updatedAt"];
      },
      kWaitMs));
  const json after = alertmanager_->Alerts("ZoneUnavailable");
  ASSERT_EQ(after.size(), 1U) << after;
  EXPECT_LE(std::abs(TimeOf(after[0], "startsAt") - TimeOf(before, "startsAt")), 2'000);
  EXPECT_TRUE(Eventually([&] { return second.Has("az_zone_state{"); }, kWaitMs));
}

TEST_F(ReplicasTest, AStopHandsOverAtOnce) {
  Replica& first = StartReplica();
  ASSERT_TRUE(Eventually([&] { return first.Leads(); }, kWaitMs));
  Replica& second = StartReplica();
  ASSERT_TRUE(Eventually([&] { return second.Follows(); }, kWaitMs));
  first.End(SIGTERM, 0);
  EXPECT_TRUE(Eventually([&] { return second.Leads(); }, 5'000));
  EXPECT_TRUE(alertmanager_->Arrives("Watchdog"));
}

TEST_F(ReplicasTest, OneThatWasPausedLeadsNoMore) {
  Replica& first = StartReplica();
  ASSERT_TRUE(Eventually([&] { return first.Leads(); }, kWaitMs));
  Replica& second = StartReplica();
  ASSERT_TRUE(Eventually([&] { return second.Follows(); }, kWaitMs));
  first.Signal(SIGSTOP);
  const bool taken = Eventually([&] { return second.Leads(); }, kWaitMs);
  first.Signal(SIGCONT);
  ASSERT_TRUE(taken);
  EXPECT_TRUE(Eventually([&] { return first.Follows(); }, kWaitMs));
  EXPECT_TRUE(second.Leads());
  EXPECT_FALSE(first.Has("az_zone_state{"));
}

}  // namespace
}  // namespace azexporter
