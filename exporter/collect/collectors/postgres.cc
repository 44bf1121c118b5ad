// PostgreSQL replication: postgres_exporter's names with their meaning, and what they cannot say.

#include <array>
#include <map>
#include <tuple>

#include "../collectors.h"
#include "../family_builder.h"
#include "../reading_fault.h"

namespace azexporter::collect {
namespace {

using model::MetricType;

constexpr std::array<std::string_view, 3> kInstanceLabels = {"db_cluster", "db_instance", "zone"};
constexpr std::array<std::string_view, 1> kClusterLabels = {"db_cluster"};
constexpr std::array<std::string_view, 2> kPhaseLabels = {"db_cluster", "phase"};
constexpr std::array<std::string_view, 2> kZoneLabels = {"db_cluster", "zone"};
constexpr std::array<std::string_view, 4> kSyncLabels = {"db_cluster", "db_instance", "zone",
                                                         "sync_state"};
constexpr std::array<std::string_view, 5> kStageLabels = {"db_cluster", "db_instance", "zone",
                                                          "application_name", "stage"};
constexpr std::array<std::string_view, 7> kSenderLabels = {
    "db_cluster", "db_instance", "zone", "application_name", "client_addr", "state", "slot_name"};
constexpr std::array<std::string_view, 5> kSlotLabels = {"db_cluster", "db_instance", "zone",
                                                         "slot_name", "database"};
constexpr std::array<std::string_view, 5> kSlotTypeLabels = {"db_cluster", "db_instance", "zone",
                                                             "slot_name", "slot_type"};
constexpr std::array<std::string_view, 6> kSlotStatusLabels = {
    "db_cluster", "db_instance", "zone", "slot_name", "slot_type", "wal_status"};

constexpr std::string_view kSyncStates[] = {"async", "potential", "sync", "quorum"};
constexpr model::LabelValues kSyncValues[] = {{"sync_state", kSyncStates}};
constexpr std::string_view kStages[] = {"write", "flush", "replay"};
constexpr model::LabelValues kStageValues[] = {{"stage", kStages}};

constexpr model::MetricDesc kFamilies[] = {
    {"az_postgres_cnpg_instances",
     "Instances that the Cluster of CloudNativePG asks for; 0 while it hibernates.",
     MetricType::kGauge, kClusterLabels, model::kNumber},
    {"az_postgres_cnpg_instances_ready", "Instances that CloudNativePG calls ready.",
     MetricType::kGauge, kClusterLabels, model::kNumber},
    {"az_postgres_cnpg_phase", "1 for the phase that CloudNativePG says the Cluster is in.",
     MetricType::kGauge, kPhaseLabels, model::kAlwaysOne},
    {"az_postgres_cnpg_switching",
     "Whether CloudNativePG wants another instance to be primary than the one that is.",
     MetricType::kGauge, kClusterLabels, model::kFlag},
    {"az_postgres_diverged",
     "Whether the standby cannot follow its primary: another system, or another timeline.",
     MetricType::kGauge, kInstanceLabels, model::kFlag},
    {"az_postgres_failovers_total", "Times that another instance was seen to be the primary.",
     MetricType::kCounter, kClusterLabels, model::kNumber},
    {"az_postgres_last_failover_seconds",
     "How long nobody was seen to be writable at the last failover.", MetricType::kGauge,
     kClusterLabels, model::kAmount},
    {"az_postgres_primaries", "Writable instances of the database cluster; 1 unless split or lost.",
     MetricType::kGauge, kClusterLabels, model::kNumber},
    {"az_postgres_replay_paused", "Whether replay on the standby is paused.", MetricType::kGauge,
     kInstanceLabels, model::kFlag},
    {"az_postgres_replication_stale",
     "Whether the standby's lag is only a lower bound, because its stream is cut or not visible.",
     MetricType::kGauge, kInstanceLabels, model::kFlag},
    {"az_postgres_standby_lag_seconds",
     "How long the log took to the standby, as the sender last measured it.", MetricType::kGauge,
     kStageLabels, model::kAmount, kStageValues},
    {"az_postgres_standby_sync_state", "1 for what the primary makes of the standby.",
     MetricType::kGauge, kSyncLabels, model::kAlwaysOne, kSyncValues},
    {"az_postgres_standbys_expected", "Configured instances but one.", MetricType::kGauge,
     kClusterLabels, model::kNumber},
    {"az_postgres_standbys_streaming", "Standbys that receive a stream, as they say.",
     MetricType::kGauge, kClusterLabels, model::kNumber},
    {"az_postgres_sync_required", "Standbys that confirm a commit; 0: asynchronous.",
     MetricType::kGauge, kClusterLabels, model::kNumber},
    {"az_postgres_sync_standby_other_zone",
     "Whether each confirmed commit is on a standby in another zone than the primary's.",
     MetricType::kGauge, kClusterLabels, model::kFlag},
    {"az_postgres_timeline", "Timeline that the instance writes or receives.", MetricType::kGauge,
     kInstanceLabels, model::kNumber},
    {"az_postgres_wal_receiver_up", "Whether the standby runs a receiver that streams.",
     MetricType::kGauge, kInstanceLabels, model::kFlag},
    {"az_postgres_zone_loss_bytes",
     "Log of the primary in the zone that no standby elsewhere has received.", MetricType::kGauge,
     kZoneLabels, model::kNumber},
    {"pg_replication_is_replica", "Indicates if the server is a replica.", MetricType::kGauge,
     kInstanceLabels, model::kFlag},
    {"pg_replication_lag_bytes", "Log bytes between the primary's position and what is replayed.",
     MetricType::kGauge, kInstanceLabels},
    {"pg_replication_lag_seconds", "Replication lag behind master in seconds.", MetricType::kGauge,
     kInstanceLabels},
    {"pg_replication_last_replay_seconds", "Age of last replay in seconds.", MetricType::kGauge,
     kInstanceLabels},
    {"pg_replication_slots_active", "Flag indicating if the slot is active.", MetricType::kGauge,
     kSlotLabels, model::kFlag},
    {"pg_replication_slots_pg_wal_lsn_diff", "Replication lag in bytes.", MetricType::kGauge,
     kSlotLabels},
    {"pg_replication_slots_safe_wal_size_bytes",
     "Number of bytes that can be written to WAL such that this slot is not in danger of getting "
     "in "
     "state lost.",
     MetricType::kGauge, kSlotTypeLabels},
    {"pg_replication_slots_wal_status", "Availability of WAL files claimed by this slot.",
     MetricType::kGauge, kSlotStatusLabels, model::kAlwaysOne},
    {"pg_stat_replication_pg_current_wal_lsn_bytes", "WAL position in bytes.", MetricType::kGauge,
     kSenderLabels, model::kNumber},
    {"pg_stat_replication_pg_wal_lsn_diff", "Lag in bytes between master and slave.",
     MetricType::kGauge, kSenderLabels},
    {"pg_up", "Whether the last round was able to ask the PostgreSQL server.", MetricType::kGauge,
     kInstanceLabels, model::kFlag},
};

enum Family {
  kCnpgInstances,
  kCnpgReady,
  kCnpgPhase,
  kCnpgSwitching,
  kDiverged,
  kFailovers,
  kFailoverSeconds,
  kPrimaries,
  kPaused,
  kStale,
  kStandbyLag,
  kSyncState,
  kExpected,
  kStreaming,
  kSyncRequired,
  kSyncElsewhere,
  kTimeline,
  kReceiverUp,
  kLossBytes,
  kIsReplica,
  kLagBytes,
  kLagSeconds,
  kLastReplay,
  kSlotActive,
  kSlotDiff,
  kSlotSafe,
  kSlotStatus,
  kSenderPosition,
  kSenderDiff,
  kUp
};
using Families = std::vector<FamilyBuilder>;

void AddStandby(Families& families, const zones::DatabaseStatus& db) {
  const auto add = [&](Family family, double value) {
    families[family].Add({db.cluster, db.instance, db.zone}, value);
  };
  const db::PostgresFacts& facts = db.facts;
  add(kStale, db.lag_stale ? 1 : 0);
  if (!facts.no_upstream && !facts.rights_missing) {
    add(kReceiverUp, facts.receiver_streaming ? 1 : 0);
  }
  add(kPaused, facts.replay_paused ? 1 : 0);
  add(kDiverged, db.diverged ? 1 : 0);
  if (db.lag_seconds) add(kLagSeconds, *db.lag_seconds);
  if (db.lag_bytes) add(kLagBytes, *db.lag_bytes);
  if (facts.replay_age_seconds) add(kLastReplay, *facts.replay_age_seconds);
  if (!db.sync_state.empty()) {
    families[kSyncState].Add({db.cluster, db.instance, db.zone, db.sync_state}, 1);
  }
}

// What the sender is at: a primary writes, a cascading standby passes on what it has received.
std::optional<db::Lsn> PositionOf(const db::PostgresFacts& facts) {
  return facts.in_recovery ? facts.receive_lsn : facts.current_lsn;
}

double Difference(db::Lsn from, db::Lsn to) {
  return from > to ? static_cast<double>(from - to) : 0;
}

// Streams of the same labels (a standby that reconnects while its old stream times out) are one
// series: that of the one which is further behind.
void AddSenders(Families& families, const zones::DatabaseStatus& db) {
  const std::optional<db::Lsn> position = PositionOf(db.facts);
  const auto key = [](const db::PostgresSender& one) {
    return std::tie(one.application_name, one.client_addr, one.state, one.slot_name);
  };
  std::map<decltype(key(db::PostgresSender())), const db::PostgresSender*> streams;
  std::map<std::string_view, const db::PostgresSender*> names;
  for (const db::PostgresSender& sender : db.facts.senders) {
    const db::PostgresSender*& kept = streams[key(sender)];
    if (kept == nullptr || sender.replay_lsn < kept->replay_lsn) kept = &sender;
    const db::PostgresSender*& named = names[sender.application_name];
    if (named == nullptr || sender.replay_lsn < named->replay_lsn) named = &sender;
  }
  for (const auto& [labels, sender] : streams) {
    if (!position) break;
    const auto add = [&, one = sender](Family family, double value) {
      families[family].Add({db.cluster, db.instance, db.zone, one->application_name,
                            one->client_addr, one->state, one->slot_name},
                           value);
    };
    add(kSenderPosition, static_cast<double>(*position));
    if (sender->replay_lsn) add(kSenderDiff, Difference(*position, *sender->replay_lsn));
  }
  for (const auto& [name, sender] : names) {
    const std::pair<std::string_view, std::optional<double>> stages[] = {
        {"write", sender->write_lag_seconds},
        {"flush", sender->flush_lag_seconds},
        {"replay", sender->replay_lag_seconds}};
    for (const auto& [stage, seconds] : stages) {
      if (!seconds) continue;
      families[kStandbyLag].Add({db.cluster, db.instance, db.zone, name, stage}, *seconds);
    }
  }
}

void AddSlots(Families& families, const zones::DatabaseStatus& db) {
  const std::optional<db::Lsn> position = PositionOf(db.facts);
  for (const db::PostgresSlot& slot : db.facts.slots) {
    families[kSlotActive].Add({db.cluster, db.instance, db.zone, slot.name, slot.database},
                              slot.active ? 1 : 0);
    if (position && slot.restart_lsn) {
      families[kSlotDiff].Add({db.cluster, db.instance, db.zone, slot.name, slot.database},
                              Difference(*position, *slot.restart_lsn));
    }
    if (slot.safe_wal_size_bytes) {
      families[kSlotSafe].Add({db.cluster, db.instance, db.zone, slot.name, slot.type},
                              *slot.safe_wal_size_bytes);
    }
    if (slot.wal_status.empty()) continue;
    families[kSlotStatus].Add(
        {db.cluster, db.instance, db.zone, slot.name, slot.type, slot.wal_status}, 1);
  }
}

void AddCluster(Families& families, const zones::PostgresStatus& status) {
  const auto add = [&](Family family, double value) {
    families[family].Add({status.cluster}, value);
  };
  add(kPrimaries, status.primaries);
  add(kExpected, status.standbys_expected);
  add(kStreaming, status.standbys_streaming);
  add(kFailovers, static_cast<double>(status.failovers.count));
  if (status.failovers.last_seconds) add(kFailoverSeconds, *status.failovers.last_seconds);
  if (status.sync_required) add(kSyncRequired, *status.sync_required);
  if (status.sync_other_zone) add(kSyncElsewhere, *status.sync_other_zone ? 1 : 0);
  if (status.loss_bytes) {
    families[kLossBytes].Add({status.cluster, status.primary_zone}, *status.loss_bytes);
  }
}

void AddCnpg(Families& families, const zones::CnpgStatus& status) {
  const auto add = [&](Family family, double value) {
    families[family].Add({status.cluster}, value);
  };
  add(kCnpgInstances, status.hibernated ? 0 : static_cast<double>(status.instances));
  add(kCnpgReady, static_cast<double>(status.ready));
  add(kCnpgSwitching, status.switching() ? 1 : 0);
  if (!status.phase.empty()) families[kCnpgPhase].Add({status.cluster, status.phase}, 1);
}

Collected Collect(const CollectorInputs& inputs) {
  Collected collected;
  if (inputs.options.postgres_cnpg) {
    constexpr std::string_view kRead[] = {kube::CnpgCluster::kResource};
    collected.fault = ReadingFault(inputs.cluster, kRead);
  }
  Families families;
  for (const model::MetricDesc& desc : kFamilies) families.emplace_back(desc);
  for (const zones::DatabaseStatus& db : inputs.report.databases) {
    const auto add = [&](Family family, double value) {
      families[family].Add({db.cluster, db.instance, db.zone}, value);
    };
    add(kUp, db.up ? 1 : 0);
    if (!db.up) {
      collected.fault = base::Error(base::ErrorCode::kUnavailable, db.instance + ": " + db.error);
      continue;
    }
    if (db.facts.rights_missing && !collected.fault) {
      collected.fault =
          base::Error(base::ErrorCode::kUnavailable,
                      db.instance + ": its user lacks pg_monitor and sees a part only");
    }
    add(kIsReplica, db.role == zones::DatabaseRole::kStandby ? 1 : 0);
    if (db.facts.timeline != 0) add(kTimeline, static_cast<double>(db.facts.timeline));
    if (db.role == zones::DatabaseRole::kPrimary) add(kLagSeconds, 0);
    if (db.role == zones::DatabaseRole::kStandby) AddStandby(families, db);
    AddSenders(families, db);
    AddSlots(families, db);
  }
  for (const zones::PostgresStatus& status : inputs.report.postgres) AddCluster(families, status);
  for (const zones::CnpgStatus& status : inputs.report.cnpg) AddCnpg(families, status);
  for (FamilyBuilder& family : families) collected.families.push_back(family.Take());
  return collected;
}

}  // namespace

const Collector& PostgresCollector() {
  static constexpr Collector kRow = {"postgres", "PostgreSQL replication by instance and zone.",
                                     kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
