#include "support/alertmanager_process.h"

#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <fstream>

#include "servers/loopback.h"
#include "support/eventually.h"

namespace azexporter::test {

using nlohmann::json;

namespace {

constexpr int kWaitMs = 30'000;

std::string Configuration(const std::string& webhook) {
  const std::string hook =
      webhook.empty() ? "" : ", webhook_configs: [{url: '" + webhook + "', send_resolved: true}]";
  return "route: {receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s, "
         "repeat_interval: 1h}\n"
         "receivers: [{name: hook" +
         hook + "}]\n";
}

}  // namespace

AlertmanagerProcess::AlertmanagerProcess(AlertmanagerOptions options)
    : options_(std::move(options)), http_({.user_agent = "test", .tls = options_.tls}) {
  if (options_.port == 0) options_.port = servers::FreePort();
  std::filesystem::create_directories(options_.folder);
  const std::string config = options_.folder + "/am.yaml";
  std::ofstream(config) << Configuration(options_.webhook);
  std::vector<std::string> arguments = {"prometheus-alertmanager", "--config.file=" + config,
                                        "--storage.path=" + options_.folder + "/data",
                                        "--web.listen-address=" + address(),
                                        "--cluster.listen-address="};
  if (!options_.web_config.empty()) {
    const std::string web = options_.folder + "/web.yaml";
    std::ofstream(web) << options_.web_config;
    arguments.push_back("--web.config.file=" + web);
  }
  process_ = std::make_unique<servers::ChildProcess>(arguments);
  EXPECT_GT(process_->pid(), 0) << "prometheus-alertmanager is not installed";
  EXPECT_TRUE(Eventually([&] { return Fetch("/-/ready").status == 200; }, kWaitMs))
      << process_->ReadAll(100);
}

AlertmanagerProcess::~AlertmanagerProcess() {
  if (!process_) return;
  process_->Signal(SIGTERM);
  EXPECT_EQ(process_->Wait(kWaitMs), 0);
}

void AlertmanagerProcess::Kill() {
  process_->Signal(SIGKILL);
  process_->Wait(kWaitMs);
  process_ = nullptr;
}

net::HttpResponse AlertmanagerProcess::Fetch(const std::string& path) {
  auto response = http_.Fetch(
      {.url = url() + path, .basic_auth = options_.basic_auth, .fresh_connection = true});
  return response ? *response : net::HttpResponse();
}

json AlertmanagerProcess::Alerts(const std::string& name) {
  const json all = json::parse(Fetch("/api/v2/alerts").body, nullptr, false);
  json named = json::array();
  if (!all.is_array()) return named;
  for (const json& alert : all) {
    if (alert["labels"]["alertname"] == name) named.push_back(alert);
  }
  return named;
}

json AlertmanagerProcess::Alert(const std::string& name) {
  const json named = Alerts(name);
  return named.empty() ? json() : named.front();
}

bool AlertmanagerProcess::Arrives(const std::string& name) {
  return Eventually([&] { return !Alert(name).is_null(); }, kWaitMs);
}

}  // namespace azexporter::test
