// The poller on real servers: a Redis Cluster of six nodes in three zones on loopback, and single
// ones. What the facts come to for the zones is looked at here, too, since that is what they are
// for.

#include "azexporter/db/redis.h"

#include <gtest/gtest.h>

#include "azexporter/zones/redis.h"
#include "db/fake_login.h"
#include "servers/loopback.h"
#include "servers/redis_nodes.h"
#include "servers/redis_server.h"
#include "simulator/certificate.h"
#include "support/eventually.h"
#include "support/temp_folder.h"

namespace azexporter::db {
namespace {

using servers::RedisNodes;
using servers::RedisServer;
using test::Eventually;
using zones::RedisNodeStatus;
using zones::RedisStatus;

constexpr int kFailoverMs = 30'000;

std::vector<RedisFacts> AskedOnce(const RedisCluster& cluster) {
  static const base::SystemClock kClock;
  RedisPoller poller({.clusters = {cluster}, .timeout_ms = 1'000}, kClock, base::Logger::Silent());
  poller.PollNow();
  return poller.Facts();
}

class RedisClusterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!RedisServer::Installed()) GTEST_SKIP() << "skipped: no Redis";
    auto started = RedisNodes::Start("r", {"a", "b", "c"});
    ASSERT_TRUE(started) << started.error().message();
    servers_ = std::move(*started);
    // One address alone: the others are found by it.
    config_ = {.name = "sessions", .addresses = {servers_->nodes()[0].address()}};
    for (const RedisNodes::Node& node : servers_->nodes()) {
      config_.places[node.address()] = {node.name, node.zone};
    }
    poller_ =
        std::make_unique<RedisPoller>(RedisPollerOptions{.clusters = {config_}, .timeout_ms = 500},
                                      clock_, base::Logger::Silent());
  }

  RedisStatus Look() {
    poller_->PollNow();
    const auto facts = poller_->Facts();
    return zones::JudgeRedis({&config_, 1}, facts, no_pods_).at(0);
  }
  // What a test waited for in vain.
  static std::string Shown(const RedisStatus& status) {
    std::string text = std::to_string(status.views) + " views;";
    for (const RedisNodeStatus& node : status.nodes) {
      text += " " + node.instance + (node.up ? " up" : " down (" + node.error + ")") +
              (node.failed ? " failed" : "") + " at " + std::to_string(node.facts.offset) +
              " lag " + (node.lag_bytes ? std::to_string(*node.lag_bytes) : std::string("-")) + ";";
    }
    return text;
  }
  static const RedisNodeStatus& Of(const RedisStatus& status, const std::string& instance) {
    for (const RedisNodeStatus& node : status.nodes) {
      if (node.instance == instance) return node;
    }
    static const RedisNodeStatus kNone;
    ADD_FAILURE() << "no node " << instance;
    return kNone;
  }
  // Looks until it is so; what was seen last.
  template <class Condition>
  RedisStatus LookUntil(Condition condition) {
    RedisStatus status;
    EXPECT_TRUE(Eventually([&] { return condition(status = Look()); }, kFailoverMs))
        << Shown(status);
    return status;
  }
  RedisServer& Server(const std::string& name) { return *servers_->Find(name)->server; }

  base::SystemClock clock_;
  kube::ClusterState no_pods_{kube::ClusterState::Parts{}};
  std::unique_ptr<RedisNodes> servers_;
  RedisCluster config_;
  std::unique_ptr<RedisPoller> poller_;
};

TEST_F(RedisClusterTest, IsFoundWholeFromOneAddress) {
  const RedisStatus status =
      LookUntil([](const RedisStatus& s) { return s.views == 1 && s.nodes.size() == 6; });
  EXPECT_TRUE(status.clustered && status.known && status.ok);
  EXPECT_EQ(status.masters, 3);
  EXPECT_EQ(status.shards, 3);
  EXPECT_EQ(status.slots_uncovered, 0);
  EXPECT_EQ(status.without_zone, 0);
  EXPECT_TRUE(status.shards_in_one_zone.empty());
  using Zones = std::map<std::string, int>;
  EXPECT_EQ(status.masters_by_zone, (Zones{{"a", 1}, {"b", 1}, {"c", 1}}));
  EXPECT_EQ(status.slots_lost_with, (Zones{{"a", 0}, {"b", 0}, {"c", 0}}));
  EXPECT_EQ(status.majority_in, (std::map<std::string, bool>{{"a", 0}, {"b", 0}, {"c", 0}}));
  EXPECT_EQ(status.zone_ok, (std::map<std::string, bool>{{"a", 1}, {"b", 1}, {"c", 1}}));
  for (const RedisNodeStatus& node : status.nodes) {
    EXPECT_TRUE(node.up) << node.instance << ": " << node.error;
    EXPECT_FALSE(node.failed) << node.instance;
    EXPECT_EQ(node.unreached, 0) << node.instance;
  }
  const RedisNodeStatus& replica = Of(status, "r-follower-0");
  ASSERT_NE(status.MasterOf(replica), nullptr);
  EXPECT_EQ(status.MasterOf(replica)->instance, "r-leader-0");
  EXPECT_TRUE(replica.link_up);
  EXPECT_LT(replica.lag_bytes.value_or(1'000), 1'000);
  EXPECT_EQ(
      LookUntil([](const RedisStatus& s) { return Of(s, "r-follower-0").lag_bytes == 0; }).views,
      1);
  EXPECT_EQ(replica.facts.version.substr(0, 1), "7");

  const auto loss = zones::RedisFindings({&status, 1}, "a");
  ASSERT_EQ(loss.size(), 1U);
  EXPECT_FALSE(loss[0].blocker);
  EXPECT_EQ(loss[0].text, "1 of 3 masters are there; replicas elsewhere take over");
}

TEST_F(RedisClusterTest, AReplicaThatStops) {
  LookUntil([](const RedisStatus& s) { return s.views == 1 && s.nodes.size() == 6; });
  Server("r-follower-0").Kill();
  // Its peers need their time to agree on it; it is down at once.
  EXPECT_FALSE(Of(Look(), "r-follower-0").up);
  const RedisStatus status =
      LookUntil([](const RedisStatus& s) { return Of(s, "r-follower-0").failed && s.views == 1; });
  EXPECT_TRUE(status.ok);
  // As the kernel tells it: closed, or reset.
  const std::string& error = Of(status, "r-follower-0").error;
  EXPECT_TRUE(error.find("closed") != std::string::npos ||
              error.find("reset") != std::string::npos ||
              error.find("refused") != std::string::npos)
      << error;
  EXPECT_EQ(status.slots_uncovered, 0);
  // Its master stands alone now, in zone a.
  EXPECT_EQ(status.shards_in_one_zone, (std::map<std::string, int>{{"a", 1}}));
  EXPECT_EQ(status.slots_lost_with.at("a"), Of(status, "r-leader-0").slots);
  const auto loss = zones::RedisFindings({&status, 1}, "a");
  ASSERT_EQ(loss.size(), 1U);
  EXPECT_TRUE(loss[0].blocker);
  EXPECT_EQ(loss[0].text, "5461 slots have no other replica elsewhere");

  ASSERT_TRUE(Server("r-follower-0").Start());
  LookUntil([](const RedisStatus& s) {
    return Of(s, "r-follower-0").link_up && !Of(s, "r-follower-0").failed && s.views == 1;
  });
}

TEST_F(RedisClusterTest, AMasterThatStopsIsFollowedByItsReplica) {
  LookUntil([](const RedisStatus& s) { return s.views == 1 && s.nodes.size() == 6; });
  Server("r-leader-0").Kill();
  const RedisStatus status = LookUntil([](const RedisStatus& s) {
    return Of(s, "r-follower-0").master && Of(s, "r-follower-0").slots > 0 && s.ok && s.views == 1;
  });
  EXPECT_FALSE(Of(status, "r-leader-0").up);
  EXPECT_TRUE(Of(status, "r-leader-0").failed);
  EXPECT_EQ(Of(status, "r-leader-0").slots, 0);
  EXPECT_EQ(status.masters, 3);
  // b has its own master and the promoted one: without it the third has no majority.
  EXPECT_EQ(status.masters_by_zone, (std::map<std::string, int>{{"b", 2}, {"c", 1}}));
  EXPECT_TRUE(status.majority_in.at("b"));
  EXPECT_EQ(status.slots_lost_with.at("b"), kRedisSlots);
  const auto loss = zones::RedisFindings({&status, 1}, "b");
  ASSERT_EQ(loss.size(), 1U);
  EXPECT_EQ(loss[0].text,
            "2 of 3 masters are there, without them no other can take over: 16384 slots lost");
}

TEST_F(RedisClusterTest, AMinorityThatIsCutOffSeesAnotherCluster) {
  LookUntil([](const RedisStatus& s) { return s.views == 1 && s.nodes.size() == 6; });
  servers_->CutZone("a");
  // The zone can still be asked, and would look well to whoever asks whether it answers.
  const RedisStatus status = LookUntil([](const RedisStatus& s) {
    return s.views > 1 && s.ok && !s.zone_ok.at("a") && s.zone_ok.at("b") && s.zone_ok.at("c") &&
           Of(s, "r-follower-0").master;
  });
  EXPECT_TRUE(Of(status, "r-leader-0").up);
  EXPECT_TRUE(Of(status, "r-leader-0").failed);
  EXPECT_EQ(Of(status, "r-leader-0").unreached, 4);

  servers_->RestoreZone("a");
  LookUntil([](const RedisStatus& s) {
    return s.views == 1 && s.ok && !Of(s, "r-leader-0").failed && s.zone_ok.at("a");
  });
}

TEST_F(RedisClusterTest, SlotsWithoutAnyMember) {
  LookUntil([](const RedisStatus& s) { return s.views == 1 && s.nodes.size() == 6; });
  Server("r-follower-0").Kill();
  Server("r-leader-0").Kill();
  const RedisStatus status = LookUntil(
      [](const RedisStatus& s) { return !s.ok && s.slots_uncovered > 0 && s.views == 1; });
  EXPECT_EQ(status.slots_uncovered, 5461);
  EXPECT_EQ(Of(status, "r-leader-0").slots, 5461);
  EXPECT_TRUE(Of(status, "r-leader-0").failed);
  // What is lost already is not the zone's doing.
  EXPECT_EQ(status.slots_lost_with.at("a"), 0);
}

TEST_F(RedisClusterTest, AHangingNodeCostsItselfAlone) {
  LookUntil([](const RedisStatus& s) { return s.views == 1 && s.nodes.size() == 6; });
  servers_->Find("r-leader-1")->front->Stall();
  RedisPoller poller({.clusters = {config_}, .interval_ms = 20, .timeout_ms = 60'000}, clock_,
                     base::Logger::Silent());
  poller.Start();
  EXPECT_TRUE(Eventually([&] {
    const auto facts = poller.Facts();
    return std::count_if(facts.begin(), facts.end(), [](const auto& f) { return f.up; }) == 5;
  }));
  poller.Stop();
  // And it is told of as what it is.
  const RedisStatus status = Look();
  EXPECT_FALSE(Of(status, "r-leader-1").up);
  EXPECT_EQ(Of(status, "r-leader-1").error, "no answer in time");
}

TEST(RedisServersTest, AMasterAndAReplicaWithoutACluster) {
  if (!RedisServer::Installed()) GTEST_SKIP() << "skipped: no Redis";
  const auto master = RedisServer::StartNew();
  const auto replica =
      RedisServer::StartNew({"--replicaof", "127.0.0.1", std::to_string(master->port())});
  ASSERT_TRUE(master && replica);
  const RedisCluster config{
      .name = "cache",
      .addresses = {master->address(), replica->address()},
      .places = {{master->address(), {"one", "a"}}, {replica->address(), {"two", "b"}}}};
  const kube::ClusterState no_pods{kube::ClusterState::Parts{}};
  RedisStatus status;
  ASSERT_TRUE(Eventually([&] {
    const auto facts = AskedOnce(config);
    status = zones::JudgeRedis({&config, 1}, facts, no_pods).at(0);
    return status.nodes.size() == 2 && (status.nodes[0].link_up || status.nodes[1].link_up);
  }));
  EXPECT_FALSE(status.clustered);
  EXPECT_EQ(status.views, 0);
  EXPECT_EQ(status.masters, 1);
  const bool swapped = status.nodes[0].instance == "two";
  const RedisNodeStatus& two = status.nodes[swapped ? 0 : 1];
  ASSERT_NE(status.MasterOf(two), nullptr);
  EXPECT_EQ(status.MasterOf(two)->instance, "one");
  EXPECT_TRUE(two.lag_bytes);
  const auto loss = zones::RedisFindings({&status, 1}, "a");
  ASSERT_EQ(loss.size(), 1U);
  EXPECT_FALSE(loss[0].blocker);
  EXPECT_EQ(loss[0].text, "its master is there; two in b could take over, not by itself");
}

TEST(RedisServersTest, ClustersComeChangeAndGo) {
  if (!RedisServer::Installed()) GTEST_SKIP() << "skipped: no Redis";
  const test::TempFolder folder;
  const base::SystemClock clock;
  const auto one = RedisServer::StartNew();
  const auto two = RedisServer::StartNew();
  ASSERT_TRUE(one && two);
  const auto connections = [&one] {
    const std::string info = one->Run({"INFO", "stats"}).value_or("");
    const std::string key = "total_connections_received:";
    return info.substr(info.find(key), 40);
  };
  const auto ups = [](const RedisPoller& poller) {
    std::string text;
    for (const RedisFacts& facts : poller.Facts()) text += facts.cluster + (facts.up ? "+" : "-");
    return text;
  };
  RedisPoller poller({.interval_ms = 3'600'000}, clock, base::Logger::Silent());
  poller.Start();
  RedisCluster cache = {.name = "cache", .addresses = {one->address()}};
  poller.SetClusters({cache});
  EXPECT_TRUE(Eventually([&] { return ups(poller) == "cache+"; })) << "it is asked at once";
  cache.addresses.push_back(two->address());
  poller.SetClusters({{.name = "other", .addresses = {two->address()}}, cache});
  EXPECT_TRUE(Eventually([&] { return ups(poller) == "other+cache+cache+"; }));
  poller.Stop();
  // `connections` itself makes one each time.
  const std::string before = connections();
  poller.PollNow();
  const std::string after = connections();
  const auto number = [](const std::string& text) {
    return std::atoi(text.c_str() + text.find(':') + 1);
  };
  EXPECT_EQ(number(after), number(before) + 1) << "the poller keeps its own";
  cache.password_file = folder / "none";
  poller.SetClusters({cache});
  EXPECT_EQ(ups(poller), "cache+cache+") << "until it is asked with the new way to log in";
  poller.PollNow();
  EXPECT_EQ(ups(poller), "cache-cache-");
  poller.SetClusters({});
  EXPECT_EQ(ups(poller), "");
  EXPECT_TRUE(poller.asked_all());
}

TEST(RedisServersTest, UsersWithFewRightsAndTls) {
  if (!RedisServer::Installed()) GTEST_SKIP() << "skipped: no Redis";
  const test::TempFolder folder;
  const auto certificate = simulator::MakeLoopbackCertificate();
  ASSERT_TRUE(certificate);
  const std::string cert = folder.Write("cert.pem", certificate->certificate_pem);
  const std::string key = folder.Write("key.pem", certificate->private_key_pem);
  const std::string good = folder.Write("good", "hunter2\n");
  const std::string bad = folder.Write("bad", "hunter3");
  const int tls_port = servers::FreePort();
  const auto server = RedisServer::StartNew({"--tls-port",
                                             std::to_string(tls_port),
                                             "--tls-cert-file",
                                             cert,
                                             "--tls-key-file",
                                             key,
                                             "--tls-ca-cert-file",
                                             cert,
                                             "--tls-auth-clients",
                                             "no",
                                             "--cluster-enabled",
                                             "yes",
                                             "--user",
                                             "azx",
                                             "on",
                                             ">hunter2",
                                             "+info",
                                             "+cluster|info",
                                             "+cluster|nodes",
                                             "--user",
                                             "blind",
                                             "on",
                                             ">hunter2",
                                             "+info"});
  ASSERT_NE(server, nullptr);
  const std::string tls_address = "127.0.0.1:" + std::to_string(tls_port);
  const std::string closed = "127.0.0.1:" + std::to_string(servers::FreePort());
  const RedisTls tls{.ca_file = cert};
  const RedisTls other_name{.ca_file = cert, .server_name = "redis.example.org"};
  const struct {
    const char* name;
    RedisCluster cluster;
    std::string want_error;  // "" where it answers
  } cases[] = {
      {"user", {.addresses = {server->address()}, .username = "azx", .password_file = good}, ""},
      {"TLS",
       {.addresses = {tls_address}, .username = "azx", .password_file = good, .tls = tls},
       ""},
      {"another's certificate",
       {.addresses = {tls_address}, .tls = other_name},
       "TLS handshake: hostname mismatch"},
      {"authority not known",
       {.addresses = {tls_address}, .tls = RedisTls{}},
       "TLS handshake: self-signed certificate"},
      {"TLS where there is none",
       {.addresses = {server->address()}, .tls = tls},
       "no answer in time"},
      {"wrong password",
       {.addresses = {server->address()}, .username = "azx", .password_file = bad},
       "WRONGPASS invalid username-password pair or user is disabled."},
      {"rights missing",
       {.addresses = {server->address()}, .username = "blind", .password_file = good},
       "CLUSTER INFO: NOPERM this user has no permissions to run the 'cluster|info' command"},
      {"password file missing",
       {.addresses = {server->address()}, .password_file = "/nowhere/password"},
       "/nowhere/password: No such file or directory"},
      {"closed", {.addresses = {closed}}, "Connection refused"},
      {"no port", {.addresses = {"localhost"}}, "not HOST:PORT: \"localhost\""},
  };
  for (const auto& one : cases) {
    const auto facts = AskedOnce(one.cluster);
    ASSERT_EQ(facts.size(), 1U) << one.name;
    EXPECT_EQ(facts[0].up, one.want_error.empty()) << one.name << ": " << facts[0].error;
    EXPECT_TRUE(facts[0].error.starts_with(one.want_error)) << one.name << ": " << facts[0].error;
    EXPECT_EQ(facts[0].error.find("hunter"), std::string::npos) << one.name;
  }
}

TEST(RedisServersTest, ALoginIsAskedForBeforeEachConnectionAndWhereItIsRefused) {
  if (!RedisServer::Installed()) GTEST_SKIP() << "skipped: no Redis";
  const auto server = RedisServer::StartNew({"--user", "azx", "on", ">two", "+info"});
  ASSERT_NE(server, nullptr);
  const auto login = std::make_shared<test::FakeLogin>(Login{"", "one"}, Login{"", "two"});
  const RedisCluster cluster = {
      .name = "c", .addresses = {server->address()}, .username = "azx", .login = login};
  const base::SystemClock clock;
  RedisPoller poller({.clusters = {cluster}, .timeout_ms = 1'000}, clock, base::Logger::Silent());
  const auto look = [&poller] {
    poller.PollNow();
    return poller.Facts().at(0);
  };
  EXPECT_TRUE(look().up) << look().error;
  EXPECT_TRUE(look().up);
  EXPECT_EQ(login->asked, 1) << "the connection holds";
  EXPECT_EQ(login->refused, 1);
  login->renewed = login->first;
  EXPECT_NE(AskedOnce(cluster).at(0).error.find("WRONGPASS"), std::string::npos);
  EXPECT_EQ(login->refused, 2);
  login->error = "Secret shop/redis: 403 Forbidden";
  EXPECT_EQ(AskedOnce(cluster).at(0).error, login->error);
}

TEST(RedisServersTest, OneThatCannotBeAskedIsDownAndOneThatIsNoLongerThereIsForgotten) {
  if (!RedisServer::Installed()) GTEST_SKIP() << "skipped: no Redis";
  const auto server = RedisServer::StartNew();
  ASSERT_NE(server, nullptr);
  const RedisCluster there = {.name = "c", .addresses = {server->address()}};
  RedisCluster gone = {.name = "c"};
  gone.unreachable = {{server->address(), "its pod is gone"}, {"missing-1", "2 are expected"}};
  const base::SystemClock clock;
  RedisPoller poller({.clusters = {gone}, .timeout_ms = 1'000}, clock, base::Logger::Silent());
  const auto seen = [&poller] {
    std::string text;
    for (const RedisFacts& facts : poller.Facts()) {
      text += facts.address + " " + (facts.up ? "up" : facts.error) + "; ";
    }
    return text;
  };
  const std::string address = server->address();
  EXPECT_EQ(seen(), address + " its pod is gone; missing-1 2 are expected; ");
  EXPECT_TRUE(poller.asked_all()) << "nobody has to be asked for that";
  poller.PollNow();
  EXPECT_EQ(seen(), address + " its pod is gone; missing-1 2 are expected; ") << "nor is it";
  poller.SetClusters({there});
  poller.PollNow();
  EXPECT_EQ(seen(), address + " up; ");
  poller.SetClusters({gone});
  EXPECT_EQ(seen(), address + " its pod is gone; missing-1 2 are expected; ");
  poller.SetClusters({{.name = "c"}});
  poller.PollNow();
  EXPECT_EQ(seen(), "");
}

}  // namespace
}  // namespace azexporter::db
