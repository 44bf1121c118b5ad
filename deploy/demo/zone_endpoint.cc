#include "zone_endpoint.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

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

// A socket that takes connections into its queue and leaves them there.
int OpenSilentSocket(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd, 64) != 0) {
    ::close(fd);
    return -1;
  }
  return fd;
}

}  // namespace

Result<std::unique_ptr<ZoneEndpoint>> ZoneEndpoint::Start(std::int64_t latency_us) {
  std::unique_ptr<ZoneEndpoint> endpoint(new ZoneEndpoint(latency_us));
  base::MutexLock lock(endpoint->mu_);
  AZX_RETURN_IF_ERROR(endpoint->ServeLocked(0));
  return endpoint;
}

ZoneEndpoint::~ZoneEndpoint() {
  stop_.request_stop();
  base::MutexLock lock(mu_);
  http_.reset();
  if (silent_socket_ >= 0) ::close(silent_socket_);
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
  if (silent_socket_ >= 0) return {};
  http_.reset();
  silent_socket_ = OpenSilentSocket(port_);
  if (silent_socket_ < 0) {
    return Fail(ErrorCode::kUnavailable, fmt::format("listen on port {} again", port_));
  }
  return {};
}

Result<void> ZoneEndpoint::Restore() {
  base::MutexLock lock(mu_);
  if (silent_socket_ < 0) return {};
  ::close(silent_socket_);
  silent_socket_ = -1;
  return ServeLocked(port_);
}

}  // namespace azexporter::platform
