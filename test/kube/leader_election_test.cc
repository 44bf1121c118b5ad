// Leader election on a clock that stands still until told, against a Lease in memory.

#include "azexporter/kube/leader_election.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>

namespace azexporter::kube {
namespace {

ApiFailure Failure(int status) {
  return {base::Error(base::ErrorCode::kUnavailable, "status " + std::to_string(status)), status,
          0};
}

// One Lease, guarded by its version as an API server guards it.
struct Server {
  std::optional<LeaseRecord> record;
  int version = 0;
  int writes = 0;
};

// A candidate's way to the server, which may be cut.
class FakeStore final : public LeaseStore {
 public:
  explicit FakeStore(Server& server) : server_(server) {}

  enum class Link { kGood, kDown, kAnswersLost };
  Link link = Link::kGood;
  // Called between two requests of one step.
  std::function<void()> before_write = {};

  ApiResult<Lease> Get(std::int64_t, std::stop_token) override {
    if (link != Link::kGood) return tl::unexpected(Failure(0));
    if (!server_.record) return tl::unexpected(Failure(404));
    return Now();
  }
  ApiResult<Lease> Create(const LeaseRecord& record, std::int64_t, std::stop_token) override {
    return Write(record, !server_.record);
  }
  ApiResult<Lease> Update(const Lease& lease, std::int64_t, std::stop_token) override {
    if (auto meddle = std::exchange(before_write, {})) meddle();
    return Write(lease.record, lease.metadata == std::to_string(server_.version));
  }

 private:
  Lease Now() const { return {*server_.record, std::to_string(server_.version)}; }
  ApiResult<Lease> Write(const LeaseRecord& record, bool current) {
    if (auto meddle = std::exchange(before_write, {})) {
      meddle();
      current = !server_.record;
    }
    if (link == Link::kDown) return tl::unexpected(Failure(0));
    if (!current) return tl::unexpected(Failure(409));
    server_.record = record;
    ++server_.version;
    ++server_.writes;
    if (link == Link::kAnswersLost) return tl::unexpected(Failure(0));
    return Now();
  }

  Server& server_;
};

// A replica with a way and a wall clock of its own; steady time is that of all.
class SkewedClock final : public base::Clock {
 public:
  SkewedClock(const base::FakeClock& common, std::int64_t skew_ms)
      : common_(common), skew_ms_(skew_ms) {}
  std::int64_t NowMs() const override { return common_.NowMs() + skew_ms_; }
  std::int64_t SteadyNs() const override { return common_.SteadyNs(); }

 private:
  const base::FakeClock& common_;
  const std::int64_t skew_ms_;
};

struct Replica {
  Replica(const std::string& identity, Server& server, const base::FakeClock& common,
          std::int64_t skew_ms = 0)
      : clock(common, skew_ms),
        store(server),
        elector({.ns = "n", .identity = identity}, store, clock, base::Logger::Silent(),
                [this](bool leading) { changes += leading ? '+' : '-'; }) {}

  std::int64_t Step() { return elector.Step({}); }

  const SkewedClock clock;
  FakeStore store;
  std::string changes;  // before what writes to it
  LeaderElector elector;
};

class LeaderElectionTest : public ::testing::Test {
 protected:
  void Wait(std::int64_t ms) { clock_.Advance(ms); }

  base::FakeClock clock_{1'800'000'000'123};
  Server server_;
  Replica a_{"a", server_, clock_};
  Replica b_{"b", server_, clock_};
};

TEST_F(LeaderElectionTest, TheFirstCreatesTheLease) {
  EXPECT_FALSE(a_.elector.IsLeader());
  EXPECT_EQ(a_.Step(), 2'000);
  EXPECT_TRUE(a_.elector.IsLeader());
  EXPECT_EQ(*server_.record, (LeaseRecord{.holder = "a",
                                          .duration_seconds = 15,
                                          .acquire_time = "2027-01-15T08:00:00.123000Z",
                                          .renew_time = "2027-01-15T08:00:00.123000Z",
                                          .transitions = 0}));
  const std::int64_t pause_ms = b_.Step();
  EXPECT_GE(pause_ms, 2'000);
  EXPECT_LE(pause_ms, 4'400);
  EXPECT_FALSE(b_.elector.IsLeader());
  EXPECT_EQ(b_.elector.holder(), "a");
  EXPECT_EQ(a_.changes, "+");
  EXPECT_EQ(b_.changes, "");
}

TEST_F(LeaderElectionTest, ARenewalKeepsWhenItWasAcquired) {
  a_.Step();
  Wait(2'000);
  a_.Step();
  EXPECT_EQ(server_.record->acquire_time, "2027-01-15T08:00:00.123000Z");
  EXPECT_EQ(server_.record->renew_time, "2027-01-15T08:00:02.123000Z");
  EXPECT_EQ(server_.record->transitions, 0);
}

TEST_F(LeaderElectionTest, AnotherWaitsForTheWholeLease) {
  a_.Step();
  Wait(1'000);
  b_.Step();  // sees it for the first time now
  Wait(14'999);
  b_.Step();
  EXPECT_FALSE(b_.elector.IsLeader());
  Wait(1);
  b_.Step();
  EXPECT_TRUE(b_.elector.IsLeader());
  EXPECT_FALSE(a_.elector.IsLeader());
  EXPECT_EQ(server_.record->holder, "b");
  EXPECT_EQ(server_.record->transitions, 1);
  EXPECT_EQ(server_.record->acquire_time, "2027-01-15T08:00:16.123000Z");
}

TEST_F(LeaderElectionTest, OfTwoThatSeeNoLeaseOneCreatesIt) {
  a_.store.before_write = [&] { b_.Step(); };
  a_.Step();
  EXPECT_FALSE(a_.elector.IsLeader());
  EXPECT_TRUE(b_.elector.IsLeader());
  a_.Step();
  EXPECT_EQ(a_.elector.holder(), "b");
}

TEST_F(LeaderElectionTest, OfTwoThatTakeAnExpiredLeaseOneGetsIt) {
  Replica dead("dead", server_, clock_);
  dead.Step();
  a_.Step();
  b_.Step();
  Wait(15'000);
  a_.store.before_write = [&] { b_.Step(); };
  a_.Step();
  EXPECT_FALSE(a_.elector.IsLeader());
  EXPECT_TRUE(b_.elector.IsLeader());
  EXPECT_EQ(server_.record->transitions, 1);
}

TEST_F(LeaderElectionTest, ALeaderWithoutServerLeadsUntilItsDeadline) {
  a_.Step();
  a_.store.link = FakeStore::Link::kDown;
  for (int i = 0; i < 4; ++i) {
    Wait(2'000);
    EXPECT_EQ(a_.Step(), 2'000);
    EXPECT_TRUE(a_.elector.IsLeader());
  }
  Wait(1'999);
  EXPECT_TRUE(a_.elector.IsLeader());
  Wait(1);
  EXPECT_FALSE(a_.elector.IsLeader());  // without a step
  a_.Step();
  EXPECT_EQ(a_.changes, "+-");
  // Nobody else wanted it: it leads on when the server is back.
  a_.store.link = FakeStore::Link::kGood;
  a_.Step();
  EXPECT_TRUE(a_.elector.IsLeader());
  EXPECT_EQ(a_.changes, "+-+");
  EXPECT_EQ(server_.record->transitions, 0);
}

TEST_F(LeaderElectionTest, AnAnswerThatIsLostIsFoundAgain) {
  a_.Step();
  Wait(2'000);
  a_.store.link = FakeStore::Link::kAnswersLost;
  a_.Step();
  EXPECT_EQ(server_.writes, 2);
  a_.store.link = FakeStore::Link::kGood;
  Wait(2'000);
  a_.Step();
  EXPECT_TRUE(a_.elector.IsLeader());
  EXPECT_EQ(a_.changes, "+");
  Wait(9'999);
  EXPECT_TRUE(a_.elector.IsLeader());
}

TEST_F(LeaderElectionTest, AMomentWithoutALeaderIsTold) {
  a_.Step();
  Wait(9'000);
  a_.store.before_write = [&] { Wait(2'000); };
  a_.Step();
  EXPECT_TRUE(a_.elector.IsLeader());
  EXPECT_EQ(a_.changes, "+-+");
  a_.store.before_write = [&] { Wait(10'000); };  // its answer comes too late to lead by it
  a_.Step();
  EXPECT_FALSE(a_.elector.IsLeader());
  EXPECT_EQ(a_.changes, "+-+-");
}

TEST_F(LeaderElectionTest, APausedLeaderIsNoneWhenItWakes) {
  a_.Step();
  b_.Step();
  Wait(15'000);
  b_.Step();
  EXPECT_TRUE(b_.elector.IsLeader());
  EXPECT_FALSE(a_.elector.IsLeader());
  a_.Step();
  EXPECT_FALSE(a_.elector.IsLeader());
  EXPECT_EQ(a_.elector.holder(), "b");
  EXPECT_EQ(a_.changes, "+-");
}

TEST_F(LeaderElectionTest, ALeaderThatSeesAnotherStepsDownAtOnce) {
  a_.Step();
  server_.record->holder = "b";  // by whatever fault
  ++server_.version;
  Wait(1);
  a_.Step();
  EXPECT_FALSE(a_.elector.IsLeader());
  EXPECT_EQ(a_.changes, "+-");
}

TEST_F(LeaderElectionTest, WallClocksDoNotMatter) {
  Replica ahead("ahead", server_, clock_, 3'600'000);
  Replica behind("behind", server_, clock_, -3'600'000);
  ahead.Step();
  behind.Step();
  for (int i = 0; i < 100; ++i) {
    Wait(2'000);
    if (i == 50) clock_.StepWall(-86'400'000);
    ahead.Step();
    behind.Step();
    ASSERT_TRUE(ahead.elector.IsLeader());
    ASSERT_FALSE(behind.elector.IsLeader());
  }
  Wait(14'000);
  behind.Step();
  EXPECT_FALSE(behind.elector.IsLeader());
  Wait(1'000);
  behind.Step();
  EXPECT_TRUE(behind.elector.IsLeader());
}

TEST_F(LeaderElectionTest, WhatIsReleasedIsTakenAtOnce) {
  a_.Step();
  b_.Step();
  a_.elector.Release();
  EXPECT_FALSE(a_.elector.IsLeader());
  EXPECT_EQ(a_.changes, "+-");
  EXPECT_EQ(server_.record->holder, "");
  EXPECT_EQ(server_.record->duration_seconds, 1);
  b_.Step();
  EXPECT_TRUE(b_.elector.IsLeader());
  EXPECT_EQ(server_.record->transitions, 1);
  a_.elector.Release();  // it is not its own
  EXPECT_EQ(server_.record->holder, "b");
}

TEST_F(LeaderElectionTest, AReleaseThatMeetsALateRenewalIsMadeAgain) {
  a_.Step();
  a_.store.before_write = [&] { ++server_.version; };
  a_.elector.Release();
  EXPECT_EQ(server_.record->holder, "");
}

TEST_F(LeaderElectionTest, OneThatComesBackUnderItsNameLeadsOn) {
  a_.Step();
  Replica again("a", server_, clock_);
  again.Step();
  EXPECT_TRUE(again.elector.IsLeader());
  EXPECT_EQ(server_.record->transitions, 0);
}

// Whatever fails and pauses, there are never two; and when all is well again there is one.
TEST_F(LeaderElectionTest, NeverTwo) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    Server server;
    base::FakeClock clock(1'800'000'000'000);
    std::mt19937 random(seed);
    Replica replicas[] = {{"x", server, clock}, {"y", server, clock, 77'000}, {"z", server, clock}};
    std::int64_t due_ms[3] = {0, 0, 0};
    constexpr std::int64_t kTickMs = 250;
    constexpr std::int64_t kFaultsEndMs = 300'000;
    for (std::int64_t now = 0; now < kFaultsEndMs + 40'000; now += kTickMs) {
      int leaders = 0;
      for (int i = 0; i < 3; ++i) {
        if (now >= due_ms[i]) {
          due_ms[i] = now + replicas[i].Step();
          const bool faulty = now < kFaultsEndMs;
          if (faulty && random() % 20 == 0) due_ms[i] += static_cast<int>(random() % 30'000);
          const auto dice = faulty ? random() % 4 : 3;
          replicas[i].store.link = dice == 0   ? FakeStore::Link::kDown
                                   : dice == 1 ? FakeStore::Link::kAnswersLost
                                               : FakeStore::Link::kGood;
        }
        leaders += replicas[i].elector.IsLeader() ? 1 : 0;
      }
      ASSERT_LE(leaders, 1) << "seed " << seed << " at " << now;
      clock.Advance(kTickMs);
    }
    EXPECT_TRUE(replicas[0].elector.IsLeader() || replicas[1].elector.IsLeader() ||
                replicas[2].elector.IsLeader())
        << "seed " << seed;
  }
}

TEST(LeaderElectionOptionsTest, AreAsClientGoWantsThem) {
  const LeaderElectionOptions good = {.ns = "n", .identity = "a"};
  EXPECT_TRUE(good.Validate());
  struct Case {
    LeaderElectionOptions options;
    std::string_view message;
  };
  const Case cases[] = {
      {{}, "namespace is missing"},
      {{.ns = "n", .name = ""}, "name is missing"},
      {{.ns = "n", .lease_duration_ms = 1'500}, "lease_duration must be whole seconds"},
      {{.ns = "n", .renew_deadline_ms = 15'000},
       "lease_duration must be longer than renew_deadline"},
      {{.ns = "n", .renew_deadline_ms = 2'400},
       "renew_deadline must be longer than 1.2 times retry_period"},
      {{.ns = "n", .retry_period_ms = 0}, "retry_period must not be zero"},
  };
  for (const Case& c : cases) {
    const auto checked = c.options.Validate();
    ASSERT_FALSE(checked) << c.message;
    EXPECT_EQ(checked.error().message(), c.message);
  }
}

}  // namespace
}  // namespace azexporter::kube
