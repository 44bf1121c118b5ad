// The poller itself, on real servers: what it reads, what it does where it is refused or kept
// waiting.

#include "azexporter/db/postgres.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "db/fake_login.h"
#include "db/postgres_fixture.h"
#include "servers/loopback.h"
#include "support/temp_folder.h"

namespace azexporter::db {
namespace {

using servers::PostgresServer;
using test::Eventually;

TEST(ParseLsnTest, ReadsTheTwoHalves) {
  EXPECT_EQ(*ParseLsn("16/B374D848"), 0x16B374D848u);
  EXPECT_EQ(*ParseLsn("0/0"), 0u);
  for (const char* text : {"", "16", "/1", "1/", "1/G", "1/123456789"}) {
    EXPECT_FALSE(ParseLsn(text)) << text;
  }
}

class PostgresPollerTest : public test::PostgresFixture {};

TEST_F(PostgresPollerTest, TellsWhatEachInstanceIs) {
  const auto facts = poller_->Facts();
  const PostgresFacts& primary = facts.at(0);
  const PostgresFacts& standby = facts.at(1);
  EXPECT_TRUE(primary.up && !primary.in_recovery && primary.current_lsn);
  EXPECT_TRUE(standby.up && standby.in_recovery && standby.receive_lsn && standby.replay_lsn);
  EXPECT_GE(primary.version, 130000);
  EXPECT_EQ(primary.timeline, 1);
  EXPECT_EQ(standby.timeline, 1);
  EXPECT_FALSE(primary.system_identifier.empty());
  EXPECT_EQ(primary.system_identifier, standby.system_identifier);
  EXPECT_FALSE(primary.rights_missing || standby.rights_missing);
  EXPECT_FALSE(standby.replay_paused || standby.no_upstream);
  EXPECT_EQ(standby.stream_name, "two");
  EXPECT_EQ(standby.receiver_timeout_seconds, 3);
  EXPECT_EQ(standby.status_interval_seconds, 1);
  const PostgresSender* sender = SenderTo(standby, primary);
  ASSERT_NE(sender, nullptr);
  EXPECT_EQ(sender->state, "streaming");
  EXPECT_EQ(sender->sync_state, "async");
  EXPECT_TRUE(Eventually([&] {
    poller_->PollNow();
    const auto again = poller_->Facts();
    const PostgresSender* stream = SenderTo(again[1], again[0]);
    return stream != nullptr && stream->reply_age_seconds;
  }));
  // One session, which says what it is.
  EXPECT_EQ(primary_->Run("SELECT count(*) FROM pg_stat_activity"
                          " WHERE application_name = 'azexporter'"),
            "1");
  EXPECT_EQ(primary_->Run("SELECT count(*) FROM pg_stat_activity"
                          " WHERE application_name = 'azexporter' AND backend_xid IS NOT NULL"),
            "0");
}

TEST_F(PostgresPollerTest, TellsSlotsAndWhatTheyHold) {
  ASSERT_TRUE(primary_->Run("SELECT pg_create_physical_replication_slot('spare', true)"));
  ASSERT_TRUE(primary_->Run("SELECT pg_create_physical_replication_slot('used', true)"));
  ASSERT_TRUE(standby_->Run("ALTER SYSTEM SET primary_slot_name = 'used'"));
  ASSERT_TRUE(standby_->Run("SELECT pg_reload_conf()"));
  ASSERT_TRUE(Eventually([&] {
    Look();
    const auto facts = poller_->Facts();
    const PostgresSender* sender = SenderTo(facts[1], facts[0]);
    return sender != nullptr && sender->slot_name == "used";
  }));
  Write(10'000);
  Look();
  const auto slots = poller_->Facts()[0].slots;
  ASSERT_EQ(slots.size(), 2U);
  const PostgresSlot& spare = slots[slots[0].name == "spare" ? 0 : 1];
  EXPECT_FALSE(spare.active);
  EXPECT_EQ(spare.type, "physical");
  EXPECT_EQ(spare.wal_status, "reserved");
  EXPECT_FALSE(spare.safe_wal_size_bytes);
  ASSERT_TRUE(spare.restart_lsn);
  EXPECT_GT(*poller_->Facts()[0].current_lsn, *spare.restart_lsn + 100'000);
}

TEST_F(PostgresPollerTest, AUserWithoutRightsIsToldOf) {
  ASSERT_TRUE(primary_->Run("CREATE ROLE plain LOGIN"));
  const std::string plain =
      "host=127.0.0.1 port=" + std::to_string(primary_->port()) + " user=plain dbname=postgres";
  Ask({{"orders", "one", "a", plain, ""}});
  poller_->PollNow();
  const PostgresFacts facts = poller_->Facts().at(0);
  EXPECT_TRUE(facts.up) << facts.error;
  EXPECT_TRUE(facts.rights_missing);
  EXPECT_TRUE(facts.current_lsn);
  ASSERT_TRUE(primary_->Run("GRANT pg_monitor TO plain"));
  poller_->PollNow();
  EXPECT_FALSE(poller_->Facts().at(0).rights_missing);
}

TEST_F(PostgresPollerTest, ALoginIsAskedForBeforeEachConnectionAndWhereItIsRefused) {
  ASSERT_TRUE(primary_->Run("CREATE ROLE keeper LOGIN PASSWORD 'two' IN ROLE pg_monitor"));
  ASSERT_TRUE(primary_->AskForPasswords());
  PostgresInstance one = {
      "orders", "one", "a",
      "host=127.0.0.1 port=" + std::to_string(primary_->port()) + " dbname=postgres"};
  const auto login =
      std::make_shared<test::FakeLogin>(Login{"keeper", "one"}, Login{"keeper", "two"});
  one.login = login;
  ASSERT_TRUE(Eventually([&] {  // until the server has read its new rules
    Ask({one});
    login->refused = 0;
    return Look(0).up && login->refused == 1;
  })) << Look(0).error;
  const int asked = login->asked;
  EXPECT_TRUE(Look(0).up);
  EXPECT_EQ(login->asked, asked) << "the connection holds";

  login->renewed = login->first;
  login->refused = 0;
  Ask({one});
  EXPECT_EQ(Look(0).error.find("two"), std::string::npos);
  EXPECT_NE(Look(0).error.find("password authentication failed"), std::string::npos)
      << Look(0).error;
  EXPECT_EQ(login->refused, 2) << "once a round";
  EXPECT_EQ(login->asked, asked + 2);
  login->first = {"keeper", "two"};
  login->error = "Secret shop/orders-app: 403 Forbidden";
  EXPECT_EQ(Look(0).error, login->error);
  login->error.clear();
  EXPECT_TRUE(Look(0).up);
  EXPECT_EQ(login->refused, 2);
}

// Semantics: postgresql.org/docs/current/libpq-pgpass.html.
TEST_F(PostgresPollerTest, APasswordMayStandInAPassfile) {
  ASSERT_TRUE(primary_->Run("CREATE ROLE keeper LOGIN PASSWORD 'hunter2' IN ROLE pg_monitor"));
  ASSERT_TRUE(primary_->AskForPasswords());
  const test::TempFolder folder;
  const std::string port = std::to_string(primary_->port());
  const std::string good = folder.Write("good", "127.0.0.1:" + port + ":*:keeper:hunter2\n");
  const std::string open = folder.Write("open", "127.0.0.1:" + port + ":*:keeper:hunter2\n");
  const std::string other = folder.Write("other", "elsewhere:*:*:keeper:hunter2\n");
  for (const std::string& file : {good, other}) ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  ASSERT_EQ(::chmod(open.c_str(), 0640), 0);
  const std::string server = "host=127.0.0.1 port=" + port + " dbname=postgres user=keeper";
  const struct {
    std::string dsn;
    std::string environment;  // PGPASSFILE
    std::string error;        // a part of it; empty: it is let in
  } cases[] = {{server + " passfile=" + good, "", ""},
               {server, good, ""},
               {"hostaddr=127.0.0.1 port=" + port + " dbname=postgres user=keeper", good, ""},
               {server, other, "no password supplied"},
               {server, open, "no password supplied"}};
  ASSERT_TRUE(Eventually([&] {  // until the server has read its new rules
    Ask({{"orders", "one", "a", server + " passfile=" + other}});
    return !Look(0).up;
  }));
  for (const auto& c : cases) {
    ASSERT_EQ(::setenv("PGPASSFILE", c.environment.c_str(), 1), 0);
    Ask({{"orders", "one", "a", c.dsn}});
    const std::string error = Look(0).error;
    EXPECT_EQ(error.empty(), c.error.empty()) << c.dsn << " " << c.environment << ": " << error;
    EXPECT_NE(error.find(c.error), std::string::npos) << error;
    EXPECT_EQ(error.find("hunter2"), std::string::npos);
  }
  ::unsetenv("PGPASSFILE");
}

TEST_F(PostgresPollerTest, AServerThatIsDownIsNoRefusal) {
  PostgresInstance one = {"orders", "one", "a", primary_->dsn()};
  const auto login = std::make_shared<test::FakeLogin>(Login{"", "x"}, Login{"", "y"});
  one.login = login;
  primary_->Kill();
  Ask({one});
  EXPECT_FALSE(Look(0).up);
  EXPECT_EQ(login->refused, 0);
}

TEST_F(PostgresPollerTest, AHangingServerCostsItselfAlone) {
  auto front = servers::TcpProxy::Start(standby_->port());
  ASSERT_TRUE(front);
  poller_ = std::make_unique<PostgresPoller>(
      PostgresPollerOptions{
          .instances = {{"orders", "one", "a", primary_->dsn(), ""},
                        {"orders", "two", "b", PostgresServer::DsnOf((*front)->port()), ""}},
          .interval_ms = 100,
          .timeout_ms = 60'000},
      clock_, base::Logger::Silent());
  poller_->Start();
  ASSERT_TRUE(Eventually([&] { return poller_->asked_all() && poller_->Facts()[1].up; }));
  (*front)->Stall();
  // The primary is asked on, while the standby's answer is waited for.
  const auto asked_at = [&] { return poller_->Facts()[0].asked_at_ms; };
  for (int i = 0; i < 3; ++i) {
    const std::int64_t before = asked_at();
    EXPECT_TRUE(Eventually([&] { return asked_at() > before; }, 5'000)) << i;
  }
  poller_->Stop();
}

TEST_F(PostgresPollerTest, AServerThatIsGoneIsDownAndComesBack) {
  primary_->Kill();
  EXPECT_FALSE(Look(0).up);
  EXPECT_NE(poller_->Facts()[0].error.find("Connection refused"), std::string::npos)
      << poller_->Facts()[0].error;
  EXPECT_TRUE(poller_->Facts()[1].up);
  ASSERT_TRUE(primary_->Start());
  EXPECT_TRUE(Look(0).up);
}

TEST_F(PostgresPollerTest, InstancesComeChangeAndGo) {
  const auto started = [this] {
    return primary_->Run(
        "SELECT backend_start FROM pg_stat_activity WHERE application_name = 'azexporter'");
  };
  const auto first_started = started();
  const PostgresInstance one = {"orders", "one", "a", primary_->dsn()};
  const PostgresInstance two = {"orders", "two", "b", standby_->dsn()};
  PostgresInstance gone = {"orders", "two", "b"};
  gone.unreachable = "its pod is gone";
  poller_->SetInstances({one, gone});
  EXPECT_TRUE(poller_->asked_all()) << "nobody has to be asked for that";
  EXPECT_FALSE(poller_->Facts().at(1).up);
  EXPECT_EQ(poller_->Facts().at(1).error, "its pod is gone");
  EXPECT_FALSE(Look(1).up) << "nor is it asked";
  poller_->SetInstances({two, one});
  EXPECT_EQ(poller_->Facts().at(0).error, "its pod is gone") << "until it is asked";
  EXPECT_TRUE(Look(0).up);
  EXPECT_EQ(poller_->Facts().at(1).instance, "one");
  EXPECT_EQ(started(), first_started) << "one connection, all the time";
  poller_->SetInstances({one});
  EXPECT_EQ(poller_->Facts().size(), 1U);
  EXPECT_EQ(poller_->Failovers().at("orders").count, 0);
  poller_->SetInstances({});
  EXPECT_TRUE(poller_->asked_all());
  EXPECT_TRUE(poller_->Failovers().empty());
  poller_->PollNow();
  EXPECT_TRUE(Eventually([&] { return started() == ""; })) << "the connection is closed";
}

TEST_F(PostgresPollerTest, ANewInstanceIsAskedAtOnce) {
  poller_ = std::make_unique<PostgresPoller>(PostgresPollerOptions{.interval_ms = 3'600'000},
                                             clock_, base::Logger::Silent());
  poller_->Start();
  poller_->SetInstances({{"orders", "one", "a", primary_->dsn()}});
  EXPECT_TRUE(Eventually([&] { return poller_->asked_all() && poller_->Facts().at(0).up; }));
  poller_->SetInstances(
      {{"orders", "one", "a", primary_->dsn()}, {"orders", "two", "b", standby_->dsn()}});
  EXPECT_TRUE(Eventually([&] { return poller_->asked_all() && poller_->Facts().at(1).up; }));
  poller_->Stop();
}

TEST_F(PostgresPollerTest, UserAndPasswordFromFilesWinOverTheConnectionString) {
  const test::TempFolder folder;
  ASSERT_TRUE(primary_->Run("CREATE ROLE watcher LOGIN PASSWORD 'hunter2' IN ROLE pg_monitor"));
  PostgresInstance one = {"orders", "one", "a", primary_->dsn()};
  one.user = "nobody";
  one.user_file = folder.Write("username", "watcher\n");
  one.password_file = folder.Write("password", "hunter2\n");
  Ask({one});
  EXPECT_TRUE(Look(0).up) << Look(0).error;
  EXPECT_EQ(primary_->Run("SELECT usename FROM pg_stat_activity"
                          " WHERE application_name = 'azexporter'"),
            "watcher");
  one.password_file = folder / "none";
  Ask({one});
  EXPECT_EQ(Look(0).error, (folder / "none").string() + ": No such file or directory");
}

TEST(PostgresErrorTest, NamesTheCauseButNoPassword) {
  const base::SystemClock clock;
  const test::TempFolder folder;
  const std::string dsn = folder.Write("dsn", "host=127.0.0.1 port=1 password=hunter2\n");
  const servers::Listener silent = servers::ListenOnLoopback();
  PostgresPoller poller(
      {.instances = {{"d", "i", "a", "host=127.0.0.1 port=1 password=hunter2", ""},
                     {"d", "j", "a", "", "/nowhere/dsn"},
                     {"d", "k", "a", "host=127.0.0.1 nonsense=1", ""},
                     {"d", "l", "a", "", dsn},
                     {"d", "m", "a", PostgresServer::DsnOf(silent.port), ""}},
       .timeout_ms = 300},
      clock, base::Logger::Silent());
  EXPECT_FALSE(poller.asked_all());
  poller.PollNow();
  EXPECT_TRUE(poller.asked_all());
  const auto facts = poller.Facts();
  EXPECT_NE(facts[0].error.find("Connection refused"), std::string::npos) << facts[0].error;
  EXPECT_EQ(facts[1].error, "/nowhere/dsn: No such file or directory");
  EXPECT_NE(facts[2].error.find("nonsense"), std::string::npos) << facts[2].error;
  EXPECT_NE(facts[3].error.find("Connection refused"), std::string::npos) << facts[3].error;
  EXPECT_EQ(facts[4].error, "connect timed out");
  for (const PostgresFacts& one : facts) {
    EXPECT_EQ(one.error.find("hunter2"), std::string::npos) << one.error;
  }
}

}  // namespace
}  // namespace azexporter::db
