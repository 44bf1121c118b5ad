#include "servers/tcp_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <list>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "azexporter/base/mutex.h"
#include "servers/loopback.h"

namespace azexporter::servers {

using base::ErrorCode;
using base::Fail;
using base::Result;

namespace {

// A direction holds at most this much of what its receiver does not take yet.
constexpr std::size_t kBufferBytes = 64 * 1024;

// One direction of a connection.
struct Pipe {
  std::string held;  // read, not yet written
  bool ended = false;

  // False when the connection is to be closed.
  bool Move(int from, int to, short from_events, short to_events) {
    if (held.empty() && !ended && (from_events & (POLLIN | POLLHUP | POLLERR)) != 0) {
      held.resize(kBufferBytes);
      const ssize_t got = ::recv(from, held.data(), held.size(), MSG_DONTWAIT);
      held.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
      if (got == 0) {
        ended = true;
        ::shutdown(to, SHUT_WR);
      } else if (got < 0 && errno != EAGAIN) {
        return false;
      }
    }
    if (!held.empty()) {
      const ssize_t sent = ::send(to, held.data(), held.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (sent > 0) held.erase(0, static_cast<std::size_t>(sent));
      if (sent < 0 && errno != EAGAIN) return false;
    }
    return (to_events & POLLERR) == 0;
  }
};

struct Connection {
  Fd client;
  Fd server;
  in_addr_t source;  // of the client, in the network's order
  Pipe up;
  Pipe down;

  short ClientEvents() const {
    return static_cast<short>((up.held.empty() && !up.ended ? POLLIN : 0) |
                              (down.held.empty() ? 0 : POLLOUT));
  }
  short ServerEvents() const {
    return static_cast<short>((down.held.empty() && !down.ended ? POLLIN : 0) |
                              (up.held.empty() ? 0 : POLLOUT));
  }
  bool Move(short client_events, short server_events) {
    const bool open = up.Move(client.get(), server.get(), client_events, server_events) &&
                      down.Move(server.get(), client.get(), server_events, client_events);
    return open && !(up.ended && down.ended);
  }
};

}  // namespace

struct TcpProxy::Impl {
  void Run(const std::stop_token& stop);
  void Accept(int target);
  void Wake() const {
    const std::uint64_t one = 1;
    static_cast<void>(::write(wake.get(), &one, sizeof one));
  }

  // constant after construction
  Fd listener;
  Fd wake;
  int port = 0;
  // guarded by mu
  base::Mutex mu;
  int target_port AZX_GUARDED_BY(mu) = 0;
  bool stalled AZX_GUARDED_BY(mu) = false;
  std::set<in_addr_t> stalled_from AZX_GUARDED_BY(mu);
  bool cut AZX_GUARDED_BY(mu) = false;
  // of the forwarding thread
  std::list<Connection> connections;
  // last: it uses all of the above
  std::jthread thread;
};

void TcpProxy::Impl::Accept(int target) {
  sockaddr_in from{};
  socklen_t size = sizeof from;
  Fd client(::accept4(listener.get(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_CLOEXEC));
  if (!client.valid()) return;
  Fd server = ConnectToLoopback(target);
  if (!server.valid()) return;
  const int yes = 1;
  setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  setsockopt(server.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  connections.push_back({std::move(client), std::move(server), from.sin_addr.s_addr, {}, {}});
}

void TcpProxy::Impl::Run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    int target = 0;
    bool silent = false;
    std::set<in_addr_t> silent_from;
    {
      base::MutexLock lock(mu);
      if (std::exchange(cut, false)) connections.clear();
      target = target_port;
      silent = stalled;
      silent_from = stalled_from;
    }
    std::vector<pollfd> fds = {{wake.get(), POLLIN, 0}};
    // A stalled proxy takes nothing: the kernel answers the handshakes of new connections, and no
    // byte is read from the open ones.
    if (!silent) {
      fds.push_back({listener.get(), POLLIN, 0});
      for (const Connection& c : connections) {
        const bool open = !silent_from.contains(c.source);
        fds.push_back({open ? c.client.get() : -1, c.ClientEvents(), 0});
        fds.push_back({open ? c.server.get() : -1, c.ServerEvents(), 0});
      }
    }
    if (::poll(fds.data(), fds.size(), -1) < 0 && errno != EINTR) return;
    if (fds[0].revents != 0) {
      std::uint64_t count = 0;
      static_cast<void>(::read(wake.get(), &count, sizeof count));
      continue;
    }
    std::size_t at = 2;
    for (auto it = connections.begin(); it != connections.end(); at += 2) {
      const bool open =
          silent_from.contains(it->source) || it->Move(fds[at].revents, fds[at + 1].revents);
      it = open ? std::next(it) : connections.erase(it);
    }
    if (fds[1].revents != 0) Accept(target);
  }
}

TcpProxy::TcpProxy(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

TcpProxy::~TcpProxy() {
  impl_->thread.request_stop();
  impl_->Wake();
}

Result<std::unique_ptr<TcpProxy>> TcpProxy::Start(int target_port) {
  auto impl = std::make_unique<Impl>();
  Listener listener = ListenOnLoopback();
  impl->listener = std::move(listener.fd);
  impl->port = listener.port;
  impl->wake = Fd(::eventfd(0, EFD_CLOEXEC));
  if (!impl->listener.valid() || !impl->wake.valid()) {
    return Fail(ErrorCode::kUnavailable, "listen on a free port of 127.0.0.1");
  }
  // A client that is gone before it is accepted must not hold up the others.
  ::fcntl(impl->listener.get(), F_SETFL, O_NONBLOCK);
  std::unique_ptr<TcpProxy> proxy(new TcpProxy(std::move(impl)));
  proxy->SetTarget(target_port);
  proxy->impl_->thread =
      std::jthread([raw = proxy->impl_.get()](std::stop_token stop) { raw->Run(stop); });
  return proxy;
}

int TcpProxy::port() const { return impl_->port; }

void TcpProxy::SetTarget(int target_port) {
  {
    base::MutexLock lock(impl_->mu);
    impl_->target_port = target_port;
    impl_->cut = true;
  }
  impl_->Wake();
}

void TcpProxy::Stall() {
  {
    base::MutexLock lock(impl_->mu);
    impl_->stalled = true;
  }
  impl_->Wake();
}

void TcpProxy::Resume() {
  {
    base::MutexLock lock(impl_->mu);
    impl_->stalled = false;
  }
  impl_->Wake();
}

void TcpProxy::StallFrom(const std::string& address) {
  {
    base::MutexLock lock(impl_->mu);
    impl_->stalled_from.insert(::inet_addr(address.c_str()));
  }
  impl_->Wake();
}

void TcpProxy::ResumeFrom(const std::string& address) {
  {
    base::MutexLock lock(impl_->mu);
    impl_->stalled_from.erase(::inet_addr(address.c_str()));
  }
  impl_->Wake();
}

void TcpProxy::Cut() {
  {
    base::MutexLock lock(impl_->mu);
    impl_->cut = true;
  }
  impl_->Wake();
}

}  // namespace azexporter::servers
