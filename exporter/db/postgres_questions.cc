#include "postgres_questions.h"

#include <charconv>

namespace azexporter::db {
namespace {

using base::Result;

// pg_current_wal_lsn() and pg_walfile_name() are errors during recovery, hence CASE. The timeline
// of the last checkpoint lags behind a promotion; the name of the log file that is written does
// not.
constexpr char kIdentity[] =
    "SELECT pg_is_in_recovery(),"
    " CASE WHEN pg_is_in_recovery() THEN NULL ELSE pg_current_wal_lsn() END,"
    " CASE WHEN pg_is_in_recovery() THEN NULL"
    "  ELSE substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) END,"
    " (SELECT timeline_id FROM pg_control_checkpoint()),"
    " (SELECT system_identifier FROM pg_control_system()),"
    " current_setting('server_version_num'),"
    " current_setting('synchronous_standby_names'),"
    " coalesce(nullif(current_setting('cluster_name'), ''), 'walreceiver'),"
    " pg_has_role('pg_monitor', 'USAGE')";

// extract() gives numeric; a NULL stays NULL, it is never made 0. The receiver's conninfo shows no
// password, and only the name is taken from it.
constexpr char kStandby[] =
    "SELECT pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn(),"
    " extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8,"
    " pg_is_wal_replay_paused(),"
    " coalesce(r.status = 'streaming', false),"
    " extract(epoch FROM clock_timestamp() - r.last_msg_receipt_time)::float8,"
    " r.received_tli, r.slot_name,"
    " substring(r.conninfo FROM '(?:^| )application_name=(\\S+)'),"
    " CASE WHEN pg_has_role('pg_monitor', 'USAGE')"
    "  THEN current_setting('primary_conninfo') = '' ELSE false END,"
    " extract(epoch FROM current_setting('wal_receiver_timeout')::interval)::float8,"
    " extract(epoch FROM current_setting('wal_receiver_status_interval')::interval)::float8"
    " FROM (SELECT 1) one LEFT JOIN pg_stat_wal_receiver r ON true;";

constexpr char kSenders[] =
    "SELECT s.application_name, s.client_addr, s.state, s.sync_state, l.slot_name, s.replay_lsn,"
    " extract(epoch FROM s.write_lag)::float8, extract(epoch FROM s.flush_lag)::float8,"
    " extract(epoch FROM s.replay_lag)::float8,"
    " extract(epoch FROM clock_timestamp() - s.reply_time)::float8"
    " FROM pg_stat_replication s LEFT JOIN pg_replication_slots l ON l.active_pid = s.pid;";

constexpr char kSlots[] =
    "SELECT slot_name, database, slot_type, active, wal_status, safe_wal_size, restart_lsn"
    " FROM pg_replication_slots";

std::int64_t Whole(const std::string& text, int base = 10) {
  std::int64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, base);
  return value;
}

void ReadStandby(const PostgresRows& rows, PostgresFacts& facts) {
  facts.receive_lsn = rows.Position(0, 0);
  facts.replay_lsn = rows.Position(0, 1);
  facts.replay_age_seconds = rows.Number(0, 2);
  facts.replay_paused = rows.Flag(0, 3);
  facts.receiver_streaming = rows.Flag(0, 4);
  facts.message_age_seconds = rows.Number(0, 5);
  if (const std::int64_t received = Whole(rows.Text(0, 6)); received > 0) facts.timeline = received;
  facts.slot_name = rows.Text(0, 7);
  if (const std::string name = rows.Text(0, 8); !name.empty()) facts.stream_name = name;
  facts.no_upstream = rows.Flag(0, 9);
  facts.receiver_timeout_seconds = rows.Number(0, 10).value_or(facts.receiver_timeout_seconds);
  facts.status_interval_seconds = rows.Number(0, 11).value_or(facts.status_interval_seconds);
}

void ReadSenders(const PostgresRows& rows, PostgresFacts& facts) {
  for (int row = 0; row < rows.count(); ++row) {
    facts.senders.push_back({.application_name = rows.Text(row, 0),
                             .client_addr = rows.Text(row, 1),
                             .state = rows.Text(row, 2),
                             .sync_state = rows.Text(row, 3),
                             .slot_name = rows.Text(row, 4),
                             .replay_lsn = rows.Position(row, 5),
                             .write_lag_seconds = rows.Number(row, 6),
                             .flush_lag_seconds = rows.Number(row, 7),
                             .replay_lag_seconds = rows.Number(row, 8),
                             .reply_age_seconds = rows.Number(row, 9)});
  }
}

void ReadSlots(const PostgresRows& rows, PostgresFacts& facts) {
  for (int row = 0; row < rows.count(); ++row) {
    facts.slots.push_back({.name = rows.Text(row, 0),
                           .database = rows.Text(row, 1),
                           .type = rows.Text(row, 2),
                           .active = rows.Flag(row, 3),
                           .wal_status = rows.Text(row, 4),
                           .safe_wal_size_bytes = rows.Number(row, 5),
                           .restart_lsn = rows.Position(row, 6)});
  }
}

}  // namespace

Result<void> AskIdentity(PostgresConnection& connection, const Deadline& deadline,
                         PostgresFacts& facts) {
  AZX_ASSIGN_OR_RETURN(const std::vector<PostgresRows> answer,
                       connection.Query(kIdentity, deadline));
  const PostgresRows& rows = answer.at(0);
  facts.in_recovery = rows.Flag(0, 0);
  facts.current_lsn = rows.Position(0, 1);
  const std::string written = rows.Text(0, 2);
  facts.timeline = written.empty() ? Whole(rows.Text(0, 3)) : Whole(written, 16);
  facts.system_identifier = rows.Text(0, 4);
  facts.version = static_cast<int>(Whole(rows.Text(0, 5)));
  facts.synchronous_standby_names = rows.Text(0, 6);
  facts.stream_name = rows.Text(0, 7);
  facts.rights_missing = !rows.Flag(0, 8);
  return {};
}

Result<void> AskDetails(PostgresConnection& connection, const Deadline& deadline,
                        PostgresFacts& facts) {
  const std::string statements =
      (facts.in_recovery ? std::string(kStandby) : "") + kSenders + kSlots;
  AZX_ASSIGN_OR_RETURN(const std::vector<PostgresRows> answer,
                       connection.Query(statements, deadline));
  std::size_t next = 0;
  if (facts.in_recovery) ReadStandby(answer.at(next++), facts);
  ReadSenders(answer.at(next++), facts);
  ReadSlots(answer.at(next), facts);
  return {};
}

}  // namespace azexporter::db
