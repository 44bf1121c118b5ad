// The policy audit of a running cluster, whole: what kubectl applies to the embedded platform is
// told of at /metrics and at /api/v1/policy, as long as it is there and nobody silenced it.

#include <gtest/gtest.h>

#include <csignal>

#include "support/eventually.h"
#include "support/kubectl.h"
#include "support/platform_fixture.h"

namespace azexporter {
namespace {

using nlohmann::json;
using servers::RunProgram;
using test::Eventually;
using test::Outcome;
using test::RunAzexporter;

constexpr int kWaitMs = 30'000;

constexpr char kBadBudget[] = R"(
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: bad, namespace: platform-03}
spec: {minAvailable: 100%, selector: {matchLabels: {app: nothing-yet}}}
)";
constexpr char kBadDeployment[] = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad, namespace: platform-03}
spec:
  replicas: 1
  selector: {matchLabels: {app: bad}}
  template:
    metadata: {labels: {app: bad}}
    spec:
      terminationGracePeriodSeconds: 0
      containers: [{name: bad, image: registry.example.com/bad:1}]
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - {topologyKey: example.com/rack, labelSelector: {matchLabels: {app: bad}}}
)";
constexpr char kBadRule[] = R"(
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bad, namespace: platform-03}
spec:
  host: bad
  trafficPolicy:
    loadBalancer: {localityLbSetting: {distribute: [{from: us-east-1a/*, to: {"us-east-1a/*": 100}}]}}
)";

struct BadObject {
  const char* resource;  // as kubectl names it
  const char* manifest;
  const char* check;
  const char* says;  // a part of the message
};
constexpr BadObject kBadObjects[] = {
    {"pdb", kBadBudget, "budget-blocks-evictions", "minAvailable 100% lets no pod go"},
    {"deployment", kBadDeployment, "spread-unknown-key", "none of the cluster's"},
    {"destinationrule", kBadRule, "istio-locality-region", "locality us-east-1a/* has the zone"},
};

class PolicyTest : public test::PlatformFixture {
 protected:
  void SetUp() override {
    AZX_SKIP_WITHOUT_KUBECTL(kubectl_);
    ASSERT_NO_FATAL_FAILURE(StartPlatform({.pace = 100}));
    WritePack("recommended", "rules.yaml", "1s");
    WriteConfig("custom_resources: true");
  }

  void WriteConfig(const std::string& policy) {
    Write("config.yaml", Config() +
                             "global: {collect_interval: 300ms, evaluation_interval: 300ms}\n"
                             "rule_files: [rules.yaml]\n"
                             "collectors: {policy: {" +
                             policy + "}}\n");
  }

  std::string Kubectl(const std::string& arguments) {
    return RunProgram(
               {"sh", "-c", "cd \"$HOME\" && " + kubectl_.program + " " + arguments},
               {{"HOME", folder_.string()}, {"KUBECONFIG", (folder_ / "kubeconfig").string()}})
        .value_or("failed");
  }
  void Apply(const std::string& manifest) {
    Write("bad.yaml", manifest);
    ASSERT_NE(Kubectl("apply -f bad.yaml"), "failed");
  }

  test::PrometheusApi& api() { return azexporter_->api(); }
  // Issues of the check in the objects named "bad".
  bool Has(const std::string& check, int issues) {
    return Eventually(
        [&] {
          return api().Count("az_policy_issues{name=\"bad\",check=\"" + check + "\"}") == issues;
        },
        kWaitMs);
  }
  // Of the check, in the objects named "bad".
  json FindingOf(const std::string& check) {
    const json policy = api().Data("/api/v1/policy?check=" + check);
    if (!policy.is_object()) return {};
    for (const json& finding : policy["findings"]) {
      if (finding["name"] == "bad") return finding;
    }
    return {};
  }

  const test::Kubectl kubectl_ = test::CurrentKubectl();
};

TEST_F(PolicyTest, WhatIsAppliedIsToldOfUntilItIsSilencedOrGone) {
  StartAzexporter("config.yaml");
  for (const BadObject& bad : kBadObjects) {
    SCOPED_TRACE(bad.resource);
    const std::string object = std::string(bad.resource) + " -n platform-03 bad ";
    ASSERT_NO_FATAL_FAILURE(Apply(bad.manifest));
    EXPECT_TRUE(Has(bad.check, 1));
    // The round is stored a moment before it is shown.
    std::string message;
    EXPECT_TRUE(Eventually([&] {
      const json finding = FindingOf(bad.check);
      message = finding.is_object() ? finding.value("message", "") : "";
      return message.find(bad.says) != std::string::npos;
    })) << message;
    ASSERT_NE(Kubectl("annotate " + object + "azexporter.io/audit-ignore=" + bad.check), "failed");
    EXPECT_TRUE(Has(bad.check, 0));
    ASSERT_NE(Kubectl("annotate " + object + "azexporter.io/audit-ignore-"), "failed");
    EXPECT_TRUE(Has(bad.check, 1));
    ASSERT_NE(Kubectl("delete " + object), "failed");
    EXPECT_TRUE(Has(bad.check, 0));
    EXPECT_TRUE(Eventually([&] { return FindingOf(bad.check).is_null(); }));
  }
}

TEST_F(PolicyTest, TheCommandAndTheAlertTellOfTheSame) {
  StartAzexporter("config.yaml");
  ASSERT_NO_FATAL_FAILURE(Apply(kBadBudget));
  EXPECT_TRUE(Eventually([&] { return api().StateOf("PolicyErrors") == "firing"; }, kWaitMs));
  const std::string line =
      "error: budget-blocks-evictions: PodDisruptionBudget platform-03/bad: minAvailable 100% lets "
      "no pod go\n";
  const Outcome of_daemon =
      RunAzexporter({"audit", "--severity", "error", "--url", azexporter_->url()});
  EXPECT_EQ(of_daemon.code, 3) << of_daemon.text;
  EXPECT_NE(of_daemon.text.find(line), std::string::npos) << of_daemon.text;
  const Outcome of_cluster =
      RunAzexporter({"audit", "--severity", "error", "--kubeconfig", folder_ / "kubeconfig"});
  EXPECT_EQ(of_cluster.code, 3) << of_cluster.text;
  EXPECT_EQ(of_cluster.text, of_daemon.text);
  for (const char* output : {"json", "sarif"}) {
    const Outcome seen = RunAzexporter(
        {"audit", "--severity", "error", "--output", output, "--url", azexporter_->url()});
    EXPECT_EQ(seen.code, 3) << seen.text;
    EXPECT_FALSE(json::parse(seen.text, nullptr, false).is_discarded()) << seen.text;
  }
}

TEST_F(PolicyTest, AReloadSwitchesItOffAndOn) {
  StartAzexporter("config.yaml", {"--web.enable-lifecycle"});
  ASSERT_NO_FATAL_FAILURE(Apply(kBadBudget));
  EXPECT_TRUE(Has("budget-blocks-evictions", 1));
  WriteConfig("custom_resources: true, enabled: false");
  api().Text("/-/reload", "POST");
  EXPECT_TRUE(Has("budget-blocks-evictions", 0));
  EXPECT_NE(api().Text("/api/v1/policy").find("switched off"), std::string::npos);
  EXPECT_EQ(api().Count("azexporter_collector_success{collector=\"policy\"}"), 0);
  WriteConfig("custom_resources: true");
  azexporter_->Signal(SIGHUP);
  EXPECT_TRUE(Has("budget-blocks-evictions", 1));
}

}  // namespace
}  // namespace azexporter
