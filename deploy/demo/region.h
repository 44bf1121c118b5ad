#pragma once

// The documented region: us-east-1 with three zones, 3/2/2 control plane nodes and 5 workers each.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "simulator/json.h"
#include "simulator/store.h"

namespace azexporter::platform {

inline constexpr std::string_view kRegion = "us-east-1";
inline constexpr std::string_view kNamespace = "platform-03";
inline constexpr std::string_view kDatabaseCluster = "postgres-cluster";
inline constexpr std::string_view kRedisCluster = "redis-cluster";

struct Zone {
  std::string_view name;
  int control_planes;
  int workers;
  std::int64_t latency_us;  // of its health endpoint, at rest
};

inline constexpr std::array<Zone, 3> kZones = {
    {{"us-east-1a", 3, 5, 300}, {"us-east-1b", 2, 5, 1'200}, {"us-east-1c", 2, 5, 900}}};

// Node objects as the cloud's kubelets register them, all Ready.
std::vector<simulator::Json> RegionNodes(std::int64_t now_ms);

// The names of a zone's nodes, and of its workers alone, in order.
std::vector<std::string> NodeNames(const simulator::Store& store, std::string_view zone);
std::vector<std::string> WorkerNames(const simulator::Store& store, std::string_view zone);
// Empty for a node without the label, or that does not exist.
std::string ZoneOfNode(const simulator::Store& store, const std::string& node);

// Where a pod or a node is kept.
simulator::ObjectKey NodeKey(const std::string& name);
const simulator::ResourceType& Type(std::string_view api_version, std::string_view kind);

}  // namespace azexporter::platform
