#include "database_findings.h"

#include <fmt/format.h>

#include <set>
#include <string>
#include <utility>

#include "azexporter/base/count_text.h"

namespace azexporter::zones {
namespace {

using base::CountText;
using base::SomeText;

class Collector {
 public:
  explicit Collector(const ZoneReport& report) : report_(report) {}

  std::vector<Finding> Run() {
    for (const DatabaseStatus& db : report_.databases) Postgres(db);
    Primaries();
    for (const RedisStatus& redis : report_.redis) {
      for (const RedisNodeStatus& node : redis.nodes) RedisNode(redis, node);
      if (redis.known && redis.clustered) RedisCluster(redis);
    }
    return std::move(findings_);
  }

 private:
  void Add(Severity severity, const std::string& zone, const std::string& object,
           std::string text) {
    findings_.push_back({severity, Topic::kDatabases, zone, "", object, std::move(text)});
  }

  void AddSilent(const std::string& zone, const std::string& instance, const std::string& cluster,
                 const std::string& error) {
    Add(Severity::kCritical, zone, instance,
        fmt::format("{} of {} could not be asked: {}", instance, cluster, error));
    findings_.back().unreachable = true;
  }

  void Postgres(const DatabaseStatus& db) {
    if (!db.up) {
      AddSilent(db.zone, db.instance, db.cluster, db.error);
    } else if (db.lag_stale) {
      const std::string lag =
          db.lag_seconds ? fmt::format("at least {:.0f}s", *db.lag_seconds) : "not known";
      Add(Severity::kWarning, db.zone, db.instance,
          fmt::format("{} of {} is cut from its upstream, its lag is {}", db.instance, db.cluster,
                      lag));
    }
    if (db.diverged) {
      Add(Severity::kWarning, db.zone, db.instance,
          fmt::format("{} of {} cannot follow its primary: it is on another timeline, or of "
                      "another system",
                      db.instance, db.cluster));
    }
    if (db.up && db.facts.rights_missing) {
      Add(Severity::kUnknown, db.zone, db.instance,
          fmt::format("{} of {} shows only a part of its state: azexporter's user lacks pg_monitor",
                      db.instance, db.cluster));
    }
    for (const db::PostgresSlot& slot : db.facts.slots) {
      if (slot.wal_status != "unreserved" && slot.wal_status != "lost") continue;
      Add(Severity::kWarning, db.zone, db.instance,
          fmt::format("slot {} of {} {}", slot.name, db.instance,
                      slot.wal_status == "lost" ? "has lost log that its standby needs"
                                                : "is about to lose log that its standby needs"));
    }
  }

  void Primaries() {
    std::set<std::string> with_silent_instances;
    for (const DatabaseStatus& db : report_.databases) {
      if (!db.up) with_silent_instances.insert(db.cluster);
    }
    for (const auto& [cluster, count] : report_.primaries) {
      if (count > 1) {
        Add(Severity::kCritical, "", cluster,
            fmt::format("{} is split: {} instances are writable", cluster, count));
      } else if (count == 0 && !with_silent_instances.contains(cluster)) {
        Add(Severity::kCritical, "", cluster, cluster + " has no writable instance");
      }
    }
  }

  void RedisNode(const RedisStatus& redis, const RedisNodeStatus& node) {
    if (!node.up) {
      AddSilent(node.zone, node.instance, redis.cluster, node.error);
    } else if (node.failed) {
      Add(Severity::kWarning, node.zone, node.instance,
          fmt::format("{} of {} answers, but its peers call it failed", node.instance,
                      redis.cluster));
    } else if (!node.master && !node.link_up) {
      Add(Severity::kWarning, node.zone, node.instance,
          fmt::format("{} of {} is cut from its master", node.instance, redis.cluster));
    }
  }

  void RedisCluster(const RedisStatus& redis) {
    if (!redis.ok || redis.slots_uncovered > 0) {
      Add(Severity::kCritical, "", redis.cluster,
          fmt::format("{} is {}: {} of {} slots are served by nobody", redis.cluster,
                      redis.ok ? "incomplete" : "down", redis.slots_uncovered, db::kRedisSlots));
    }
    if (redis.views > 1) {
      std::vector<std::string> down;
      for (const auto& [zone, ok] : redis.zone_ok) {
        if (!ok) down.push_back(zone.empty() ? "a zone not known" : zone);
      }
      Add(Severity::kWarning, "", redis.cluster,
          fmt::format("the nodes of {} see {} different clusters{}", redis.cluster, redis.views,
                      down.empty() ? "" : ", one that is down from " + SomeText(down)));
    }
    for (const auto& [zone, shards] : redis.shards_in_one_zone) {
      Add(Severity::kNote, zone, redis.cluster,
          fmt::format("{} of {} {} in {} alone", CountText(shards, "shard"), redis.cluster,
                      shards == 1 ? "is" : "are", zone));
    }
  }

  const ZoneReport& report_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> DatabaseFindingsOf(const ZoneReport& report) {
  return Collector(report).Run();
}

}  // namespace azexporter::zones
