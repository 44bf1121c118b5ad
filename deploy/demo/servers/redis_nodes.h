#pragma once

// A real Redis Cluster on loopback: a master and a replica for each zone, the replica of one zone's
// master in the next one. Between the nodes, and between them and whoever asks them, lies a network
// that can fail by zone. The cluster fails over by itself, as Redis does.
//
// Each node speaks from an address of its own (127.0.0.11 and on) and is reached through proxies,
// whose ports it announces: so it can be cut from its peers and still be asked from 127.0.0.1.
//
// Thread safety: one thread at a time.

#include <memory>
#include <string>
#include <vector>

#include "azexporter/base/result.h"
#include "servers/redis_server.h"
#include "servers/tcp_proxy.h"

namespace azexporter::servers {

class RedisNodes {
 public:
  struct Node {
    std::string name;  // "redis-leader-0"
    std::string zone;
    std::string source;  // from where it speaks
    std::string id;
    std::unique_ptr<TcpProxy> front;  // to this node, for everybody
    std::unique_ptr<TcpProxy> bus;    // to it, for its peers
    std::unique_ptr<RedisServer> server;

    // As it is announced, and asked.
    std::string address() const { return "127.0.0.1:" + std::to_string(front->port()); }
  };

  // Named PREFIX-leader-0 ... and PREFIX-follower-0 ...; leaders first. Takes some seconds.
  // kUnavailable when they do not come together.
  static base::Result<std::unique_ptr<RedisNodes>> Start(const std::string& prefix,
                                                         const std::vector<std::string>& zones);

  const std::vector<Node>& nodes() const { return nodes_; }
  Node* Find(std::string_view name);

  // Everything to and from the nodes of the zone is swallowed; and again delivered.
  void LoseZone(const std::string& zone);
  // Only what passes between the zone's nodes and those of other zones.
  void CutZone(const std::string& zone);
  // Ends both.
  void RestoreZone(const std::string& zone);

 private:
  RedisNodes() = default;
  base::Result<void> Add(std::string name, const std::string& zone);
  base::Result<void> Join();

  std::vector<Node> nodes_;
};

}  // namespace azexporter::servers
