#pragma once

// PostgreSQL instances, asked for what their replication looks like from where they stand.
// Catalogue functions only, never a write; one connection an instance, kept open, named
// "azexporter", with a statement_timeout and a lock_timeout. What libpq knows for passwords goes:
// the connection string in a file, .pgpass or another passfile, a service file.
//
// All instances are asked at the same time; one that hangs costs itself and nothing else. Of one
// database cluster primaries are asked before standbys, so that a standby at the primary's position
// has truly caught up.
//
// Thread safety: PostgresPoller is thread-safe; Facts() never waits for a server, nor does
// SetInstances().

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/db/login.h"
#include "azexporter/db/postgres_facts.h"

namespace azexporter::db {

struct PostgresInstance {
  std::string cluster;  // the database cluster it belongs to: "orders-db"
  std::string name;     // "orders-db-1"
  std::string zone;
  std::string dsn;       // libpq connection string; never logged
  std::string dsn_file;  // read again before each connect; wins over `dsn`
  // Win over what the connection string says. The files are read again before each connect.
  std::string user;
  std::string user_file;  // wins over `user`
  std::string password_file;
  std::shared_ptr<LoginSource> login = {};  // wins over these; null: they count
  // Why it cannot be asked: it is down, and this is the error. Empty: it is asked.
  std::string unreachable;

  friend bool operator==(const PostgresInstance&, const PostgresInstance&) = default;
};

struct PostgresPollerOptions {
  std::vector<PostgresInstance> instances;
  std::int64_t interval_ms = 15'000;
  // For all that one instance is asked in a round, connecting included.
  std::int64_t timeout_ms = 3'000;
};

class PostgresPoller {
 public:
  // `clock` must outlive this.
  PostgresPoller(PostgresPollerOptions options, const base::Clock& clock, base::Logger log);
  ~PostgresPoller();
  PostgresPoller(const PostgresPoller&) = delete;
  PostgresPoller& operator=(const PostgresPoller&) = delete;

  // Asks every instance once and returns when all answered or their time is over; one that hangs
  // longer, in the resolver of names, is left to itself.
  void PollNow();
  // Takes these in the place of the instances there were. One that stayed the same keeps its
  // connection; one that has another address is shown as it was last seen until it is asked there.
  // New ones are asked at once where it polls.
  // REQUIRES: no two have the same cluster and name.
  void SetInstances(std::vector<PostgresInstance> instances);
  // Polls at the interval until Stop or destruction.
  void Start();
  void Stop();

  // Of the instances that were asked or cannot be, in their order.
  std::vector<PostgresFacts> Facts() const;
  bool asked_all() const;
  // By database cluster.
  std::map<std::string, PostgresFailovers> Failovers() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::db
