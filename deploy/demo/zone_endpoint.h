#pragma once

// The health endpoint of one zone: answers GET /health after the zone's own latency. When the zone
// is lost its port accepts connections and says nothing, as a network that swallows packets looks
// to a prober: requests time out rather than being refused.
//
// Thread safety: thread-safe.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"
#include "servers/loopback.h"
#include "simulator/http_server.h"

namespace azexporter::platform {

class ZoneEndpoint {
 public:
  static base::Result<std::unique_ptr<ZoneEndpoint>> Start(std::int64_t latency_us);
  ~ZoneEndpoint();
  ZoneEndpoint(const ZoneEndpoint&) = delete;
  ZoneEndpoint& operator=(const ZoneEndpoint&) = delete;

  // "http://127.0.0.1:34567/health"; stays the same through Silence and Restore.
  std::string url() const;
  std::int64_t latency_us() const { return latency_us_; }
  void SetLatency(std::int64_t latency_us) { latency_us_ = latency_us; }

  // Doing it twice changes nothing. kUnavailable when another program took the port meanwhile.
  base::Result<void> Silence();
  base::Result<void> Restore();

 private:
  explicit ZoneEndpoint(std::int64_t latency_us) : latency_us_(latency_us) {}
  base::Result<void> ServeLocked(int port) AZX_REQUIRES(mu_);
  simulator::HttpResponse Answer(const simulator::HttpRequest& request);

  // Own synchronisation.
  std::atomic<std::int64_t> latency_us_;
  std::stop_source stop_;

  // Guarded by mu_.
  mutable base::Mutex mu_;
  int port_ AZX_GUARDED_BY(mu_) = 0;
  servers::Fd silent_socket_ AZX_GUARDED_BY(mu_);  // listens but never accepts
  std::unique_ptr<simulator::HttpServer> http_ AZX_GUARDED_BY(mu_);

  // Guarded by wait_mu_: requests in their latency wait on it.
  base::Mutex wait_mu_;
  base::CondVar wait_;
};

}  // namespace azexporter::platform
