#pragma once

// A real PostgreSQL server on loopback: its own folder, a free port, both gone with the object.
//
// Thread safety: one thread only.

#include <memory>
#include <optional>
#include <string>

#include "servers/child_process.h"

namespace azexporter::servers {

class PostgresServer {
 public:
  // Where Debian keeps the server's programs; empty where PostgreSQL is not installed.
  static std::string ProgramFolder();

  // A primary with a fresh data folder, or a streaming standby of `primary`. nullptr when it did
  // not come up.
  static std::unique_ptr<PostgresServer> StartPrimary();
  static std::unique_ptr<PostgresServer> StartStandby(const PostgresServer& primary);
  ~PostgresServer();

  int port() const { return port_; }
  std::string dsn() const;
  // The first column of the first row; nullopt when the statement failed.
  std::optional<std::string> Run(const std::string& sql) const;
  // Ends the server as a crash would.
  void Kill();

 private:
  explicit PostgresServer(std::string folder);
  bool Start();

  std::string folder_;
  int port_ = 0;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace azexporter::servers
