#pragma once

// What a PostgreSQL instance says of its replication, as facts.
// Sources: postgresql.org/docs/18/monitoring-stats.html, /functions-admin.html,
// /functions-info.html, /view-pg-replication-slots.html; the same in 13 to 18.
//
// Thread safety: values.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::db {

// A write-ahead log position: bytes since the beginning of the log.
using Lsn = std::uint64_t;
// "16/B374D848" -> 0x16B374D848. kBadData when malformed.
base::Result<Lsn> ParseLsn(const std::string& text);

// A stream that an instance sends: a row of pg_stat_replication.
struct PostgresSender {
  std::string application_name;
  std::string client_addr;
  std::string state;       // "streaming", "catchup" ...
  std::string sync_state;  // "async", "potential", "sync", "quorum"
  std::string slot_name;   // empty: without a slot
  std::optional<Lsn> replay_lsn;
  // How long the log took, as last measured; NULL after a while without writes.
  std::optional<double> write_lag_seconds;
  std::optional<double> flush_lag_seconds;
  std::optional<double> replay_lag_seconds;
  std::optional<double> reply_age_seconds;  // since the standby last replied
};

struct PostgresSlot {
  std::string name;
  std::string database;  // of a logical one
  std::string type;      // "physical", "logical"
  bool active = false;
  std::string wal_status;  // "reserved", "extended", "unreserved", "lost"; empty: holds nothing yet
  std::optional<double> safe_wal_size_bytes;  // until it may lose log; absent: it never does
  std::optional<Lsn> restart_lsn;             // from where it holds the log
};

// What one instance said in the last round. Ages are by the instance's own clock.
struct PostgresFacts {
  std::string cluster;
  std::string instance;
  std::string zone;
  std::int64_t asked_at_ms = 0;  // wall time of the round; 0: not asked yet
  bool up = false;
  std::string error;  // why not; never holds a password
  // Its user may not see everything, lacking pg_monitor: what is not seen is absent below.
  bool rights_missing = false;

  int version = 0;  // server_version_num: 150018
  std::string system_identifier;
  std::int64_t timeline = 0;            // that it writes, or receives; 0: not known
  bool in_recovery = false;             // a standby
  std::vector<PostgresSender> senders;  // of a cascading standby, too
  std::vector<PostgresSlot> slots;

  // Of a primary.
  std::optional<Lsn> current_lsn;         // where it writes
  std::string synchronous_standby_names;  // the setting

  // Of a standby.
  std::optional<Lsn> receive_lsn;            // received from its upstream
  std::optional<Lsn> replay_lsn;             // applied
  std::optional<double> replay_age_seconds;  // since the last replayed commit was made
  bool replay_paused = false;
  bool receiver_streaming = false;            // pg_stat_wal_receiver says "streaming"
  std::optional<double> message_age_seconds;  // since the upstream last sent anything
  bool no_upstream = false;                   // primary_conninfo is empty: replays an archive
  std::string stream_name;                    // its application_name to its upstream
  std::string slot_name;                      // that it uses there
  double receiver_timeout_seconds = 60;       // wal_receiver_timeout; 0: none
  double status_interval_seconds = 10;        // wal_receiver_status_interval; 0: replies when asked

  // Of a standby: for how long it has been behind, from where its primary was seen to write in
  // earlier rounds. At least: since the first round whose position it has not replayed. At most:
  // since the last round whose position it has. nullopt where no round tells.
  std::optional<double> behind_at_least_seconds;
  std::optional<double> behind_at_most_seconds;
  // Where the primary was last seen to write, and how long ago.
  std::optional<Lsn> last_primary_lsn;
  std::optional<double> last_primary_age_seconds;
};

// The stream that `upstream` sends to the standby; nullptr where no row tells for certain: by the
// slot, else by the name under which the standby asks for it.
const PostgresSender* SenderTo(const PostgresFacts& standby, const PostgresFacts& upstream);

struct PostgresFailovers {
  std::int64_t count = 0;  // since the start
  // Of the last one: from when the old primary was last seen to be writable until the new one was
  // seen to be.
  std::optional<double> last_seconds;
};

}  // namespace azexporter::db
