#pragma once

// A simulated API server on loopback with a store, and the few HTTP requests that tests make of it.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "simulator/api_server.h"

namespace azexporter::simulator {

struct Answer {
  int status = 0;  // 0: no answer
  std::string body;
  std::string content_type;
  bool ended_properly = true;  // false: the connection was cut in the middle of the body

  // Compares by content: the order of keys does not count. Null when the body is no JSON.
  nlohmann::json json() const { return nlohmann::json::parse(body, nullptr, false); }
  // The lines of a watch.
  std::vector<nlohmann::json> events() const;
};

struct Headers {
  std::string accept = "application/json";
  std::string token{};
  std::string content_type = "application/json";
  std::string user_agent = "simulator-test";
};

Answer Fetch(const ApiServer& server, const std::string& method, const std::string& target,
             const std::string& body = {}, const Headers& headers = {});
inline Answer Get(const ApiServer& server, const std::string& target, const Headers& headers = {}) {
  return Fetch(server, "GET", target, {}, headers);
}

// Where the answers of a real server lie: AZX_RECORDINGS, default ../shared/kubernetes. Tests that
// need them are skipped where they are not at hand.
std::filesystem::path RecordingsFolder();
bool HaveRecordings();
std::string ReadRecording(const std::string& name);

class SimulatorTest : public ::testing::Test {
 protected:
  SimulatorTest() : store_({.clock = clock_}) {}

  void Start(const ApiServerOptions& options = {}) {
    auto server = ApiServer::Start(options, store_, clock_);
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
  }

  // A pod with little more than its name.
  static Json Pod(const std::string& ns, const std::string& name, const std::string& node = "n1") {
    return {{"kind", "Pod"},
            {"apiVersion", "v1"},
            {"metadata", {{"name", name}, {"namespace", ns}, {"labels", {{"app", name}}}}},
            {"spec", {{"nodeName", node}, {"containers", Json::array()}}},
            {"status", {{"phase", "Running"}}}};
  }
  static Json Node(const std::string& name) {
    return {{"kind", "Node"},
            {"apiVersion", "v1"},
            {"metadata", {{"name", name}}},
            {"spec", Json::object()}};
  }

  base::SystemClock clock_;
  Store store_;
  std::unique_ptr<ApiServer> server_;
};

}  // namespace azexporter::simulator
