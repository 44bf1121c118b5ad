#pragma once

// A real Alertmanager as a test runs it, on loopback.
//
// Thread safety: one thread only.

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "azexporter/net/http_client.h"
#include "servers/child_process.h"

namespace azexporter::test {

struct AlertmanagerOptions {
  std::string folder;           // takes its configuration and data; one for each Alertmanager
  int port = 0;                 // 0: a free one
  std::string webhook;          // where it tells of alerts; empty: nowhere
  std::string web_config;       // content of --web.config.file; empty: plain HTTP, open to all
  net::TlsOptions tls = {};     // how the test speaks to it
  std::string basic_auth = {};  // "user:password"
};

class AlertmanagerProcess {
 public:
  // Returns when it is ready; Fails the test where that does not happen.
  explicit AlertmanagerProcess(AlertmanagerOptions options);
  // It must end within its time, with 0, where it was not killed.
  ~AlertmanagerProcess();

  int port() const { return options_.port; }
  // "127.0.0.1:9093"
  std::string address() const { return "127.0.0.1:" + std::to_string(options_.port); }
  std::string url() const {
    return (options_.web_config.empty() ? "http://" : "https://") + address();
  }
  // SIGKILL: it forgets its alerts.
  void Kill();

  // Alerts of this name that it holds.
  nlohmann::json Alerts(const std::string& name);
  // The first of them; null where there is none.
  nlohmann::json Alert(const std::string& name);
  bool Arrives(const std::string& name);

 private:
  net::HttpResponse Fetch(const std::string& path);

  AlertmanagerOptions options_;
  net::HttpClient http_;
  std::unique_ptr<servers::ChildProcess> process_;
};

}  // namespace azexporter::test
