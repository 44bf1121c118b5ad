#include "azexporter/kube/cluster_state.h"

#include <gtest/gtest.h>

#include "azexporter/kube/cluster.h"

namespace azexporter::kube {
namespace {

constexpr std::string_view kCluster = R"({"kind":"List","apiVersion":"v1","items":[
  {"kind":"Node","apiVersion":"v1","metadata":{"name":"n2"}},
  {"kind":"Node","apiVersion":"v1","metadata":{"name":"n1",
   "labels":{"topology.kubernetes.io/zone":"a"}}},
  {"kind":"Deployment","apiVersion":"apps/v1","metadata":{"name":"web","namespace":"x"}},
  {"kind":"ReplicaSet","apiVersion":"apps/v1","metadata":{"name":"web-1","namespace":"x",
   "ownerReferences":[{"kind":"Deployment","name":"web","controller":true}]}},
  {"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-1-a","namespace":"x",
   "ownerReferences":[{"kind":"ReplicaSet","name":"web-1","controller":true}]},
   "spec":{"nodeName":"n1"}},
  {"kind":"Pod","apiVersion":"v1","metadata":{"name":"lone","namespace":"x"},
   "spec":{"nodeName":"n1"}},
  {"kind":"Pod","apiVersion":"v1","metadata":{"name":"web-9-a","namespace":"y",
   "ownerReferences":[{"kind":"ReplicaSet","name":"web-9","controller":true}]}},
  {"kind":"Service","apiVersion":"v1","metadata":{"name":"web","namespace":"x"}},
  {"kind":"Service","apiVersion":"serving.knative.dev/v1","metadata":{"name":"k","namespace":"x"}},
  {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"s2",
   "namespace":"x"}},
  {"kind":"EndpointSlice","apiVersion":"discovery.k8s.io/v1","metadata":{"name":"s1",
   "namespace":"x"}},
  {"kind":"PodDisruptionBudget","apiVersion":"policy/v1beta1","metadata":{"name":"b",
   "namespace":"x"}},
  {"kind":"PersistentVolume","apiVersion":"v1","metadata":{"name":"v"}},
  {"kind":"PersistentVolumeClaim","apiVersion":"v1","metadata":{"name":"c","namespace":"x"}},
  {"kind":"StorageClass","apiVersion":"storage.k8s.io/v1","metadata":{"name":"fast"}},
  {"kind":"Lease","apiVersion":"coordination.k8s.io/v1","metadata":{"name":"l","namespace":"x"}}
]})";

class ClusterStateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto state = ReadSnapshot(std::string(kCluster), "file", 1, skipped_);
    ASSERT_TRUE(state) << state.error().message();
    state_ = *state;
  }

  std::vector<std::string> skipped_;
  std::shared_ptr<const ClusterState> state_;
};

TEST_F(ClusterStateTest, FindsObjectsByName) {
  EXPECT_NE(state_->FindNode("n1"), nullptr);
  EXPECT_NE(state_->FindPod("x", "lone"), nullptr);
  EXPECT_EQ(state_->FindPod("y", "lone"), nullptr);
  EXPECT_NE(state_->FindVolume("v"), nullptr);
  EXPECT_NE(state_->FindClaim("x", "c"), nullptr);
  EXPECT_EQ(state_->FindClaim("", "c"), nullptr);
  EXPECT_NE(state_->FindStorageClass("fast"), nullptr);
  EXPECT_NE(state_->FindService("x", "web"), nullptr);
  EXPECT_EQ(state_->FindService("x", "k"), nullptr) << "another group's Service";
  EXPECT_NE(state_->FindWorkload(WorkloadKind::kReplicaSet, "x", "web-1"), nullptr);
  EXPECT_EQ(state_->FindWorkload(WorkloadKind::kJob, "x", "web-1"), nullptr);
}

TEST_F(ClusterStateTest, FollowsOwnersUpToTheWorkload) {
  const Workload* web = state_->WorkloadOf(*state_->FindPod("x", "web-1-a"));
  ASSERT_NE(web, nullptr);
  EXPECT_EQ(web->kind, WorkloadKind::kDeployment);
  EXPECT_EQ(web->meta.name, "web");
  EXPECT_EQ(state_->WorkloadOf(*state_->FindPod("x", "lone")), nullptr);
  EXPECT_EQ(state_->WorkloadOf(*state_->FindPod("y", "web-9-a")), nullptr) << "not known here";
}

TEST_F(ClusterStateTest, GivesWhatANamespaceHas) {
  EXPECT_EQ(state_->PodsIn("x").size(), 2u);
  EXPECT_EQ(state_->PodsIn("y").size(), 1u);
  EXPECT_TRUE(state_->PodsIn("z").empty());
  const auto slices = state_->SlicesIn("x");
  ASSERT_EQ(slices.size(), 2u);
  EXPECT_EQ((*slices.begin())->meta.name, "s1");
  EXPECT_EQ(state_->ServicesIn("x").size(), 1u);
  EXPECT_TRUE(state_->ServicesIn("z").empty());
}

// Nodes are looked up by an index of each list of them, which later views share.
TEST_F(ClusterStateTest, TheIndexOfNodesIsThatOfTheList) {
  const auto node = [](const char* name, const char* zone) {
    Node made;
    made.meta.name = name;
    made.meta.labels = {{"topology.kubernetes.io/zone", zone}};
    return std::make_shared<const Node>(std::move(made));
  };
  ClusterState::Parts parts;
  parts.nodes = MakeList<Node>({node("n1", "a")});
  const ClusterState first(parts);
  Pod pod;
  pod.node_name = "n1";
  const ClusterState same(parts, &first);
  EXPECT_EQ(same.FindNode("n1"), first.FindNode("n1"));
  EXPECT_EQ(same.ZoneOf(pod), "a");
  parts.nodes = MakeList<Node>({node("n1", "b"), node("n2", "b")});
  const ClusterState changed(parts, &first);
  EXPECT_EQ(changed.ZoneOf(pod), "b");
  EXPECT_NE(changed.FindNode("n2"), nullptr);
}

TEST_F(ClusterStateTest, ASnapshotKnowsOnlyWhatItHolds) {
  EXPECT_TRUE(state_->HealthOf("services")->synced);
  const ResourceHealth* jobs = state_->HealthOf("jobs");
  ASSERT_NE(jobs, nullptr);
  EXPECT_TRUE(jobs->optional);
  EXPECT_FALSE(jobs->synced);
  EXPECT_EQ(jobs->last_error, "file has no jobs: none were asked for, or there are none");
  EXPECT_TRUE(state_->HealthOf("configmaps")->synced) << "as before there were optional ones";
  ASSERT_EQ(skipped_.size(), 1u);
  EXPECT_EQ(skipped_[0], "poddisruptionbudgets: policy/v1beta1 is not read, policy/v1 is");
}

}  // namespace
}  // namespace azexporter::kube
