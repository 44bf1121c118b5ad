// The truth table of zones/replication.h, row by row on real servers.

#include <gtest/gtest.h>

#include <filesystem>

#include "db/postgres_fixture.h"
#include "support/temp_folder.h"

namespace azexporter::db {
namespace {

using servers::PostgresServer;
using test::Eventually;
using zones::DatabaseRole;
using zones::DatabaseStatus;

class PostgresLagTest : public test::PostgresFixture {
 protected:
  // For so long, a round after the other: `expect` is given each.
  template <class Expect>
  void LookFor(int ms, Expect expect) {
    const std::int64_t end_ns = clock_.SteadyNs() + ms * 1'000'000LL;
    while (clock_.SteadyNs() < end_ns && !HasFailure()) {
      expect(Look());
      base::WaitFor({}, 100);
    }
  }
  // The formula that exporters use, asked of the standby.
  std::optional<std::string> UsualFormula() const {
    return standby_->Run(
        "SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0"
        " ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp())) END");
  }
};

TEST_F(PostgresLagTest, IdleAndCaughtUp) {
  LookFor(2'000, [&](const DatabaseStatus& now) {
    EXPECT_EQ(now.lag_seconds, 0);
    EXPECT_EQ(now.lag_bytes, 0);
    EXPECT_FALSE(now.lag_stale);
  });
}

TEST_F(PostgresLagTest, Busy) {
  for (int i = 0; i < 20; ++i) {
    Write(1'000);
    const DatabaseStatus now = Look();
    ASSERT_TRUE(now.lag_seconds && now.lag_bytes);
    EXPECT_LT(*now.lag_seconds, 2);
    EXPECT_FALSE(now.lag_stale);
  }
  EXPECT_TRUE(CatchesUp());
}

TEST_F(PostgresLagTest, ReplayPaused) {
  ASSERT_TRUE(standby_->Run("SELECT pg_wal_replay_pause()"));
  Write(10'000);
  ASSERT_TRUE(Eventually([&] { return Look().lag_bytes.value_or(0) > 100'000; }));
  double before = 0;
  LookFor(5'000, [&](const DatabaseStatus& now) {
    EXPECT_TRUE(now.facts.replay_paused);
    EXPECT_GT(now.lag_seconds.value_or(0), before);
    EXPECT_FALSE(now.lag_stale);
    before = now.lag_seconds.value_or(0);
  });
  EXPECT_GT(before, 4);
  ASSERT_TRUE(standby_->Run("SELECT pg_wal_replay_resume()"));
  EXPECT_TRUE(CatchesUp());
}

// From the cut on until after both servers dropped their rows.
TEST_F(PostgresLagTest, StreamCutWhileThePrimaryWrites) {
  uplink_->Stall();
  Write(10'000);
  double seconds = 0;
  double bytes = 0;
  bool became_stale = false;
  bool rows_gone = false;
  LookFor(9'000, [&](const DatabaseStatus& now) {
    Write(100);
    // Never 0, and never less than before.
    EXPECT_GT(now.lag_seconds.value_or(0), 0);
    EXPECT_GE(now.lag_seconds.value_or(0), seconds);
    EXPECT_GE(now.lag_bytes.value_or(0), bytes);
    EXPECT_GT(now.lag_bytes.value_or(0), 100'000);
    EXPECT_TRUE(now.lag_stale || !became_stale) << "stale no more";
    seconds = now.lag_seconds.value_or(0);
    bytes = now.lag_bytes.value_or(0);
    became_stale = became_stale || now.lag_stale;
    rows_gone = poller_->Facts()[0].senders.empty() && !now.facts.receiver_streaming;
    EXPECT_EQ(UsualFormula(), "0");
  });
  EXPECT_TRUE(became_stale);
  EXPECT_TRUE(rows_gone);
  EXPECT_GT(seconds, 8);
  uplink_->Resume();
  EXPECT_TRUE(CatchesUp());
  EXPECT_FALSE(Look().lag_stale);
}

TEST_F(PostgresLagTest, StreamCutAndThePrimaryOutOfReach) {
  // What azexporter in the standby's zone sees of a partition.
  auto front = servers::TcpProxy::Start(primary_->port());
  ASSERT_TRUE(front);
  Ask({{"orders", "one", "a", PostgresServer::DsnOf((*front)->port()), ""},
       {"orders", "two", "b", standby_->dsn(), ""}});
  ASSERT_TRUE(CatchesUp());
  uplink_->Stall();
  (*front)->Stall();
  double seconds = 0;
  bool became_stale = false;
  const std::int64_t end_ns = clock_.SteadyNs() + 7'000'000'000;
  while (clock_.SteadyNs() < end_ns) {
    const DatabaseStatus now = Look();
    EXPECT_GT(now.lag_seconds.value_or(0), 0);
    EXPECT_FALSE(now.lag_bytes);
    EXPECT_GE(now.lag_seconds.value_or(0), seconds - 0.5);
    became_stale = became_stale || now.lag_stale;
    seconds = now.lag_seconds.value_or(0);
  }
  EXPECT_TRUE(became_stale);
  EXPECT_GT(seconds, 5);
}

TEST_F(PostgresLagTest, StandbyRestarted) {
  standby_->Stop();
  const DatabaseStatus down = Look();
  EXPECT_FALSE(down.up);
  EXPECT_FALSE(down.lag_seconds);
  Write(10'000);
  ASSERT_TRUE(standby_->Start());
  EXPECT_TRUE(CatchesUp());
  // Whatever it replayed since its start, no lag is made up.
  EXPECT_EQ(Look().lag_bytes, 0);
}

TEST_F(PostgresLagTest, PrimaryStopped) {
  ASSERT_TRUE(standby_->Run("SELECT pg_wal_replay_pause()"));
  Write(10'000);
  const DatabaseStatus last = Look();
  ASSERT_GT(last.lag_bytes.value_or(0), 100'000);
  primary_->Kill();
  // Bytes as they were last known, seconds that grow.
  double seconds = last.lag_seconds.value_or(0);
  LookFor(5'000, [&](const DatabaseStatus& now) {
    EXPECT_EQ(now.lag_bytes, last.lag_bytes);
    EXPECT_GE(now.lag_seconds.value_or(0), seconds);
    seconds = now.lag_seconds.value_or(0);
  });
  EXPECT_GT(seconds, 4);
  EXPECT_TRUE(Look().lag_stale);
}

TEST_F(PostgresLagTest, StandbyPromotedAndTwoPrimaries) {
  EXPECT_EQ(LookAtCluster().primaries, 1);
  ASSERT_TRUE(standby_->Run("SELECT pg_promote()"));
  ASSERT_TRUE(Eventually([&] { return LookAtCluster().primaries == 2; }));
  const DatabaseStatus promoted = Look();
  EXPECT_EQ(promoted.role, DatabaseRole::kPrimary);
  EXPECT_FALSE(promoted.lag_seconds || promoted.lag_stale);
  EXPECT_EQ(promoted.facts.timeline, 2);
  EXPECT_EQ(LookAtCluster().failovers.count, 0);
  primary_->Kill();
  ASSERT_TRUE(Eventually([&] { return LookAtCluster().primaries == 1; }));
  const zones::PostgresStatus after = LookAtCluster();
  EXPECT_EQ(after.failovers.count, 1);
  EXPECT_GT(after.failovers.last_seconds.value_or(0), 0);
}

// A second standby goes on to follow the one that sends to it.
TEST_F(PostgresLagTest, StandbyOfOneOfTwoPrimaries) {
  const auto third =
      PostgresServer::StartStandby(primary_->dsn(), {.name = "three", .settings = Settings()});
  ASSERT_NE(third, nullptr);
  Ask({{"orders", "one", "a", primary_->dsn(), ""},
       {"orders", "two", "b", standby_->dsn(), ""},
       {"orders", "three", "c", third->dsn(), ""}});
  ASSERT_TRUE(standby_->Run("SELECT pg_promote()"));
  ASSERT_TRUE(Eventually([&] { return LookAtCluster().primaries == 2; }));
  Write(1'000);
  ASSERT_TRUE(Eventually([&] { return Look(2).lag_bytes == 0; }));
  EXPECT_FALSE(Look(2).diverged);
  EXPECT_FALSE(Look(2).lag_stale);
}

class PostgresSyncTest : public PostgresLagTest {
  std::vector<std::string> More() const override { return {"synchronous_standby_names=ANY 1 (*)"}; }
};

TEST_F(PostgresSyncTest, ACommitIsSafeInAnotherZone) {
  ASSERT_TRUE(Eventually([&] { return LookAtCluster().sync_other_zone == true; }));
  const zones::PostgresStatus status = LookAtCluster();
  EXPECT_EQ(status.sync_required, 1);
  EXPECT_EQ(status.standbys_streaming, 1);
  EXPECT_EQ(status.standbys_expected, 1);
  EXPECT_EQ(Look().sync_state, "quorum");
  const auto loss = zones::PostgresFindings(poller_->Facts(), "a");
  ASSERT_EQ(loss.size(), 1U);
  EXPECT_EQ(loss[0].text, "its primary is there; two in b could take over without losing a commit");
  standby_->Stop();
  ASSERT_TRUE(Eventually([&] { return LookAtCluster().sync_other_zone == false; }));
}

class PostgresArchiveTest : public PostgresLagTest {
 protected:
  std::vector<std::string> More() const override {
    return {"archive_mode=on", "archive_command=cp %p " + archive_.string() + "/%f"};
  }
  const test::TempFolder archive_;
};

TEST_F(PostgresArchiveTest, ArchiveRecoveryIsComparedAndNotStale) {
  std::filesystem::permissions(archive_.path(), std::filesystem::perms::all);
  auto settings = test::kImpatient;
  settings.insert(settings.end(), {"primary_conninfo=", "hot_standby=on",
                                   "restore_command=cp " + archive_.string() + "/%f %p"});
  const auto restored =
      PostgresServer::StartStandby(primary_->dsn(), {.name = "three", .settings = settings});
  ASSERT_NE(restored, nullptr);
  Ask({{"orders", "one", "a", primary_->dsn(), ""}, {"orders", "three", "c", restored->dsn(), ""}});
  Write(10'000);
  const DatabaseStatus behind = Look();
  ASSERT_TRUE(behind.up) << behind.error;
  EXPECT_TRUE(behind.facts.no_upstream);
  EXPECT_FALSE(behind.lag_stale);
  EXPECT_GT(behind.lag_bytes.value_or(0), 100'000);
  ASSERT_TRUE(primary_->Run("SELECT pg_switch_wal()"));
  // It stands at the end of what was archived; replayed further than received, which is not 0 lag.
  EXPECT_TRUE(Eventually([&] { return Look().lag_bytes.value_or(1e9) < 10'000; }, 20'000));
  EXPECT_FALSE(Look().lag_stale);
}

}  // namespace
}  // namespace azexporter::db
