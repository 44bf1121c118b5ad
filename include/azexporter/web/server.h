#pragma once

// The HTTP face: /metrics, the status page, Prometheus's query API and the zones.
//
// No handler waits for Kubernetes, a database or a probe: all serve the latest finished round.
//
// Thread safety: thread-safe. The handlers run on the server's own threads.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/base/result.h"
#include "azexporter/collect/round.h"
#include "azexporter/promql/engine.h"
#include "azexporter/rules/manager.h"
#include "azexporter/storage/storage.h"

namespace azexporter::web {

struct ServerOptions {
  std::string listen_address =
      ":10126";  // HOST:PORT; no host: every IPv4 address; port 0: a free one
  std::string telemetry_path = "/metrics";
  std::string version;
  std::string revision;
};

// All of them must outlive the server.
struct ServerDeps {
  const collect::LatestRound& latest;
  const storage::Queryable& store;
  const promql::Engine& engine;
  const rules::Manager& rules;
  const base::Clock& clock;
  base::Logger log;
  // Loads the configuration again; the error is what the caller of /-/reload is told. Empty: the
  // path answers that it is not enabled.
  std::function<base::Result<void>()> reload;
  // Where alerts are posted to, without userinfo. Empty: nowhere.
  std::function<std::vector<std::string>()> alertmanagers = {};
};

class Server {
 public:
  // Binds the address, so that a port in use is an error here. kUnavailable.
  static base::Result<std::unique_ptr<Server>> Listen(ServerOptions options, ServerDeps deps);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Serves on a thread of its own until Stop or destruction.
  void Start();
  void Stop();

  // "http://127.0.0.1:10126", with the port in use.
  std::string url() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::web
