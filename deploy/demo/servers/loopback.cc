#include "servers/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace azexporter::servers {
namespace {

constexpr int kBacklog = 64;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

}  // namespace

Fd::Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Fd& Fd::operator=(Fd&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Fd::~Fd() {
  if (fd_ >= 0) ::close(fd_);
}

Listener ListenOnLoopback(int port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!fd.valid()) return {};
  // A server that ended a moment ago does not keep its port.
  const int yes = 1;
  setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address = Loopback(port);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(fd.get(), generic, size) != 0 || ::listen(fd.get(), kBacklog) != 0 ||
      ::getsockname(fd.get(), generic, &size) != 0) {
    return {};
  }
  return {std::move(fd), ntohs(address.sin_port)};
}

Fd ConnectToLoopback(int port) {
  Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const sockaddr_in address = Loopback(port);
  if (!fd.valid() ||
      ::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Fd();
  }
  return fd;
}

Fd ReservePort(int port) {
  // A name in Linux's abstract namespace, which only one socket of the machine can have.
  Fd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "azexporter-port-" + std::to_string(port);
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (!fd.valid() || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return Fd();
  }
  return fd;
}

int FreePort() {
  // Below the ports that Linux gives to whoever asks for any, so that no connection takes one while
  // its server is down.
  constexpr int kFirst = 20'000;
  constexpr int kCount = 12'000;
  static std::mutex mu;
  static std::vector<Fd> reservations;
  static int next = static_cast<int>(std::random_device{}() % kCount);
  std::lock_guard lock(mu);
  for (int tried = 0; tried < kCount; ++tried) {
    const int port = kFirst + std::exchange(next, (next + 1) % kCount);
    Fd reservation = ReservePort(port);
    if (!reservation.valid() || ListenOnLoopback(port).port != port) continue;
    reservations.push_back(std::move(reservation));
    return port;
  }
  return 0;
}

}  // namespace azexporter::servers
