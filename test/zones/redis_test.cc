// Shapes of clusters that real servers do not take on in a test: test/db/redis_test.cc has those.

#include "azexporter/zones/redis.h"

#include <gtest/gtest.h>

#include "support/cluster_builder.h"

namespace azexporter::zones {
namespace {

// A member as all see it: "NUMBER:ZONE:ROLE", where ROLE is "m" for a master with a share of the
// slots, or the number of a replica's master; "!" at the end: failed, and does not answer.
std::vector<db::RedisFacts> Cluster(const std::vector<std::string>& members,
                                    db::RedisCluster& config) {
  std::vector<db::RedisPeer> peers;
  int first = 0;
  for (const std::string& member : members) {
    db::RedisPeer peer;
    peer.id = member.substr(0, 1);
    peer.address = peer.id + ":6379";
    peer.connected = true;
    peer.failed = member.back() == '!';
    peer.master = member[4] == 'm';
    if (peer.master) {
      peer.slots = {{first, first + 999}};
      first += 1000;
    } else {
      peer.master_id = member.substr(4, 1);
    }
    const std::string zone = member.substr(2, 1);
    config.places[peer.address] = {peer.id, zone == "-" ? "" : zone};
    peers.push_back(peer);
  }
  std::vector<db::RedisFacts> all;
  for (const db::RedisPeer& peer : peers) {
    db::RedisFacts facts;
    facts.cluster = config.name;
    facts.address = peer.address;
    facts.id = peer.id;
    facts.up = !peer.failed;
    if (facts.up) {
      facts.master = peer.master;
      facts.link_up = !peer.master;
      facts.cluster_enabled = true;
      facts.view = db::RedisView{.ok = true, .peers = peers};
    }
    all.push_back(std::move(facts));
  }
  return all;
}

RedisStatus Judged(const std::vector<std::string>& members) {
  db::RedisCluster config{.name = "c"};
  const auto facts = Cluster(members, config);
  const auto nothing = test::ClusterBuilder().Build(0);
  return JudgeRedis({&config, 1}, facts, nothing).at(0);
}

std::string Told(const std::vector<std::string>& members, std::string_view zone) {
  const RedisStatus status = Judged(members);
  std::string text;
  for (const LossFinding& finding : RedisFindings({&status, 1}, zone)) {
    text += (finding.blocker ? "blocker " : "note ") + finding.text;
  }
  return text;
}

TEST(RedisFindingsTest, TellsWhatAZoneWouldTakeWithIt) {
  const std::vector<std::string> spread = {"1:a:m", "2:b:m", "3:c:m", "4:b:1", "5:c:2", "6:a:3"};
  EXPECT_EQ(Told(spread, "a"), "note 1 of 3 masters are there; replicas elsewhere take over");
  // 2 of 4 masters are no majority.
  EXPECT_EQ(
      Told({"1:a:m", "2:a:m", "3:b:m", "4:c:m", "5:b:1", "6:c:2"}, "a"),
      "blocker 2 of 4 masters are there, without them no other can take over: 4000 slots lost");
  EXPECT_EQ(Told({"1:a:m", "2:b:m", "3:c:m", "4:a:1"}, "a"),
            "blocker 1000 slots have no other replica elsewhere");
  // Of replicas alone nothing is said.
  EXPECT_EQ(Told({"1:a:m", "2:a:m", "3:b:m", "4:c:1"}, "c"), "");
  EXPECT_EQ(Told(spread, "elsewhere"), "");
}

TEST(JudgeRedisTest, AMajorityThatIsLostAlreadyIsNotTheZonesDoing) {
  const RedisStatus status = Judged({"1:a:m!", "2:a:m!", "3:b:m", "4:b:3"});
  EXPECT_FALSE(status.majority_in.at("b"));
  EXPECT_EQ(status.slots_lost_with.at("b"), 1000);
  EXPECT_FALSE(status.slots_lost_with.contains("a"));
  EXPECT_EQ(status.shards_in_one_zone, (std::map<std::string, int>{{"b", 1}}));
}

TEST(JudgeRedisTest, MembersInNoKnownZoneAreCountedApart) {
  const RedisStatus status = Judged({"1:a:m", "2:-:1"});
  EXPECT_EQ(status.without_zone, 1);
  EXPECT_TRUE(status.shards_in_one_zone.empty());
}

TEST(JudgeRedisTest, PodsTellNamesAndZones) {
  const auto built = test::ClusterBuilder()
                         .Node("n1", {.zone = "a"})
                         .Pod("redis-0", {.node = "n1", .ip = "10.0.0.1"})
                         .Build(0);
  const db::RedisCluster config{.name = "c"};
  db::RedisFacts facts{.cluster = "c", .address = "10.0.0.1:6379", .up = true, .master = true};
  const RedisStatus status = JudgeRedis({&config, 1}, {&facts, 1}, built).at(0);
  EXPECT_EQ(status.nodes[0].instance, "redis-0");
  EXPECT_EQ(status.nodes[0].zone, "a");
}

TEST(JudgeRedisTest, OfSeveralPodsOfOneAddressThePortTells) {
  const auto built =
      test::ClusterBuilder()
          .Node("n", {.zone = "a"})
          .Node("m", {.zone = "b"})
          .Pod("redis-0", {.node = "n", .ip = "10.0.0.1", .host_ports = {{6379, "TCP", ""}}})
          .Pod("redis-1", {.node = "n", .ip = "10.0.0.1", .host_ports = {{6380, "TCP", ""}}})
          .Pod("dns", {.node = "n", .ip = "10.0.0.1", .host_ports = {{6381, "UDP", ""}}})
          .Pod("proxy", {.node = "n", .ip = "10.0.0.1"})
          .Pod("twin-0", {.node = "n", .ip = "10.0.0.2", .host_ports = {{6379, "TCP", ""}}})
          .Pod("twin-1", {.node = "m", .ip = "10.0.0.2", .host_ports = {{6379, "TCP", ""}}})
          .Pod("alone", {.node = "m", .ip = "10.0.0.3"})
          .Build(0);
  const struct {
    const char* address;
    const char* instance;
    const char* zone;
  } cases[] = {{"10.0.0.1:6379", "redis-0", "a"},       {"10.0.0.1:6380", "redis-1", "a"},
               {"10.0.0.1:6381", "10.0.0.1:6381", "a"}, {"10.0.0.2:6379", "10.0.0.2:6379", ""},
               {"10.0.0.3:6379", "alone", "b"},         {"10.0.0.4:6379", "10.0.0.4:6379", ""}};
  for (const auto& c : cases) {
    db::RedisCluster config{.name = "c"};
    const db::RedisFacts facts = {.cluster = "c", .address = c.address};
    const RedisStatus status = JudgeRedis({&config, 1}, {&facts, 1}, built).at(0);
    EXPECT_EQ(status.nodes.at(0).instance, c.instance) << c.address;
    EXPECT_EQ(status.nodes.at(0).zone, c.zone) << c.address;
  }
}

TEST(JudgeRedisTest, WithoutAnAnswerNothingIsKnown) {
  const db::RedisCluster config{.name = "c"};
  const db::RedisFacts down{.cluster = "c", .address = "h:1", .error = "refused"};
  const RedisStatus status =
      JudgeRedis({&config, 1}, {&down, 1}, test::ClusterBuilder().Build(0)).at(0);
  EXPECT_FALSE(status.known);
  EXPECT_EQ(status.nodes.at(0).instance, "h:1");
  EXPECT_TRUE(RedisFindings({&status, 1}, "").empty());
}

}  // namespace
}  // namespace azexporter::zones
