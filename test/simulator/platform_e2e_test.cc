// The program azexporter-platform as people use it: with kubectl, and with signals.

#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "servers/child_process.h"
#include "support/kubectl.h"
#include "support/temp_folder.h"

namespace azexporter::platform {
namespace {

using servers::ChildProcess;
using servers::RunProgram;

constexpr int kWaitMs = 20'000;

class PlatformProgramTest : public ::testing::Test {
 protected:
  void SetUp() override {
    platform_ = std::make_unique<ChildProcess>(std::vector<std::string>{
        AZX_PLATFORM_PROGRAM, "--kubeconfig-out", (folder_ / "kubeconfig").string(), "--config-out",
        (folder_ / "config.yaml").string(), "--ready-file", (folder_ / "ready").string()});
    for (int i = 0; i < 5; ++i) {
      const auto line = platform_->ReadLine(kWaitMs);
      ASSERT_TRUE(line) << "the platform printed " << i << " lines";
      if (line->starts_with("control ")) control_ = line->substr(8);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(kWaitMs);
    while (!std::filesystem::exists(folder_ / "ready")) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "no ready file";
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }

  void TearDown() override { platform_.reset(); }

  // A private home, so that neither the user's configuration nor a cache of another server is used.
  std::map<std::string, std::string> Environment() const {
    return {{"HOME", folder_.string()}, {"KUBECONFIG", (folder_ / "kubeconfig").string()}};
  }

  void Do(const std::string& command) const {
    ASSERT_TRUE(RunProgram({"curl", "-fsS", "-d", command, control_ + "/do"})) << command;
  }

  const test::TempFolder folder_;
  std::unique_ptr<ChildProcess> platform_;
  std::string control_;
};

class KubectlTest : public PlatformProgramTest,
                    public ::testing::WithParamInterface<test::Kubectl> {
 protected:
  void SetUp() override {
    AZX_SKIP_WITHOUT_KUBECTL(GetParam());
    PlatformProgramTest::SetUp();
  }

  std::string Kubectl(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), GetParam().program);
    return RunProgram(arguments, Environment()).value_or("kubectl failed");
  }
};

INSTANTIATE_TEST_SUITE_P(Kubectls, KubectlTest, ::testing::ValuesIn(test::Kubectls()),
                         test::KubectlName);

// The columns of the line that starts with `name`.
std::vector<std::string> Row(const std::string& table, const std::string& name) {
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string> row;
    for (std::string word; words >> word;) row.push_back(word);
    if (!row.empty() && row[0] == name) return row;
  }
  return {};
}

TEST_P(KubectlTest, ShowsNodesAndPods) {
  const std::string nodes = Kubectl({"get", "nodes", "-o", "wide"});
  const auto header = Row(nodes, "NAME");
  ASSERT_GE(header.size(), 6u) << nodes;
  EXPECT_EQ(header[1], "STATUS");
  EXPECT_EQ(header[2], "ROLES");
  const auto control_plane = Row(nodes, "ip-10-0-0-4.ec2.internal");
  ASSERT_GE(control_plane.size(), 6u) << nodes;
  EXPECT_EQ(control_plane[1], "Ready");
  EXPECT_EQ(control_plane[2], "control-plane");
  EXPECT_EQ(control_plane[5], "10.0.0.4");

  const std::string both = Kubectl({"get", "nodes,pods", "-A", "-o", "wide"});
  const auto pod = Row(both, "platform-03");
  ASSERT_GE(pod.size(), 8u) << both;
  EXPECT_EQ(pod[2], "1/1");
  EXPECT_EQ(pod[3], "Running");
  EXPECT_EQ(pod[7].substr(0, 6), "ip-10-") << "the NODE column";

  const auto json =
      nlohmann::json::parse(Kubectl({"get", "pods", "-A", "-o", "json"}), nullptr, false);
  ASSERT_FALSE(json.is_discarded());
  EXPECT_EQ(json["items"].size(), 18u);
  EXPECT_NE(Row(Kubectl({"get", "clusters", "-n", "platform-03"}), "postgres-cluster").size(), 0u);
}

TEST_P(KubectlTest, FollowsAZoneGoingDown) {
  ChildProcess watch({GetParam().program, "get", "nodes", "--watch"}, Environment());
  const auto follow = [&](const std::string& status) {
    while (const auto line = watch.ReadLine(kWaitMs)) {
      const auto row = Row(*line, "ip-10-0-0-20.ec2.internal");
      if (row.size() > 1 && row[1] == status) return true;
    }
    return false;
  };
  ASSERT_TRUE(follow("Ready"));
  Do("zone us-east-1a down");
  EXPECT_TRUE(follow("NotReady"));
  EXPECT_EQ(Row(Kubectl({"get", "nodes"}), "ip-10-0-0-20.ec2.internal")[1], "NotReady");
  Do("zone us-east-1a up");
  EXPECT_TRUE(follow("Ready"));
}

TEST_P(KubectlTest, CordonsLabelsAndDeletes) {
  const std::string node = "ip-10-16-0-20.ec2.internal";
  EXPECT_EQ(Kubectl({"cordon", node}), "node/" + node + " cordoned\n");
  EXPECT_EQ(Row(Kubectl({"get", "nodes"}), node)[1], "Ready,SchedulingDisabled");
  EXPECT_EQ(Kubectl({"uncordon", node}), "node/" + node + " uncordoned\n");
  EXPECT_EQ(Row(Kubectl({"get", "nodes"}), node)[1], "Ready");
  EXPECT_EQ(Kubectl({"label", "node", node, "team=blue"}), "node/" + node + " labeled\n");
  EXPECT_EQ(Kubectl({"get", "nodes", "-l", "team=blue", "-o", "name"}), "node/" + node + "\n");
  const std::vector<std::string> get_uid = {"get",
                                            "pod",
                                            "-n",
                                            "platform-03",
                                            "redis-cluster-leader-0",
                                            "-o",
                                            "jsonpath={.metadata.uid}"};
  const std::string uid = Kubectl(get_uid);
  EXPECT_NE(Kubectl({"delete", "pod", "-n", "platform-03", "redis-cluster-leader-0"})
                .find("pod \"redis-cluster-leader-0\" deleted"),
            std::string::npos);
  // Its controller makes it anew.
  std::string next = Kubectl(get_uid);
  for (int i = 0; i < 100 && (next == uid || next == "kubectl failed"); ++i) {
    next = Kubectl(get_uid);
  }
  EXPECT_NE(next, uid);
  EXPECT_EQ(next.size(), uid.size()) << next;
}

TEST_P(KubectlTest, AppliesManifests) {
  const std::string file = (folder_ / "object.yaml").string();
  std::ofstream(file) << "apiVersion: v1\nkind: ConfigMap\n"
                         "metadata: {name: settings, namespace: platform-03}\ndata: {a: '1'}\n";
  EXPECT_EQ(Kubectl({"apply", "-f", file}), "configmap/settings created\n");
  EXPECT_EQ(Kubectl({"apply", "-f", file}), "configmap/settings unchanged\n");
  const std::string documented = std::string(AZX_SOURCE_DIR) + "/test/fixtures/documented/";
  EXPECT_EQ(Kubectl({"apply", "-f", documented + "pod-disruption-budget-zone-failover.yaml"}),
            "kubectl failed")
      << "minAvailable and maxUnavailable together are refused";
}

// The manifests of azexporter itself, as its README says: first only tried, then for good.
TEST_P(KubectlTest, AppliesTheManifestsOfAzexporter) {
  const std::string base = std::string(AZX_SOURCE_DIR) + "/deploy/kubernetes/base";
  const auto lines = [](const std::string& text) {
    return std::count(text.begin(), text.end(), '\n');
  };
  const std::string tried = Kubectl({"apply", "-k", base, "--dry-run=client"});
  EXPECT_NE(tried.find("deployment.apps/azexporter created (dry run)\n"), std::string::npos)
      << tried;
  EXPECT_EQ(lines(tried), 9) << tried;
  EXPECT_EQ(Kubectl({"get", "namespaces", "azexporter"}), "kubectl failed") << "it was only a try";
  const std::string applied = Kubectl({"apply", "-k", base});
  EXPECT_NE(applied.find("deployment.apps/azexporter created\n"), std::string::npos) << applied;
  EXPECT_EQ(lines(applied), 9) << applied;
  const std::string again = Kubectl({"apply", "-k", base});
  EXPECT_NE(again.find("deployment.apps/azexporter unchanged\n"), std::string::npos) << again;
  EXPECT_EQ(again.find("created"), std::string::npos) << again;
}

TEST_F(PlatformProgramTest, WritesItsFilesAndStopsWithinASecond) {
  std::ifstream config(folder_ / "config.yaml");
  std::ostringstream text;
  text << config.rdbuf();
  EXPECT_EQ(text.str(), "kubernetes:\n  kubeconfig: '" + (folder_ / "kubeconfig").string() +
                            "'\nprobes:\n  source_zone: us-east-1a\n  interval: 2s\n  timeout: 2s\n"
                            "zones_config_map: platform-03/zone-health-config\n");
  ChildProcess watch({test::CurrentKubectl().program, "get", "nodes", "--watch"}, Environment());
  if (watch.pid() > 0) {
    EXPECT_TRUE(watch.ReadLine(kWaitMs));
  }
  const auto start = std::chrono::steady_clock::now();
  platform_->Signal(SIGTERM);
  EXPECT_EQ(platform_->Wait(kWaitMs), 0);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(PlatformFlagsTest, NamesTheOffendingFlag) {
  ChildProcess remote({AZX_PLATFORM_PROGRAM, "--listen", "0.0.0.0:0"});
  EXPECT_EQ(remote.ReadLine(kWaitMs),
            "azexporter-platform: --listen 0.0.0.0:0: must be 127.0.0.1:PORT");
  EXPECT_EQ(remote.Wait(kWaitMs), 1);
  ChildProcess unknown({AZX_PLATFORM_PROGRAM, "--latency", "us-east-1z=1s"});
  EXPECT_EQ(unknown.ReadLine(kWaitMs), "azexporter-platform: no zone \"us-east-1z\" in us-east-1");
  EXPECT_EQ(unknown.Wait(kWaitMs), 1);
}

}  // namespace
}  // namespace azexporter::platform
