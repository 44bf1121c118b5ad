#pragma once

// A real Redis server on loopback: its own folder, free ports, all gone with the object. Its data
// is in memory alone; of a cluster's node the membership outlives a restart.
//
// Thread safety: one thread at a time.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "servers/child_process.h"

namespace azexporter::servers {

class RedisServer {
 public:
  static bool Installed();

  // Started with these further settings, {"--requirepass", "secret"}; nullptr when it did not come
  // up. What redis-cli needs beside the port goes into `login`.
  static std::unique_ptr<RedisServer> StartNew(std::vector<std::string> settings = {},
                                               std::vector<std::string> login = {});
  ~RedisServer();

  int port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Of a cluster's node, for its peers.
  int bus_port() const { return bus_port_; }
  bool running() const { return process_ != nullptr; }
  // What a command prints; nullopt when the server does not answer or refuses.
  std::optional<std::string> Run(const std::vector<std::string>& command) const;

  // Starts it again. True when it answers.
  bool Start();
  // Ends the server as a crash would.
  void Kill();

 private:
  RedisServer(std::vector<std::string> settings, std::vector<std::string> login);

  const std::vector<std::string> settings_;
  const std::vector<std::string> login_;
  const std::string folder_;
  const int port_;
  const int bus_port_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace azexporter::servers
