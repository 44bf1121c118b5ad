#pragma once

// PostgreSQL instances, asked for what their replication looks like from where they stand.
// Catalogue functions only, never a write; one connection an instance, kept open.
//
// Thread safety: PostgresPoller is thread-safe; Facts() never waits for a server.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/base/result.h"

namespace azexporter::db {

struct PostgresInstance {
  std::string cluster;  // the database cluster it belongs to: "orders-db"
  std::string name;     // "orders-db-1"
  std::string zone;
  std::string dsn;       // libpq connection string; never logged
  std::string dsn_file;  // read again before each connect; wins over `dsn`

  friend bool operator==(const PostgresInstance&, const PostgresInstance&) = default;
};

// A write-ahead log position: bytes since the beginning of the log.
using Lsn = std::uint64_t;
// "16/B374D848" -> 0x16B374D848. kBadData when malformed.
base::Result<Lsn> ParseLsn(const std::string& text);

// What one instance said in the last round. Ages are by the instance's own clock.
struct PostgresFacts {
  std::string cluster;
  std::string instance;
  std::string zone;
  std::int64_t asked_at_ms = 0;  // wall time of the round; 0: not asked yet
  bool up = false;
  std::string error;  // why not; never holds a password

  bool in_recovery = false;                   // a standby
  std::optional<Lsn> current_lsn;             // of a primary: where it writes
  std::optional<Lsn> receive_lsn;             // of a standby: received from its upstream
  std::optional<Lsn> replay_lsn;              // of a standby: applied
  std::optional<double> replay_age_seconds;   // since the last replayed commit was made
  bool receiver_streaming = false;            // pg_stat_wal_receiver says "streaming"
  std::optional<double> message_age_seconds;  // since the upstream last sent anything
  double receiver_timeout_seconds = 60;       // wal_receiver_timeout

  // Of a standby: for how long it has been behind, from where its primary was seen to write in
  // earlier rounds. At least: since the first round whose position it has not replayed. At most:
  // since the last round whose position it has. nullopt where no round tells.
  std::optional<double> behind_at_least_seconds;
  std::optional<double> behind_at_most_seconds;
};

// Where the primary of one database cluster wrote at which time. Gives the times between which a
// replayed position was current, whatever the commits were: an idle primary adds no lag.
//
// Thread safety: thread-compatible.
class PrimaryHistory {
 public:
  // REQUIRES: time_ns does not run backwards. A position behind the last one (another server, a
  // restored one) starts the history anew.
  void Add(std::int64_t time_ns, Lsn position);
  // Sets both bounds of a standby that replayed up to `replayed`, as of `now_ns`.
  void Bound(std::int64_t now_ns, Lsn replayed, PostgresFacts& standby) const;

 private:
  struct Entry {
    std::int64_t first_ns;  // the position was seen from here
    std::int64_t last_ns;   // to here
    Lsn position;
  };
  std::vector<Entry> entries_;  // positions rise
};

struct PostgresPollerOptions {
  std::vector<PostgresInstance> instances;
  std::int64_t interval_ms = 15'000;
  // For connecting and for each query.
  std::int64_t timeout_ms = 3'000;
};

class PostgresPoller {
 public:
  // `clock` must outlive this.
  PostgresPoller(PostgresPollerOptions options, const base::Clock& clock, base::Logger log);
  ~PostgresPoller();
  PostgresPoller(const PostgresPoller&) = delete;
  PostgresPoller& operator=(const PostgresPoller&) = delete;

  // Asks every instance once and returns when all answered or timed out. Primaries are asked
  // before standbys, so that a standby at the primary's position has truly caught up.
  void PollNow();
  // Polls at the interval until Stop or destruction.
  void Start();
  void Stop();

  std::vector<PostgresFacts> Facts() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::db
