// Database servers that labels of pods tell of, from what a cluster holds at one time after
// another.

#include "selected_pods.h"

#include <gtest/gtest.h>

#include "app/operator_snapshot.h"

namespace azexporter::app {
namespace {

using test::ClusterOf;
using test::PodIs;

std::string Pod(const std::string& name, PodIs is, const std::string& ns = "shop") {
  if (is.labels.empty()) is.labels = "app: pg, db: orders";
  return test::PodLine(ns, name, is);
}

config::PodSelection Selection() {
  config::PodSelection selection;
  selection.objects.selector.match_labels = {{"app", "pg"}};
  selection.name = "orders";
  return selection;
}

class SelectedPodsTest : public ::testing::Test {
 protected:
  SelectedPodsTest() { pods_.SetConfig({Selection()}); }

  // "orders/pg-0@a 10.0.0.1; orders/pg-1@b (its pod has no address yet); ".
  std::string See(const std::string& objects, const std::set<std::string>& taken = {}) {
    pods_.Update(*ClusterOf(objects), taken);
    std::string text;
    for (const PodDatabase& database : pods_.databases()) {
      for (const PodServer& one : database.servers) {
        text += database.cluster.name + "/" + one.name + "@" + one.zone + " " +
                (one.unreachable.empty() ? one.ip : "(" + one.unreachable + ")") + "; ";
      }
    }
    return text;
  }

  base::FakeClock clock_;
  SecretLogins secrets_{clock_};
  SelectedPods pods_{base::Logger::Silent()};
};

TEST_F(SelectedPodsTest, AreServersAsLongAsTheirPodsAreThere) {
  const std::string one = Pod("pg-0", {"10.0.0.1", "n1"});
  const std::string other = Pod("web-0", {"10.0.0.9", "n1", "app: web"});
  EXPECT_EQ(See(one + Pod("pg-1", {"10.0.0.2", "n2"}) + other),
            "orders/pg-0@a 10.0.0.1; orders/pg-1@b 10.0.0.2; ");
  EXPECT_EQ(See(one + Pod("pg-1", {"", "", "", "Pending"})),
            "orders/pg-0@a 10.0.0.1; orders/pg-1@b (its pod has no address yet); ")
      << "and keeps its zone";
  EXPECT_EQ(See(one + Pod("pg-1", {"10.0.0.2", "n2", "", "Failed"})),
            "orders/pg-0@a 10.0.0.1; orders/pg-1@b (its pod has ended); ");
  EXPECT_EQ(See(one + Pod("pg-1", {"10.0.0.2", "lost"})),
            "orders/pg-0@a 10.0.0.1; orders/pg-1@b 10.0.0.2; ")
      << "its node went, and it is still there to be asked";
  EXPECT_EQ(See(one), "orders/pg-0@a 10.0.0.1; ") << "nothing names it any more";
  EXPECT_EQ(See(other), "");
}

TEST_F(SelectedPodsTest, PodsOfJobsAreNone) {
  const std::string job =
      "- {apiVersion: v1, kind: Pod, metadata: {name: backup, namespace: shop, labels: {app: pg}, "
      "ownerReferences: [{apiVersion: batch/v1, kind: Job, name: backup, uid: u, controller: "
      "true}]}, status: {phase: Succeeded}}\n";
  EXPECT_EQ(See(job + Pod("pg-0", {"10.0.0.1", "n1"})), "orders/pg-0@a 10.0.0.1; ");
}

TEST_F(SelectedPodsTest, WhereMoreAreExpectedOneThatIsGoneStays) {
  config::PodSelection selection = Selection();
  selection.expected = 3;
  pods_.SetConfig({selection});
  const std::string one = Pod("pg-0", {"10.0.0.1", "n1"});
  const std::string two = Pod("pg-1", {"10.0.0.2", "n2"});
  EXPECT_EQ(See(one + two),
            "orders/missing-1@ (3 are expected, and there are 2 pods); orders/pg-0@a 10.0.0.1; "
            "orders/pg-1@b 10.0.0.2; ");
  EXPECT_EQ(See(one + two + Pod("pg-2", {"10.0.0.3", "n2"})),
            "orders/pg-0@a 10.0.0.1; orders/pg-1@b 10.0.0.2; orders/pg-2@b 10.0.0.3; ");
  EXPECT_EQ(See(one),
            "orders/pg-0@a 10.0.0.1; orders/pg-1@b (its pod is gone); "
            "orders/pg-2@b (its pod is gone); ");
  EXPECT_EQ(See(Pod("x", {"10.0.0.9", "n1", "app: web"})),
            "orders/pg-0@a (its pod is gone); orders/pg-1@b (its pod is gone); "
            "orders/pg-2@b (its pod is gone); ")
      << "a zone that took all of them is no health";
  const std::string others = Pod("pg-7", {"10.0.0.7", "n1"}) + Pod("pg-8", {"10.0.0.8", "n2"});
  EXPECT_EQ(See(others),
            "orders/pg-0@a (its pod is gone); orders/pg-7@a 10.0.0.7; orders/pg-8@b 10.0.0.8; ");
  EXPECT_EQ(See(others + two + one),
            "orders/pg-0@a 10.0.0.1; orders/pg-1@b 10.0.0.2; orders/pg-7@a 10.0.0.7; "
            "orders/pg-8@b 10.0.0.8; ")
      << "more than expected are no fault";
  EXPECT_EQ(See(others + two),
            "orders/pg-1@b 10.0.0.2; orders/pg-7@a 10.0.0.7; "
            "orders/pg-8@b 10.0.0.8; ")
      << "as many as expected miss none";
}

TEST_F(SelectedPodsTest, WhatIsExpectedByNameIsMissedWithoutAnyPod) {
  config::PodSelection selection = Selection();
  selection.expected = 2;
  pods_.SetConfig({selection});
  EXPECT_EQ(See(Pod("x", {"10.0.0.9", "n1", "app: web"})),
            "orders/missing-1@ (2 are expected, and there are 0 pods); "
            "orders/missing-2@ (2 are expected, and there are 0 pods); ");
  EXPECT_EQ(See(Pod("pg-0", {"10.0.0.1", "n1"})),
            "orders/missing-1@ (2 are expected, and there is 1 pod); orders/pg-0@a 10.0.0.1; ");
}

TEST_F(SelectedPodsTest, ALabelMayNameTheDatabaseCluster) {
  config::PodSelection selection = Selection();
  selection.name.clear();
  selection.cluster_label = "db";
  pods_.SetConfig({selection});
  const std::string orders = Pod("pg-0", {"10.0.0.1", "n1"});
  EXPECT_EQ(See(orders + Pod("pg-1", {"10.0.0.2", "n2", "app: pg, db: stock"}) +
                Pod("pg-2", {"10.0.0.3", "n2", "app: pg"})),
            "orders/pg-0@a 10.0.0.1; stock/pg-1@b 10.0.0.2; ");
  EXPECT_EQ(See(orders + Pod("pg-0", {"10.0.0.2", "n2"}, "test")),
            "shop/orders/pg-0@a 10.0.0.1; test/orders/pg-0@b 10.0.0.2; ")
      << "namesakes of two namespaces";
}

TEST_F(SelectedPodsTest, WhoComesFirstHasThePodAndTheName) {
  config::PodSelection second;
  second.objects.selector.match_labels = {{"db", "orders"}};
  second.name = "rest";
  pods_.SetConfig({Selection(), second});
  const std::string objects =
      Pod("pg-0", {"10.0.0.1", "n1"}) + Pod("pg-1", {"10.0.0.2", "n2", "db: orders"});
  EXPECT_EQ(See(objects), "orders/pg-0@a 10.0.0.1; rest/pg-1@b 10.0.0.2; ");
  EXPECT_EQ(pods_.databases().at(1).selection, 1U);
  EXPECT_EQ(See(objects, {"orders"}), "rest/pg-1@b 10.0.0.2; ") << "the configuration has one";
  second.name = "orders";
  pods_.SetConfig({Selection(), second});
  EXPECT_EQ(See(objects), "orders/pg-0@a 10.0.0.1; ");
}

TEST_F(SelectedPodsTest, OfSomeNamespacesAlone) {
  config::PodSelection selection = Selection();
  selection.objects.namespaces = {"shop", "empty"};
  selection.expected = 1;
  pods_.SetConfig({selection});
  const std::string elsewhere = Pod("pg-0", {"10.0.0.2", "n2"}, "test");
  EXPECT_EQ(See(elsewhere), "orders/missing-1@ (1 are expected, and there are 0 pods); ");
  EXPECT_EQ(See(elsewhere + Pod("pg-0", {"10.0.0.1", "n1"})), "orders/pg-0@a 10.0.0.1; ");
}

TEST_F(SelectedPodsTest, WhatIsNotKnownIsNotGone) {
  SelectedPods none(base::Logger::Silent());
  EXPECT_TRUE(none.complete()) << "none are looked for";
  EXPECT_FALSE(pods_.complete());
  See(Pod("pg-0", {"10.0.0.1", "n1"}));
  EXPECT_TRUE(pods_.complete());
  pods_.Update(kube::ClusterState(), {});
  EXPECT_EQ(pods_.databases().size(), 1U);
}

TEST_F(SelectedPodsTest, APostgresServerIsLoggedInToAsConfigured) {
  See(Pod("pg-0", {"fd00::1", "n1"}) + Pod("pg-1", {"", "n2", "", "Pending"}));
  config::PostgresAccess access = {.port = 5433, .sslmode = "verify-ca", .secret = "{cluster}-app"};
  const auto instances = InstancesOf(pods_.databases().at(0), access, secrets_);
  ASSERT_EQ(instances.size(), 2U);
  EXPECT_EQ(instances[0].dsn,
            "hostaddr='fd00::1' port='5433' dbname='postgres' sslmode='verify-ca' ");
  EXPECT_EQ(instances[0].login, secrets_.Of({"shop", "orders-app", "username", "password"}));
  EXPECT_EQ(instances[1].unreachable, "its pod has no address yet");
  EXPECT_EQ(instances[1].zone, "b");
  access = {.credentials_folder = "/run"};
  EXPECT_EQ(InstancesOf(pods_.databases().at(0), access, secrets_)[0].user_file,
            "/run/orders/username");
}

TEST_F(SelectedPodsTest, ARedisServerKeepsItsLastAddress) {
  config::PodSelection selection = Selection();
  selection.expected = 3;
  pods_.SetConfig({selection});
  const std::string one = Pod("redis-0", {"10.0.0.1", "n1"});
  See(one + Pod("redis-1", {"fd00::2", "n2"}));
  See(one);
  config::RedisPods config;
  config.secret = "{cluster}-redis";
  const db::RedisCluster redis = RedisOf(pods_.databases().at(0), config, secrets_);
  EXPECT_EQ(redis.name, "orders");
  EXPECT_EQ(redis.addresses, std::vector<std::string>{"10.0.0.1:6379"});
  EXPECT_EQ(redis.unreachable, (std::map<std::string, std::string>{
                                   {"[fd00::2]:6379", "its pod is gone"},
                                   {"missing-1", "3 are expected, and there is 1 pod"}}));
  EXPECT_EQ(redis.places,
            (std::map<std::string, db::RedisCluster::Place>{{"10.0.0.1:6379", {"redis-0", "a"}},
                                                            {"[fd00::2]:6379", {"redis-1", "b"}},
                                                            {"missing-1", {"missing-1", ""}}}));
  EXPECT_EQ(redis.login, secrets_.Of({"shop", "orders-redis", "", "password"}));
  // Another pod has got the address of the one that is gone.
  See(Pod("redis-0", {"fd00::2", "n1"}));
  config.access.port = 7000;
  EXPECT_EQ(RedisOf(pods_.databases().at(0), config, secrets_).places,
            (std::map<std::string, db::RedisCluster::Place>{{"[fd00::2]:7000", {"redis-0", "a"}},
                                                            {"missing-1", {"missing-1", ""}},
                                                            {"redis-1", {"redis-1", "b"}}}));
}

}  // namespace
}  // namespace azexporter::app
