// A cluster from files: JSON and YAML, lists and single objects, folders of both.

#include <gtest/gtest.h>

#include <filesystem>

#include "azexporter/kube/cluster.h"
#include "support/temp_folder.h"

namespace azexporter::kube {
namespace {

class SnapshotTest : public ::testing::Test {
 protected:
  // "node n1 a cpu 3920; pod n/p on n1": what was read.
  std::string Read(const std::string& path) {
    skipped_.clear();
    const auto state = ReadSnapshotFrom(path, 1, skipped_);
    if (!state) return state.error().message();
    std::string text;
    for (const auto& node : (*state)->nodes()) {
      text += "node " + node->meta.name + " " + std::string(node->zone()) + " cpu " +
              std::to_string(node->allocatable.cpu_milli) + "; ";
    }
    for (const auto& pod : (*state)->pods()) {
      text += "pod " + pod->meta.ns + "/" + pod->meta.name + " on " + pod->node_name + "; ";
    }
    for (const auto& budget : (*state)->budgets()) {
      text += "budget " + budget->meta.name + " " +
              (budget->min_available ? budget->min_available->Text() : "-") + "; ";
    }
    return text;
  }
  // A file in a folder that is made where there is none.
  std::string Put(const std::string& name, const std::string& text) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    return folder_.Write(name, text);
  }

  const test::TempFolder folder_;
  std::vector<std::string> skipped_;
};

constexpr char kNode[] = R"(apiVersion: v1
kind: Node
metadata:
  name: n1
  labels: {topology.kubernetes.io/zone: a, number: "5", "yes": 'true'}
spec: {}
status:
  allocatable: {cpu: 3920m, memory: 1Gi, pods: 110}
)";

TEST_F(SnapshotTest, ReadsYamlAsKubectlPrintsIt) {
  EXPECT_EQ(Read(Put("node.yaml", kNode)), "node n1 a cpu 3920; ");
  EXPECT_EQ(Read(Put("all.yaml", std::string(kNode) + R"(---
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: p, namespace: n, creationTimestamp: "2026-11-22T06:51:18Z"}
  spec: {nodeName: n1, priority: 0, hostNetwork: false}
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: b, namespace: n}
  spec: {minAvailable: 2}
- apiVersion: policy/v1
  kind: PodDisruptionBudget
  metadata: {name: c, namespace: n}
  spec: {minAvailable: 30%}
---
)")),
            "node n1 a cpu 3920; pod n/p on n1; budget b 2; budget c 30%; ");
  EXPECT_TRUE(skipped_.empty());
}

TEST_F(SnapshotTest, ReadsEveryFileBelowAFolder) {
  Put("gather/cluster-scoped-resources/core/nodes/n1.yaml", kNode);
  Put("gather/namespaces/n/core/pods.yaml", R"(---
apiVersion: v1
kind: PodList
items:
- metadata: {name: p, namespace: n}
  spec: {nodeName: n1}
- metadata: {name: q, namespace: n}
  spec: {nodeName: n1}
)");
  Put("gather/namespaces/n/pods/p/p.yaml", R"(apiVersion: v1
kind: Pod
metadata: {name: p, namespace: n}
spec: {nodeName: n1}
)");
  Put("gather/namespaces/n/pods/p/p.log", "not an object");
  Put("gather/broken.json", "{");
  EXPECT_EQ(Read(folder_ / "gather"), "node n1 a cpu 3920; pod n/p on n1; pod n/q on n1; ");
  ASSERT_EQ(skipped_.size(), 1u);
  EXPECT_TRUE(skipped_[0].starts_with((folder_ / "gather/broken.json").string() + ": "))
      << skipped_[0];
}

TEST_F(SnapshotTest, SaysWhatCannotBeRead) {
  EXPECT_EQ(Read("/nowhere"), "/nowhere: No such file or directory");
  std::filesystem::create_directories(folder_ / "empty");
  EXPECT_EQ(Read(folder_ / "empty"),
            (folder_ / "empty").string() + ": no .json, .yaml or .yml file below it");
  const std::string broken = Put("broken.yaml", "a: [1");
  EXPECT_TRUE(Read(broken).starts_with(broken + ":")) << Read(broken);
  EXPECT_EQ(Read(Put("nothing.json", " \n")), "");
}

TEST_F(SnapshotTest, KeepsTheNeighboursOfAnObjectThatIsNotUnderstood) {
  EXPECT_EQ(Read(Put("mixed.yaml", std::string("apiVersion: v1\nkind: List\nitems:\n"
                                               "- {apiVersion: v1, kind: Pod, metadata: {name: p, "
                                               "namespace: n}, spec: {nodeName: 7}}\n"
                                               "- {apiVersion: v1, kind: Pod, metadata: {name: q, "
                                               "namespace: n}, spec: {nodeName: '7'}}\n"))),
            "pod n/q on 7; ");
  ASSERT_EQ(skipped_.size(), 1u);
  EXPECT_TRUE(skipped_[0].starts_with("pods n/p: spec.nodeName: ")) << skipped_[0];
}

}  // namespace
}  // namespace azexporter::kube
