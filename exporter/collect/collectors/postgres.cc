// PostgreSQL replication: postgres_exporter's names with their meaning, and what they cannot say.

#include <array>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 3> kInstanceLabels = {"db_cluster", "db_instance", "zone"};
constexpr std::array<std::string_view, 1> kClusterLabels = {"db_cluster"};

constexpr model::MetricDesc kFamilies[] = {
    {"az_postgres_primaries", "Writable instances of the database cluster; 1 unless split or lost.",
     model::MetricType::kGauge, kClusterLabels, model::kNumber},
    {"az_postgres_replication_stale",
     "Whether the standby's lag is only a lower bound, because its stream is cut or not visible.",
     model::MetricType::kGauge, kInstanceLabels, model::kFlag},
    {"pg_replication_is_replica", "Indicates if the server is a replica.",
     model::MetricType::kGauge, kInstanceLabels, model::kFlag},
    {"pg_replication_lag_bytes", "Log bytes between the primary's position and what is replayed.",
     model::MetricType::kGauge, kInstanceLabels},
    {"pg_replication_lag_seconds", "Replication lag behind master in seconds.",
     model::MetricType::kGauge, kInstanceLabels},
    {"pg_up", "Whether the last round was able to ask the PostgreSQL server.",
     model::MetricType::kGauge, kInstanceLabels, model::kFlag},
};

enum Family { kPrimaries, kStale, kIsReplica, kLagBytes, kLagSeconds, kUp };

Collected Collect(const CollectorInputs& inputs) {
  Collected collected;
  std::vector<FamilyBuilder> families;
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
    add(kIsReplica, db.role == zones::DatabaseRole::kStandby ? 1 : 0);
    if (db.role == zones::DatabaseRole::kPrimary) add(kLagSeconds, 0);
    if (db.role != zones::DatabaseRole::kStandby) continue;
    add(kStale, db.lag_stale ? 1 : 0);
    if (db.lag_seconds) add(kLagSeconds, *db.lag_seconds);
    if (db.lag_bytes) add(kLagBytes, *db.lag_bytes);
  }
  for (const auto& [cluster, count] : inputs.report.primaries) {
    families[kPrimaries].Add({cluster}, count);
  }
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
