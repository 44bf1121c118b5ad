#include "support/azexporter_process.h"
#include "azexporter/base/text.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <tuple>

#include "support/eventually.h"

namespace azexporter::test {

using nlohmann::json;
using servers::ChildProcess;

namespace {

constexpr int kWaitMs = 30'000;

// What stands behind `key` in the first line that tells of `event`, up to a space; "" when the
// program ended or said nothing of it.
std::string AwaitValue(ChildProcess& child, const std::string& event, const std::string& key) {
  std::string seen;
  while (const auto line = child.ReadLine(kWaitMs)) {
    seen += *line + "\n";
    const std::size_t at = line->find(key);
    if (line->find(event) == std::string::npos || at == std::string::npos) continue;
    const std::string value = line->substr(at + key.size());
    return value.substr(0, value.find(' '));
  }
  ADD_FAILURE() << "no " << event << " in:\n" << seen;
  return "";
}

std::vector<std::string> With(std::vector<std::string> first,
                              const std::vector<std::string>& more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

// Takes what the program prints until it ends. Reading touches nothing that signalling and waiting
// for the end do.
std::jthread ReadOn(ChildProcess& process) {
  return std::jthread([&process] {
    constexpr int kWholeTestMs = 600'000;
    while (process.ReadLine(kWholeTestMs)) {
    }
  });
}

// Whether it stops within its time, and properly.
void ExpectStop(ChildProcess& process, std::jthread& log_reader) {
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(kWaitMs), 0);
  if (log_reader.joinable()) log_reader.join();
}

}  // namespace

Outcome RunAzexporter(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), AZX_PROGRAM);
  ChildProcess process(arguments);
  Outcome outcome;
  outcome.text = process.ReadAll(60'000);
  outcome.code = process.Wait(10'000).value_or(-1);
  return outcome;
}

std::string PrometheusApi::Text(const std::string& path, const std::string& method) {
  const auto response = http_.Fetch(
      {.method = method, .url = url_ + path, .timeout_ms = kWaitMs, .fresh_connection = true});
  return response ? response->body : "";
}

json PrometheusApi::Data(const std::string& path) {
  const json answer = json::parse(Text(path), nullptr, /*allow_exceptions=*/false);
  return answer.is_object() && answer.contains("data") ? answer["data"] : json();
}

int PrometheusApi::Count(const std::string& query) {
  const json data = Data("/api/v1/query?query=" + base::UrlEscape(query));
  if (data.is_null()) return -1;
  int count = 0;
  for (const json& series : data["result"]) count += series["value"][1] != "NaN" ? 1 : 0;
  return count;
}

std::map<std::string, std::string> PrometheusApi::Values(const std::string& query) {
  std::map<std::string, std::string> values;
  const json data = Data("/api/v1/query?query=" + base::UrlEscape(query));
  if (data.is_null()) return values;
  for (const json& series : data["result"]) {
    values[series["metric"].dump()] = series["value"][1].get<std::string>();
  }
  return values;
}

std::vector<ActiveAlert> PrometheusApi::Alerts() {
  std::vector<ActiveAlert> alerts;
  const json data = Data("/api/v1/alerts");
  if (data.is_null()) return alerts;
  for (const json& one : data["alerts"]) {
    ActiveAlert& alert = alerts.emplace_back();
    alert.state = one["state"];
    alert.labels = one["labels"].get<std::map<std::string, std::string>>();
    alert.annotations = one["annotations"].get<std::map<std::string, std::string>>();
    alert.name = alert.labels["alertname"];
    for (const char* label : {"alertname", "job", "instance"}) alert.labels.erase(label);
  }
  std::sort(alerts.begin(), alerts.end(), [](const ActiveAlert& a, const ActiveAlert& b) {
    return std::tie(a.name, a.labels) < std::tie(b.name, b.labels);
  });
  return alerts;
}

std::set<std::string> PrometheusApi::Firing() {
  std::set<std::string> names;
  for (const ActiveAlert& alert : Alerts()) {
    if (alert.state == "firing") names.insert(alert.name);
  }
  return names;
}

std::string PrometheusApi::StateOf(const std::string& name) {
  for (const ActiveAlert& alert : Alerts()) {
    if (alert.name == name) return alert.state;
  }
  return "";
}

AzexporterProcess::AzexporterProcess(const std::string& config_file,
                                     const std::vector<std::string>& more)
    : process_(
          With({AZX_PROGRAM, "--config.file", config_file, "--web.listen-address", "127.0.0.1:0"},
               more)),
      api_(std::make_unique<PrometheusApi>(AwaitValue(process_, "azexporter is up", "url="))) {
  log_reader_ = ReadOn(process_);
  EXPECT_TRUE(Eventually([&] { return !api_->Data("/api/v1/zones").is_null(); }, kWaitMs));
}

std::optional<int> AzexporterProcess::Stop(int timeout_ms) {
  process_.Signal(SIGTERM);
  return process_.Wait(timeout_ms);
}

void AzexporterProcess::Kill() {
  process_.Signal(SIGKILL);
  EXPECT_EQ(process_.Wait(kWaitMs), 128 + SIGKILL);
  killed_ = true;
}

AzexporterProcess::~AzexporterProcess() {
  if (killed_) return;
  ExpectStop(process_, log_reader_);
}

bool PrometheusProcess::Installed() {
  return servers::RunProgram({"prometheus", "--version"}).has_value();
}

PrometheusProcess::PrometheusProcess(const std::string& folder, const std::string& config,
                                     const std::vector<std::string>& more) {
  std::ofstream(folder + "/prometheus.yaml") << config;
  std::vector<std::string> command = {"prometheus", "--config.file=" + folder + "/prometheus.yaml",
                                      "--storage.tsdb.path=" + folder + "/tsdb"};
  const bool address_given = std::any_of(more.begin(), more.end(), [](const std::string& flag) {
    return flag.starts_with("--web.listen-address=");
  });
  if (!address_given) command.emplace_back("--web.listen-address=127.0.0.1:0");
  process_ = std::make_unique<ChildProcess>(With(std::move(command), more));
  api_ = std::make_unique<PrometheusApi>("http://" +
                                         AwaitValue(*process_, "\"Listening on\"", "address="));
  log_reader_ = ReadOn(*process_);
}

PrometheusProcess::~PrometheusProcess() { ExpectStop(*process_, log_reader_); }

}  // namespace azexporter::test
