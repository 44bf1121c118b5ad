// Instances that a Cluster of CloudNativePG names, on a real PostgreSQL: its pods come, change and
// go on an API server, and azexporter follows them.

#include <gtest/gtest.h>

#include "azexporter/base/clock.h"
#include "servers/postgres_server.h"
#include "simulator/api_server.h"
#include "simulator/json.h"
#include "simulator/resources.h"
#include "support/azexporter_process.h"
#include "support/eventually.h"
#include "support/temp_folder.h"

namespace azexporter {
namespace {

using servers::PostgresServer;
using test::Eventually;

constexpr int kWaitMs = 30'000;

constexpr char kNode[] =
    R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n1",
        "labels":{"topology.kubernetes.io/zone":"us-east-1a"}},
        "status":{"conditions":[{"type":"Ready","status":"True"}]}})";
constexpr char kCluster[] =
    R"({"apiVersion":"postgresql.cnpg.io/v1","kind":"Cluster",
        "metadata":{"name":"orders","namespace":"shop"},"spec":{"instances":2},
        "status":{"instanceNames":["orders-1","orders-2"],"readyInstances":1,
                  "phase":"Failing over","currentPrimary":"orders-1",
                  "targetPrimary":"orders-2"}})";

std::string PodText(const std::string& name, const std::string& address) {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"shop","name":")" + name +
         R"(","labels":{"cnpg.io/cluster":"orders","cnpg.io/podRole":"instance"}},
            "spec":{"nodeName":"n1","containers":[{"name":"postgres"}]},
            "status":{"phase":"Running","podIP":")" +
         address + "\"}}";
}

class CnpgTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (PostgresServer::ProgramFolder().empty()) GTEST_SKIP() << "skipped: no PostgreSQL";
    server_ = PostgresServer::StartPrimary({.name = "orders-1"});
    ASSERT_NE(server_, nullptr);
    auto api = simulator::ApiServer::Start({}, store_, clock_);
    ASSERT_TRUE(api) << api.error().message();
    api_server_ = std::move(*api);
    for (const std::string& object :
         {std::string(kNode), std::string(kCluster), PodText("orders-1", "127.0.0.1")}) {
      Apply(object);
    }
    folder_.Write("kubeconfig", api_server_->Kubeconfig());
    std::filesystem::create_directories(folder_ / "secrets/orders");
    folder_.Write("secrets/orders/username", "azx\n");
    folder_.Write("secrets/orders/password", "hunter2\n");
    WriteConfig("enabled: true");
  }

  void WriteConfig(const std::string& more) {
    folder_.Write("config.yaml",
                  "global: {collect_interval: 300ms, evaluation_interval: 300ms}\n"
                  "kubernetes: {kubeconfig: kubeconfig}\n"
                  "postgres: {cnpg: {port: " +
                      std::to_string(server_->port()) + ", credentials_folder: secrets, " + more +
                      "}}\n");
  }
  void Apply(const std::string& text) {
    auto object = simulator::ParseJson(text);
    ASSERT_TRUE(object) << object.error().message();
    const auto applied = store_.Apply(std::move(*object));
    ASSERT_TRUE(applied) << applied.error().message();
  }
  bool Shows(const std::string& query) {
    return Eventually([&] { return azexporter_->api().Count(query) == 1; }, kWaitMs);
  }

  base::SystemClock clock_;
  const test::TempFolder folder_;
  simulator::Store store_{{.clock = clock_}};
  std::unique_ptr<PostgresServer> server_;
  std::unique_ptr<simulator::ApiServer> api_server_;
  std::unique_ptr<test::AzexporterProcess> azexporter_;
};

TEST_F(CnpgTest, FollowsThePodsOfTheCluster) {
  azexporter_ = std::make_unique<test::AzexporterProcess>(
      folder_ / "config.yaml", std::vector<std::string>{"--web.enable-lifecycle"});
  ASSERT_FALSE(azexporter_->url().empty());
  const std::string one = R"({db_cluster="orders",db_instance="orders-1",zone="us-east-1a"})";
  EXPECT_TRUE(Shows("pg_up" + one + " == 1"));
  EXPECT_TRUE(Shows("pg_replication_is_replica" + one + " == 0"));
  EXPECT_TRUE(Shows(R"(pg_up{db_instance="orders-2"} == 0)")) << "named, and without a pod";
  EXPECT_TRUE(Shows(R"(az_postgres_cnpg_phase{db_cluster="orders",phase="Failing over"})"));
  EXPECT_TRUE(Shows(R"(az_postgres_cnpg_switching{db_cluster="orders"} == 1)"));
  EXPECT_TRUE(Shows(R"(az_postgres_cnpg_instances - az_postgres_cnpg_instances_ready == 1)"));

  const simulator::ObjectKey pod{simulator::FindKind("v1", "Pod"), "shop", "orders-1"};
  ASSERT_TRUE(store_.Delete(pod));
  EXPECT_TRUE(Shows("pg_up" + one + " == 0")) << "the Cluster still names it";
  EXPECT_TRUE(Shows(R"(azexporter_collector_success{collector="postgres"} == 0)"));
  Apply(PodText("orders-1", "127.0.0.1"));
  EXPECT_TRUE(Shows("pg_up" + one + " == 1"));
  EXPECT_EQ(azexporter_->api().Text("/metrics").find("hunter2"), std::string::npos);

  WriteConfig("namespaces: [elsewhere]");
  azexporter_->api().Text("/-/reload", "POST");
  EXPECT_TRUE(Shows("absent(pg_up)"));
  WriteConfig("namespaces: [shop]");
  azexporter_->api().Text("/-/reload", "POST");
  EXPECT_TRUE(Shows("pg_up" + one + " == 1"));
}

TEST_F(CnpgTest, TheOneShotCheckAsksThem) {
  const test::Outcome seen =
      test::RunAzexporter({"--check", "--config.file", folder_ / "config.yaml"});
  EXPECT_NE(seen.text.find("orders-1"), std::string::npos) << seen.text;
  EXPECT_NE(seen.text.find("orders-2 of orders could not be asked: its pod is gone"),
            std::string::npos)
      << seen.text;
}

}  // namespace
}  // namespace azexporter
