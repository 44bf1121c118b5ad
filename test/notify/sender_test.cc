// The sender against HTTP servers on loopback that stand for Alertmanagers.

#include "notify/sender_fixture.h"

#include <thread>

namespace azexporter::notify {
namespace {

using model::Labels;

TEST_F(SenderTest, SendsInBatchesInOrder) {
  FakeAlertmanager am;
  am.Hang(true);
  Start({.max_batch = 3}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return am.Requests().size() == 1; }));
  sender_->Send(Numbered(2, 5));
  sender_->Send(Numbered(6, 8));
  EXPECT_EQ(sender_->Stats().queue_length, 7U);
  am.Hang(false);
  ASSERT_TRUE(Sent(0, 8));
  EXPECT_EQ(am.BatchSizes(), "1 3 3 1");
  EXPECT_EQ(am.Numbers(), "1 2 3 4 5 6 7 8");
  const HttpRequest first = am.Requests().at(0);
  EXPECT_EQ(first.method, "POST");
  EXPECT_EQ(first.path, "/api/v2/alerts");
  EXPECT_EQ(first.Header("Content-Type"), "application/json");
  EXPECT_EQ(first.Header("Authorization"), "");
  EXPECT_EQ(sender_->Stats().queue_length, 0U);
}

TEST_F(SenderTest, AFullQueueDropsItsOldest) {
  FakeAlertmanager am;
  am.Hang(true);
  Start({.queue_capacity = 4}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return am.Requests().size() == 1; }));
  sender_->Send(Numbered(2, 4));
  sender_->Send(Numbered(5, 7));
  EXPECT_EQ(sender_->Stats().dropped, 2U);
  EXPECT_EQ(sender_->Stats().queue_capacity, 4U);
  am.Hang(false);
  ASSERT_TRUE(Sent(0, 5));
  EXPECT_EQ(am.Numbers(), "1 4 5 6 7");
}

TEST_F(SenderTest, OneThatHangsDelaysNoOther) {
  FakeAlertmanager hanging;
  FakeAlertmanager good;
  hanging.Hang(true);
  Start({}, {{.url = hanging.url()}, {.url = good.url()}});
  sender_->Send(Numbered(1, 2));
  ASSERT_TRUE(Eventually([&] { return hanging.Requests().size() == 1; }));
  sender_->Send(Numbered(3, 3));
  EXPECT_TRUE(Sent(1, 3));
  EXPECT_EQ(sender_->Stats().alertmanagers.at(0).sent, 0U);
}

TEST_F(SenderTest, SendsAgainWhatFailed) {
  FakeAlertmanager am;
  am.Answer(503, "starting");
  Start({.min_backoff_ms = 5, .max_backoff_ms = 20}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 2));
  ASSERT_TRUE(Eventually([&] { return am.Requests().size() >= 4; }));
  am.Answer(200);
  ASSERT_TRUE(Sent(0, 2));
  const SenderStats stats = sender_->Stats();
  EXPECT_GE(stats.alertmanagers.at(0).errors, 8U);
  EXPECT_EQ(stats.alertmanagers.at(0).errors % 2, 0U);
  EXPECT_EQ(stats.dropped, 0U);
  EXPECT_TRUE(am.Numbers().ends_with(" 1 2"));
}

TEST_F(SenderTest, OneThatComesBackGetsTheNewestOfEachAlertOnce) {
  FakeAlertmanager am;
  am.Answer(500);
  Start({.min_backoff_ms = 20, .max_backoff_ms = 40}, {{.url = am.url()}});
  for (int i = 1; i <= 50; ++i) {
    std::vector<Alert> alerts = Numbered(1, 3);
    for (Alert& alert : alerts) alert.ends_at = i;
    sender_->Send(std::move(alerts));
  }
  ASSERT_TRUE(Eventually([&] { return am.Requests().size() >= 2; }));
  const std::size_t before = am.Requests().size();
  am.Answer(200);
  ASSERT_TRUE(Sent(0, 3));
  const auto requests = am.Requests();
  ASSERT_GT(requests.size(), before);
  EXPECT_NE(requests.back().body.find(R"("endsAt":"1970-01-01T00:00:00.050Z")"), std::string::npos);
  EXPECT_EQ(sender_->Stats().queue_length, 0U);
}

TEST_F(SenderTest, PausesLongerBetweenFailures) {
  FakeAlertmanager am;
  am.Answer(500);
  Start({.min_backoff_ms = 60'000, .max_backoff_ms = 60'000}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return sender_->Stats().alertmanagers.at(0).errors == 1; }));
  sender_->Send(Numbered(1, 2));
  EXPECT_EQ(am.Requests().size(), 1U);
  am.Answer(200);
  EXPECT_LT(StopMs(), 2'000);  // a stop ends the pause
  EXPECT_EQ(sender_->Stats().alertmanagers.at(0).sent, 2U);
}

TEST_F(SenderTest, WhatIsRefusedForWhatItHoldsIsNotSentAgain) {
  FakeAlertmanager am;
  am.Answer(400, "bad label");
  Start({}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 2));
  ASSERT_TRUE(Eventually([&] { return sender_->Stats().alertmanagers.at(0).errors == 2; }));
  am.Answer(200);
  sender_->Send(Numbered(3, 3));
  EXPECT_TRUE(Sent(0, 1));
  EXPECT_EQ(am.Numbers(), "1 2 3");
  EXPECT_EQ(sender_->Stats().alertmanagers.at(0).errors, 2U);
  EXPECT_EQ(sender_->Stats().dropped, 0U);
}

TEST_F(SenderTest, MeasuresHowLongExchangesTake) {
  FakeAlertmanager am;
  Start({}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Sent(0, 1));
  const auto stats = sender_->Stats().alertmanagers.at(0);
  std::uint64_t exchanges = 0;
  for (const std::uint64_t count : stats.latency_counts) exchanges += count;
  EXPECT_EQ(exchanges, 1U);
  EXPECT_GT(stats.latency_sum_seconds, 0);
}

model::RelabelRule Rule(model::RelabelOptions options) {
  return *model::RelabelRule::Create(std::move(options));
}

TEST_F(SenderTest, RelabelsWithTheExternalLabels) {
  FakeAlertmanager all;
  FakeAlertmanager some;
  const auto no_replica = Rule({.action = model::RelabelAction::kLabelDrop, .regex = "replica"});
  const auto only_two = Rule(
      {.action = model::RelabelAction::kKeep, .source_labels = {"cluster", "n"}, .regex = "c;2"});
  Start({}, {});
  sender_->Configure({{.url = all.url()}, {.url = some.url(), .alert_relabel = {only_two}}},
                     Labels::Of({{"cluster", "c"}, {"replica", "a"}}), {no_replica});
  sender_->Send(Numbered(1, 3));
  ASSERT_TRUE(Sent(0, 3));
  ASSERT_TRUE(Sent(1, 1));
  EXPECT_EQ(all.Numbers(), "1 2 3");
  EXPECT_EQ(some.Numbers(), "2");
  EXPECT_NE(some.Requests().at(0).body.find(R"("labels":{"cluster":"c","n":"2"})"),
            std::string::npos);
}

TEST_F(SenderTest, FollowsARedirectWithTheAlertsOrNotAtAll) {
  FakeAlertmanager target;
  for (const int status : {302, 303, 308}) {
    FakeAlertmanager am;
    am.Redirect(status, target.url());
    Start({}, {{.url = am.url()}});
    sender_->Send(Numbered(status, status));
    EXPECT_TRUE(Sent(0, 1)) << status;
  }
  EXPECT_EQ(target.Numbers(), "302 303 308");
  FakeAlertmanager am;
  am.Redirect(307, target.url());
  Start({}, {{.url = am.url(), .follow_redirects = false}});
  sender_->Send(Numbered(1, 1));
  EXPECT_TRUE(Eventually([&] { return sender_->Stats().alertmanagers.at(0).errors == 1; }));
  EXPECT_EQ(target.Requests().size(), 3U);
}

TEST_F(SenderTest, GoesThroughAProxy) {
  FakeAlertmanager proxy;
  const std::string proxy_url = proxy.url().substr(0, proxy.url().find("/api"));
  Start({}, {{.url = "http://am.invalid/api/v2/alerts", .proxy_url = proxy_url}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Sent(0, 1));
  EXPECT_EQ(proxy.Requests().at(0).Header("Host"), "am.invalid");
}

TEST_F(SenderTest, ATimeoutIsAnError) {
  FakeAlertmanager am;
  am.Hang(true);
  Start({}, {{.url = am.url(), .timeout_ms = 50}});
  sender_->Send(Numbered(1, 1));
  EXPECT_TRUE(Eventually([&] { return sender_->Stats().alertmanagers.at(0).errors == 1; }));
}

TEST_F(SenderTest, ItsNumbersAreThereFromTheStart) {
  Start({}, {{.url = "http://127.0.0.1:1/api/v2/alerts"}, {.url = "http://127.0.0.1:2/x"}});
  const SenderStats stats = sender_->Stats();
  ASSERT_EQ(stats.alertmanagers.size(), 2U);
  EXPECT_EQ(stats.alertmanagers[1].url, "http://127.0.0.1:2/x");
  EXPECT_EQ(stats.alertmanagers[0].sent + stats.alertmanagers[0].errors + stats.dropped, 0U);
  EXPECT_EQ(stats.queue_capacity, 10'000U);
}

TEST_F(SenderTest, NewConfigurationKeepsWhatIsQueued) {
  FakeAlertmanager same;
  FakeAlertmanager changed;
  FakeAlertmanager gone;
  FakeAlertmanager fresh;
  for (auto* am : {&same, &changed, &gone}) am->Hang(true);
  Start({}, {{.url = same.url()}, {.url = changed.url()}, {.url = gone.url()}});
  sender_->Send(Numbered(1, 1));
  for (auto* am : {&same, &changed, &gone}) {
    ASSERT_TRUE(Eventually([&] { return am->Requests().size() == 1; }));
  }
  sender_->Send(Numbered(2, 3));
  sender_->Configure({{.url = fresh.url()},
                      {.url = changed.url(), .timeout_ms = 9'000},
                      {.url = same.url()},
                      {.url = same.url(), .timeout_ms = 1}},
                     Labels::Of({{"cluster", "c"}}));
  ASSERT_EQ(sender_->Stats().alertmanagers.size(), 3U);
  sender_->Send(Numbered(4, 4));
  for (auto* am : {&same, &changed, &gone}) am->Hang(false);
  EXPECT_TRUE(Sent(0, 1));
  EXPECT_TRUE(Sent(1, 4));
  EXPECT_TRUE(Sent(2, 4));
  EXPECT_EQ(fresh.Numbers(), "4");
  EXPECT_EQ(same.Numbers(), "1 2 3 4");
  // The exchange that was cut is made again.
  EXPECT_EQ(changed.Numbers(), "1 1 2 3 4");
  EXPECT_EQ(gone.Numbers(), "1");
  EXPECT_NE(fresh.Requests().at(0).body.find(R"("labels":{"cluster":"c","n":"4"})"),
            std::string::npos);
}

TEST_F(SenderTest, ForgetsWhatAnotherTells) {
  FakeAlertmanager am;
  std::atomic<bool> leading = false;
  sender_ = std::make_unique<Sender>(
      SenderOptions(),
      SenderDeps{clock_, base::Logger::Silent(), [&leading] { return leading.load(); }});
  sender_->Configure({{.url = am.url()}}, {});
  sender_->Send(Numbered(1, 2));
  ASSERT_TRUE(Eventually([&] { return sender_->Stats().queue_length == 0; }));
  leading = true;
  sender_->Send(Numbered(3, 3));
  EXPECT_TRUE(Sent(0, 1));
  EXPECT_EQ(am.Numbers(), "3");
  EXPECT_EQ(sender_->Stats().dropped, 0U);
  sender_->Stop();
}

TEST_F(SenderTest, StopsAtOnceWhenNothingIsQueued) {
  FakeAlertmanager am;
  Start({}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Sent(0, 1));
  EXPECT_LT(StopMs(), 250);
}

TEST_F(SenderTest, AStopSendsWhatIsQueued) {
  FakeAlertmanager am;
  am.Hang(true);
  Start({.max_batch = 2, .drain_stall_ms = 5'000}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return am.Requests().size() == 1; }));
  sender_->Send(Numbered(2, 6));
  am.Hang(false);
  sender_->Stop();
  EXPECT_EQ(am.Numbers(), "1 2 3 4 5 6");
  EXPECT_EQ(sender_->Stats().dropped, 0U);
  sender_->Send(Numbered(7, 7));
  EXPECT_EQ(sender_->Stats().queue_length, 0U);
}

TEST_F(SenderTest, AStopGivesUpOneThatHangs) {
  FakeAlertmanager am;
  am.Hang(true);
  Start({.drain_stall_ms = 20}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return am.Requests().size() == 1; }));
  sender_->Send(Numbered(2, 3));
  EXPECT_LT(StopMs(), 2'000);
  EXPECT_EQ(sender_->Stats().dropped, 3U);
}

TEST_F(SenderTest, AStopEndsAtItsDeadline) {
  FakeAlertmanager am;
  am.Hang(true);
  Start({.drain_ms = 50, .drain_stall_ms = 60'000}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return am.Requests().size() == 1; }));
  EXPECT_LT(StopMs(), 2'000);
  EXPECT_EQ(sender_->Stats().dropped, 1U);
}

TEST_F(SenderTest, AStopTriesOneThatFailsOnce) {
  FakeAlertmanager am;
  am.Answer(500);
  am.Hang(true);
  Start({.max_batch = 1, .drain_stall_ms = 5'000}, {{.url = am.url()}});
  sender_->Send(Numbered(1, 4));
  ASSERT_TRUE(Eventually([&] { return am.Requests().size() == 1; }));
  std::jthread release([&] { am.Hang(false); });
  sender_->Stop();
  const SenderStats stats = sender_->Stats();
  EXPECT_EQ(stats.dropped, 4U);
  EXPECT_GE(stats.alertmanagers.at(0).errors, 1U);
  EXPECT_LE(stats.alertmanagers.at(0).errors, 2U);
}

}  // namespace
}  // namespace azexporter::notify
