#include "connection_watch.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <string_view>
#include <vector>

#include "azexporter/base/wait.h"

namespace azexporter::web {
namespace {

// How long a client is gone at most before its query is told. A query that ends sooner than that
// costs no look at its socket.
constexpr std::int64_t kLookMs = 100;

struct Address {
  std::string text;
  int port = 0;
};

Address FromSocket(const sockaddr_storage& storage) {
  std::array<char, INET6_ADDRSTRLEN> text = {};
  const auto* any = &storage;
  if (storage.ss_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(any);
    inet_ntop(AF_INET, &v4->sin_addr, text.data(), text.size());
    return {text.data(), ntohs(v4->sin_port)};
  }
  if (storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(any);
    inet_ntop(AF_INET6, &v6->sin6_addr, text.data(), text.size());
    return {text.data(), ntohs(v6->sin6_port)};
  }
  return {};
}

bool IsSocketOf(int socket, const Connection& connection) {
  sockaddr_storage storage = {};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  if (getpeername(socket, address, &size) != 0) return false;
  const Address peer = FromSocket(storage);
  if (peer.port != connection.remote_port || peer.text != connection.remote_address) return false;
  // In a test the client's end is a socket of this process too.
  size = sizeof storage;
  return getsockname(socket, address, &size) == 0 &&
         FromSocket(storage).port == connection.local_port;
}

// The socket of this process with these ends; -1 where there is none.
int FindSocket(const Connection& connection) {
  if (connection.remote_port == 0) return -1;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir("/proc/self/fd"), &closedir);
  if (!folder) return -1;
  while (const dirent* entry = readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    int fd = -1;
    const auto [ptr, error] = std::from_chars(name.data(), name.data() + name.size(), fd);
    if (error != std::errc() || ptr != name.data() + name.size()) continue;
    if (IsSocketOf(fd, connection)) return fd;
  }
  return -1;
}

// As Go's server: a client that will send nothing more has gone.
bool HasGone(int socket) {
  char byte = 0;
  const ssize_t got = recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

}  // namespace

ConnectionWatch::Watched::~Watched() {
  base::MutexLock lock(watch_.mu_);
  watch_.entries_.erase(entry_);
}

ConnectionWatch::ConnectionWatch() : thread_([this](const std::stop_token& stop) { Run(stop); }) {}

ConnectionWatch::Watched ConnectionWatch::Watch(const Connection& connection) {
  base::MutexLock lock(mu_);
  Entry& entry = entries_.emplace_front();
  entry.connection = connection;
  if (stopped_) entry.stop.request_stop();
  changed_.notify_one();
  return Watched(*this, entries_.begin());
}

void ConnectionWatch::StopAll() {
  std::vector<std::stop_source> all;
  {
    base::MutexLock lock(mu_);
    stopped_ = true;
    for (const Entry& entry : entries_) all.push_back(entry.stop);
  }
  for (std::stop_source& stop : all) stop.request_stop();
}

void ConnectionWatch::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    {
      base::MutexLock lock(mu_);
      changed_.wait(mu_, stop, [this]() AZX_REQUIRES(mu_) { return !entries_.empty(); });
    }
    if (!base::WaitFor(stop, kLookMs)) return;
    Look();
  }
}

// The lock keeps every watched socket open while it is looked at; nothing here waits.
void ConnectionWatch::Look() {
  std::vector<std::stop_source> gone;
  {
    base::MutexLock lock(mu_);
    for (Entry& entry : entries_) {
      if (!entry.looked_up) entry.socket = FindSocket(entry.connection);
      entry.looked_up = true;
      if (entry.socket >= 0 && HasGone(entry.socket)) gone.push_back(entry.stop);
    }
  }
  for (std::stop_source& stop : gone) stop.request_stop();
}

}  // namespace azexporter::web
