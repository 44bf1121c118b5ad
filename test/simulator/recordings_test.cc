// What the simulator answers, against what a real API server (1.32) answered: the recorded lists
// are loaded into the store, and every body is compared with the recorded one field by field.
// Skipped where the recordings are not at hand (AZX_RECORDINGS, default ../shared/kubernetes).

#include "simulator/simulator_fixture.h"

namespace azexporter::simulator {
namespace {

using nlohmann::json;

json Recording(const std::string& name) { return json::parse(ReadRecording(name), nullptr, false); }

std::vector<json> RecordedEvents(const std::string& name) {
  return Answer{.body = ReadRecording(name)}.events();
}

class RecordingsTest : public SimulatorTest {
 protected:
  void SetUp() override {
    if (!HaveRecordings()) {
      GTEST_SKIP() << "no recordings in " << RecordingsFolder();
    }
    Start();
  }

  // Loads a recorded list and takes over its resourceVersion.
  void LoadList(const std::string& name) {
    const auto list = ParseJson(ReadRecording(name));
    ASSERT_TRUE(list) << name;
    std::string kind = StringAt(*list, {"kind"});
    kind.resize(kind.size() - 4);  // without "List"
    for (const Json& item : list->at("items")) {
      Json object = Json::object();
      object["kind"] = kind;
      object["apiVersion"] = StringAt(*list, {"apiVersion"});
      object.update(item);
      const auto loaded = store_.Load(std::move(object));
      ASSERT_TRUE(loaded) << loaded.error().message();
    }
    store_.AdvanceTo(std::stoll(StringAt(*list, {"metadata", "resourceVersion"})));
  }

  void ExpectSame(const std::string& target, const std::string& recording, int status = 200) {
    const Answer answer = Get(*server_, target);
    EXPECT_EQ(answer.status, status) << target;
    EXPECT_EQ(answer.json(), Recording(recording)) << target;
  }

  // Byte by byte, but for the versions that a message names.
  void ExpectSameText(const std::string& target, const std::string& recording, int status) {
    const Answer answer = Get(*server_, target);
    EXPECT_EQ(answer.status, status) << target;
    EXPECT_EQ(answer.body, ReadRecording(recording)) << target;
  }
};

TEST_F(RecordingsTest, ListsAreTheRecordedOnes) {
  struct Case {
    std::string target, recording;
  };
  const Case cases[] = {
      {"/api/v1/nodes", "nodes.list.json"},
      {"/api/v1/pods", "pods.list.json"},
      {"/api/v1/pods?resourceVersion=0", "pods.rv0.list.json"},
      {"/api/v1/namespaces/platform-03/pods", "pods.platform-03.list.json"},
      {"/api/v1/namespaces/default/pods", "pods.empty.list.json"},
      {"/api/v1/pods?fieldSelector=spec.nodeName%3Dip-10-0-0-4.ec2.internal",
       "pods.on-node.list.json"},
      {"/api/v1/nodes?labelSelector=topology.kubernetes.io%2Fzone%3Dus-east-1a",
       "nodes.zone-a.list.json"},
      {"/apis/policy/v1/poddisruptionbudgets", "pdbs.list.json"},
      {"/api/v1/persistentvolumes", "pvs.list.json"},
      {"/api/v1/persistentvolumeclaims", "pvcs.list.json"},
      {"/apis/discovery.k8s.io/v1/endpointslices", "endpointslices.list.json"},
      {"/apis/apps/v1/deployments", "deployments.list.json"},
      {"/apis/apps/v1/replicasets", "replicasets.list.json"},
      {"/apis/apps/v1/statefulsets", "statefulsets.list.json"},
      {"/apis/apps/v1/daemonsets", "daemonsets.list.json"},
      {"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", "leases.list.json"},
      {"/api/v1/services", "services.list.json"},
      {"/api/v1/namespaces", "namespaces.list.json"},
      {"/apis/storage.k8s.io/v1/storageclasses", "storageclasses.list.json"},
      {"/apis/postgresql.cnpg.io/v1/clusters", "cnpg-clusters.list.json"},
      {"/apis/networking.istio.io/v1/destinationrules", "destinationrules.list.json"},
      {"/apis/networking.istio.io/v1beta1/destinationrules", "destinationrules.v1beta1.list.json"},
      {"/apis/redis.redis.opstreelabs.in/v1beta2/redisclusters", "redisclusters.list.json"},
      {"/apis/monitoring.coreos.com/v1/prometheusrules", "prometheusrules.list.json"},
  };
  for (const Case& c : cases) {
    if (c.recording.find("pods.") == 0 && c.recording != "pods.list.json") continue;
    if (c.recording == "nodes.zone-a.list.json" ||
        c.recording.find("v1beta1") != std::string::npos) {
      continue;
    }
    LoadList(c.recording);
  }
  for (const Case& c : cases) {
    const json recorded = Recording(c.recording);
    json answered = Get(*server_, c.target).json();
    ASSERT_FALSE(answered.is_discarded()) << c.target;
    // The lists were recorded within a second, but not at one version.
    answered["metadata"]["resourceVersion"] = recorded["metadata"]["resourceVersion"];
    // The v1beta1 list shows managedFields as v1beta1 sees them; only the object counts here.
    EXPECT_EQ(answered, recorded) << c.target;
  }
}

TEST_F(RecordingsTest, GetTellsKindAndVersion) {
  LoadList("nodes.list.json");
  LoadList("pdbs.list.json");
  ExpectSame("/api/v1/nodes/ip-10-0-0-4.ec2.internal", "node.get.json");
  ExpectSame("/apis/policy/v1/namespaces/platform-03/poddisruptionbudgets/machine-native-ops",
             "pdb.get.json");
}

TEST_F(RecordingsTest, PagesFollowTheirTokens) {
  LoadList("pods.platform-03.list.json");
  store_.AdvanceTo(846);
  std::string token;
  for (int page = 1; page <= 5; ++page) {
    const json recorded = Recording("pods.page" + std::to_string(page) + ".json");
    const Answer answer = Get(*server_, "/api/v1/namespaces/platform-03/pods?limit=4" +
                                            (token.empty() ? "" : "&continue=" + token));
    EXPECT_EQ(answer.json(), recorded) << page;
    token = recorded["metadata"].value("continue", "");
  }
}

TEST_F(RecordingsTest, AnExpiredTokenCarriesOneForTheRest) {
  LoadList("pods.list.json");
  store_.AdvanceTo(848);
  const json first = Recording("expired.1-page1.json");
  ExpectSame("/api/v1/pods?limit=4", "expired.1-page1.json");
  store_.AdvanceTo(856);
  store_.Compact();
  ExpectSameText(
      "/api/v1/pods?limit=4&continue=" + first["metadata"]["continue"].get<std::string>(),
      "expired.2-list-410.json", 410);
  const json expired = Recording("expired.2-list-410.json");
  ExpectSame("/api/v1/pods?limit=4&continue=" + expired["metadata"]["continue"].get<std::string>(),
             "expired.3-inconsistent-continue.json");
}

TEST_F(RecordingsTest, ErrorsAreWordForWord) {
  LoadList("nodes.list.json");
  store_.AdvanceTo(860);
  store_.Compact();
  ExpectSameText("/api/v1/namespaces/platform-03/pods/nope", "404-pod.json", 404);
  ExpectSameText("/apis/redis.example.com/v1/redisclusters", "404-no-such-crd.txt", 404);
  ExpectSameText("/apis/postgresql.cnpg.io/v1/poolers", "404-no-such-resource.txt", 404);
  ExpectSameText("/nope", "404-path.txt", 404);
  ExpectSameText("/api/v1/pods?limit=4&continue=garbage", "list-bad-continue.json", 400);
  ExpectSameText("/api/v1/pods?limit=4&resourceVersion=2&resourceVersionMatch=Exact",
                 "list-rv-exact-too-old.json", 410);
  ExpectSameText("/api/v1/pods?resourceVersion=999999999", "list-rv-in-future.json", 504);
  ExpectSameText(
      "/api/v1/nodes?watch=1&allowWatchBookmarks=true&sendInitialEvents=true&timeoutSeconds=3",
      "watchlist.no-match.422.json", 422);
  const Answer not_allowed = Fetch(*server_, "POST", "/api/v1/nodes/ip-10-0-0-4.ec2.internal");
  EXPECT_EQ(not_allowed.status, 405);
  EXPECT_EQ(not_allowed.body, ReadRecording("405.json"));
  const Answer not_acceptable =
      Get(*server_, "/api/v1/pods", {.accept = "image/png", .user_agent = "curl/7.88.1"});
  EXPECT_EQ(not_acceptable.status, 406);
  EXPECT_EQ(not_acceptable.body, ReadRecording("406.json"));
}

TEST_F(RecordingsTest, RefusalsNameTheUser) {
  server_->Stop();
  Start({.token = "right", .user = "system:serviceaccount:monitoring:no-rights"});
  const Answer wrong = Get(*server_, "/api/v1/pods", {.token = "wrong"});
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.body, ReadRecording("401-bad-token.json"));
  EXPECT_EQ(Get(*server_, "/api/v1/pods").status, 401);
  EXPECT_EQ(Get(*server_, "/api/v1/pods", {.token = "right"}).status, 200);
  ASSERT_TRUE(server_->faults().Add("any pods status 403"));
  const Answer list = Get(*server_, "/api/v1/pods", {.token = "right"});
  EXPECT_EQ(list.status, 403);
  EXPECT_EQ(list.body, ReadRecording("403-serviceaccount.json"));
  EXPECT_EQ(Get(*server_, "/api/v1/pods?watch=1", {.token = "right"}).body,
            ReadRecording("403-watch.json"));
}

TEST_F(RecordingsTest, AWatchFromTooFarBackIsOneErrorEvent) {
  store_.AdvanceTo(523);
  store_.Compact();
  ExpectSameText("/api/v1/pods?watch=1&allowWatchBookmarks=true&resourceVersion=1&timeoutSeconds=5",
                 "watch.too-old.jsonl", 200);
}

TEST_F(RecordingsTest, StreamingListsEndWithTheirBookmark) {
  LoadList("nodes.list.json");
  store_.AdvanceTo(880);
  const Answer nodes = Get(*server_,
                           "/api/v1/nodes?watch=1&allowWatchBookmarks=true&sendInitialEvents=true"
                           "&resourceVersionMatch=NotOlderThan&timeoutSeconds=1");
  const auto recorded = RecordedEvents("watchlist.nodes.jsonl");
  const auto events = nodes.events();
  ASSERT_GE(events.size(), recorded.size());
  EXPECT_EQ(events[recorded.size() - 1], recorded.back());
  EXPECT_EQ(nodes.content_type, "application/json");
  for (std::size_t i = 0; i + 1 < recorded.size(); ++i) {
    EXPECT_EQ(events[i]["type"], "ADDED");
    EXPECT_EQ(events[i]["object"]["metadata"]["name"], recorded[i]["object"]["metadata"]["name"]);
  }
}

TEST_F(RecordingsTest, AWatchFromZeroStartsWithWhatExists) {
  LoadList("pods.platform-03.list.json");
  store_.AdvanceTo(860);
  const auto events = Get(*server_,
                          "/api/v1/namespaces/platform-03/pods?watch=1&allowWatchBookmarks=true"
                          "&resourceVersion=0&timeoutSeconds=1")
                          .events();
  const auto recorded = RecordedEvents("watch.rv0.jsonl");
  ASSERT_GE(events.size(), recorded.size());
  for (std::size_t i = 0; i < recorded.size(); ++i) EXPECT_EQ(events[i], recorded[i]) << i;
}

// The recorded changes of a real zone failure, replayed through the store, come out of a watch as
// they were recorded (the store gives them versions of its own).
TEST_F(RecordingsTest, AReplayedZoneFailureIsWatchedAsRecorded) {
  LoadList("nodes.list.json");
  store_.AdvanceTo(1682);
  store_.Compact();
  std::vector<json> recorded;
  std::istringstream lines(ReadRecording("watch.nodes.natural-zonefail.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const auto event = ParseJson(line);
    ASSERT_TRUE(event);
    if (StringAt(*event, {"type"}) != "MODIFIED") continue;
    ASSERT_TRUE(store_.Apply(event->at("object")));
    recorded.push_back(json::parse(line));
  }
  const auto events =
      Get(*server_, "/api/v1/nodes?watch=1&resourceVersion=1682&timeoutSeconds=1").events();
  ASSERT_EQ(events.size(), recorded.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i]["type"], "MODIFIED");
    EXPECT_EQ(events[i]["object"]["spec"], recorded[i]["object"]["spec"]);
    EXPECT_EQ(events[i]["object"]["status"], recorded[i]["object"]["status"]);
  }
}

TEST_F(RecordingsTest, NodeTablesHaveTheRecordedColumnsAndCells) {
  LoadList("nodes.list.json");
  const json recorded = Recording("nodes.table.json");
  const json answered =
      Get(*server_, "/api/v1/nodes",
          {.accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"})
          .json();
  ASSERT_EQ(answered["columnDefinitions"].size(), recorded["columnDefinitions"].size());
  for (std::size_t i = 0; i < recorded["columnDefinitions"].size(); ++i) {
    for (const char* field : {"name", "type", "format", "priority"}) {
      EXPECT_EQ(answered["columnDefinitions"][i][field], recorded["columnDefinitions"][i][field]);
    }
  }
  ASSERT_EQ(answered["rows"].size(), recorded["rows"].size());
  constexpr std::size_t kAge = 3;
  for (std::size_t i = 0; i < recorded["rows"].size(); ++i) {
    json cells = answered["rows"][i]["cells"];
    cells[kAge] = recorded["rows"][i]["cells"][kAge];
    EXPECT_EQ(cells, recorded["rows"][i]["cells"]);
    EXPECT_EQ(answered["rows"][i]["object"], recorded["rows"][i]["object"]);
  }
}

TEST_F(RecordingsTest, PartialMetadataIsTheRecordedOne) {
  LoadList("pods.list.json");
  store_.AdvanceTo(846);
  const Answer answer = Get(
      *server_, "/api/v1/pods",
      {.accept =
           "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"});
  EXPECT_EQ(answer.json(), Recording("pods.partialmeta.json"));
}

TEST_F(RecordingsTest, PeopleGetPrettyJson) {
  LoadList("nodes.list.json");
  store_.AdvanceTo(845);
  const Answer answer = Get(*server_, "/api/v1/nodes", {.user_agent = "curl/7.88.1"});
  EXPECT_EQ(answer.body, ReadRecording("nodes.list.pretty.json"));
}

// Discovery names fewer resources than a full server; those it names are described as recorded.
TEST_F(RecordingsTest, DiscoveryDescribesResourcesAsRecorded) {
  const auto by_name = [](const json& list, const char* key) {
    std::map<std::string, json> out;
    for (const json& entry : list) {
      json copy = entry;
      copy.erase("storageVersionHash");
      out[entry.value(key, "")] = copy;
    }
    return out;
  };
  const auto recorded_core = by_name(Recording("api-v1.json")["resources"], "name");
  for (const auto& [name, resource] :
       by_name(Get(*server_, "/api/v1").json()["resources"], "name")) {
    EXPECT_EQ(resource, recorded_core.at(name));
  }
  json policy = Recording("apis-policy-v1.json");
  for (json& resource : policy["resources"]) resource.erase("storageVersionHash");
  EXPECT_EQ(Get(*server_, "/apis/policy/v1").json(), policy);
  const auto recorded_groups = by_name(Recording("apis.json")["groups"], "name");
  for (const auto& [name, group] : by_name(Get(*server_, "/apis").json()["groups"], "name")) {
    if (name == "elbv2.k8s.aws") continue;  // not installed where the recordings come from
    EXPECT_EQ(group, recorded_groups.at(name));
  }
}

}  // namespace
}  // namespace azexporter::simulator
