// The instances of CloudNativePG's Clusters, from what a cluster holds at one time after another.

#include "cnpg_instances.h"

#include <gtest/gtest.h>

#include "app/operator_snapshot.h"
#include "azexporter/base/file.h"
#include "support/paths.h"

namespace azexporter::app {
namespace {

using test::ClusterOf;
using test::PodIs;

// `names`: status.instanceNames.
std::string Cluster(const std::string& name, const std::string& names,
                    const std::string& ns = "shop", const std::string& more = "") {
  return "- {apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {name: " + name +
         ", namespace: " + ns + ", labels: {team: " + ns + "}" + more +
         "}, spec: {instances: 2}, status: {instanceNames: [" + names +
         "], phase: Failing over, readyInstances: 1, currentPrimary: " + name +
         "-1, targetPrimary: " + name + "-2, topology: {instances: {" + name +
         "-9: {topology.kubernetes.io/zone: told}}}}}\n";
}

std::string Pod(const std::string& cluster, const std::string& name, PodIs is,
                const std::string& ns = "shop") {
  if (is.labels.empty()) is.labels = "cnpg.io/podRole: instance";
  is.labels += ", cnpg.io/cluster: " + cluster;
  return test::PodLine(ns, name, is);
}

class CnpgInstancesTest : public ::testing::Test {
 protected:
  CnpgInstancesTest() { cnpg_.SetConfig(config::CnpgConfig{}, {}); }

  // "orders/orders-1@a 10.0.0.1; orders/orders-2@b (its pod is gone); ": what there is to be asked.
  std::string See(const std::string& objects) {
    cnpg_.Update(*ClusterOf(objects));
    std::string text;
    for (const db::PostgresInstance& one : cnpg_.instances()) {
      text += one.cluster + "/" + one.name + "@" + one.zone + " ";
      const std::size_t at = one.dsn.find("hostaddr='") + 10;
      text += one.unreachable.empty() ? one.dsn.substr(at, one.dsn.find('\'', at) - at)
                                      : "(" + one.unreachable + ")";
      text += "; ";
    }
    return text;
  }

  base::FakeClock clock_;
  SecretLogins secrets_{clock_};
  CnpgInstances cnpg_{secrets_, base::Logger::Silent()};
};

TEST_F(CnpgInstancesTest, AreThePodsOfTheOperator) {
  EXPECT_EQ(
      See(Cluster("orders", "orders-1, orders-2") + Pod("orders", "orders-1", {"10.0.0.1", "n1"}) +
          Pod("orders", "orders-2", {"10.0.0.2", "n2", "role: replica"}) +
          Pod("orders", "orders-pooler", {"10.0.0.3", "n2", "cnpg.io/podRole: pooler"}) +
          Pod("orders", "orders-1-initdb", {"10.0.0.4", "n2", "cnpg.io/jobRole: initdb"}) +
          Pod("other", "other-1", {"10.0.0.5", "n2"}) +
          Pod("orders", "orders-3", {"10.0.0.6", "n2"}, "elsewhere")),
      "orders/orders-1@a 10.0.0.1; orders/orders-2@b 10.0.0.2; ");
}

TEST_F(CnpgInstancesTest, OneWhosePodIsGoneStaysAsLongAsTheClusterNamesIt) {
  const std::string one = Pod("orders", "orders-1", {"10.0.0.1", "n1"});
  const std::string two = Pod("orders", "orders-2", {"10.0.0.2", "n2"});
  const std::string both = Cluster("orders", "orders-1, orders-2");
  See(both + one + two);
  EXPECT_EQ(See(both + one), "orders/orders-1@a 10.0.0.1; orders/orders-2@b (its pod is gone); ");
  EXPECT_EQ(See(both + one + Pod("orders", "orders-2", {"", "", "role: replica", "Pending"})),
            "orders/orders-1@a 10.0.0.1; orders/orders-2@b (its pod has no address yet); ")
      << "and keeps its zone";
  EXPECT_EQ(See(both + one + Pod("orders", "orders-2", {"10.0.0.7", "n2"})),
            "orders/orders-1@a 10.0.0.1; orders/orders-2@b 10.0.0.7; ");
  EXPECT_EQ(See(both + one + Pod("orders", "orders-2", {"10.0.0.7", "n2", "a: b", "Failed"})),
            "orders/orders-1@a 10.0.0.1; orders/orders-2@b (its pod has ended); ");
  EXPECT_EQ(See(Cluster("orders", "orders-1") + one), "orders/orders-1@a 10.0.0.1; ")
      << "the operator has given it up";
  EXPECT_EQ(See(one + Cluster("other", "")), "") << "the Cluster is gone";
}

TEST_F(CnpgInstancesTest, OneThatWasNeverSeenIsWhereTheClusterSays) {
  EXPECT_EQ(See(Cluster("orders", "orders-9") + Pod("x", "x-1", {"10.0.0.1", "n1"})),
            "orders/orders-9@told (its pod is gone); ");
}

TEST_F(CnpgInstancesTest, OfAHibernatedClusterNoPodIsMissed) {
  const std::string asleep = ", annotations: {cnpg.io/hibernation: 'on'}";
  EXPECT_EQ(
      See(Cluster("orders", "orders-1", "shop", asleep) + Pod("x", "x-1", {"10.0.0.1", "n1"})), "");
}

TEST_F(CnpgInstancesTest, NamesakesAreToldApartByTheirNamespaces) {
  EXPECT_EQ(See(Cluster("db", "db-1", "shop") + Cluster("db", "db-1", "test") +
                Pod("db", "db-1", {"10.0.0.1", "n1"}, "shop") +
                Pod("db", "db-1", {"10.0.0.2", "n2"}, "test")),
            "shop/db/db-1@a 10.0.0.1; test/db/db-1@b 10.0.0.2; ");
}

TEST_F(CnpgInstancesTest, TheSelectionAndTheConfigurationLeaveSomeOut) {
  const std::string objects = Cluster("one", "one-1", "shop") + Cluster("two", "two-1", "test") +
                              Pod("one", "one-1", {"10.0.0.1", "n1"}, "shop") +
                              Pod("two", "two-1", {"10.0.0.2", "n2"}, "test");
  config::CnpgConfig config;
  config.selection.namespaces = {"test"};
  cnpg_.SetConfig(config, {});
  EXPECT_EQ(See(objects), "two/two-1@b 10.0.0.2; ");
  config.selection = {.selector = {{{"team", "shop"}}, {}}, .namespaces = {}};
  cnpg_.SetConfig(config, {});
  EXPECT_EQ(See(objects), "one/one-1@a 10.0.0.1; ");
  cnpg_.SetConfig(config::CnpgConfig{}, {{.cluster = "one", .name = "by-hand"}});
  EXPECT_EQ(See(objects), "two/two-1@b 10.0.0.2; ");
}

TEST_F(CnpgInstancesTest, WhatIsNotKnownIsNotGone) {
  const std::string objects =
      Cluster("orders", "orders-1") + Pod("orders", "orders-1", {"10.0.0.1", "n1"});
  kube::ClusterState::Parts parts;
  for (const std::string_view resource :
       {kube::CnpgCluster::kResource, kube::Pod::kResource, kube::Node::kResource}) {
    parts.health.push_back({.resource = std::string(resource), .synced = true});
  }
  parts.health[1].synced = false;
  CnpgInstances none(secrets_, base::Logger::Silent());
  EXPECT_TRUE(none.complete()) << "none are looked for";
  EXPECT_FALSE(cnpg_.complete());
  cnpg_.Update(kube::ClusterState(parts));
  EXPECT_FALSE(cnpg_.complete());
  See(objects);
  EXPECT_TRUE(cnpg_.complete());
  cnpg_.Update(kube::ClusterState(parts));
  EXPECT_EQ(cnpg_.instances().size(), 1U);
  parts.health[1].synced = true;
  cnpg_.Update(kube::ClusterState(parts));
  EXPECT_EQ(cnpg_.instances().size(), 0U);
}

TEST_F(CnpgInstancesTest, AClusterThatCannotBeReadStaysWhatItWas) {
  const std::string pod = Pod("orders", "orders-1", {"10.0.0.1", "n1"});
  const std::string seen = See(Cluster("orders", "orders-1") + pod);
  const std::string broken =
      "- {apiVersion: postgresql.cnpg.io/v1, kind: Cluster, metadata: {name: orders, namespace: "
      "shop}, spec: {instances: many}}\n";
  EXPECT_EQ(See(broken + pod), seen);
}

TEST_F(CnpgInstancesTest, TellsHowToLogIn) {
  config::CnpgConfig config;
  config.access = {.port = 6543, .sslmode = "verify-full", .user = "azexporter"};
  config.access.dbname = "it's\\here";
  config.access.sslrootcert = "/ca";
  config.access.password_file = "/secret";
  const std::string objects =
      Cluster("orders", "orders-1") + Pod("orders", "orders-1", {"fd00::1", "n1"});
  cnpg_.SetConfig(config, {});
  See(objects);
  const db::PostgresInstance& one = cnpg_.instances().at(0);
  EXPECT_EQ(one.dsn,
            "host='orders-rw.shop' hostaddr='fd00::1' port='6543' dbname='it\\'s\\\\here' "
            "sslmode='verify-full' sslrootcert='/ca' ");
  EXPECT_EQ(one.user, "azexporter");
  EXPECT_EQ(one.password_file, "/secret");
  EXPECT_EQ(one.login, nullptr);
  config.access = {.credentials_folder = "/run"};
  cnpg_.SetConfig(config, {});
  See(objects);
  EXPECT_EQ(cnpg_.instances().at(0).user_file, "/run/orders/username");
  EXPECT_EQ(cnpg_.instances().at(0).password_file, "/run/orders/password");
}

TEST_F(CnpgInstancesTest, LogInByTheSecretOfTheirCluster) {
  config::CnpgConfig config;
  config.access.secret = "{cluster}-app";
  cnpg_.SetConfig(config, {});
  const std::string objects = Cluster("orders", "orders-1", "shop") +
                              Cluster("orders", "orders-1", "test") +
                              Pod("orders", "orders-1", {"10.0.0.1", "n1"}, "shop") +
                              Pod("orders", "orders-2", {"10.0.0.2", "n1"}, "shop") +
                              Pod("orders", "orders-1", {"10.0.0.3", "n2"}, "test");
  See(objects);
  ASSERT_EQ(cnpg_.instances().size(), 3U);
  const auto of = [this](const std::string& ns) {
    return secrets_.Of({ns, "orders-app", "username", "password"});
  };
  EXPECT_EQ(cnpg_.instances()[0].login, of("shop"));
  EXPECT_EQ(cnpg_.instances()[1].login, of("shop")) << "it is read once for all of them";
  EXPECT_EQ(cnpg_.instances()[2].login, of("test")) << "it is in the namespace of the Cluster";
  const auto before = cnpg_.instances();
  secrets_.ForgetUnused();
  See(objects);
  EXPECT_EQ(cnpg_.instances(), before) << "connections are kept";
}

TEST_F(CnpgInstancesTest, ReadsWhatARealServerHolds) {
  const std::string folder = test::RecordingsFolder();
  AZX_SKIP_WITHOUT(folder);
  std::vector<std::string> skipped;
  std::string text;
  for (const char* file : {"cnpg-clusters.list.json", "nodes.list.json", "pods.list.json"}) {
    const auto list = base::ReadFile(folder + "/" + file);
    ASSERT_TRUE(list);
    text += *list + "\n";
  }
  const auto state = kube::ReadSnapshot(text, "recorded", 1, skipped);
  ASSERT_TRUE(state) << state.error().message();
  cnpg_.Update(**state);
  const auto& clusters = cnpg_.clusters();
  ASSERT_EQ(clusters.size(), 2U);
  EXPECT_EQ(clusters[0].cluster, "reporting-db");
  EXPECT_EQ(clusters[0].instances, 1);
  EXPECT_EQ(clusters[0].phase, "") << "nobody reported yet";
  EXPECT_EQ(clusters[1].cluster, "orders-db");
  EXPECT_EQ(clusters[1].phase, "Cluster in healthy state");
  EXPECT_EQ(clusters[1].ready, 3);
  EXPECT_FALSE(clusters[1].switching());
  std::string zones;
  for (const db::PostgresInstance& one : cnpg_.instances())
    zones += one.name + "@" + one.zone + " ";
  EXPECT_EQ(zones, "orders-db-1@us-east-1a orders-db-2@us-east-1b orders-db-3@us-east-1c ");
}

}  // namespace
}  // namespace azexporter::app
