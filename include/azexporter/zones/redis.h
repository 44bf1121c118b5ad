#pragma once

// Redis by zones: where masters and replicas stand, what the loss of a zone would cost, and whether
// the zones see the same cluster.
//
// What the nodes say of the cluster is held against each other. They agree where they tell of the
// same members with the same roles, failures and slots, and of the same state. Where they do not,
// that of the nodes counts that call the cluster ok, else that of the most.
//
// A zone's loss takes the slots of a master there, unless a replica in another zone is linked to
// it; and all slots where no majority of the masters would be left to let one take over. Semantics:
// redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#fault-tolerance.
//
// Servers that form no cluster are masters with their replicas: nothing fails over by itself there.
//
// Thread safety: values; the functions are pure.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/db/redis.h"
#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/zone_loss.h"

namespace azexporter::zones {

struct RedisNodeStatus {
  std::string instance;  // the configured name, else that of its pod, else the address
  std::string zone;      // the configured one, else that of its pod's node; empty: not known
  std::string address;
  std::string id;  // empty where there is no cluster, or it never answered
  bool up = false;
  std::string error;
  bool master = false;
  bool failed = false;  // its peers say so; it may answer nevertheless
  int slots = 0;        // of a master
  // Of a replica: its master's place in RedisStatus::nodes, where that is known.
  std::optional<std::size_t> master_node;
  // Of a replica that answers: whether its stream is up.
  bool link_up = false;
  // What its master wrote and it has not processed, where both answer and share one history. Both
  // are asked at almost the same time: of a busy master some bytes are always on their way.
  std::optional<std::int64_t> lag_bytes;
  int unreached = 0;  // members that it does not reach, as it sees them, but are not failed

  db::RedisFacts facts;  // as it said them; meaningful where `up`
};

struct RedisStatus {
  std::string cluster;
  bool clustered = false;
  bool known = false;  // a node answered: all below is told
  bool ok = false;     // cluster_state, in the view that counts
  int views = 0;       // that differ: 1 where all agree
  // Of zones with nodes that answer: whether all of them call the cluster ok.
  std::map<std::string, bool> zone_ok;
  std::vector<RedisNodeStatus> nodes;  // by address

  int masters = 0;  // of a cluster those with slots: they vote
  std::map<std::string, int> masters_by_zone;
  int slots_uncovered = 0;
  int shards = 0;  // masters with their replicas
  // By zone, where there are any: shards whose members, as far as they are not failed, are all
  // there.
  std::map<std::string, int> shards_in_one_zone;
  // By zone with members that are not failed.
  std::map<std::string, int> slots_lost_with;
  // Without the masters of this zone no majority is left.
  std::map<std::string, bool> majority_in;
  int without_zone = 0;  // members in no known zone: what is said of zones lacks them

  const RedisNodeStatus* MasterOf(const RedisNodeStatus& replica) const;
};

// One for each configured cluster, in their order. `pods` tells names and zones of nodes by their
// address; where several pods have one, on a node's own network, by the port as well, else no name.
std::vector<RedisStatus> JudgeRedis(std::span<const db::RedisCluster> clusters,
                                    std::span<const db::RedisFacts> facts,
                                    const kube::ClusterState& pods);

// What the loss of the zone would do to it.
std::vector<LossFinding> RedisFindings(std::span<const RedisStatus> all, std::string_view zone);

}  // namespace azexporter::zones
