#pragma once

// PostgreSQL by zones: who is primary, who follows it and how closely, whether what is confirmed is
// safe from the loss of a zone.
//
// A commit that was confirmed is in another zone where more synchronous standbys confirm it than
// stand in the primary's own zone. A standby whose row of pg_stat_replication cannot be told from
// another's counts as standing in the primary's.
// Semantics: postgresql.org/docs/18/runtime-config-replication.html, synchronous_standby_names.
//
// Thread safety: values; the functions are pure.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/db/postgres_facts.h"
#include "azexporter/zones/zone_loss.h"

namespace azexporter::zones {

enum class DatabaseRole { kUnknown, kPrimary, kStandby };
std::string_view DatabaseRoleName(DatabaseRole role);

// One instance.
struct DatabaseStatus {
  std::string cluster;
  std::string instance;
  std::string zone;
  bool up = false;
  std::string error;
  DatabaseRole role = DatabaseRole::kUnknown;
  // Of a standby; nullopt where neither side can tell. See ReplicationLag.
  std::optional<double> lag_seconds;
  std::optional<double> lag_bytes;
  bool lag_stale = false;  // the lag is a lower bound: the stream is cut or not visible
  // Of a standby whose stream the primary shows: "async", "potential", "sync", "quorum".
  std::string sync_state;
  // It cannot follow its primary: another system identifier, or a timeline that is not the
  // primary's.
  bool diverged = false;

  db::PostgresFacts facts = {};  // as it said them; meaningful where `up`
};

// One database cluster.
struct PostgresStatus {
  std::string cluster;
  int primaries = 0;           // writable instances
  int standbys_expected = 0;   // the configured instances but one
  int standbys_streaming = 0;  // that say they are
  // How many standbys confirm a commit; 0: replication is asynchronous. Absent without a primary.
  std::optional<int> sync_required;
  // Whether each confirmed commit is on a standby in another zone than the primary's. Absent where
  // that cannot be told: without exactly one primary, where its zone is not known, or where it does
  // not show its streams (pg_monitor).
  std::optional<bool> sync_other_zone;
  // What would be lost of the log with the zone of the primary: its position minus what the standby
  // elsewhere that received most has received. Absent without one. What of it was confirmed is not
  // known; where `sync_other_zone` holds, none.
  std::string primary_zone;
  std::optional<double> loss_bytes;
  db::PostgresFailovers failovers;
};

// How many standbys the setting synchronous_standby_names makes each commit wait for: "" none,
// "ANY 2 (a, b, c)" two, "a, b" one.
int SyncRequired(std::string_view setting);

std::vector<DatabaseStatus> JudgeInstances(std::span<const db::PostgresFacts> all);
// Sorted by name.
std::vector<PostgresStatus> JudgePostgres(
    std::span<const db::PostgresFacts> all,
    const std::map<std::string, db::PostgresFailovers>& failovers);

// What the loss of the zone would do to the databases.
std::vector<LossFinding> PostgresFindings(std::span<const db::PostgresFacts> all,
                                          std::string_view zone);

}  // namespace azexporter::zones
