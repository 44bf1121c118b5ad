// The documented rule on a replication lag, in a partition that it was written for: azexporter
// beside Debian's prometheus-postgres-exporter on the same standby, whose stream is cut while the
// primary writes.

#include <gtest/gtest.h>

#include <filesystem>

#include "azexporter/base/file.h"
#include "azexporter/model/regexp.h"
#include "servers/loopback.h"
#include "servers/postgres_server.h"
#include "servers/tcp_proxy.h"
#include "support/azexporter_process.h"
#include "support/eventually.h"
#include "support/temp_folder.h"

namespace azexporter {
namespace {

using servers::PostgresServer;
using test::Eventually;

constexpr char kPeer[] = "/usr/bin/prometheus-postgres-exporter";
// The rule asks for more than 30 s.
constexpr int kFiringMs = 60'000;

// Of 0.11, the Debian package, the metric is one of a file of queries. This is how versions from
// 0.12 on make it, built in.
constexpr char kPeerQueries[] = R"(
pg_replication:
  query: |
    SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0
                WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
                ELSE greatest(0, extract(epoch FROM now() - pg_last_xact_replay_timestamp()))
           END AS lag_seconds
  metrics:
  - lag_seconds: {usage: GAUGE, description: Replication lag behind master in seconds}
)";

const std::vector<std::string> kImpatient = {"wal_receiver_timeout=6s", "wal_sender_timeout=6s",
                                             "wal_receiver_status_interval=1s"};

// The value that the peer shows; "" while it shows none.
std::string PeerLag(const std::string& url) {
  net::HttpClient http({.user_agent = "test"});
  const auto answer = http.Fetch({.url = url + "/metrics"});
  if (!answer) return "";
  const std::string name = "\npg_replication_lag_seconds";
  const std::size_t at = answer->body.find(name + "{");
  if (at == std::string::npos) return "";
  const std::size_t end = answer->body.find('\n', at + 1);
  const std::string line = answer->body.substr(at, end - at);
  return line.substr(line.rfind(' ') + 1);
}

TEST(PostgresE2eTest, TheDocumentedRuleFiresInAPartition) {
  if (PostgresServer::ProgramFolder().empty()) GTEST_SKIP() << "skipped: no PostgreSQL";
  if (!std::filesystem::exists(kPeer)) GTEST_SKIP() << "skipped: no postgres_exporter";
  const auto primary = PostgresServer::StartPrimary({.name = "one", .settings = kImpatient});
  ASSERT_NE(primary, nullptr);
  ASSERT_TRUE(primary->Run("CREATE TABLE t AS SELECT 1 AS x"));
  const auto uplink = servers::TcpProxy::Start(primary->port());
  ASSERT_TRUE(uplink);
  const auto standby = PostgresServer::StartStandby(PostgresServer::DsnOf((*uplink)->port()),
                                                    {.name = "two", .settings = kImpatient});
  ASSERT_NE(standby, nullptr);

  const test::TempFolder folder;
  const auto pack = base::ReadFile(std::string(AZX_SOURCE_DIR) + "/rules/alerts/documented.yaml");
  ASSERT_TRUE(pack);
  folder.Write("rules.yaml", *model::ReplaceAll("for: \\d+m", "for: 1s", *pack));
  folder.Write("config.yaml",
               "global: {collect_interval: 500ms, evaluation_interval: 500ms}\n"
               "kubernetes: {snapshot: /dev/null}\n"
               "rule_files: [rules.yaml]\n"
               "postgres: {clusters: [{name: orders, instances: [\n"
               "  {name: one, zone: a, dsn: '" +
                   primary->dsn() + "'}, {name: two, zone: b, dsn: '" + standby->dsn() +
                   "'}]}]}\n");
  test::AzexporterProcess azexporter(folder / "config.yaml");
  ASSERT_FALSE(azexporter.url().empty());
  const std::string queries = folder.Write("queries.yaml", kPeerQueries);
  const std::string peer_address = "127.0.0.1:" + std::to_string(servers::FreePort());
  const servers::ChildProcess peer(
      {kPeer, "--web.listen-address=" + peer_address, "--extend.query-path=" + queries,
       "--disable-default-metrics", "--disable-settings-metrics"},
      {{"DATA_SOURCE_NAME", standby->dsn() + " sslmode=disable"}});
  const std::string peer_url = "http://" + peer_address;
  ASSERT_TRUE(Eventually([&] { return PeerLag(peer_url) == "0"; }));
  ASSERT_TRUE(Eventually([&] {
    return azexporter.api().Count(R"(pg_replication_lag_seconds{db_instance="two"} == 0)") == 1;
  }));

  (*uplink)->Stall();
  bool peer_saw_it = false;
  EXPECT_TRUE(Eventually(
      [&] {
        primary->Run("INSERT INTO t SELECT generate_series(1, 100)");
        peer_saw_it = peer_saw_it || PeerLag(peer_url) != "0";
        return azexporter.api().StateOf("DatabaseReplicationLag") == "firing";
      },
      kFiringMs));
  EXPECT_FALSE(peer_saw_it);
  EXPECT_EQ(azexporter.api().Count(R"(az_postgres_replication_stale{db_instance="two"} == 1)"), 1);
}

}  // namespace
}  // namespace azexporter
