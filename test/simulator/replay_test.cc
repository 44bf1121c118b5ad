// Every recorded answer of a real server, served again: nothing may differ but the date, and none
// may be left out.

#include "simulator/replay.h"

#include <httplib.h>

#include "simulator/simulator_fixture.h"

namespace azexporter::simulator {
namespace {

// What cannot be replayed, and why.
const std::map<std::string, std::string> kSkipped = {
    {"nodes.http2.headers", "recorded in HTTP/2, HTTP/1.1 is spoken here"}};

// The lines of a headers file, without their ends.
std::vector<std::string> HeaderLines(const std::string& name) {
  std::vector<std::string> lines;
  std::istringstream in(ReadRecording(name));
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(line);
  }
  return lines;
}

class ReplayTest : public SimulatorTest {
 protected:
  void SetUp() override {
    if (!HaveRecordings()) GTEST_SKIP() << "no recordings in " << RecordingsFolder();
    Start({.recordings = RecordingsFolder().string()});
  }

  httplib::Result Ask(const std::string& target, const httplib::Headers& headers = {}) const {
    httplib::Client client("127.0.0.1", server_->port());
    client.set_decompress(false);
    return client.Get(target, headers);
  }

  // The answer against the headers file and the body of a recording.
  static void ExpectRecorded(const httplib::Result& answer, const std::string& name) {
    ASSERT_TRUE(answer) << name << ": " << httplib::to_string(answer.error());
    // Not EXPECT_EQ: its account of two large bodies is larger still.
    EXPECT_TRUE(answer->body == ReadRecording(name)) << name << ": the bodies differ";
    for (const std::string& line : HeaderLines(name + ".headers")) {
      if (line.starts_with("GET ") || line.starts_with("Date: ")) continue;
      if (line.starts_with("HTTP/1.1 ")) {
        EXPECT_EQ(answer->status, std::stoi(line.substr(9))) << name;
        continue;
      }
      const std::size_t colon = line.find(": ");
      EXPECT_EQ(answer->get_header_value(line.substr(0, colon)), line.substr(colon + 2)) << name;
    }
  }
};

TEST_F(ReplayTest, EveryRecordingIsServedAsItWasRecorded) {
  std::map<std::string, std::string> skipped = kSkipped;
  int replayed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(RecordingsFolder())) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(".headers")) continue;
    if (skipped.erase(file) > 0) continue;
    const std::string name = entry.path().stem().string();
    server_->faults().ClearAll();
    ASSERT_TRUE(server_->faults().Add("any any replay " + name));
    const std::string first = HeaderLines(file).front();
    ExpectRecorded(Ask(first.starts_with("GET ") ? first.substr(4) : "/unrecorded"), name);
    ++replayed;
  }
  EXPECT_TRUE(skipped.empty()) << skipped.begin()->first << " is not in the folder";
  EXPECT_GT(replayed, 90);
}

TEST_F(ReplayTest, SaysWhatItCannotReplay) {
  const auto recordings = Recordings::Load(RecordingsFolder().string());
  ASSERT_TRUE(recordings);
  EXPECT_EQ(recordings->skipped(), kSkipped);
  ASSERT_TRUE(server_->faults().Add("list pods replay nope times 1"));
  const Answer missing = Get(*server_, "/api/v1/pods");
  EXPECT_EQ(missing.status, 500);
  EXPECT_EQ(missing.json()["message"], "no recording \"nope\"");
  EXPECT_FALSE(ApiServer::Start({.recordings = "/nowhere"}, store_, clock_));
}

TEST_F(ReplayTest, ARuleReplaysForWhatItIsAimedAt) {
  ASSERT_TRUE(server_->faults().Add("list pods replay pods.list.pb times 1"));
  const auto protobuf = Ask("/api/v1/pods?limit=500");
  ASSERT_TRUE(protobuf);
  EXPECT_EQ(protobuf->get_header_value("Content-Type"), "application/vnd.kubernetes.protobuf");
  EXPECT_TRUE(protobuf->body == ReadRecording("pods.list.pb"));
  EXPECT_EQ(Get(*server_, "/api/v1/pods").json()["items"].size(), 0u) << "the server's own again";
}

class ReplayServerTest : public ReplayTest {
 protected:
  void SetUp() override {
    ReplayTest::SetUp();
    if (IsSkipped()) return;
    // Nobody is asked for a token: the refusals are recordings too.
    Start({.token = "secret",
           .recordings = RecordingsFolder().string(),
           .replay = ReplayMode::kByTarget});
  }
};

TEST_F(ReplayServerTest, ATargetGetsItsRecording) {
  const auto recordings = Recordings::Load(RecordingsFolder().string());
  ASSERT_TRUE(recordings);
  std::map<std::string, std::vector<std::string>> by_target;
  for (const auto& [name, recording] : recordings->all()) {
    if (!recording.target.empty()) by_target[recording.target].push_back(name);
  }
  for (const auto& [target, names] : by_target) {
    if (names.size() == 1) ExpectRecorded(Ask(target), names.front());
  }
  EXPECT_EQ(Ask("/api/v1/configmaps")->status, 401) << "the server's own answer";
}

TEST_F(ReplayServerTest, OfSeveralRecordingsTheAcceptHeaderChooses) {
  struct Case {
    std::string target, accept, encoding, want;
  };
  const std::string json = "application/json";
  const std::string protobuf = "application/vnd.kubernetes.protobuf";
  const std::string table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const std::string partial = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io";
  const std::string aggregated =
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
  const Case cases[] = {
      {"/api/v1/nodes", json, "", "nodes.list.json"},
      {"/api/v1/nodes", "", "", "nodes.list.json"},
      {"/api/v1/nodes", json, "gzip", "nodes.list.gzip.json.gz"},
      {"/api/v1/nodes", protobuf, "", "nodes.list.pb"},
      {"/api/v1/nodes", protobuf + "," + json, "", "nodes.list.pb"},
      {"/api/v1/nodes", table + "," + json, "", "nodes.table.json"},
      {"/api/v1/pods", json, "", "pods.list.json"},
      {"/api/v1/pods", json, "gzip", "pods.list.json"},
      {"/api/v1/pods", partial, "", "pods.partialmeta.json"},
      {"/api/v1/pods", "image/png", "", "pods.list.json"},
      {"/apis", json, "", "apis.json"},
      {"/apis", aggregated + "," + json, "", "apis.aggregated.json"},
      {"/apis/policy/v1/poddisruptionbudgets", json, "", "pdbs.list.json"},
  };
  for (const Case& c : cases) {
    httplib::Headers headers = {{"Accept", c.accept}};
    if (!c.encoding.empty()) headers.emplace("Accept-Encoding", c.encoding);
    const auto answer = Ask(c.target, headers);
    ASSERT_TRUE(answer);
    EXPECT_TRUE(answer->body == ReadRecording(c.want)) << c.want << " for " << c.accept;
  }
}

}  // namespace
}  // namespace azexporter::simulator
