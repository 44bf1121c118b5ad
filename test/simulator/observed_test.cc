// What the Kubernetes client sees of the embedded platform: the objects that say what the loss of a
// zone would mean, in good times and while a zone is down.

#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "azexporter/kube/cluster.h"
#include "platform.h"
#include "support/eventually.h"

namespace azexporter::platform {
namespace {

using kube::ClusterState;
using kube::WorkloadKind;
using test::Eventually;

constexpr std::string_view kNs = "platform-03";
constexpr std::string_view kOps = "machine-native-ops";

class ObservedTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto platform = Platform::Start(
        {.manifests = std::filesystem::path(AZX_SOURCE_DIR) / "deploy/demo/manifests",
         .secure = false},
        clock_);
    ASSERT_TRUE(platform) << platform.error().message();
    platform_ = std::move(*platform);
    kube::ClusterAccess access;
    access.server = platform_->api().url();
    cluster_ = std::make_unique<kube::Cluster>(access, kube::ClusterOptions{}, clock_,
                                               base::Logger::Silent());
    cluster_->Start();
    ASSERT_TRUE(Eventually([this] {
      const auto state = cluster_->State();
      for (const kube::ResourceHealth& health : state->health()) {
        if (!health.synced || !health.last_error.empty() || health.decode_errors != 0) return false;
      }
      return true;
    }));
  }
  ~ObservedTest() override { cluster_.reset(); }

  // Ready endpoints of a Service, by zone; a zone with endpoints is there.
  static std::map<std::string, int> ReadyEndpoints(const ClusterState& state,
                                                   std::string_view service = kOps) {
    std::map<std::string, int> zones;
    for (const auto& slice : state.SlicesIn(kNs)) {
      if (slice->service != service) continue;
      for (const kube::Endpoint& endpoint : slice->endpoints) {
        zones[endpoint.zone] += endpoint.ready ? 1 : 0;
      }
    }
    return zones;
  }

  const base::SystemClock clock_{};
  std::unique_ptr<Platform> platform_;
  std::unique_ptr<kube::Cluster> cluster_;
};

TEST_F(ObservedTest, TheDocumentedWorkload) {
  const auto state = cluster_->State();
  const kube::Workload* ops = state->FindWorkload(WorkloadKind::kDeployment, kNs, kOps);
  ASSERT_NE(ops, nullptr);
  EXPECT_EQ(ops->ready, ops->desired);
  int pods = 0;
  for (const auto& pod : state->PodsIn(kNs)) {
    if (state->WorkloadOf(*pod) != ops) continue;
    ++pods;
    EXPECT_TRUE(Matches(ops->selector, pod->meta.labels));
    EXPECT_EQ(pod->spec->spread_constraints, ops->template_spec->spread_constraints);
    EXPECT_GT(pod->spec->requests.cpu_milli, 0);
    EXPECT_EQ(pod->spec->requests, ops->template_spec->requests);
  }
  EXPECT_EQ(pods, ops->desired);
  ASSERT_EQ(state->budgets().size(), 1u);
  const kube::PodDisruptionBudget& budget = *state->budgets()[0];
  EXPECT_EQ(budget.min_available->Text(), "66%");
  EXPECT_EQ(budget.min_available->Of(budget.expected_pods), budget.desired_healthy);
  EXPECT_EQ(budget.current_healthy, ops->ready);
  EXPECT_TRUE(Matches(budget.selector, ops->template_labels));
  const kube::Service* service = state->FindService(kNs, kOps);
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->type, "LoadBalancer");
  EXPECT_EQ(service->external_traffic_policy, "Local");
  EXPECT_EQ(service->meta.annotations.size(), 10u);
  EXPECT_EQ(ReadyEndpoints(*state).size(), 3u);
}

TEST_F(ObservedTest, EveryClaimThatAPodMountsHasAVolumeInThePodsZone) {
  const auto state = cluster_->State();
  int mounted = 0;
  for (const auto& pod : state->pods()) {
    for (const std::string& name : pod->claims) {
      ++mounted;
      const kube::PersistentVolumeClaim* claim = state->FindClaim(pod->meta.ns, name);
      ASSERT_NE(claim, nullptr) << name;
      EXPECT_EQ(claim->phase, "Bound");
      const kube::PersistentVolume* volume = state->FindVolume(claim->volume_name);
      ASSERT_NE(volume, nullptr) << name;
      EXPECT_EQ(volume->claim_name, name);
      EXPECT_GT(volume->capacity_bytes, 0);
      EXPECT_NE(state->FindStorageClass(volume->storage_class), nullptr) << volume->storage_class;
      ASSERT_TRUE(volume->node_affinity) << name;
      for (const auto& node : state->nodes()) {
        EXPECT_EQ(volume->node_affinity->Matches(node->meta.name, node->meta.labels),
                  node->zone() == state->ZoneOf(*pod))
            << name << " from " << node->meta.name;
      }
    }
  }
  EXPECT_EQ(mounted, 9) << "three of the database, six of Redis";
  for (const auto& set : state->stateful_sets()) {
    ASSERT_EQ(set->claim_templates.size(), 1u) << set->meta.name;
    EXPECT_NE(state->FindClaim(kNs, set->claim_templates[0] + "-" + set->meta.name + "-0"), nullptr)
        << set->meta.name;
    EXPECT_EQ(set->ready, set->desired) << set->meta.name;
  }
  EXPECT_EQ(state->stateful_sets().size(), 2u);
}

TEST_F(ObservedTest, TheDatabasesServices) {
  const auto state = cluster_->State();
  using Zones = std::map<std::string, int>;
  EXPECT_EQ(ReadyEndpoints(*state, "postgres-cluster-rw"), (Zones{{"us-east-1a", 1}}));
  EXPECT_EQ(ReadyEndpoints(*state, "postgres-cluster-ro"),
            (Zones{{"us-east-1b", 1}, {"us-east-1c", 1}}));
  EXPECT_EQ(ReadyEndpoints(*state, "postgres-cluster-r").size(), 3u);
  const kube::Service* leaders = state->FindService(kNs, "redis-cluster-leader-headless");
  ASSERT_NE(leaders, nullptr);
  EXPECT_TRUE(leaders->headless);
  EXPECT_EQ(ReadyEndpoints(*state, "redis-cluster-leader").size(), 3u);
  // Nobody takes over by itself, so what writes to the lost zone's primary is without it.
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  EXPECT_TRUE(Eventually([this] {
    return ReadyEndpoints(*cluster_->State(), "postgres-cluster-rw") == Zones{{"us-east-1a", 0}};
  }));
}

TEST_F(ObservedTest, ADownZoneHasNoReadyEndpoints) {
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  EXPECT_TRUE(Eventually([this] {
    const auto state = cluster_->State();
    const auto ready = ReadyEndpoints(*state);
    const auto lost = ready.find("us-east-1a");
    return (lost == ready.end() || lost->second == 0) && ready.contains("us-east-1b") &&
           ready.at("us-east-1b") > 0 && state->budgets()[0]->disruptions_allowed == 0;
  }));
  ASSERT_TRUE(platform_->Do("zone us-east-1a up"));
  EXPECT_TRUE(Eventually([this] {
    const auto ready = ReadyEndpoints(*cluster_->State());
    return ready.size() == 3 && ready.at("us-east-1a") > 0;
  }));
}

}  // namespace
}  // namespace azexporter::platform
