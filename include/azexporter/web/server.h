#pragma once

// The HTTP face: /metrics, the status page, Prometheus's query API, remote write, federation and
// the zones. Every path stands in one table, exporter/web/routes.cc.
//
// No handler waits for Kubernetes, a database or a probe: all serve the latest finished round.
//
// Thread safety: thread-safe. The handlers run on the server's own threads.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/base/result.h"
#include "azexporter/collect/round.h"
#include "azexporter/collect/self_metrics.h"
#include "azexporter/promql/engine.h"
#include "azexporter/rules/manager.h"
#include "azexporter/storage/memory_store.h"
#include "azexporter/storage/storage.h"

namespace azexporter::web {

struct ServerOptions {
  std::string listen_address =
      ":10126";  // HOST:PORT; no host: every IPv4 address; port 0: a free one
  std::string telemetry_path = "/metrics";
  std::string version;
  std::string revision;
  // How many queries of the API may run at the same time; more wait, within their own timeout.
  // Default 20, as Prometheus. At least 1.
  std::size_t max_concurrency = 20;
  // For /api/v1/status: the flags in force with their values, when the program started, and how
  // long the store keeps samples (0: for ever).
  std::map<std::string, std::string> flags = {};
  std::int64_t start_time_ms = 0;
  std::int64_t retention_ms = 0;
};

// Where alerts are posted to, and where not because relabelling dropped the target: URLs without
// userinfo.
struct AlertmanagersView {
  std::vector<std::string> active;
  std::vector<std::string> dropped;
};

// The configuration in force, as it is told to those who ask.
struct ConfigView {
  std::string yaml;               // without passwords; empty where there is no file
  model::Labels external_labels;  // added to what is federated
  bool last_reload_ok = true;
  std::int64_t loaded_at_ms = 0;  // when it was put into force
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
  // Empty: there are none.
  std::function<AlertmanagersView()> alertmanagers = {};
  // Where remote write goes. Null: /api/v1/write answers that it is not enabled.
  storage::Appendable* remote_write = nullptr;
  // How much the store holds. Empty: nobody knows.
  std::function<storage::MemoryStoreStats()> store_stats = {};
  // Empty: there is no configuration.
  std::function<ConfigView()> config = {};
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

  // What came in by remote write. Nothing where it is not enabled.
  std::optional<collect::RemoteWriteCounts> remote_write() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::web
