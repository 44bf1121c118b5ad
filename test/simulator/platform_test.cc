#include "platform.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <map>
#include <set>
#include <thread>

#include "controllers/controllers.h"
#include "manifest.h"
#include "region.h"

namespace azexporter::platform {
namespace {

using simulator::Dump;
using simulator::EventBatch;
using simulator::EventType;
using simulator::Find;
using simulator::IntAt;
using simulator::Json;
using simulator::ObjectPtr;
using simulator::StringAt;

class PlatformTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto platform = Platform::Start(
        {.manifests = std::string(AZX_SOURCE_DIR) + "/deploy/demo/manifests", .secure = false},
        clock_);
    ASSERT_TRUE(platform) << platform.error().message();
    platform_ = std::move(*platform);
  }

  std::vector<ObjectPtr> List(std::string_view api_version, std::string_view kind) {
    return platform_->store().List(Type(api_version, kind), "").items;
  }

  ObjectPtr Only(std::string_view api_version, std::string_view kind) {
    const auto list = List(api_version, kind);
    return list.size() == 1 ? list.front() : simulator::ObjectPtr("", "{}");
  }

  // Ready pods of the documented workload, by zone.
  std::map<std::string, int> ReadyEndpoints() {
    std::map<std::string, int> zones;
    for (const simulator::ObjectPtr& slice : List("discovery.k8s.io/v1", "EndpointSlice")) {
      if (StringAt(*slice, {"metadata", "labels", "kubernetes.io/service-name"}) !=
          "machine-native-ops") {
        continue;
      }
      for (const Json& endpoint : slice->at("endpoints")) {
        zones[StringAt(endpoint, {"zone"})] += *Find(endpoint, {"conditions", "ready"}) == true;
      }
    }
    return zones;
  }

  // Sends commands to the control endpoint.
  httplib::Response Post(const std::string& commands) {
    httplib::Client client(platform_->control_url().substr(0, platform_->control_url().find("/_")));
    const auto answer = client.Post("/_platform/do", commands, "text/plain");
    return answer ? *answer : httplib::Response();
  }

  // What a GET of the zone's health endpoint says; 0 when it does not answer within half a second.
  int Health(const std::string& zone) {
    const std::string url = platform_->health_urls().at(zone);
    httplib::Client client(url.substr(0, url.rfind('/')));
    client.set_read_timeout(0, 500'000);
    const auto answer = client.Get("/health");
    return answer && answer->body == "ok" ? answer->status : 0;
  }

  base::SystemClock clock_;
  std::unique_ptr<Platform> platform_;
};

TEST_F(PlatformTest, IsTheDocumentedRegion) {
  std::map<std::string, int> workers, control_planes;
  for (const ObjectPtr& node : List("v1", "Node")) {
    const std::string zone = StringAt(*node, {"metadata", "labels", "topology.kubernetes.io/zone"});
    const bool is_control_plane =
        Find(*node, {"metadata", "labels", "node-role.kubernetes.io/control-plane"}) != nullptr;
    ++(is_control_plane ? control_planes : workers)[zone];
  }
  EXPECT_EQ(workers,
            (std::map<std::string, int>{{"us-east-1a", 5}, {"us-east-1b", 5}, {"us-east-1c", 5}}));
  EXPECT_EQ(control_planes,
            (std::map<std::string, int>{{"us-east-1a", 3}, {"us-east-1b", 2}, {"us-east-1c", 2}}));
  EXPECT_EQ(ReadyEndpoints(),
            (std::map<std::string, int>{{"us-east-1a", 3}, {"us-east-1b", 3}, {"us-east-1c", 3}}));
  EXPECT_EQ(List("v1", "Pod").size(), 9u + 3u + 6u);
  const ObjectPtr budget = Only("policy/v1", "PodDisruptionBudget");
  EXPECT_EQ(IntAt(*budget, {"status", "desiredHealthy"}), 6);
  EXPECT_EQ(IntAt(*budget, {"status", "disruptionsAllowed"}), 3);
  EXPECT_EQ(IntAt(*Only("apps/v1", "Deployment"), {"status", "readyReplicas"}), 9);
}

TEST_F(PlatformTest, DatabasesAndTheirVolumesAreSpreadOverTheZones) {
  std::map<std::string, std::set<std::string>> zones;
  for (const ObjectPtr& pod : List("v1", "Pod")) {
    const std::string zone = ZoneOfNode(platform_->store(), StringAt(*pod, {"spec", "nodeName"}));
    zones[StringAt(*pod, {"metadata", "labels", "cnpg.io/cluster"}) +
          StringAt(*pod, {"metadata", "labels", "app"})]
        .insert(zone);
    const Json* volumes = Find(*pod, {"spec", "volumes"});
    if (volumes == nullptr) continue;
    // A volume can only be mounted in its own zone.
    const ObjectPtr claim = platform_->store().Get(
        {&Type("v1", "PersistentVolumeClaim"), std::string(kNamespace),
         StringAt(volumes->front(), {"persistentVolumeClaim", "claimName"})});
    ASSERT_NE(claim, nullptr);
    const ObjectPtr volume = platform_->store().Get(
        {&Type("v1", "PersistentVolume"), "", StringAt(*claim, {"spec", "volumeName"})});
    ASSERT_NE(volume, nullptr);
    const Json* terms = Find(*volume, {"spec", "nodeAffinity", "required", "nodeSelectorTerms"});
    EXPECT_EQ(terms->front().at("matchExpressions").front().at("values").front(), zone);
  }
  EXPECT_EQ(zones["postgres-cluster"].size(), 3u);
  EXPECT_EQ(zones["redis-cluster-leader"].size(), 3u);
  EXPECT_EQ(zones["redis-cluster-follower"].size(), 3u);
}

TEST_F(PlatformTest, TheHealthConfigurationNamesTheServedEndpoints) {
  const ObjectPtr config = platform_->store().Get(
      {&Type("v1", "ConfigMap"), std::string(kNamespace), "zone-health-config"});
  ASSERT_NE(config, nullptr);
  const auto zones = base::YamlNode::Parse(StringAt(*config, {"data", "zones.yaml"}), "zones.yaml");
  ASSERT_TRUE(zones);
  const Json parsed = ToJson(*zones);
  for (const auto& [zone, url] : platform_->health_urls()) {
    EXPECT_EQ(StringAt(parsed, {"zones", zone, "health_endpoint"}), url);
    EXPECT_EQ(IntAt(parsed, {"zones", zone, "expected_pods"}), 3);
    EXPECT_EQ(Health(zone), 200) << zone;
  }
}

TEST_F(PlatformTest, ALostZoneLooksAsTheNodeLifecycleControllerLeavesIt) {
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  int lost = 0;
  for (const ObjectPtr& node : List("v1", "Node")) {
    if (ZoneOfNode(platform_->store(), StringAt(*node, {"metadata", "name"})) != "us-east-1a") {
      continue;
    }
    ++lost;
    for (const Json& condition : node->at("status").at("conditions")) {
      EXPECT_EQ(StringAt(condition, {"status"}), "Unknown");
      EXPECT_EQ(StringAt(condition, {"reason"}), "NodeStatusUnknown");
    }
    std::string effects;
    for (const Json& taint : node->at("spec").at("taints")) {
      if (StringAt(taint, {"key"}) != "node.kubernetes.io/unreachable") continue;
      effects += StringAt(taint, {"effect"}) + " ";
    }
    EXPECT_EQ(effects, "NoSchedule NoExecute ");
  }
  EXPECT_EQ(lost, 8);
  EXPECT_EQ(ReadyEndpoints(),
            (std::map<std::string, int>{{"us-east-1a", 0}, {"us-east-1b", 3}, {"us-east-1c", 3}}));
  const ObjectPtr budget = Only("policy/v1", "PodDisruptionBudget");
  EXPECT_EQ(IntAt(*budget, {"status", "currentHealthy"}), 6);
  EXPECT_EQ(IntAt(*budget, {"status", "disruptionsAllowed"}), 0);
  EXPECT_EQ(StringAt(budget->at("status").at("conditions").front(), {"reason"}),
            "InsufficientPods");
  EXPECT_EQ(Health("us-east-1a"), 0);
  EXPECT_EQ(Health("us-east-1b"), 200);
}

// Back as it was, but for the times of the transitions; a cordon from before survives.
TEST_F(PlatformTest, ARestoredZoneIsAsBefore) {
  const std::string node = WorkerNames(platform_->store(), "us-east-1a").front();
  ASSERT_TRUE(platform_->Do("node " + node + " cordon"));
  const auto shape = [&] {
    std::map<std::string, std::string> out;
    for (const char* kind : {"Node", "Pod"}) {
      for (const ObjectPtr& object : List("v1", kind)) {
        std::string text = Dump(object->at("spec"));
        for (const Json& condition : object->at("status").at("conditions")) {
          text += StringAt(condition, {"type"}) + StringAt(condition, {"status"}) +
                  StringAt(condition, {"reason"}) + StringAt(condition, {"message"});
        }
        out[StringAt(*object, {"metadata", "name"})] = text;
      }
    }
    return out;
  };
  const auto before = shape();
  const auto endpoints = ReadyEndpoints();
  ASSERT_TRUE(platform_->Do("zone us-east-1a down"));
  EXPECT_NE(shape(), before);
  ASSERT_TRUE(platform_->Do("zone us-east-1a up"));
  EXPECT_EQ(shape(), before);
  EXPECT_EQ(ReadyEndpoints(), endpoints);
  EXPECT_EQ(IntAt(*Only("policy/v1", "PodDisruptionBudget"), {"status", "disruptionsAllowed"}), 3);
  EXPECT_EQ(Health("us-east-1a"), 200);
}

TEST_F(PlatformTest, AWatchSeesAZoneGoDownStepByStep) {
  simulator::Store& store = platform_->store();
  const std::int64_t before = store.resource_version();
  ASSERT_EQ(Post("zone us-east-1b down").status, 200);
  const EventBatch batch = store.WaitForEvents(Type("v1", "Node"), before, 0, {});
  ASSERT_EQ(batch.events.size(), 3u * 7u);
  for (const auto& event : batch.events) EXPECT_EQ(event.type, EventType::kModified);
  EXPECT_FALSE(
      store.WaitForEvents(Type("policy/v1", "PodDisruptionBudget"), before, 0, {}).events.empty());
  EXPECT_FALSE(store.WaitForEvents(Type("discovery.k8s.io/v1", "EndpointSlice"), before, 0, {})
                   .events.empty());
}

TEST_F(PlatformTest, TheControlEndpointSaysWhatItDid) {
  struct Case {
    std::string commands;
    int status;
    std::string answer;
  };
  const Case cases[] = {
      {"zone us-east-1c down", 200, "done: zone us-east-1c down\n"},
      {"zone us-east-1c down", 200, "done: zone us-east-1c down\n"},  // twice is as good as once
      {"# a comment\n\nzone us-east-1c up\nzone us-east-1c latency 50ms\n", 200,
       "done: zone us-east-1c up\ndone: zone us-east-1c latency 50ms\n"},
      {"zone us-east-1a up\nzone us-east-1z down", 404,
       "done: zone us-east-1a up\nline 2: no zone \"us-east-1z\" in us-east-1\n"},
      {"node nope down", 404, "line 1: no node \"nope\"\n"},
      {"node nope explode", 400,
       "line 1: no command \"node nope explode\"; known: node NODE down, node NODE up, node NODE "
       "stall, node NODE cordon, node NODE uncordon, node NODE drain, node NODE delete\n"},
      {"explode", 400,
       "line 1: no command \"explode\"; known: zone, node, scale, pod, database, fault, api ...\n"},
      {"zone us-east-1c latency soon", 400,
       "line 1: latency \"soon\": must be a duration like 800ms\n"},
      {"scale deployment machine-native-ops many", 400,
       "line 1: scale machine-native-ops: \"many\" is no number of replicas\n"},
      {"scale deployment nope 3", 404, "line 1: deployments.apps \"nope\" not found\n"},
      {"pod nope delete", 404, "line 1: no pod \"nope\"\n"},
      {"database postgres-cluster-1 stop", 500,
       "line 1: the platform runs without a database (--database)\n"},
      {"", 400, "no command: put one on each line of the body\n"},
  };
  for (const Case& c : cases) {
    const httplib::Response response = Post(c.commands);
    EXPECT_EQ(response.status, c.status) << c.commands;
    EXPECT_EQ(response.body, c.answer) << c.commands;
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(Health("us-east-1c"), 200);
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50));
  EXPECT_EQ(Post("zone us-east-1c health silent").status, 200);
  EXPECT_EQ(Health("us-east-1c"), 0);
  EXPECT_EQ(Post("zone us-east-1c health up").status, 200);
  EXPECT_EQ(Health("us-east-1c"), 200);
}

TEST(ManifestTest, ReadsScalarsAsYamlMeansThem) {
  const auto node = base::YamlNode::Parse(
      "{a: 1, b: '1', c: true, d: 66%, e: 1.5, f: null, g: inf, h: 100Gi, i: -2, j: \"\"}", "f");
  ASSERT_TRUE(node);
  EXPECT_EQ(Dump(ToJson(*node)),
            R"({"a":1,"b":"1","c":true,"d":"66%","e":1.5,"f":null,"g":"inf","h":"100Gi",)"
            R"("i":-2,"j":""})");
}

}  // namespace
}  // namespace azexporter::platform
