#pragma once

// A real PostgreSQL server on loopback: its own folder, a free port, both gone with the object.
//
// Thread safety: one thread at a time.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "servers/child_process.h"

namespace azexporter::servers {

struct PostgresOptions {
  // cluster_name, by which a standby is known to its upstream.
  std::string name = "postgres";
  // Further settings, "wal_receiver_timeout=6s".
  std::vector<std::string> settings;
};

class PostgresServer {
 public:
  // Where Debian keeps the server's programs; empty where PostgreSQL is not installed.
  static std::string ProgramFolder();
  // A libpq connection string for this port of loopback.
  static std::string DsnOf(int port);

  // A primary with a fresh data folder, or a streaming standby copied from an upstream that is
  // reached by `upstream_dsn` then and ever after. nullptr when it did not come up.
  static std::unique_ptr<PostgresServer> StartPrimary(PostgresOptions options = {});
  static std::unique_ptr<PostgresServer> StartStandby(const std::string& upstream_dsn,
                                                      PostgresOptions options = {});
  ~PostgresServer();

  int port() const { return port_; }
  std::string dsn() const { return DsnOf(port_); }
  bool running() const { return process_ != nullptr; }
  // The first column of the first row; nullopt when the statement failed.
  std::optional<std::string> Run(const std::string& sql) const;

  // From now on everybody but its own user has to give a password.
  bool AskForPasswords() const;

  // Starts it again on its data as it was stopped. True when it answers.
  bool Start();
  // As `pg_ctl stop`: sessions are ended, what was committed is sent to the standbys.
  void Stop();
  // Ends the server as a crash would.
  void Kill();
  // Throws the data away and makes it a standby copied from this upstream.
  bool CloneFrom(const std::string& upstream_dsn);

 private:
  explicit PostgresServer(PostgresOptions options);
  bool Copy(const std::string& upstream_dsn) const;
  void End(int signal);

  const PostgresOptions options_;
  const std::string folder_;
  const int port_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace azexporter::servers
