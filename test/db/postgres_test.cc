// The poller on real servers: a primary and a streaming standby on loopback.

#include "azexporter/db/postgres.h"

#include <gtest/gtest.h>

#include "azexporter/zones/replication.h"
#include "servers/postgres_server.h"
#include "support/eventually.h"

namespace azexporter::db {
namespace {

using servers::PostgresServer;

TEST(ParseLsnTest, ReadsTheTwoHalves) {
  EXPECT_EQ(*ParseLsn("16/B374D848"), 0x16B374D848u);
  EXPECT_EQ(*ParseLsn("0/0"), 0u);
  for (const char* text : {"", "16", "/1", "1/", "1/G", "1/123456789"}) {
    EXPECT_FALSE(ParseLsn(text)) << text;
  }
}

class PostgresPollerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (PostgresServer::ProgramFolder().empty()) GTEST_SKIP() << "skipped: no PostgreSQL";
    primary_ = PostgresServer::StartPrimary();
    ASSERT_NE(primary_, nullptr);
    ASSERT_TRUE(primary_->Run("CREATE TABLE t AS SELECT 1 AS x"));
    standby_ = PostgresServer::StartStandby(primary_->dsn());
    ASSERT_NE(standby_, nullptr);
    poller_ = std::make_unique<PostgresPoller>(
        PostgresPollerOptions{.instances = {{"orders", "one", "a", primary_->dsn(), ""},
                                            {"orders", "two", "b", standby_->dsn(), ""}}},
        clock_, base::Logger::Silent());
  }

  zones::Lag Lag() {
    poller_->PollNow();
    const auto facts = poller_->Facts();
    return zones::ReplicationLag(facts[1], facts[0].up ? &facts[0] : nullptr);
  }

  // Waits until the standby streams and has replayed all.
  bool CatchesUp() {
    return test::Eventually(
        [&] { return Lag().seconds == 0 && poller_->Facts()[1].receiver_streaming; });
  }

  base::SystemClock clock_;
  std::unique_ptr<PostgresServer> primary_;
  std::unique_ptr<PostgresServer> standby_;
  std::unique_ptr<PostgresPoller> poller_;
};

TEST_F(PostgresPollerTest, TellsRolesAndALagThatGrowsWhileReplayIsPaused) {
  ASSERT_TRUE(CatchesUp());
  auto facts = poller_->Facts();
  EXPECT_TRUE(facts[0].up);
  EXPECT_FALSE(facts[0].in_recovery);
  EXPECT_TRUE(facts[0].current_lsn);
  EXPECT_TRUE(facts[1].in_recovery);
  EXPECT_TRUE(facts[1].receiver_streaming);
  EXPECT_FALSE(Lag().stale);

  ASSERT_TRUE(standby_->Run("SELECT pg_wal_replay_pause()"));
  ASSERT_TRUE(primary_->Run("INSERT INTO t SELECT generate_series(1, 10000)"));
  ASSERT_TRUE(test::Eventually([&] { return Lag().bytes.value_or(0) > 100'000; }));
  const auto first = Lag();
  EXPECT_GT(first.seconds.value_or(0), 0);
  EXPECT_FALSE(first.stale);
  EXPECT_TRUE(test::Eventually([&] { return *Lag().seconds > *first.seconds + 0.2; }));

  ASSERT_TRUE(standby_->Run("SELECT pg_wal_replay_resume()"));
  EXPECT_TRUE(CatchesUp());
}

TEST_F(PostgresPollerTest, AStreamThatIsCutIsNeverZero) {
  ASSERT_TRUE(CatchesUp());
  // The standby loses its way to the primary, which goes on writing.
  ASSERT_TRUE(standby_->Run("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=1'"));
  ASSERT_TRUE(standby_->Run("SELECT pg_reload_conf()"));
  ASSERT_TRUE(test::Eventually([&] {
    poller_->PollNow();
    return !poller_->Facts()[1].receiver_streaming;
  }));
  ASSERT_TRUE(primary_->Run("INSERT INTO t SELECT generate_series(1, 10000)"));
  const auto lag = Lag();
  EXPECT_TRUE(lag.stale);
  EXPECT_GT(lag.seconds.value_or(0), 0);
  EXPECT_GT(lag.bytes.value_or(0), 0);
  // The usual formula reads 0 here.
  EXPECT_EQ(standby_->Run("SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() "
                          "THEN 0 ELSE 1 END"),
            "0");
}

TEST_F(PostgresPollerTest, AServerThatIsGoneIsDownAndComesBack) {
  poller_->PollNow();
  ASSERT_TRUE(poller_->Facts()[1].up);
  ASSERT_TRUE(standby_->Run("SELECT pg_promote()"));
  ASSERT_TRUE(test::Eventually([&] {
    poller_->PollNow();
    return !poller_->Facts()[1].in_recovery;
  }));
  primary_->Kill();
  poller_->PollNow();
  const auto facts = poller_->Facts();
  EXPECT_FALSE(facts[0].up);
  EXPECT_NE(facts[0].error.find("Connection refused"), std::string::npos) << facts[0].error;
  EXPECT_TRUE(facts[1].up);
}

TEST(PostgresErrorTest, NamesTheCauseButNoPassword) {
  const base::SystemClock clock;
  PostgresPoller poller(
      {.instances = {{"d", "i", "a", "host=127.0.0.1 port=1 password=hunter2", ""},
                     {"d", "j", "a", "", "/nowhere/dsn"},
                     {"d", "k", "a", "host=127.0.0.1 nonsense=1", ""}}},
      clock, base::Logger::Silent());
  poller.PollNow();
  const auto facts = poller.Facts();
  EXPECT_NE(facts[0].error.find("Connection refused"), std::string::npos) << facts[0].error;
  EXPECT_EQ(facts[0].error.find("hunter2"), std::string::npos);
  EXPECT_EQ(facts[1].error, "/nowhere/dsn: No such file or directory");
  EXPECT_NE(facts[2].error.find("nonsense"), std::string::npos) << facts[2].error;
}

}  // namespace
}  // namespace azexporter::db
