#pragma once

// The embedded platform: the documented region behind a simulated Kubernetes API, one health
// endpoint a zone, a real PostgreSQL cluster and a real Redis Cluster on request, and a control
// endpoint through which all of it can be made to fail.
//
//   auto platform = Platform::Start({.manifests = "deploy/demo/manifests"}, clock);
//   (*platform)->Do("zone us-east-1a down");
//
// Thread safety: thread-safe.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/result.h"
#include "databases.h"
#include "redis.h"
#include "simulator/api_server.h"
#include "simulator/scale.h"

namespace azexporter::platform {

struct PlatformOptions {
  std::filesystem::path manifests;  // folder of *.yaml
  int api_port = 0;                 // 0: a free one
  // TLS, a token of the administrator made at start, as kubectl wants it, and roles (RBAC) for
  // everybody else; off: plain HTTP, open to all on loopback.
  bool secure = true;
  // Latency of a zone's health endpoint in microseconds, where it differs from the region's own.
  std::map<std::string, std::int64_t> latencies_us;
  // A real PostgreSQL server and two real Redis nodes in each zone. Without it they are pods alone.
  bool database = false;
  // The controllers' delays are divided by it: with 10 a pod is evicted from an unreachable node
  // after 30 s instead of 300.
  double pace = 1;
  // Whether the nodes of the documented region renew Leases.
  bool node_leases = false;
  // Folder of recorded answers that the fault "replay NAME" sends; empty: none.
  std::filesystem::path recordings;
  // In the place of the documented region a large one, in which nothing moves by itself.
  std::optional<simulator::ScaleOptions> scale;
};

class Platform {
 public:
  // `clock` must outlive the platform.
  static base::Result<std::unique_ptr<Platform>> Start(const PlatformOptions& options,
                                                       const base::Clock& clock);
  ~Platform();
  Platform(const Platform&) = delete;
  Platform& operator=(const Platform&) = delete;

  simulator::ApiServer& api();
  simulator::Store& store();
  // "http://127.0.0.1:40497/_platform": POST commands to /do, GET /state.
  std::string control_url() const;
  // By zone name: "http://127.0.0.1:34567/health".
  std::map<std::string, std::string> health_urls() const;
  // Empty without a database.
  std::vector<DatabaseView> databases() const;
  std::vector<RedisView> redis_nodes() const;

  // Carries out one command (commands.h). kBadData for one that is none, kNotFound for a zone,
  // node, pod or instance that is not there, kExecution when it could not be done.
  base::Result<void> Do(std::string_view command);

  // A configuration of azexporter that watches this platform through the kubeconfig at this path.
  std::string Config(const std::filesystem::path& kubeconfig) const;

  // Cuts every connection. May be called again.
  void Stop();

 private:
  struct Impl;
  explicit Platform(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::platform
