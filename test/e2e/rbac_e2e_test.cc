// The shipped manifests applied with kubectl to the embedded platform, whose API server enforces
// roles: azexporter works with the token of its own service account, and with no right less.

#include <gtest/gtest.h>

#include "support/eventually.h"
#include "support/kubectl.h"
#include "support/platform_fixture.h"

namespace azexporter {
namespace {

using servers::RunProgram;
using test::Eventually;
using test::Outcome;

constexpr int kWaitMs = 30'000;

class RolesTest : public test::PlatformFixture {
 protected:
  void SetUp() override {
    AZX_SKIP_WITHOUT_KUBECTL(kubectl_);
    ASSERT_NO_FATAL_FAILURE(StartPlatform(Options()));
    Write("admin", platform_->api().Kubeconfig());
    ASSERT_NO_FATAL_FAILURE(Apply("base"));
    const auto token = platform_->api().CreateToken("azexporter", "azexporter");
    ASSERT_TRUE(token) << token.error().message();
    Write("kubeconfig", platform_->api().KubeconfigFor("azexporter", *token));
    Write("azexporter.yaml", Config() +
                                 "zone_loss: {accepted: [azexporter]}\n"
                                 "global: {collect_interval: 300ms, evaluation_interval: 300ms}\n");
  }

  virtual platform::PlatformOptions Options() const { return {.pace = 100}; }

  // As the administrator, in the test's folder.
  std::string Kubectl(const std::string& arguments) {
    return RunProgram({"sh", "-c", "cd \"$HOME\" && " + kubectl_.program + " " + arguments},
                      {{"HOME", folder_.string()}, {"KUBECONFIG", (folder_ / "admin").string()}})
        .value_or("failed");
  }

  // A folder of deploy/kubernetes.
  void Apply(const std::string& folder) {
    Write("rendered.yaml", Kubectl("kustomize " AZX_SOURCE_DIR "/deploy/kubernetes/" + folder));
    ASSERT_NE(Kubectl("apply -f rendered.yaml"), "failed");
  }

  Outcome Check() {
    return test::RunAzexporter({"--check", "--config.file", folder_ / "azexporter.yaml"});
  }

  const test::Kubectl kubectl_ = test::CurrentKubectl();
};

TEST_F(RolesTest, TheManifestsGrantWhatItNeeds) {
  const Outcome healthy = Check();
  EXPECT_EQ(healthy.code, 0) << healthy.text;
  test::AzexporterProcess daemon(folder_ / "azexporter.yaml");
  EXPECT_TRUE(Eventually(
      [&] { return daemon.api().Count("min by () (azexporter_collector_success) == 1") == 1; },
      kWaitMs));
  // Its own pod is one of the cluster's.
  EXPECT_TRUE(Eventually(
      [&] { return daemon.api().Count("kube_pod_info{namespace=\"azexporter\"}") == 1; }, kWaitMs));
}

TEST_F(RolesTest, WithTheRightsToNodesAndPodsAloneTheZonesAreKnown) {
  ASSERT_NE(Kubectl("patch clusterrole azexporter --type json -p "
                    "'[{\"op\":\"replace\",\"path\":\"/rules\",\"value\":[{\"apiGroups\":[\"\"],"
                    "\"resources\":[\"nodes\",\"pods\"],\"verbs\":[\"list\",\"watch\"]}]}]'"),
            "failed");
  // What it may not read it names, and does not call the platform fine.
  const Outcome seen = Check();
  EXPECT_EQ(seen.code, 1) << seen.text;
  for (const char* part : {"us-east-1a  normal", "us-east-1c  normal", "IF LOST NOW", "not known",
                           "disruption budgets are not known: ", "AzexporterCollectorFailing"}) {
    EXPECT_NE(seen.text.find(part), std::string::npos) << part << "\n" << seen.text;
  }
  EXPECT_EQ(seen.text.find("CRITICAL"), std::string::npos) << seen.text;
  test::AzexporterProcess daemon(folder_ / "azexporter.yaml");
  EXPECT_TRUE(
      Eventually([&] { return daemon.api().Count("azexporter_kube_synced == 1") == 3; }, kWaitMs));
  EXPECT_EQ(daemon.api().Count("azexporter_kube_synced == 0"), 11);
  EXPECT_EQ(daemon.api().Count("azexporter_kube_last_contact_timestamp_seconds"), 3)
      << "nothing grows old that was never allowed";
  EXPECT_EQ(daemon.api().Count("azexporter_collector_success == 0"), 6);
  EXPECT_EQ(daemon.api().Count("azexporter_collector_success{collector=~\"budgets|policy|services|"
                               "spread|volumes|workloads\"} == 0"),
            6)
      << "what stands on the rest says that it does not";
  EXPECT_EQ(daemon.api().Count("az_zone_loss_not_known == 1"), 3);
  // The rights are given, and are used without a restart.
  ASSERT_NE(Kubectl("apply -f rendered.yaml"), "failed");
  EXPECT_TRUE(Eventually([&] { return daemon.api().Count("azexporter_kube_synced == 1") == 14; },
                         2 * kWaitMs));
  EXPECT_TRUE(
      Eventually([&] { return daemon.api().Count("az_zone_loss_survivable == 1") == 3; }, kWaitMs));
}

TEST_F(RolesTest, OfOneNamespaceItsRoleTellsAndTheRestIsNotKnown) {
  ASSERT_NO_FATAL_FAILURE(Apply("namespaced"));
  const std::string config = folder_ / "azexporter.yaml";
  const std::vector<std::string> narrow = {"--kube.namespaces", "platform-03"};
  const Outcome whole = Check();
  EXPECT_EQ(whole.code, 2) << "pods of all namespaces may not be read any more: " << whole.text;
  const Outcome seen =
      test::RunAzexporter({"--check", "--config.file", config, "--kube.namespaces", "platform-03"});
  EXPECT_EQ(seen.code, 0) << seen.text;
  for (const char* part : {"us-east-1a  normal", "only namespace platform-03 is watched\n",
                           "IF LOST NOW\n", "not known\n"}) {
    EXPECT_NE(seen.text.find(part), std::string::npos) << part << "\n" << seen.text;
  }
  EXPECT_EQ(seen.text.find("  survived"), std::string::npos) << seen.text;
  test::AzexporterProcess daemon(config, narrow);
  EXPECT_TRUE(Eventually(
      [&] { return daemon.api().Count("min by () (azexporter_collector_success) == 1") == 1; },
      kWaitMs));
  EXPECT_EQ(daemon.api().Count("azexporter_kube_synced == 1"), 14) << "one for each resource";
  EXPECT_GT(daemon.api().Count("az_workload_pods{namespace=\"platform-03\"} > 0"), 0);
  EXPECT_EQ(daemon.api().Count("kube_pod_info{namespace!=\"platform-03\"}"), 0);
  EXPECT_EQ(daemon.api().Count("az_zone_state == 1"), 3);
  Outcome told;
  EXPECT_TRUE(Eventually(
      [&] {
        told = test::RunAzexporter({"--check", "--url", daemon.url()});
        return told.code == 0;
      },
      kWaitMs))
      << told.text;
  EXPECT_NE(told.text.find("; only namespace platform-03 is watched\n"), std::string::npos)
      << told.text;
  EXPECT_EQ(daemon.api().Count("az_zone_allocatable{resource=\"cpu\"}"), 3);
  EXPECT_EQ(daemon.api().Count("az_zone_requested or az_zone_loss_survivable or "
                               "az_zone_loss_headroom or az_zone_loss_blockers{reason=\"budget\"}"),
            0);
}

class NodeLeasesTest : public RolesTest {
 protected:
  platform::PlatformOptions Options() const override { return {.pace = 100, .node_leases = true}; }
};

TEST_F(NodeLeasesTest, ANodeThatFallsSilentIsToldOfBeforeItCountsAsNotReady) {
  ASSERT_NO_FATAL_FAILURE(Apply("node-leases"));
  const std::string section = "kubernetes:\n";
  std::string config = *base::ReadFile(folder_ / "azexporter.yaml");
  config.insert(config.find(section) + section.size(), "  node_leases: true\n");
  Write("leases.yaml", config);
  test::AzexporterProcess daemon(folder_ / "leases.yaml");
  EXPECT_TRUE(Eventually([&] { return daemon.api().Count("az_node_lease_age_seconds < 20") == 22; },
                         kWaitMs));
  ASSERT_TRUE(platform_->Do("node ip-10-0-0-20.ec2.internal stall"));
  EXPECT_TRUE(Eventually([&] { return daemon.api().StateOf("NodeLeasesNotRenewed") == "firing"; },
                         2 * kWaitMs));
  const Outcome told = test::RunAzexporter({"--check", "--url", daemon.url()});
  EXPECT_EQ(told.code, 1) << told.text;
  EXPECT_NE(told.text.find("1 node of us-east-1a is ready but has stopped renewing its Lease: "
                           "ip-10-0-0-20.ec2.internal"),
            std::string::npos)
      << told.text;
  EXPECT_EQ(daemon.api().Count("az_zone_nodes{state!=\"ready\"} > 0"), 0);
  ASSERT_TRUE(platform_->Do("node ip-10-0-0-20.ec2.internal up"));
  EXPECT_TRUE(
      Eventually([&] { return daemon.api().StateOf("NodeLeasesNotRenewed").empty(); }, kWaitMs));
}

TEST_F(RolesTest, CustomResourcesAreAuditedWhereTheyMayBeRead) {
  Write("custom.yaml", *base::ReadFile(folder_ / "azexporter.yaml") +
                           "collectors: {policy: {custom_resources: true}}\n");
  const auto count = [](test::AzexporterProcess& daemon, const std::string& query) {
    return Eventually([&] { return daemon.api().Count(query) == 1; }, kWaitMs);
  };
  {
    test::AzexporterProcess daemon(folder_ / "custom.yaml");
    EXPECT_TRUE(count(daemon, "azexporter_collector_success{collector=\"policy\"} == 0"));
    EXPECT_TRUE(count(daemon, "az_policy_audited_objects > 0")) << "of the others it tells";
    const Outcome told = test::RunAzexporter({"audit", "--url", daemon.url()});
    EXPECT_EQ(told.code, 1) << told.text;
    EXPECT_NE(told.text.find("403 Forbidden"), std::string::npos) << told.text;
  }
  ASSERT_NE(
      Kubectl("apply -f " AZX_SOURCE_DIR "/deploy/kubernetes/custom-resources/cluster-role.yaml"),
      "failed");
  test::AzexporterProcess daemon(folder_ / "custom.yaml");
  EXPECT_TRUE(count(daemon, "count(az_policy_issues{kind=\"DestinationRule\"}) > 0"));
  EXPECT_TRUE(count(daemon, "azexporter_collector_success{collector=\"policy\"} == 1"));
}

TEST_F(RolesTest, DatabasesOfOperatorsAreLookedForWhereTheirObjectsMayBeRead) {
  // Nobody is there to be asked: a Cluster that has no instances yet.
  Write("cluster.yaml",
        "{apiVersion: postgresql.cnpg.io/v1, kind: Cluster,"
        " metadata: {name: orders, namespace: azexporter}, spec: {instances: 3}}");
  ASSERT_NE(Kubectl("apply -f cluster.yaml"), "failed");
  Write("databases.yaml", *base::ReadFile(folder_ / "azexporter.yaml") +
                              "postgres: {cnpg: {namespaces: [azexporter]}}\n"
                              "redis: {opstree: {namespaces: [azexporter]}}\n");
  // Both collectors.
  const auto succeed = [](test::AzexporterProcess& daemon, const std::string& value) {
    return Eventually(
        [&] {
          return daemon.api().Count(
                     "azexporter_collector_success{collector=~\"postgres|redis\"} == " + value) ==
                 2;
        },
        kWaitMs);
  };
  {
    test::AzexporterProcess daemon(folder_ / "databases.yaml");
    EXPECT_TRUE(succeed(daemon, "0"));
  }
  ASSERT_NE(
      Kubectl("apply -f " AZX_SOURCE_DIR "/deploy/kubernetes/custom-resources/cluster-role.yaml"),
      "failed");
  test::AzexporterProcess daemon(folder_ / "databases.yaml");
  EXPECT_TRUE(succeed(daemon, "1"));
  EXPECT_EQ(daemon.api().Count("az_postgres_cnpg_instances{db_cluster=\"orders\"} == 3"), 1);
}

TEST_F(RolesTest, ASecretIsReadWhereARoleNamesIt) {
  // Nobody answers at the port: what is told is what came before that.
  Write("secret.yaml",
        "{apiVersion: v1, kind: Secret, metadata: {name: postgres-cluster-app, namespace: "
        "platform-03}, data: {username: YXBw, password: aHVudGVyMg==}}");
  ASSERT_NE(Kubectl("apply -f secret.yaml"), "failed");
  ASSERT_NE(
      Kubectl("apply -f " AZX_SOURCE_DIR "/deploy/kubernetes/custom-resources/cluster-role.yaml"),
      "failed");
  Write("azexporter.yaml", *base::ReadFile(folder_ / "azexporter.yaml") +
                               "postgres: {cnpg: {port: 1, secret: '{cluster}-app'}}\n");
  const Outcome refused = Check();
  EXPECT_NE(refused.text.find("Secret platform-03/postgres-cluster-app: GET"), std::string::npos)
      << refused.text;
  EXPECT_NE(refused.text.find("403 Forbidden: secrets \"postgres-cluster-app\" is forbidden"),
            std::string::npos)
      << refused.text;
  ASSERT_NE(
      Kubectl("apply -f " AZX_SOURCE_DIR "/deploy/kubernetes/database-secrets/secret-role.yaml"),
      "failed");
  const Outcome allowed = Check();
  EXPECT_EQ(allowed.text.find("Secret"), std::string::npos) << allowed.text;
  EXPECT_NE(allowed.text.find("could not be asked"), std::string::npos) << allowed.text;
}

TEST_F(RolesTest, ARightThatIsTakenAwayIsMissedAndNamed) {
  test::AzexporterProcess daemon(folder_ / "azexporter.yaml");
  const auto success = [&](const std::string& collector, const std::string& value) {
    return Eventually(
        [&] {
          return daemon.api().Count("azexporter_collector_success{collector=\"" + collector +
                                    "\"} == " + value) == 1;
        },
        kWaitMs);
  };
  ASSERT_TRUE(success("pods", "1"));
  ASSERT_NE(
      Kubectl("patch clusterrole azexporter --type json -p "
              "'[{\"op\":\"replace\",\"path\":\"/rules/0/resources\",\"value\":[\"nodes\"]}]'"),
      "failed");
  // A watch goes on as long as it lasts; the next one is refused.
  platform_->api().CloseWatches();
  EXPECT_TRUE(success("pods", "0"));
  EXPECT_TRUE(success("nodes", "1")) << "the others go on";
  const Outcome told = test::RunAzexporter({"--check", "--url", daemon.url()});
  EXPECT_EQ(told.code, 2) << told.text;
  const Outcome seen = Check();
  EXPECT_EQ(seen.code, 2) << seen.text;
  EXPECT_NE(seen.text.find("pods could not be asked"), std::string::npos) << seen.text;
  EXPECT_NE(seen.text.find("403 Forbidden: pods is forbidden: User "
                           "\"system:serviceaccount:azexporter:azexporter\" cannot list resource "
                           "\"pods\" in API group \"\" at the cluster scope"),
            std::string::npos)
      << seen.text;
}

// The API server fails in each of the ways that the fault language knows, and is well again: what
// azexporter says is never fine while it lasts, and fine when it is over.
struct FaultCase {
  const char* name;
  const char* command;
};

class FaultTest : public RolesTest, public ::testing::WithParamInterface<FaultCase> {};

TEST_P(FaultTest, IsNeverFineWhileTheApiServerFails) {
  ASSERT_TRUE(platform_->Do(GetParam().command));
  const Outcome failing = test::RunAzexporter(
      {"--check", "--check.timeout", "3s", "--config.file", folder_ / "azexporter.yaml"});
  EXPECT_EQ(failing.code, 2) << failing.text;
  EXPECT_NE(failing.text.find("could not be asked"), std::string::npos) << failing.text;
  ASSERT_TRUE(platform_->Do("fault clear"));
  const Outcome healthy = Check();
  EXPECT_EQ(healthy.code, 0) << healthy.text;
}

constexpr FaultCase kFaultCases[] = {
    {"unauthorized", "fault any any status 401"},
    {"forbidden", "fault list nodes status 403"},
    {"gone", "fault list pods status 410"},
    {"too_many", "fault list pods status 429"},
    {"internal", "fault list nodes status 500"},
    {"unavailable", "fault any any status 503"},
    {"cut", "fault any any cut"},
    {"cut_in_body", "fault list pods cut after 4000 bytes"},
    {"hanging", "fault list nodes hang"},
    {"late", "fault list nodes delay 30s"},
    {"no_json", "fault list pods garbage text"},
    {"half", "fault list pods garbage truncated"},
    {"other_shape", "fault list pods garbage shape"},
};

std::string NameOf(const ::testing::TestParamInfo<FaultCase>& fault) { return fault.param.name; }

INSTANTIATE_TEST_SUITE_P(All, FaultTest, ::testing::ValuesIn(kFaultCases), NameOf);

// Whatever happens to what only the loss of a zone is judged by, the zones' state is known.
TEST_F(RolesTest, ATroubledOptionalResourceLeavesTheZonesKnown) {
  for (const char* command :
       {"fault list jobs.batch hang", "fault list deployments.apps status 500",
        "fault list endpointslices.discovery.k8s.io status 404",
        "fault list services garbage shape", "fault any persistentvolumes cut"}) {
    ASSERT_TRUE(platform_->Do(command)) << command;
  }
  const Outcome seen = test::RunAzexporter(
      {"--check", "--check.timeout", "3s", "--config.file", folder_ / "azexporter.yaml"});
  EXPECT_EQ(seen.code, 1) << seen.text;
  for (const char* part : {"us-east-1a  normal", "workloads are not known: ",
                           "services are not known: ", "volumes are not known: "}) {
    EXPECT_NE(seen.text.find(part), std::string::npos) << part << "\n" << seen.text;
  }
}

// What the daemon goes through without a word of alarm: each of these is ordinary.
TEST_F(RolesTest, OrdinaryTroubleLeavesTheDaemonCurrent) {
  test::AzexporterProcess daemon(folder_ / "azexporter.yaml");
  const std::string node = "ip-10-0-0-20.ec2.internal";
  const std::string cordoned = "kube_node_spec_unschedulable{node=\"" + node + "\"} == ";
  int flag = 0;
  for (const char* command :
       {"api close-watches", "api compact", "api restart",
        "fault watch nodes cut after 2000 bytes times 2", "fault watch nodes expire times 1",
        "fault list nodes status 429 times 2", "fault list nodes status 503 times 1",
        "api checkpoint", "api restore"}) {
    ASSERT_TRUE(platform_->Do(command)) << command;
    if (std::string_view(command).starts_with("fault")) platform_->api().CloseWatches();
    flag = 1 - flag;
    ASSERT_TRUE(platform_->Do("node " + node + (flag == 1 ? " cordon" : " uncordon")));
    EXPECT_TRUE(Eventually([&] { return daemon.api().Count(cordoned + std::to_string(flag)) == 1; },
                           kWaitMs))
        << "not seen after: " << command;
  }
}

}  // namespace
}  // namespace azexporter
