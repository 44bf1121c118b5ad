#pragma once

// Sockets on 127.0.0.1, for servers and proxies that need one of their own.
//
// Thread safety: an Fd is a value of one thread at a time; the functions are free of state.

namespace azexporter::servers {

// An owned file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept;
  Fd& operator=(Fd&& other) noexcept;
  ~Fd();

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

struct Listener {
  Fd fd;  // not valid when the port is taken
  int port = 0;
};

// Listens on a port of 127.0.0.1; 0: a free one. Connections are taken into a queue; accepting them
// is the caller's business.
Listener ListenOnLoopback(int port = 0);
// Not valid when nobody listens: on loopback connecting succeeds or is refused at once.
Fd ConnectToLoopback(int port);
// Held by one program at a time, until it closes it or ends. Not valid when another holds it.
Fd ReservePort(int port);
// A free port that no other call gives out, in this program or another, as long as this one runs: a
// server that is down finds its port free when it comes back. 0 when there is none.
// Thread-safe.
int FreePort();

}  // namespace azexporter::servers
