#pragma once

// A piece of network between two programs on loopback that can fail: it forwards TCP connections to
// one port, and can stall (what a partition looks like: connections stay open, nothing arrives) or
// cut them.
//
//   auto link = TcpProxy::Start(5432);
//   ... connect to (*link)->port() ...
//   (*link)->Stall();
//
// Thread safety: thread-safe. One thread of its own forwards everything.

#include <memory>
#include <string>

#include "azexporter/base/result.h"

namespace azexporter::servers {

class TcpProxy {
 public:
  // Listens on a free port of 127.0.0.1 and forwards to `target_port` there.
  static base::Result<std::unique_ptr<TcpProxy>> Start(int target_port);
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  // The same for the proxy's whole life.
  int port() const;
  // Where connections go from now on. Those that are open are cut.
  void SetTarget(int target_port);

  // From now on not a byte passes in either direction; new connections are taken and stay silent.
  void Stall();
  // What was held back is delivered.
  void Resume();
  // The same for connections from one address of loopback, "127.0.0.11".
  void StallFrom(const std::string& address);
  void ResumeFrom(const std::string& address);
  // Closes every open connection.
  void Cut();

 private:
  struct Impl;
  explicit TcpProxy(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::servers
