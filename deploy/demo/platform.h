#pragma once

// The embedded platform: the documented region behind a simulated Kubernetes API, one health
// endpoint a zone, and a control endpoint that loses and restores zones.
//
//   auto platform = Platform::Start({.manifests = "deploy/demo/manifests"}, clock);
//   (*platform)->LoseZone("us-east-1a");
//
// Thread safety: thread-safe.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "azexporter/base/clock.h"
#include "azexporter/base/result.h"
#include "simulator/api_server.h"

namespace azexporter::platform {

struct PlatformOptions {
  std::filesystem::path manifests;  // folder of *.yaml
  int api_port = 0;                 // 0: a free one
  // TLS and a token made at start, as kubectl wants it; off: plain HTTP, open to all on loopback.
  bool secure = true;
  // Latency of a zone's health endpoint in microseconds, where it differs from the region's own.
  std::map<std::string, std::int64_t> latencies_us;
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
  std::string control_url() const;
  // By zone name: "http://127.0.0.1:34567/health".
  std::map<std::string, std::string> health_urls() const;

  // kNotFound for a zone that the region does not have.
  base::Result<void> LoseZone(std::string_view zone);
  base::Result<void> RestoreZone(std::string_view zone);
  base::Result<void> SetLatency(std::string_view zone, std::int64_t latency_us);

  // A configuration of azexporter that watches this platform through the kubeconfig at this path.
  static std::string Config(const std::filesystem::path& kubeconfig);

  // Cuts every connection. May be called again.
  void Stop();

 private:
  struct Impl;
  explicit Platform(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::platform
