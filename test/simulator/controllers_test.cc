// What the platform's controllers make of failures, hours of it in milliseconds: the clock is told.

#include "controllers/controllers.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "manifest.h"
#include "region.h"
#include "workloads.h"

namespace azexporter::platform {
namespace {

using simulator::Find;
using simulator::IntAt;
using simulator::Json;
using simulator::ObjectPtr;
using simulator::StringAt;

constexpr std::string_view kDeployment = "machine-native-ops";

// "pending" on no node, "starting", "ready", "not ready" and "ending".
std::string StateOf(const Json& pod) {
  if (IsTerminating(pod)) return "ending";
  if (StringAt(pod, {"spec", "nodeName"}).empty()) return "pending";
  if (StringAt(pod, {"status", "phase"}) == "Pending") return "starting";
  return IsReady(pod) ? "ready" : "not ready";
}

class ControllersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::map<std::string, std::string> variables;
    for (const Zone& zone : kZones) {
      variables["HEALTH_ENDPOINT_" + std::string(zone.name)] = "http://127.0.0.1:1/health";
    }
    const auto manifests =
        ReadManifests(std::string(AZX_SOURCE_DIR) + "/deploy/demo/manifests", variables);
    ASSERT_TRUE(manifests) << manifests.error().message();
    ASSERT_TRUE(Materialise(world_, *manifests));
    Settle(world_);
  }

  // Time passes, and the controllers look all the while.
  void Pass(std::int64_t seconds) {
    for (std::int64_t i = 0; i < seconds; ++i) {
      clock_.Advance(1'000);
      Settle(world_);
    }
  }

  void EachNode(std::string_view zone, void (*act)(World&, const std::string&)) {
    for (const std::string& node : NodeNames(store_, zone)) act(world_, node);
    Settle(world_);
  }

  // How many of a workload's pods are in which state, "us-east-1b ready"; zone "-" for no node.
  std::map<std::string, int> Pods(std::string_view prefix) const {
    std::map<std::string, int> states;
    for (const ObjectPtr& pod : AllPods(world_)) {
      if (!StringAt(*pod, {"metadata", "name"}).starts_with(prefix)) continue;
      const std::string zone = ZoneOfNode(store_, StringAt(*pod, {"spec", "nodeName"}));
      ++states[(zone.empty() ? "-" : zone) + " " + StateOf(*pod)];
    }
    return states;
  }

  ObjectPtr Pod(const std::string& name) const {
    return store_.Get({&Type("v1", "Pod"), std::string(kNamespace), name});
  }

  void Scale(std::int64_t replicas) {
    ASSERT_TRUE(store_.Modify(
        {&Type("apps/v1", "Deployment"), std::string(kNamespace), std::string(kDeployment)},
        [&](Json& object) { object["spec"]["replicas"] = replicas; }));
    Settle(world_);
  }

  const Json& Budget() {
    budget_ = store_.List(Type("policy/v1", "PodDisruptionBudget"), "").items.front();
    return *budget_;
  }

  using Counts = std::map<std::string, int>;

  base::FakeClock clock_{1'800'000'000'000};
  simulator::Store store_{{.clock = clock_}};
  World world_{.store = store_, .clock = clock_};
  ObjectPtr budget_;
};

TEST_F(ControllersTest, AHealthyRegionIsLeftAlone) {
  const std::int64_t version = store_.resource_version();
  Pass(100);
  EXPECT_EQ(store_.resource_version(), version);
  EXPECT_EQ(Pods(kDeployment),
            (Counts{{"us-east-1a ready", 3}, {"us-east-1b ready", 3}, {"us-east-1c ready", 3}}));
}

// A pod bears an unreachable node for 300 s. Then it is told to end, which nobody there hears; its
// replacement finds no place, since the lost zone still counts, with none, against a skew of 1.
TEST_F(ControllersTest, PodsOfALostZoneAreEvictedAndTheirReplacementsStayPending) {
  EachNode("us-east-1a", SilenceNode);
  const Counts lost = {
      {"us-east-1a not ready", 3}, {"us-east-1b ready", 3}, {"us-east-1c ready", 3}};
  EXPECT_EQ(Pods(kDeployment), lost);
  Pass(299);
  EXPECT_EQ(Pods(kDeployment), lost);
  Pass(1);
  const Counts evicted = {
      {"- pending", 3}, {"us-east-1a ending", 3}, {"us-east-1b ready", 3}, {"us-east-1c ready", 3}};
  EXPECT_EQ(Pods(kDeployment), evicted);
  for (const ObjectPtr& pod : AllPods(world_)) {
    if (StateOf(*pod) != "pending") continue;
    EXPECT_EQ(
        StringAt(pod->at("status").at("conditions").front(), {"message"}),
        "0/22 nodes are available: 10 node(s) didn't match pod topology spread constraints, "
        "7 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }, 5 node(s) "
        "had untolerated taint {node.kubernetes.io/unreachable: }.");
    EXPECT_EQ(StringAt(pod->at("status").at("conditions").front(), {"reason"}), "Unschedulable");
  }
  Pass(100);
  EXPECT_EQ(Pods(kDeployment), evicted);

  EachNode("us-east-1a", WakeNode);
  Pass(10);
  EXPECT_EQ(Pods(kDeployment),
            (Counts{{"us-east-1a ready", 3}, {"us-east-1b ready", 3}, {"us-east-1c ready", 3}}));
}

TEST_F(ControllersTest, NodesRenewTheirLeasesAsLongAsTheyAreThere) {
  const auto renewed = [&](const std::string& node) {
    const ObjectPtr lease =
        store_.Get({&Type("coordination.k8s.io/v1", "Lease"), "kube-node-lease", node});
    return lease == nullptr ? "" : StringAt(*lease, {"spec", "renewTime"});
  };
  const auto nodes = NodeNames(store_, "us-east-1a");
  const std::string silent = nodes[0];
  const std::string stalled = nodes[1];
  const std::string well = nodes[2];
  RenewNodeLeases(world_);
  const std::string first = renewed(well);
  EXPECT_NE(first, "");
  clock_.Advance(9'999);
  RenewNodeLeases(world_);
  EXPECT_EQ(renewed(well), first) << "it is not due yet";
  SilenceNode(world_, silent);
  world_.stalled_nodes.insert(stalled);
  clock_.Advance(1);
  RenewNodeLeases(world_);
  EXPECT_NE(renewed(well), first);
  EXPECT_EQ(renewed(silent), first);
  EXPECT_EQ(renewed(stalled), first);
  WakeNode(world_, stalled);
  clock_.Advance(10'000);
  RenewNodeLeases(world_);
  EXPECT_EQ(renewed(stalled), renewed(well));
}

TEST_F(ControllersTest, AZoneThatIsBackInTimeKeepsItsPods) {
  const auto names = [&] {
    std::set<std::string> out;
    for (const ObjectPtr& pod : AllPods(world_)) out.insert(StringAt(*pod, {"metadata", "uid"}));
    return out;
  };
  const auto before = names();
  for (int i = 0; i < 2; ++i) {
    EachNode("us-east-1a", SilenceNode);
    Pass(299);
    EachNode("us-east-1a", WakeNode);
    Pass(10);
  }
  EXPECT_EQ(names(), before);
}

// A StatefulSet's pod keeps its name: while it may still run somewhere, no other is made.
TEST_F(ControllersTest, AStatefulSetWaitsForItsPodToBeGone) {
  EachNode("us-east-1a", SilenceNode);
  Pass(400);
  EXPECT_EQ(Pods("redis-cluster-leader"),
            (Counts{{"us-east-1a ending", 1}, {"us-east-1b ready", 1}, {"us-east-1c ready", 1}}));
  EachNode("us-east-1a", WakeNode);
  Pass(10);
  EXPECT_EQ(Pods("redis-cluster-leader"),
            (Counts{{"us-east-1a ready", 1}, {"us-east-1b ready", 1}, {"us-east-1c ready", 1}}));
}

// Where the nodes are gone the zone counts no more: its pods find a place in the others. Those with
// a volume there do not.
TEST_F(ControllersTest, AZoneWithoutNodesIsNoDomainAnyMore) {
  for (const std::string& node : NodeNames(store_, "us-east-1c"))
    ASSERT_TRUE(store_.Delete(NodeKey(node)));
  Pass(39);
  EXPECT_EQ(Pods(kDeployment)["- ready"], 3) << "what was there is left alone for 40 s";
  Pass(20);
  const Counts pods = Pods(kDeployment);
  ASSERT_EQ(pods.size(), 2u);
  EXPECT_EQ(pods.at("us-east-1a ready") + pods.at("us-east-1b ready"), 9);
  EXPECT_LE(std::abs(pods.at("us-east-1a ready") - pods.at("us-east-1b ready")), 1);
  EXPECT_EQ(Pods("postgres-cluster"),
            (Counts{{"- pending", 1}, {"us-east-1a ready", 1}, {"us-east-1b ready", 1}}));
}

// The budget allows three pods of nine to be away, which is as many as the zone has; a second zone
// is not given up.
TEST_F(ControllersTest, ADrainAsksTheBudgets) {
  const auto drain = [this](std::string_view zone) {
    EachNode(zone, CordonNode);
    for (const std::string& node : NodeNames(store_, zone)) world_.draining_nodes.insert(node);
    Pass(30);
  };
  drain("us-east-1a");
  EXPECT_EQ(Pods(kDeployment),
            (Counts{{"- pending", 3}, {"us-east-1b ready", 3}, {"us-east-1c ready", 3}}));
  EXPECT_EQ(IntAt(Budget(), {"status", "disruptionsAllowed"}), 0);
  EXPECT_EQ(IntAt(Budget(), {"status", "currentHealthy"}), 6);
  drain("us-east-1b");
  EXPECT_EQ(Pods(kDeployment)["us-east-1b ready"], 3);
  EachNode("us-east-1a", UncordonNode);
  EachNode("us-east-1b", UncordonNode);
  Pass(30);
  EXPECT_EQ(Pods(kDeployment),
            (Counts{{"us-east-1a ready", 3}, {"us-east-1b ready", 3}, {"us-east-1c ready", 3}}));
  EXPECT_EQ(IntAt(Budget(), {"status", "disruptionsAllowed"}), 3);
}

TEST_F(ControllersTest, ADeploymentIsScaledEvenly) {
  Scale(12);
  EXPECT_EQ(Pods(kDeployment)["us-east-1a starting"], 1);
  Pass(5);
  EXPECT_EQ(Pods(kDeployment),
            (Counts{{"us-east-1a ready", 4}, {"us-east-1b ready", 4}, {"us-east-1c ready", 4}}));
  EXPECT_EQ(IntAt(Budget(), {"status", "expectedPods"}), 12);
  Scale(0);
  Pass(5);
  EXPECT_EQ(Pods(kDeployment), Counts());
}

// A worker of 3.92 CPUs holds some fifteen pods of a quarter; one a zone takes any.
TEST_F(ControllersTest, PodsThatFindNoRoomSayWhatIsShort) {
  for (const Zone& zone : kZones) {
    const auto workers = WorkerNames(store_, zone.name);
    for (std::size_t i = 1; i < workers.size(); ++i) CordonNode(world_, workers[i]);
  }
  Scale(60);
  Pass(5);
  const Counts pods = Pods(kDeployment);
  EXPECT_GT(pods.at("- pending"), 3);
  bool said = false;
  for (const ObjectPtr& pod : AllPods(world_)) {
    if (StateOf(*pod) != "pending") continue;
    const auto text = StringAt(pod->at("status").at("conditions").front(), {"message"});
    said = said || text.find(" Insufficient cpu") != std::string::npos;
  }
  EXPECT_TRUE(said);
}

TEST_F(ControllersTest, ANewDeploymentGetsItsPods) {
  const auto object = simulator::ParseJson(R"({"apiVersion": "apps/v1", "kind": "Deployment",
      "metadata": {"name": "shop", "namespace": "platform-03"},
      "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "shop"}},
        "template": {"metadata": {"labels": {"app": "shop"}},
          "spec": {"containers": [{"name": "shop", "image": "shop:1"}],
                   "nodeSelector": {"topology.kubernetes.io/zone": "us-east-1b"}}}}})");
  ASSERT_TRUE(object);
  ASSERT_TRUE(store_.Create(*object));
  Pass(5);
  EXPECT_EQ(Pods("shop-"), (Counts{{"us-east-1b ready", 2}}));
}

TEST_F(ControllersTest, ADeletedPodIsReplacedWhileItEnds) {
  const auto first = Pods(kDeployment);
  for (const ObjectPtr& pod : AllPods(world_)) {
    if (StringAt(*pod, {"metadata", "name"}).starts_with(kDeployment)) {
      Terminate(world_, *pod, "");
      break;
    }
  }
  Settle(world_);
  int ending = 0;
  int starting = 0;
  for (const auto& [state, count] : Pods(kDeployment)) {
    ending += state.ends_with("ending") ? count : 0;
    starting += state.ends_with("starting") ? count : 0;
  }
  EXPECT_EQ(ending, 1);
  EXPECT_EQ(starting, 1);
  EXPECT_EQ(IntAt(Budget(), {"status", "currentHealthy"}), 8);
  Pass(5);
  EXPECT_EQ(Pods(kDeployment), first);
}

// With a pace of 60 the five minutes are five seconds.
TEST_F(ControllersTest, ThePaceShortensWhatIsWaitedFor) {
  world_.pace = 60;
  EachNode("us-east-1b", SilenceNode);
  Pass(4);
  EXPECT_EQ(Pods(kDeployment)["us-east-1b not ready"], 3);
  Pass(1);
  EXPECT_EQ(Pods(kDeployment)["us-east-1b ending"], 3);
}

}  // namespace
}  // namespace azexporter::platform
