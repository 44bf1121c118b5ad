#pragma once

// The texts in which Redis answers, decoded. Lines and keys that are not known are left out: every
// version adds some. Private to `db`.
//
// Thread safety: pure functions.

#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/db/redis.h"

namespace azexporter::db {

// Of INFO, one section or several: what RedisFacts has of server, replication and cluster.
void ReadInfo(std::string_view text, RedisFacts& facts);
// Of CLUSTER INFO: all of a view but its peers.
void ReadClusterInfo(std::string_view text, RedisView& view);
// CLUSTER NODES. `asked` stands for the address of the node itself, which it may not know. kBadData
// with the line that is none.
base::Result<std::vector<RedisPeer>> ReadClusterNodes(std::string_view text,
                                                      std::string_view asked);

}  // namespace azexporter::db
