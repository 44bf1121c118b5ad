// Remote write against an HTTP server on loopback that stands for a receiver.

#include "azexporter/remote/sender.h"

#include <gtest/gtest.h>

#include <thread>

#include "azexporter/exposition/remote_write.h"
#include "remote/write_loop.h"
#include "simulator/base64.h"
#include "support/eventually.h"
#include "support/fake_http_server.h"
#include "support/temp_folder.h"

namespace azexporter::remote {
namespace {

using model::Labels;
using simulator::HttpRequest;
using simulator::HttpResponse;
using test::Eventually;

class FakeReceiver : public test::FakeHttpServer {
 public:
  FakeReceiver() : FakeHttpServer({.status = 204}) {}

  std::string url() const { return base_url() + "/api/v1/write"; }
  std::size_t Count() { return Requests().size(); }

  // The samples of each request of version 1.0: "up{n="1"}=1 ...; ...".
  std::string Text() {
    std::string text;
    for (const HttpRequest& request : Requests()) {
      const auto message = exposition::UncompressWriteBody(request.body);
      if (!message) return "no snappy";
      const auto decoded = exposition::DecodeWriteRequest(*message);
      if (!decoded) return decoded.error().message();
      if (!text.empty()) text += ";";
      for (const auto& series : decoded->series()) {
        const auto labels = decoded->labels(series);
        text += Labels::Of(std::vector<model::Label>(labels.begin(), labels.end())).ToString();
        for (const model::HPoint& point : decoded->histograms(series)) {
          text += " " + point.h->ToNotation();
        }
        for (const model::FPoint& point : decoded->samples(series)) {
          text += " " + (model::IsStaleNaN(point.f)
                             ? std::string("stale")
                             : std::to_string(static_cast<std::int64_t>(point.f)));
        }
      }
    }
    return text;
  }
};

// The samples first..last of one series, each with its number as value and time.
std::vector<model::Sample> Numbered(int first, int last) {
  std::vector<model::Sample> samples;
  const Labels labels = Labels::Of({{"__name__", "m"}});
  for (int i = first; i <= last; ++i) samples.push_back({labels, i, static_cast<double>(i)});
  return samples;
}

class RemoteSenderTest : public testing::Test {
 protected:
  void Start(std::vector<WriteTarget> targets, Labels external_labels = {},
             WriteOptions options = {}) {
    sender_ = std::make_unique<Sender>(options, WriteDeps{clock_, base::Logger::Silent()});
    sender_->Configure(std::move(targets), std::move(external_labels));
  }
  // A target that waits for nothing.
  WriteTarget Target(FakeReceiver& receiver) {
    return {.endpoint = {.url = receiver.url()},
            .name = "r",
            .batch_send_deadline_ms = 1,
            .min_backoff_ms = 1,
            .max_backoff_ms = 2};
  }
  WriteStats Stats(std::size_t which = 0) { return sender_->Stats().at(which); }
  bool NothingPending() {
    return Eventually([&] { return Stats().pending == 0; });
  }
  std::int64_t StopMs() {
    const base::SystemClock clock;
    const std::int64_t start_ns = clock.SteadyNs();
    sender_->Stop();
    return (clock.SteadyNs() - start_ns) / 1'000'000;
  }

  base::SystemClock clock_;
  std::unique_ptr<Sender> sender_;
};

TEST_F(RemoteSenderTest, SendsSamplesWithExternalLabelsThatYieldToOwnOnes) {
  FakeReceiver receiver;
  Start({Target(receiver)}, Labels::Of({{"cluster", "c"}, {"zone", "outside"}}));
  sender_->Send(std::vector<model::Sample>{
      {Labels::Of({{"__name__", "up"}, {"zone", "a"}}), 1, 1},
      {Labels::Of({{"__name__", "up"}}), 1, 0},
      {Labels::Of({{"__name__", "up"}, {"zone", "a"}}), 2, model::StaleNaN()}});
  ASSERT_TRUE(NothingPending());
  EXPECT_EQ(receiver.Text(),
            R"(up{cluster="c", zone="a"} 1 staleup{cluster="c", zone="outside"} 0)");
  const HttpRequest request = receiver.Requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/api/v1/write");
  EXPECT_EQ(request.Header("Content-Type"), "application/x-protobuf");
  EXPECT_EQ(request.Header("Content-Encoding"), "snappy");
  EXPECT_EQ(request.Header("X-Prometheus-Remote-Write-Version"), "0.1.0");
  EXPECT_EQ(request.Header("Retry-Attempt"), "");
  EXPECT_EQ(Stats().samples, 3U);
  EXPECT_EQ(Stats().samples_failed, 0U);
  EXPECT_EQ(Stats().highest, 2);
  EXPECT_EQ(Stats().highest_sent, 2);
  EXPECT_EQ(Stats().bytes, request.body.size());
}

// Version 1.0 has had native histograms only since Prometheus 2.40: they go where that is wished
// for.
TEST_F(RemoteSenderTest, Version1HasNativeHistogramsWhereItIsToldTo) {
  model::FloatHistogram histogram;
  histogram.Observe(3);
  const model::Sample with = {Labels::Of({{"__name__", "h"}}), 1, 0,
                              std::make_shared<const model::FloatHistogram>(histogram)};
  const model::Sample without = {Labels::Of({{"__name__", "m"}}), 1, 7};
  for (const bool wanted : {false, true}) {
    FakeReceiver receiver;
    WriteTarget target = Target(receiver);
    target.send_native_histograms = wanted;
    Start({target});
    sender_->Send(std::vector<model::Sample>{with, without});
    ASSERT_TRUE(NothingPending());
    EXPECT_EQ(receiver.Text(), wanted ? "h {{count:1 sum:3 offset:2 buckets:[1]}}m 7" : "m 7");
    EXPECT_EQ(Stats().dropped_native_histogram, wanted ? 0U : 1U);
    EXPECT_EQ(Stats().samples, wanted ? 2U : 1U);
    EXPECT_EQ(Stats().samples_failed, 0U);
  }
}

TEST_F(RemoteSenderTest, SendsInBatchesInOrder) {
  FakeReceiver receiver;
  WriteTarget target = Target(receiver);
  target.max_samples_per_send = 3;
  receiver.Hang(true);
  Start({target});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return receiver.Count() == 1; }));
  sender_->Send(Numbered(2, 5));
  sender_->Send(Numbered(6, 8));
  EXPECT_EQ(Stats().pending, 8U);
  receiver.Hang(false);
  ASSERT_TRUE(NothingPending());
  EXPECT_EQ(receiver.Text(), "m 1;m 2 3 4;m 5 6 7;m 8");
}

TEST_F(RemoteSenderTest, WaitsForABatchToFillUp) {
  FakeReceiver receiver;
  WriteTarget target = Target(receiver);
  target.max_samples_per_send = 4;
  target.batch_send_deadline_ms = 600'000;
  Start({target});
  sender_->Send(Numbered(1, 3));
  EXPECT_EQ(receiver.Count(), 0U);
  sender_->Send(Numbered(4, 5));
  ASSERT_TRUE(Eventually([&] { return Stats().pending == 1; }));
  EXPECT_EQ(receiver.Text(), "m 1 2 3 4");
}

TEST_F(RemoteSenderTest, AFullQueueDropsItsOldest) {
  FakeReceiver receiver;
  WriteTarget target = Target(receiver);
  target.capacity = 4;
  receiver.Hang(true);
  Start({target});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return receiver.Count() == 1; }));
  sender_->Send(Numbered(2, 4));
  sender_->Send(Numbered(5, 7));
  EXPECT_EQ(Stats().dropped_queue_full, 2U);
  EXPECT_EQ(Stats().capacity, 4U);
  receiver.Hang(false);
  ASSERT_TRUE(NothingPending());
  EXPECT_EQ(receiver.Text(), "m 1;m 4 5 6 7");
}

TEST_F(RemoteSenderTest, WhatFailsIsSentAgainBeforeWhatFollows) {
  for (const int status : {500, 503, 429}) {
    FakeReceiver receiver;
    receiver.Answer({.status = status, .body = "wait"});
    Start({Target(receiver)});
    sender_->Send(Numbered(1, 2));
    ASSERT_TRUE(Eventually([&] { return Stats().samples_retried >= 4; })) << status;
    sender_->Send(Numbered(3, 3));
    receiver.Answer({.status = 204});
    ASSERT_TRUE(NothingPending());
    const std::string text = receiver.Text();
    EXPECT_TRUE(text.starts_with("m 1 2;m 1 2;m 1 2")) << text;
    EXPECT_TRUE(text.ends_with("m 1 2;m 3")) << text;
    EXPECT_EQ(receiver.Requests().at(1).Header("Retry-Attempt"), "1");
    EXPECT_EQ(receiver.Requests().at(2).Header("Retry-Attempt"), "2");
    EXPECT_EQ(Stats().samples_failed, 0U);
    EXPECT_EQ(Stats().samples, Stats().samples_retried + 3);
    sender_.reset();
  }
}

TEST_F(RemoteSenderTest, WhatCannotConnectIsSentAgain) {
  Start({{.endpoint = {.url = "http://127.0.0.1:1/write"},
          .name = "r",
          .batch_send_deadline_ms = 1,
          .min_backoff_ms = 1,
          .max_backoff_ms = 2}});
  sender_->Send(Numbered(1, 1));
  EXPECT_TRUE(Eventually([&] { return Stats().samples_retried >= 3; }));
  EXPECT_EQ(Stats().pending, 1U);
  EXPECT_LT(StopMs(), 2'000);
  EXPECT_EQ(Stats().dropped_shutdown, 1U);
}

TEST_F(RemoteSenderTest, WhatIsRefusedIsDroppedAndCounted) {
  FakeReceiver receiver;
  for (const int status : {400, 404, 415, 429}) {
    receiver.Answer({.status = status, .body = "out of order sample\n"});
    WriteTarget target = Target(receiver);
    target.retry_on_http_429 = false;
    Start({target});
    sender_->Send(Numbered(1, 2));
    ASSERT_TRUE(NothingPending()) << status;
    EXPECT_EQ(Stats().samples, 2U);
    EXPECT_EQ(Stats().samples_failed, 2U) << status;
    EXPECT_EQ(Stats().samples_retried, 0U);
    sender_.reset();
  }
  EXPECT_EQ(receiver.Count(), 4U);
}

TEST_F(RemoteSenderTest, RetryAfterIsObserved) {
  FakeReceiver receiver;
  FakeReceiver impatient;
  receiver.Answer({.status = 429, .headers = {{"Retry-After", "600"}}});
  impatient.Answer({.status = 429});
  WriteTarget second = Target(impatient);
  second.name = "s";
  Start({Target(receiver), second});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return Stats(0).samples == 1 && Stats(1).samples_retried >= 10; }));
  EXPECT_EQ(receiver.Count(), 1U);
  // A stop ends the pause, and tries once more.
  receiver.Answer({.status = 204});
  EXPECT_LT(StopMs(), 2'000);
  EXPECT_EQ(receiver.Text(), "m 1;m 1");
  EXPECT_EQ(Stats().dropped_shutdown, 0U);
}

TEST_F(RemoteSenderTest, OldSamplesAreDroppedUnsent) {
  FakeReceiver receiver;
  receiver.Answer({.status = 503});
  base::FakeClock clock(100'000);
  WriteTarget target = Target(receiver);
  target.sample_age_limit_ms = 10'000;
  Sender sender({}, {clock, base::Logger::Silent()});
  sender.Configure({target}, {});
  const Labels labels = Labels::Of({{"__name__", "m"}});
  sender.Send(std::vector<model::Sample>{{labels, 89'999, 1}, {labels, 90'000, 2}});
  ASSERT_TRUE(Eventually([&] { return sender.Stats().at(0).samples_retried >= 1; }));
  EXPECT_EQ(sender.Stats().at(0).dropped_too_old, 1U);
  clock.Advance(1);  // in the middle of the attempts
  ASSERT_TRUE(Eventually([&] { return sender.Stats().at(0).pending == 0; }));
  EXPECT_EQ(sender.Stats().at(0).dropped_too_old, 2U);
  EXPECT_EQ(receiver.Text().substr(0, 3), "m 2");
}

TEST_F(RemoteSenderTest, OneThatHangsDelaysNoOther) {
  FakeReceiver hanging;
  FakeReceiver good;
  hanging.Hang(true);
  WriteTarget second = Target(good);
  second.name = "s";
  Start({Target(hanging), second});
  sender_->Send(Numbered(1, 2));
  EXPECT_TRUE(Eventually([&] { return Stats(1).pending == 0; }));
  EXPECT_EQ(good.Text(), "m 1 2");
  EXPECT_EQ(Stats(0).pending, 2U);
}

TEST_F(RemoteSenderTest, NewConfigurationKeepsWhatIsQueued) {
  FakeReceiver receiver;
  FakeReceiver other;
  receiver.Hang(true);
  Start({Target(receiver)});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return receiver.Count() == 1; }));
  sender_->Send(Numbered(2, 3));
  WriteTarget changed = Target(receiver);
  changed.timeout_ms = 9'000;
  WriteTarget second = Target(other);
  second.name = "s";
  sender_->Configure({second, changed}, Labels::Of({{"cluster", "c"}}));
  receiver.Hang(false);
  sender_->Send(Numbered(4, 4));
  ASSERT_TRUE(Eventually([&] { return Stats(0).pending + Stats(1).pending == 0; }));
  // The exchange that was cut is made again.
  std::string text = receiver.Text();
  EXPECT_TRUE(text.starts_with("m 1;m{cluster=\"c\"} 1 2 3")) << text;
  EXPECT_TRUE(text.ends_with("4")) << text;
  EXPECT_EQ(other.Text(), "m{cluster=\"c\"} 4");
  sender_->Configure({}, {});
  EXPECT_FALSE(sender_->has_targets());
  EXPECT_TRUE(sender_->Stats().empty());
}

TEST_F(RemoteSenderTest, AStopSendsWhatIsQueued) {
  FakeReceiver receiver;
  WriteTarget target = Target(receiver);
  target.max_samples_per_send = 2;
  target.batch_send_deadline_ms = 600'000;
  Start({target});
  sender_->Send(Numbered(1, 5));
  EXPECT_LT(StopMs(), 2'000);
  EXPECT_EQ(receiver.Text(), "m 1 2;m 3 4;m 5");
  EXPECT_EQ(Stats().dropped_shutdown, 0U);
  sender_->Send(Numbered(6, 6));
  EXPECT_EQ(Stats().pending, 0U);
}

TEST_F(RemoteSenderTest, AStopEndsAtItsDeadline) {
  FakeReceiver receiver;
  receiver.Hang(true);
  Start({Target(receiver)}, {}, {.drain_ms = 50});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return receiver.Count() == 1; }));
  sender_->Send(Numbered(2, 3));
  EXPECT_LT(StopMs(), 2'000);
  EXPECT_EQ(Stats().dropped_shutdown, 3U);
}

TEST_F(RemoteSenderTest, MetadataGoBeforeTheFirstSamplesAndThenNowAndThen) {
  FakeReceiver receiver;
  Start({Target(receiver)});
  sender_->SetMetadata({{"m", {model::MetricType::kGauge, "M."}}});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(NothingPending());
  sender_->Send(Numbered(2, 2));
  ASSERT_TRUE(NothingPending());
  ASSERT_EQ(receiver.Count(), 3U);
  EXPECT_EQ(receiver.Text(), "m 1;m 2");
  EXPECT_EQ(Stats().metadata, 1U);
  EXPECT_EQ(Stats().metadata_failed, 0U);
}

TEST_F(RemoteSenderTest, Version2CountsWhatTheServerSaysItWrote) {
  struct Case {
    HttpResponse answer;
    std::uint64_t failed;
  };
  constexpr char kWritten[] = "X-Prometheus-Remote-Write-Samples-Written";
  const Case cases[] = {{{.status = 204, .headers = {{kWritten, "3"}}}, 0},
                        {{.status = 200, .headers = {{kWritten, "1"}}}, 2},
                        {{.status = 204}, 3},  // a server of 1.0
                        {{.status = 400, .headers = {{kWritten, "2"}}}, 1},
                        {{.status = 415}, 3}};
  for (const Case& c : cases) {
    FakeReceiver receiver;
    receiver.Answer(c.answer);
    WriteTarget target = Target(receiver);
    target.message = WriteMessage::kV2;
    Start({target});
    sender_->SetMetadata({{"m", {model::MetricType::kGauge, "M."}}});
    sender_->Send(Numbered(1, 3));
    ASSERT_TRUE(NothingPending());
    EXPECT_EQ(Stats().samples_failed, c.failed) << c.answer.status;
    ASSERT_EQ(receiver.Count(), 1U);
    const HttpRequest request = receiver.Requests()[0];
    EXPECT_EQ(request.Header("Content-Type"),
              "application/x-protobuf;proto=io.prometheus.write.v2.Request");
    EXPECT_EQ(request.Header("X-Prometheus-Remote-Write-Version"), "2.0.0");
    sender_.reset();
  }
}

TEST_F(RemoteSenderTest, SeriesAreRelabelledOnTheirWayOut) {
  FakeReceiver receiver;
  WriteTarget target = Target(receiver);
  for (const model::RelabelOptions& rule :
       {model::RelabelOptions{.action = model::RelabelAction::kDrop,
       .source_labels = {"__name__"},
       .separator = {},
       .regex = "noise_.*",
       .target_label = "",
       .replacement = {}},
        model::RelabelOptions{.action = model::RelabelAction::kLabelDrop,
        .source_labels = {},
        .separator = {},
        .regex = "cluster|pod",
        .target_label = "",
        .replacement = {}}}) {
    target.relabel.push_back(model::RelabelRule::Create(rule).value());
  }
  Start({target}, Labels::Of({{"cluster", "c"}, {"region", "r"}}));
  const std::vector<model::Sample> samples = {
      {Labels::Of({{"__name__", "up"}, {"pod", "p"}}), 1'000, 1},
      {Labels::Of({{"__name__", "noise_total"}}), 1'000, 2}};
  sender_->Send(samples);
  ASSERT_TRUE(NothingPending());
  EXPECT_EQ(receiver.Text(), "up{region=\"r\"} 1");
  EXPECT_EQ(Stats().dropped_relabel, 1U);
}

TEST_F(RemoteSenderTest, SecretsAreReadAnewAndHeadersSent) {
  const test::TempFolder folder;
  FakeReceiver receiver;
  WriteTarget basic = Target(receiver);
  basic.endpoint.headers = {{"X-Scope-OrgID", "shop"}};
  basic.endpoint.username = "azx";
  basic.endpoint.password_file = folder / "password";
  Start({basic});
  sender_->Send(Numbered(1, 1));
  ASSERT_TRUE(Eventually([&] { return Stats().samples_retried >= 1; }));
  EXPECT_EQ(receiver.Count(), 0U);
  folder.Write("password", "one\n");
  ASSERT_TRUE(NothingPending());
  WriteTarget token = basic;
  token.endpoint.username.clear();
  token.endpoint.credentials_file = folder.Write("token", "two\n");
  sender_->Configure({token}, {});
  sender_->Send(Numbered(2, 2));
  ASSERT_TRUE(NothingPending());
  EXPECT_EQ(receiver.Requests().at(0).Header("Authorization"),
            "Basic " + simulator::Base64("azx:one"));
  EXPECT_EQ(receiver.Requests().at(0).Header("X-Scope-OrgID"), "shop");
  EXPECT_EQ(receiver.Requests().at(1).Header("Authorization"), "Bearer two");
}

TEST(BackoffTest, DoublesUpToItsMostAndTakesUpToAHalfAway) {
  for (std::uint32_t seed = 0; seed < 50; ++seed) {
    Backoff backoff(30, 100, seed);
    for (const std::int64_t whole : {30, 60, 100, 100}) {
      const std::int64_t ms = backoff.NextMs(0);
      EXPECT_GE(ms, whole - whole / 2);
      EXPECT_LE(ms, whole);
    }
    EXPECT_EQ(backoff.NextMs(7'000), 7'000);
    EXPECT_LE(backoff.NextMs(0), 100);
  }
}

TEST(RetryAfterTest, IsSecondsOrADateInTheFuture) {
  constexpr std::int64_t kNow = 1'445'412'470'000;  // Wed, 21 Oct 2015 07:27:50 GMT
  EXPECT_EQ(RetryAfterMs("", kNow), 0);
  EXPECT_EQ(RetryAfterMs("7", kNow), 7'000);
  EXPECT_EQ(RetryAfterMs("-7", kNow), 0);
  EXPECT_EQ(RetryAfterMs("soon", kNow), 0);
  EXPECT_EQ(RetryAfterMs("9223372036854775807", kNow), 600'000);
  EXPECT_EQ(RetryAfterMs("Wed, 21 Oct 2015 07:28:00 GMT", kNow), 10'000);
  EXPECT_EQ(RetryAfterMs("Wed, 21 Oct 2015 07:27:00 GMT", kNow), 0);
}

}  // namespace
}  // namespace azexporter::remote
