#include "servers/redis_nodes.h"

#include <algorithm>

#include "azexporter/base/text.h"
#include "azexporter/base/wait.h"

namespace azexporter::servers {

using base::ErrorCode;
using base::Fail;
using base::Result;

namespace {

constexpr int kSlots = 16384;
constexpr int kJoinTimeoutMs = 20'000;
// A silent node is suspected after this; half a second later its replica stands for election.
constexpr char kNodeTimeoutMs[] = "2000";

}  // namespace

Result<std::unique_ptr<RedisNodes>> RedisNodes::Start(const std::string& prefix,
                                                      const std::vector<std::string>& zones) {
  if (!RedisServer::Installed()) {
    return Fail(ErrorCode::kUnavailable, "Redis is not installed (Debian's package redis-server)");
  }
  std::unique_ptr<RedisNodes> cluster(new RedisNodes);
  const std::size_t count = zones.size();
  for (std::size_t i = 0; i < 2 * count; ++i) {
    const bool leader = i < count;
    AZX_RETURN_IF_ERROR(
        cluster->Add(prefix + (leader ? "-leader-" : "-follower-") + std::to_string(i % count),
                     zones[leader ? i : (i + 1) % count]));
  }
  AZX_RETURN_IF_ERROR(cluster->Join());
  return cluster;
}

Result<void> RedisNodes::Add(std::string name, const std::string& zone) {
  Node node{.name = std::move(name),
            .zone = zone,
            .source = "127.0.0." + std::to_string(11 + nodes_.size())};
  AZX_ASSIGN_OR_RETURN(node.front, TcpProxy::Start(0));
  AZX_ASSIGN_OR_RETURN(node.bus, TcpProxy::Start(0));
  node.server =
      RedisServer::StartNew({"--cluster-enabled", "yes", "--cluster-node-timeout", kNodeTimeoutMs,
                             "--cluster-announce-ip", "127.0.0.1", "--cluster-announce-port",
                             std::to_string(node.front->port()), "--cluster-announce-bus-port",
                             std::to_string(node.bus->port()), "--bind-source-addr", node.source,
                             "--repl-diskless-sync-delay", "0", "--repl-timeout", "4",
                             "--repl-ping-replica-period", "1"});
  if (node.server == nullptr) {
    return Fail(ErrorCode::kUnavailable, "Redis server " + node.name + " did not start");
  }
  node.front->SetTarget(node.server->port());
  node.bus->SetTarget(node.server->bus_port());
  const auto id = node.server->Run({"CLUSTER", "MYID"});
  if (!id) return Fail(ErrorCode::kUnavailable, node.name + " has no id");
  node.id = base::Trim(*id);
  nodes_.push_back(std::move(node));
  return {};
}

Result<void> RedisNodes::Join() {
  const int leaders = static_cast<int>(nodes_.size() / 2);
  for (int i = 0; i < leaders; ++i) {
    const int first = kSlots * i / leaders;
    const int last = kSlots * (i + 1) / leaders - 1;
    const RedisServer& server = *nodes_[static_cast<std::size_t>(i)].server;
    server.Run({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
    server.Run({"CLUSTER", "ADDSLOTSRANGE", std::to_string(first), std::to_string(last)});
  }
  for (const Node& node : nodes_) {
    if (&node == &nodes_[0]) continue;
    node.server->Run({"CLUSTER", "MEET", "127.0.0.1", std::to_string(nodes_[0].front->port()),
                      std::to_string(nodes_[0].bus->port())});
  }
  // A follower must know its leader before it can follow it; it is told until it does.
  const auto joined = [&](std::size_t i) {
    const RedisServer& server = *nodes_[i].server;
    const std::size_t leader = i % static_cast<std::size_t>(leaders);
    if (i != leader && !server.Run({"CLUSTER", "REPLICATE", nodes_[leader].id})) return false;
    const auto info = server.Run({"CLUSTER", "INFO"});
    const auto replication = server.Run({"INFO", "replication"});
    return info && info->find("cluster_state:ok") != std::string::npos &&
           info->find("cluster_size:" + std::to_string(leaders)) != std::string::npos &&
           info->find("cluster_known_nodes:" + std::to_string(nodes_.size())) !=
               std::string::npos &&
           replication &&
           replication->find(i == leader ? "connected_slaves:1" : "master_link_status:up") !=
               std::string::npos;
  };
  constexpr int kLookMs = 100;
  std::size_t done = 0;
  for (int waited_ms = 0; waited_ms < kJoinTimeoutMs; waited_ms += kLookMs) {
    for (done = 0; done < nodes_.size() && joined(nodes_.size() - 1 - done);) ++done;
    if (done == nodes_.size()) return {};
    base::WaitFor({}, kLookMs);
  }
  return Fail(ErrorCode::kUnavailable,
              "Redis: " + nodes_[nodes_.size() - 1 - done].name + " did not join its cluster");
}

RedisNodes::Node* RedisNodes::Find(std::string_view name) {
  const auto found = std::find_if(nodes_.begin(), nodes_.end(),
                                  [&](const Node& node) { return node.name == name; });
  return found == nodes_.end() ? nullptr : &*found;
}

void RedisNodes::LoseZone(const std::string& zone) {
  CutZone(zone);
  for (const Node& node : nodes_) {
    if (node.zone != zone) continue;
    node.front->Stall();
    node.bus->Stall();
  }
}

void RedisNodes::CutZone(const std::string& zone) {
  for (const Node& from : nodes_) {
    for (const Node& to : nodes_) {
      if ((from.zone == zone) == (to.zone == zone)) continue;
      to.front->StallFrom(from.source);
      to.bus->StallFrom(from.source);
    }
  }
}

void RedisNodes::RestoreZone(const std::string& zone) {
  for (const Node& from : nodes_) {
    for (const Node& to : nodes_) {
      if ((from.zone == zone) == (to.zone == zone)) continue;
      to.front->ResumeFrom(from.source);
      to.bus->ResumeFrom(from.source);
    }
  }
  for (const Node& node : nodes_) {
    if (node.zone != zone) continue;
    node.front->Resume();
    node.bus->Resume();
  }
}

}  // namespace azexporter::servers
