#include "zone_endpoint.h"

#include <fmt/format.h>

#include <chrono>

namespace azexporter::platform {

using base::ErrorCode;
using base::Fail;
using base::Result;
using simulator::HttpRequest;
using simulator::HttpResponse;
using simulator::HttpServer;

namespace {

constexpr std::size_t kThreads = 32;

}  // namespace

Result<std::unique_ptr<ZoneEndpoint>> ZoneEndpoint::Start(std::int64_t latency_us) {
  std::unique_ptr<ZoneEndpoint> endpoint(new ZoneEndpoint(latency_us));
  base::MutexLock lock(endpoint->mu_);
  AZX_RETURN_IF_ERROR(endpoint->ServeLocked(servers::FreePort()));
  return endpoint;
}

ZoneEndpoint::~ZoneEndpoint() {
  stop_.request_stop();
  base::MutexLock lock(mu_);
  http_.reset();
}

Result<void> ZoneEndpoint::ServeLocked(int port) {
  AZX_ASSIGN_OR_RETURN(http_,
                       HttpServer::Start({.port = port, .threads = kThreads},
                                         [this](const HttpRequest& r) { return Answer(r); }));
  port_ = http_->port();
  return {};
}

HttpResponse ZoneEndpoint::Answer(const HttpRequest& request) {
  if (request.method != "GET" || request.path != "/health") {
    return {.status = 404, .content_type = "text/plain", .body = "not found\n"};
  }
  {
    base::MutexLock lock(wait_mu_);
    wait_.wait_for(wait_mu_, stop_.get_token(), std::chrono::microseconds(latency_us_.load()),
                   [] { return false; });
  }
  return {.content_type = "text/plain", .body = "ok"};
}

std::string ZoneEndpoint::url() const {
  base::MutexLock lock(mu_);
  return fmt::format("http://127.0.0.1:{}/health", port_);
}

Result<void> ZoneEndpoint::Silence() {
  base::MutexLock lock(mu_);
  if (silent_socket_.valid()) return {};
  http_.reset();
  // Takes connections into its queue and leaves them there.
  silent_socket_ = servers::ListenOnLoopback(port_).fd;
  if (!silent_socket_.valid()) {
    return Fail(ErrorCode::kUnavailable, fmt::format("listen on port {} again", port_));
  }
  return {};
}

Result<void> ZoneEndpoint::Restore() {
  base::MutexLock lock(mu_);
  if (!silent_socket_.valid()) return {};
  silent_socket_ = servers::Fd();
  return ServeLocked(port_);
}

}  // namespace azexporter::platform
