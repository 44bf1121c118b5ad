// Databases that operators' objects name, on a real PostgreSQL and a real Redis: their pods come,
// change and go on an API server, and azexporter follows them.

#include <gtest/gtest.h>

#include <filesystem>

#include "azexporter/base/clock.h"
#include "servers/postgres_server.h"
#include "servers/redis_server.h"
#include "simulator/api_server.h"
#include "simulator/json.h"
#include "simulator/resources.h"
#include "support/azexporter_process.h"
#include "support/eventually.h"
#include "support/temp_folder.h"

namespace azexporter {
namespace {

using servers::PostgresServer;
using servers::RedisServer;
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

constexpr char kRedisCluster[] =
    R"({"apiVersion":"redis.redis.opstreelabs.in/v1beta2","kind":"RedisCluster",
        "metadata":{"name":"sessions","namespace":"shop"},"spec":{"clusterSize":1,
        "kubernetesConfig":{"redisSecret":{"name":"redis","key":"pass"}}}})";

// A pod whose address is this machine's.
std::string PodText(const std::string& name, const std::string& labels) {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"shop","name":")" + name +
         R"(","labels":{)" + labels +
         R"(}},"spec":{"nodeName":"n1","containers":[{"name":"database"}]},
            "status":{"phase":"Running","podIP":"127.0.0.1"}})";
}

std::string Secret(const std::string& name, const std::string& data) {
  return R"({"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"shop","name":")" + name +
         R"("},"data":{)" + data + "}}";
}

// An API server, and azexporter beside it.
class OperatorsTest : public ::testing::Test {
 protected:
  void StartApiServer(const std::vector<std::string>& objects) {
    auto api = simulator::ApiServer::Start({}, store_, clock_);
    ASSERT_TRUE(api) << api.error().message();
    api_server_ = std::move(*api);
    for (const std::string& object : objects) Apply(object);
    folder_.Write("kubeconfig", api_server_->Kubeconfig());
  }
  void WriteConfig(const std::string& databases) {
    folder_.Write("config.yaml",
                  "global: {collect_interval: 300ms, evaluation_interval: 300ms}\n"
                  "kubernetes: {kubeconfig: kubeconfig}\n" +
                      databases);
  }
  void StartAzexporter() {
    azexporter_ = std::make_unique<test::AzexporterProcess>(
        folder_ / "config.yaml", std::vector<std::string>{"--web.enable-lifecycle"});
    ASSERT_FALSE(azexporter_->url().empty());
  }
  void Reload(const std::string& databases) {
    WriteConfig(databases);
    azexporter_->api().Text("/-/reload", "POST");
  }
  void Apply(const std::string& text) {
    auto object = simulator::ParseJson(text);
    ASSERT_TRUE(object) << object.error().message();
    const auto applied = store_.Apply(std::move(*object));
    ASSERT_TRUE(applied) << applied.error().message();
  }
  void DeletePod(const std::string& name) {
    ASSERT_TRUE(store_.Delete({simulator::FindKind("v1", "Pod"), "shop", name}));
  }
  bool Shows(const std::string& query) {
    return Eventually([&] { return azexporter_->api().Count(query) == 1; }, kWaitMs);
  }

  base::SystemClock clock_;
  const test::TempFolder folder_;
  simulator::Store store_{{.clock = clock_}};
  std::unique_ptr<simulator::ApiServer> api_server_;
  std::unique_ptr<test::AzexporterProcess> azexporter_;
};

class CnpgTest : public OperatorsTest {
 protected:
  void SetUp() override {
    if (PostgresServer::ProgramFolder().empty()) GTEST_SKIP() << "skipped: no PostgreSQL";
    server_ = PostgresServer::StartPrimary({.name = "orders-1"});
    ASSERT_NE(server_, nullptr);
    ASSERT_NO_FATAL_FAILURE(StartApiServer({kNode, kCluster, Pod("orders-1")}));
    std::filesystem::create_directories(folder_ / "secrets/orders");
    folder_.Write("secrets/orders/username", "azx\n");
    folder_.Write("secrets/orders/password", "hunter2\n");
    WriteConfig(Cnpg("enabled: true"));
  }

  std::string Cnpg(const std::string& more) const {
    return "postgres: {cnpg: {port: " + std::to_string(server_->port()) +
           ", credentials_folder: secrets, " + more + "}}\n";
  }
  static std::string Pod(const std::string& name) {
    return PodText(name, R"("cnpg.io/cluster":"orders","cnpg.io/podRole":"instance")");
  }

  std::unique_ptr<PostgresServer> server_;
};

TEST_F(CnpgTest, FollowsThePodsOfTheCluster) {
  ASSERT_NO_FATAL_FAILURE(StartAzexporter());
  const std::string one = R"({db_cluster="orders",db_instance="orders-1",zone="us-east-1a"})";
  EXPECT_TRUE(Shows("pg_up" + one + " == 1"));
  EXPECT_TRUE(Shows("pg_replication_is_replica" + one + " == 0"));
  EXPECT_TRUE(Shows(R"(pg_up{db_instance="orders-2"} == 0)")) << "named, and without a pod";
  EXPECT_TRUE(Shows(R"(az_postgres_cnpg_phase{db_cluster="orders",phase="Failing over"})"));
  EXPECT_TRUE(Shows(R"(az_postgres_cnpg_switching{db_cluster="orders"} == 1)"));
  EXPECT_TRUE(Shows(R"(az_postgres_cnpg_instances - az_postgres_cnpg_instances_ready == 1)"));

  ASSERT_NO_FATAL_FAILURE(DeletePod("orders-1"));
  EXPECT_TRUE(Shows("pg_up" + one + " == 0")) << "the Cluster still names it";
  EXPECT_TRUE(Shows(R"(azexporter_collector_success{collector="postgres"} == 0)"));
  Apply(Pod("orders-1"));
  EXPECT_TRUE(Shows("pg_up" + one + " == 1"));
  EXPECT_EQ(azexporter_->api().Text("/metrics").find("hunter2"), std::string::npos);

  Reload(Cnpg("namespaces: [elsewhere]"));
  EXPECT_TRUE(Shows("absent(pg_up)"));
  Reload(Cnpg("namespaces: [shop]"));
  EXPECT_TRUE(Shows("pg_up" + one + " == 1"));
}

TEST_F(CnpgTest, LogsInByASecretOfTheApi) {
  ASSERT_TRUE(server_->Run("CREATE ROLE app LOGIN PASSWORD 'hunter2' IN ROLE pg_monitor"));
  ASSERT_TRUE(server_->AskForPasswords());
  WriteConfig("postgres: {cnpg: {port: " + std::to_string(server_->port()) +
              ", secret: \"{cluster}-app\"}}\n");
  ASSERT_NO_FATAL_FAILURE(StartAzexporter());
  EXPECT_TRUE(Shows(R"(pg_up{db_instance="orders-1"} == 0)"));
  const std::string missing =
      "Secret shop/orders-app: GET " + api_server_->url() +
      R"(/api/v1/namespaces/shop/secrets/orders-app: 404 Not Found: secrets \"orders-app\" not found)";
  EXPECT_NE(azexporter_->api().Text("/api/v1/zones").find(missing), std::string::npos)
      << azexporter_->api().Text("/api/v1/zones");
  // It is there, and is found by who starts now, rather than half a minute later.
  Apply(Secret("orders-app", R"("username":"YXBw","password":"aHVudGVyMg==")"));
  const test::Outcome seen =
      test::RunAzexporter({"--check", "--config.file", folder_ / "config.yaml"});
  EXPECT_EQ(seen.text.find("orders-1 of orders could not be asked"), std::string::npos)
      << seen.text;
  ASSERT_NO_FATAL_FAILURE(StartAzexporter());
  EXPECT_TRUE(Shows(R"(pg_up{db_instance="orders-1"} == 1)"));
  for (const char* page : {"/metrics", "/api/v1/zones", "/api/v1/status/config"}) {
    EXPECT_EQ(azexporter_->api().Text(page).find("hunter2"), std::string::npos) << page;
  }
}

TEST_F(CnpgTest, TheOneShotCheckAsksThem) {
  const test::Outcome seen =
      test::RunAzexporter({"--check", "--config.file", folder_ / "config.yaml"});
  EXPECT_NE(seen.text.find("orders-1"), std::string::npos) << seen.text;
  EXPECT_NE(seen.text.find("orders-2 of orders could not be asked: its pod is gone"),
            std::string::npos)
      << seen.text;
}

TEST_F(CnpgTest, TheAuditAsksNoDatabase) {
  const auto sessions = [this] {
    return std::stoi(
        server_->Run("SELECT sessions FROM pg_stat_database WHERE datname = 'postgres'")
            .value_or("0"));
  };
  const int before = sessions();
  const test::Outcome seen =
      test::RunAzexporter({"audit", "--config.file", folder_ / "config.yaml"});
  EXPECT_NE(seen.text.find("Cluster shop/orders"), std::string::npos) << seen.text;
  EXPECT_EQ(sessions(), before + 1) << "that of the question before";
}

TEST_F(CnpgTest, FollowsPodsByTheirLabelsAlone) {
  const auto pods = [this](const std::string& more) {
    return "postgres: {pods: [{selector: cnpg.io/podRole=instance, name: stock, port: " +
           std::to_string(server_->port()) + ", user: azx" + more + "}]}\n";
  };
  WriteConfig(pods(""));
  ASSERT_NO_FATAL_FAILURE(StartAzexporter());
  const std::string one = R"({db_cluster="stock",db_instance="orders-1",zone="us-east-1a"})";
  EXPECT_TRUE(Shows("pg_up" + one + " == 1"));
  EXPECT_EQ(azexporter_->api().Count("pg_up"), 1);
  ASSERT_NO_FATAL_FAILURE(DeletePod("orders-1"));
  EXPECT_TRUE(Shows("absent(pg_up)")) << "nothing names it";
  Apply(Pod("orders-1"));
  Reload(pods(", expected: 1"));
  EXPECT_TRUE(Shows("pg_up" + one + " == 1"));
  ASSERT_NO_FATAL_FAILURE(DeletePod("orders-1"));
  EXPECT_TRUE(Shows("pg_up" + one + " == 0")) << "one is expected";
  const test::Outcome seen =
      test::RunAzexporter({"--check", "--config.file", folder_ / "config.yaml"});
  EXPECT_NE(seen.text.find("missing-1 of stock could not be asked: 1 are expected, and there are 0 "
                           "pods"),
            std::string::npos)
      << "who starts now knows no name: " << seen.text;
}

TEST_F(OperatorsTest, FollowsRedisPodsByTheirLabelsAlone) {
  if (!RedisServer::Installed()) GTEST_SKIP() << "skipped: no Redis";
  const auto server = RedisServer::StartNew();
  ASSERT_NE(server, nullptr);
  const std::string pod = PodText("cache-0", R"("app":"cache")");
  ASSERT_NO_FATAL_FAILURE(StartApiServer({kNode, pod}));
  const auto pods = [&](const std::string& more) {
    return "redis: {pods: [{selector: app=cache, cluster_label: app, port: " +
           std::to_string(server->port()) + more + "}]}\n";
  };
  WriteConfig(pods(""));
  ASSERT_NO_FATAL_FAILURE(StartAzexporter());
  const std::string one =
      R"(redis_up{db_cluster="cache",db_instance="cache-0",zone="us-east-1a"} == )";
  EXPECT_TRUE(Shows(one + "1"));
  ASSERT_NO_FATAL_FAILURE(DeletePod("cache-0"));
  EXPECT_TRUE(Shows("absent(redis_up)")) << "nothing names it";
  Apply(pod);
  Reload(pods(", expected: 2"));
  EXPECT_TRUE(Shows(one + "1"));
  EXPECT_TRUE(Shows(R"(redis_up{db_instance="missing-1"} == 0)"));
  ASSERT_NO_FATAL_FAILURE(DeletePod("cache-0"));
  EXPECT_TRUE(Shows(one + "0")) << "more are expected";
  Apply(pod);
  EXPECT_TRUE(Shows(one + "1"));
}

TEST_F(OperatorsTest, FollowsThePodsOfARedisCluster) {
  if (!RedisServer::Installed()) GTEST_SKIP() << "skipped: no Redis";
  const auto server = RedisServer::StartNew({"--user", "azx", "on", ">hunter2", "+info"});
  ASSERT_NE(server, nullptr);
  const std::string pod = PodText("sessions-leader-0", R"("app":"sessions-leader")");
  ASSERT_NO_FATAL_FAILURE(StartApiServer({kNode, kRedisCluster, pod}));
  folder_.Write("password", "hunter2");
  const auto opstree = [&](const std::string& more) {
    return "redis: {opstree: {port: " + std::to_string(server->port()) +
           ", username: azx, password_file: password, " + more + "}}\n";
  };
  WriteConfig(opstree("enabled: true"));
  ASSERT_NO_FATAL_FAILURE(StartAzexporter());
  const std::string up =
      R"(redis_up{db_cluster="sessions",db_instance="sessions-leader-0",zone="us-east-1a"} == 1)";
  EXPECT_TRUE(Shows(up));
  ASSERT_NO_FATAL_FAILURE(DeletePod("sessions-leader-0"));
  EXPECT_TRUE(Shows("absent(" + up + ")"));
  Apply(pod);
  EXPECT_TRUE(Shows(up));
  Reload(opstree("namespaces: [elsewhere]"));
  EXPECT_TRUE(Shows("absent(redis_up)"));
  Apply(Secret("redis", R"("pass":"aHVudGVyMg==")"));
  Reload("redis: {opstree: {port: " + std::to_string(server->port()) +
         ", username: azx, secret: true}}\n");
  EXPECT_TRUE(Shows(up));
  EXPECT_EQ(azexporter_->api().Text("/metrics").find("hunter2"), std::string::npos);
}

}  // namespace
}  // namespace azexporter
