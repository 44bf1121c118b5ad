#pragma once

// A primary and a standby on loopback, between them a network that can fail, and a poller that asks
// both. The servers notice a broken stream after three seconds, not after a minute.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "azexporter/db/postgres.h"
#include "azexporter/zones/postgres.h"
#include "servers/postgres_server.h"
#include "servers/tcp_proxy.h"
#include "support/eventually.h"

namespace azexporter::test {

inline const std::vector<std::string> kImpatient = {
    "wal_receiver_timeout=3s", "wal_sender_timeout=3s", "wal_receiver_status_interval=1s",
    "wal_retrieve_retry_interval=500ms", "autovacuum=off"};

class PostgresFixture : public ::testing::Test {
 protected:
  using PostgresServer = servers::PostgresServer;

  void SetUp() override {
    if (PostgresServer::ProgramFolder().empty()) GTEST_SKIP() << "skipped: no PostgreSQL";
    primary_ = PostgresServer::StartPrimary({.name = "one", .settings = Settings()});
    ASSERT_NE(primary_, nullptr);
    // Without waiting for a standby, which is not there yet.
    ASSERT_TRUE(primary_->Run("SET synchronous_commit = local; CREATE TABLE t AS SELECT 1 AS x"));
    auto uplink = servers::TcpProxy::Start(primary_->port());
    ASSERT_TRUE(uplink);
    uplink_ = std::move(*uplink);
    standby_ = PostgresServer::StartStandby(PostgresServer::DsnOf(uplink_->port()),
                                            {.name = "two", .settings = Settings()});
    ASSERT_NE(standby_, nullptr);
    Ask({{"orders", "one", "a", primary_->dsn(), ""}, {"orders", "two", "b", standby_->dsn(), ""}});
    ASSERT_TRUE(CatchesUp());
  }

  // More settings of the servers.
  virtual std::vector<std::string> More() const { return {}; }
  std::vector<std::string> Settings() const {
    std::vector<std::string> all = kImpatient;
    for (std::string& setting : More()) all.push_back(std::move(setting));
    return all;
  }

  void Ask(std::vector<db::PostgresInstance> instances) {
    poller_ = std::make_unique<db::PostgresPoller>(
        db::PostgresPollerOptions{.instances = std::move(instances), .timeout_ms = 1'000}, clock_,
        base::Logger::Silent());
  }
  // What a new round says, by place in the list of instances.
  zones::DatabaseStatus Look(std::size_t index = 1) {
    poller_->PollNow();
    return zones::JudgeInstances(poller_->Facts()).at(index);
  }
  zones::PostgresStatus LookAtCluster() {
    poller_->PollNow();
    return zones::JudgePostgres(poller_->Facts(), poller_->Failovers()).at(0);
  }
  // The standby streams and has replayed all.
  bool CatchesUp() {
    return Eventually([&] {
      const zones::DatabaseStatus now = Look();
      return now.lag_seconds == 0 && now.facts.receiver_streaming;
    });
  }
  void Write(int rows) {
    ASSERT_TRUE(
        primary_->Run("INSERT INTO t SELECT generate_series(1, " + std::to_string(rows) + ")"));
  }

  base::SystemClock clock_;
  std::unique_ptr<PostgresServer> primary_;
  std::unique_ptr<servers::TcpProxy> uplink_;  // from the standby to the primary
  std::unique_ptr<PostgresServer> standby_;
  std::unique_ptr<db::PostgresPoller> poller_;
};

}  // namespace azexporter::test
