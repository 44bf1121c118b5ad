// The Redis clusters of OpsTree's RedisClusters, from what a cluster holds at one time after
// another.

#include "opstree_clusters.h"

#include <gtest/gtest.h>

#include "app/operator_snapshot.h"
#include "azexporter/base/file.h"
#include "support/paths.h"

namespace azexporter::app {
namespace {

using test::ClusterOf;
using test::PodLine;

std::string RedisCluster(const std::string& name, const std::string& ns = "shop",
                         const std::string& spec = "clusterSize: 3") {
  return "- {apiVersion: redis.redis.opstreelabs.in/v1beta2, kind: RedisCluster, metadata: "
         "{name: " +
         name + ", namespace: " + ns + "}, spec: {" + spec + "}}\n";
}

class OpstreeClustersTest : public ::testing::Test {
 protected:
  OpstreeClustersTest() { opstree_.SetConfig(config::OpstreeConfig{}, {}); }

  // "sessions: 10.0.0.1:6379; places 10.0.0.1:6379=sessions-leader-0@a; ".
  std::string See(const std::string& objects) {
    opstree_.Update(*ClusterOf(objects));
    std::string text;
    for (const db::RedisCluster& one : opstree_.clusters()) {
      text += one.name + ":";
      for (const std::string& address : one.addresses) text += " " + address;
      text += "; places";
      for (const auto& [address, place] : one.places) {
        text += " " + address + "=" + place.instance + "@" + place.zone;
      }
      text += "; ";
    }
    return text;
  }

  base::FakeClock clock_;
  SecretLogins secrets_{clock_};
  OpstreeClusters opstree_{secrets_, base::Logger::Silent()};
};

TEST_F(OpstreeClustersTest, HaveThePodsOfTheOperator) {
  const std::string leader = "app: s-leader, redis_setup_type: cluster, role: leader";
  EXPECT_EQ(
      See(RedisCluster("s") + PodLine("shop", "s-leader-0", {"10.0.0.1", "n1", leader}) +
          PodLine("shop", "s-follower-0", {"10.0.0.2", "n2", "app: s-follower"}) +
          PodLine("shop", "s-leader-1", {"", "", leader, "Pending"}) +
          PodLine("shop", "s-leader-2", {"10.0.0.3", "n1", leader, "Failed"}) +
          PodLine("shop", "s-0", {"10.0.0.4", "n1", "app: s"}) +
          PodLine("shop", "t-0", {"10.0.0.5", "n1", "app: s-leader, redis_setup_type: sentinel"}) +
          PodLine("test", "s-leader-0", {"10.0.0.6", "n1", leader})),
      "s: 10.0.0.2:6379 10.0.0.1:6379; places 10.0.0.1:6379=s-leader-0@a "
      "10.0.0.2:6379=s-follower-0@b; ");
}

TEST_F(OpstreeClustersTest, AnAddressKeepsItsPlaceWhenItsPodIsGone) {
  const std::string one = PodLine("shop", "s-leader-0", {"10.0.0.1", "n1", "app: s-leader"});
  const std::string two = PodLine("shop", "s-leader-1", {"10.0.0.2", "n2", "app: s-leader"});
  See(RedisCluster("s") + one + two);
  EXPECT_EQ(See(RedisCluster("s") + one),
            "s: 10.0.0.1:6379; places 10.0.0.1:6379=s-leader-0@a 10.0.0.2:6379=s-leader-1@b; ");
  // Another pod has got the address of the one that is gone.
  EXPECT_EQ(
      See(RedisCluster("s") + PodLine("shop", "s-leader-0", {"10.0.0.2", "n1", "app: s-leader"})),
      "s: 10.0.0.2:6379; places 10.0.0.2:6379=s-leader-0@a; ");
}

TEST_F(OpstreeClustersTest, ThePortIsTheObjectsUnlessConfigured) {
  const std::string pod = PodLine("shop", "s-leader-0", {"fd00::1", "n1", "app: s-leader"});
  const std::string object = RedisCluster("s", "shop", "port: 7000");
  EXPECT_EQ(See(object + pod), "s: [fd00::1]:7000; places [fd00::1]:7000=s-leader-0@a; ");
  EXPECT_EQ(See(RedisCluster("s", "shop", "port: 0") + pod).substr(0, 17), "s: [fd00::1]:7000")
      << "what is not understood changes nothing";
  opstree_.SetConfig(config::OpstreeConfig{.access = {.port = 8000}}, {});
  EXPECT_EQ(See(object + pod), "s: [fd00::1]:8000; places [fd00::1]:8000=s-leader-0@a; ");
}

TEST_F(OpstreeClustersTest, NamesSelectionAndConfiguration) {
  const std::string objects = RedisCluster("s", "shop") + RedisCluster("s", "test") +
                              RedisCluster("t", "test") +
                              PodLine("shop", "x", {"10.0.0.1", "n1", "a: b"});
  EXPECT_EQ(See(objects), "shop/s:; places; test/s:; places; t:; places; ");
  config::OpstreeConfig config;
  config.access = {.username = "azx", .credentials_folder = "/run"};
  config.selection.namespaces = {"test"};
  config.access.tls = db::RedisTls{.ca_file = "/ca"};
  opstree_.SetConfig(config, {{.name = "t"}});
  EXPECT_EQ(See(objects), "s:; places; ");
  const db::RedisCluster& one = opstree_.clusters().at(0);
  EXPECT_EQ(one.username, "azx");
  EXPECT_EQ(one.password_file, "/run/s/password");
  EXPECT_EQ(one.tls, config.access.tls);
}

TEST_F(OpstreeClustersTest, LogInByTheSecretThatTheObjectNames) {
  const std::string named = "kubernetesConfig: {redisSecret: {name: redis, key: pass}}";
  const std::string objects = RedisCluster("s", "shop", named) + RedisCluster("t", "shop");
  See(objects);
  EXPECT_EQ(opstree_.clusters().at(0).login, nullptr) << "unless it is asked for";
  opstree_.SetConfig(config::OpstreeConfig{.secret = true}, {});
  See(objects);
  EXPECT_EQ(opstree_.clusters().at(0).login, secrets_.Of({"shop", "redis", "", "pass"}));
  EXPECT_EQ(opstree_.clusters().at(1).login, nullptr) << "it names none";
  See(RedisCluster("s", "shop", "kubernetesConfig: {redisSecret: {name: [1]}}"));
  EXPECT_EQ(opstree_.clusters().at(0).login, secrets_.Of({"shop", "redis", "", "pass"}))
      << "what is not understood changes nothing";
}

TEST_F(OpstreeClustersTest, WhatIsNotKnownIsNotGone) {
  EXPECT_FALSE(opstree_.complete());
  const std::string pod = PodLine("shop", "s-leader-0", {"10.0.0.1", "n1", "app: s-leader"});
  const std::string seen = See(RedisCluster("s") + pod);
  EXPECT_TRUE(opstree_.complete());
  opstree_.Update(kube::ClusterState());
  EXPECT_EQ(opstree_.clusters().size(), 1U);
}

TEST_F(OpstreeClustersTest, ReadsWhatARealServerHolds) {
  const std::string folder = test::RecordingsFolder();
  AZX_SKIP_WITHOUT(folder);
  std::vector<std::string> skipped;
  std::string text;
  for (const char* file : {"redisclusters.list.json", "nodes.list.json", "pods.list.json"}) {
    const auto list = base::ReadFile(folder + "/" + file);
    ASSERT_TRUE(list);
    text += *list + "\n";
  }
  const auto state = kube::ReadSnapshot(text, "recorded", 1, skipped);
  ASSERT_TRUE(state) << state.error().message();
  opstree_.Update(**state);
  ASSERT_EQ(opstree_.clusters().size(), 1U);
  EXPECT_EQ(opstree_.clusters()[0].name, "session-redis");
}

}  // namespace
}  // namespace azexporter::app
