#pragma once

// The program azexporter as a test runs it: the daemon on a free port and what its API answers, and
// --check beside it. A Prometheus is asked in the same words.
//
// Thread safety: one thread only.

#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "azexporter/net/http_client.h"
#include "servers/child_process.h"

namespace azexporter::test {

struct Outcome {
  int code = -1;
  std::string text;
};

// Runs the program to its end, one minute at most.
Outcome RunAzexporter(std::vector<std::string> arguments);

struct ActiveAlert {
  std::string name;
  std::string state;                          // "pending" or "firing"
  std::map<std::string, std::string> labels;  // without alertname
  std::map<std::string, std::string> annotations;
};

// A Prometheus API: azexporter's own or Prometheus's.
class PrometheusApi {
 public:
  explicit PrometheusApi(std::string url) : url_(std::move(url)) {}

  const std::string& url() const { return url_; }
  // The body; empty where there is none.
  std::string Text(const std::string& path, const std::string& method = "GET");
  // `data` of an answer; null while there is none.
  nlohmann::json Data(const std::string& path);
  // Samples of an instant query that are numbers; -1 where the query has no answer.
  int Count(const std::string& query);
  // The value of each series of an instant query, by its labels as text.
  std::map<std::string, std::string> Values(const std::string& query);
  // Those of the API, but for the labels `job` and `instance`; in the order of name and labels.
  std::vector<ActiveAlert> Alerts();
  // The names of the firing ones.
  std::set<std::string> Firing();
  // "pending", "firing", or "" where the alert is not active.
  std::string StateOf(const std::string& alert);

 private:
  std::string url_;
  net::HttpClient http_{{.user_agent = "test"}};
};

// The daemon. Stopping it with the object is a test: it must end within its time, with 0.
class AzexporterProcess {
 public:
  // Started with --config.file and what else is given; returns when it serves. url() is empty when
  // it did not come up.
  AzexporterProcess(const std::string& config_file, const std::vector<std::string>& more = {});
  ~AzexporterProcess();

  const std::string& url() const { return api_->url(); }
  PrometheusApi& api() { return *api_; }
  void Signal(int signal) { process_.Signal(signal); }
  // Ends it where it is, as a machine that goes away does.
  void Kill();
  // The exit code after SIGTERM; nullopt when it still runs then.
  std::optional<int> Stop(int timeout_ms);

 private:
  servers::ChildProcess process_;
  std::unique_ptr<PrometheusApi> api_;
  std::jthread log_reader_;  // a full pipe would stop the program
  bool killed_ = false;
};

// A real Prometheus with this configuration, serving on a free port unless the flags name one.
class PrometheusProcess {
 public:
  static bool Installed();

  // `folder` takes its configuration and data; `more` are further flags. url() is empty when it did
  // not come up.
  PrometheusProcess(const std::string& folder, const std::string& config,
                    const std::vector<std::string>& more = {});
  ~PrometheusProcess();

  PrometheusApi& api() { return *api_; }

 private:
  std::unique_ptr<servers::ChildProcess> process_;
  std::unique_ptr<PrometheusApi> api_;
  std::jthread log_reader_;
};

}  // namespace azexporter::test
