// Redis: redis_exporter's names with their meaning for each node, and what only the zones tell.

#include <array>

#include "../collectors.h"
#include "../family_builder.h"
#include "../reading_fault.h"

namespace azexporter::collect {
namespace {

using model::MetricType;

constexpr std::array<std::string_view, 1> kClusterLabels = {"db_cluster"};
constexpr std::array<std::string_view, 2> kZoneLabels = {"db_cluster", "zone"};
constexpr std::array<std::string_view, 3> kNodeLabels = {"db_cluster", "db_instance", "zone"};
constexpr std::array<std::string_view, 5> kReplicaLabels = {"db_cluster", "db_instance", "zone",
                                                            "master_host", "master_port"};
constexpr std::array<std::string_view, 6> kInfoLabels = {"db_cluster", "db_instance",   "zone",
                                                         "redis_mode", "redis_version", "role"};

constexpr model::MetricDesc kFamilies[] = {
    {"az_redis_majority_in_zone",
     "Whether no majority of the masters would be left without those of the zone.",
     MetricType::kGauge, kZoneLabels, model::kFlag},
    {"az_redis_masters", "Masters in the zone; of a cluster those with slots.", MetricType::kGauge,
     kZoneLabels, model::kNumber},
    {"az_redis_node_failed",
     "Whether the node's peers flag it as failed, though it may still answer.", MetricType::kGauge,
     kNodeLabels, model::kFlag},
    {"az_redis_node_unreached_peers",
     "Members that the node does not reach and nobody calls failed.", MetricType::kGauge,
     kNodeLabels, model::kNumber},
    {"az_redis_replication_lag_bytes",
     "Bytes that the master wrote and the replica has not processed, of one replication history.",
     MetricType::kGauge, kNodeLabels, model::kNumber},
    {"az_redis_shards", "Masters with their replicas.", MetricType::kGauge, kClusterLabels,
     model::kNumber},
    {"az_redis_shards_in_one_zone",
     "Shards whose members that have not failed are all in the zone.", MetricType::kGauge,
     kZoneLabels, model::kNumber},
    {"az_redis_slots_lost_with_zone", "Hash slots that nobody would serve without the zone.",
     MetricType::kGauge, kZoneLabels, model::kNumber},
    {"az_redis_slots_uncovered", "Hash slots that no master serves now.", MetricType::kGauge,
     kClusterLabels, model::kNumber},
    {"az_redis_views", "How many different clusters the nodes see; 1 where they agree.",
     MetricType::kGauge, kClusterLabels, model::kNumber},
    {"az_redis_zone_ok", "Whether all nodes of the zone that answer call the cluster ok.",
     MetricType::kGauge, kZoneLabels, model::kFlag},
    {"redis_cluster_current_epoch", "cluster_current_epoch metric", MetricType::kGauge, kNodeLabels,
     model::kNumber},
    {"redis_cluster_enabled", "cluster_enabled metric", MetricType::kGauge, kNodeLabels,
     model::kFlag},
    {"redis_cluster_known_nodes", "cluster_known_nodes metric", MetricType::kGauge, kNodeLabels,
     model::kNumber},
    {"redis_cluster_messages_received_total", "cluster_messages_received_total metric",
     MetricType::kCounter, kNodeLabels, model::kNumber},
    {"redis_cluster_messages_sent_total", "cluster_messages_sent_total metric",
     MetricType::kCounter, kNodeLabels, model::kNumber},
    {"redis_cluster_my_epoch", "cluster_my_epoch metric", MetricType::kGauge, kNodeLabels,
     model::kNumber},
    {"redis_cluster_size", "cluster_size metric", MetricType::kGauge, kNodeLabels, model::kNumber},
    {"redis_cluster_slots_assigned", "cluster_slots_assigned metric", MetricType::kGauge,
     kNodeLabels, model::kNumber},
    {"redis_cluster_slots_fail", "cluster_slots_fail metric", MetricType::kGauge, kNodeLabels,
     model::kNumber},
    {"redis_cluster_slots_ok", "cluster_slots_ok metric", MetricType::kGauge, kNodeLabels,
     model::kNumber},
    {"redis_cluster_slots_pfail", "cluster_slots_pfail metric", MetricType::kGauge, kNodeLabels,
     model::kNumber},
    {"redis_cluster_state", "cluster_state metric", MetricType::kGauge, kNodeLabels, model::kFlag},
    {"redis_connected_slaves", "connected_slaves metric", MetricType::kGauge, kNodeLabels,
     model::kNumber},
    {"redis_instance_info", "Information about the Redis instance", MetricType::kGauge, kInfoLabels,
     model::kAlwaysOne},
    {"redis_master_last_io_seconds_ago", "Master last io seconds ago", MetricType::kGauge,
     kReplicaLabels, model::kNumber},
    {"redis_master_link_up", "Master link status on Redis slave", MetricType::kGauge,
     kReplicaLabels, model::kFlag},
    {"redis_master_repl_offset", "master_repl_offset metric", MetricType::kGauge, kNodeLabels,
     model::kNumber},
    {"redis_master_sync_in_progress", "Master sync in progress", MetricType::kGauge, kReplicaLabels,
     model::kFlag},
    {"redis_slave_repl_offset", "Slave replication offset", MetricType::kGauge, kReplicaLabels,
     model::kNumber},
    {"redis_up", "Whether the last round was able to ask the Redis server.", MetricType::kGauge,
     kNodeLabels, model::kFlag},
};

enum Family {
  kMajority,
  kMasters,
  kNodeFailed,
  kUnreached,
  kLagBytes,
  kShards,
  kShardsInOneZone,
  kSlotsLost,
  kSlotsUncovered,
  kViews,
  kZoneOk,
  kCurrentEpoch,
  kEnabled,
  kKnownNodes,
  kReceived,
  kSent,
  kMyEpoch,
  kSize,
  kSlotsAssigned,
  kSlotsFail,
  kSlotsOk,
  kSlotsPfail,
  kState,
  kConnectedSlaves,
  kInfo,
  kLastIo,
  kLinkUp,
  kMasterOffset,
  kSyncing,
  kReplicaOffset,
  kUp
};
using Families = std::vector<FamilyBuilder>;

void AddView(Families& families, const std::array<std::string_view, 3>& node,
             const db::RedisView& view) {
  const auto add = [&](Family family, double value) {
    families[family].Add({node[0], node[1], node[2]}, value);
  };
  add(kState, view.ok ? 1 : 0);
  const std::pair<Family, std::int64_t> numbers[] = {
      {kSlotsAssigned, view.slots_assigned}, {kSlotsOk, view.slots_ok},
      {kSlotsPfail, view.slots_pfail},       {kSlotsFail, view.slots_fail},
      {kKnownNodes, view.known_nodes},       {kSize, view.size},
      {kCurrentEpoch, view.current_epoch},   {kMyEpoch, view.my_epoch},
      {kSent, view.messages_sent},           {kReceived, view.messages_received}};
  for (const auto& [family, number] : numbers) add(family, static_cast<double>(number));
}

void AddReplica(Families& families, const std::array<std::string_view, 3>& node,
                const db::RedisFacts& facts) {
  const std::string port = std::to_string(facts.master_port);
  const auto add = [&](Family family, double value) {
    families[family].Add({node[0], node[1], node[2], facts.master_host, port}, value);
  };
  add(kLinkUp, facts.link_up ? 1 : 0);
  add(kSyncing, facts.syncing ? 1 : 0);
  add(kReplicaOffset, static_cast<double>(facts.offset));
  if (facts.last_io_seconds) add(kLastIo, static_cast<double>(*facts.last_io_seconds));
}

void AddNode(Families& families, const zones::RedisStatus& redis,
             const zones::RedisNodeStatus& status) {
  const std::array<std::string_view, 3> node = {redis.cluster, status.instance, status.zone};
  const auto add = [&](Family family, double value) {
    families[family].Add({node[0], node[1], node[2]}, value);
  };
  add(kUp, status.up ? 1 : 0);
  if (redis.clustered) add(kNodeFailed, status.failed ? 1 : 0);
  if (!status.up) return;
  const db::RedisFacts& facts = status.facts;
  add(kEnabled, facts.cluster_enabled ? 1 : 0);
  families[kInfo].Add({node[0], node[1], node[2], facts.cluster_enabled ? "cluster" : "standalone",
                       facts.version, facts.master ? "master" : "slave"},
                      1);
  add(kConnectedSlaves, static_cast<double>(facts.connected_replicas));
  if (facts.master) {
    add(kMasterOffset, static_cast<double>(facts.offset));
  } else {
    AddReplica(families, node, facts);
  }
  if (status.lag_bytes) add(kLagBytes, static_cast<double>(*status.lag_bytes));
  if (!facts.view) return;
  add(kUnreached, status.unreached);
  AddView(families, node, *facts.view);
}

void AddZones(Families& families, const zones::RedisStatus& redis) {
  const auto by_zone = [&](Family family, const auto& values) {
    for (const auto& [zone, value] : values) {
      families[family].Add({redis.cluster, zone}, static_cast<double>(value));
    }
  };
  families[kShards].Add({redis.cluster}, redis.shards);
  // Every zone with members has each of these, be it with 0.
  const auto count = [](const std::map<std::string, int>& counts, const std::string& zone) {
    const auto found = counts.find(zone);
    return found == counts.end() ? 0 : found->second;
  };
  for (const auto& [zone, lost] : redis.slots_lost_with) {
    families[kMasters].Add({redis.cluster, zone}, count(redis.masters_by_zone, zone));
    families[kShardsInOneZone].Add({redis.cluster, zone}, count(redis.shards_in_one_zone, zone));
  }
  if (!redis.clustered) return;
  families[kViews].Add({redis.cluster}, redis.views);
  families[kSlotsUncovered].Add({redis.cluster}, redis.slots_uncovered);
  by_zone(kSlotsLost, redis.slots_lost_with);
  by_zone(kMajority, redis.majority_in);
  by_zone(kZoneOk, redis.zone_ok);
}

Collected Collect(const CollectorInputs& inputs) {
  Collected collected;
  if (inputs.options.redis_opstree) {
    constexpr std::string_view kRead[] = {kube::RedisCluster::kResource};
    collected.fault = ReadingFault(inputs.cluster, kRead);
  }
  Families families;
  for (const model::MetricDesc& desc : kFamilies) families.emplace_back(desc);
  for (const zones::RedisStatus& redis : inputs.report.redis) {
    for (const zones::RedisNodeStatus& node : redis.nodes) {
      AddNode(families, redis, node);
      if (!node.up) {
        collected.fault =
            base::Error(base::ErrorCode::kUnavailable, node.instance + ": " + node.error);
      }
    }
    if (redis.known) AddZones(families, redis);
  }
  for (FamilyBuilder& family : families) collected.families.push_back(family.Take());
  return collected;
}

}  // namespace

const Collector& RedisCollector() {
  static constexpr Collector kRow = {
      "redis", "Redis and Valkey by node and zone, and what each zone sees.", kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
