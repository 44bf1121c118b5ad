#pragma once

// The platform's Redis Cluster, for real: a master and a replica for each zone, as the pods of the
// documented RedisCluster are placed. It fails over by itself; when a leader comes back whole, the
// platform gives it its slots back, as an operator would, so that masters stand in three zones
// again.
//
// Thread safety: thread-safe; one command at a time.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::platform {

struct RedisView {
  std::string name;  // "redis-cluster-leader-0": as its pod
  std::string zone;
  std::string address;  // through the network that can fail
  bool running = false;
};

class Redis {
 public:
  // Takes some seconds. kUnavailable when Redis is not installed or a server does not come up.
  static base::Result<std::unique_ptr<Redis>> Start(const std::string& cluster,
                                                    const std::vector<std::string>& zones);
  ~Redis();
  Redis(const Redis&) = delete;
  Redis& operator=(const Redis&) = delete;

  std::vector<RedisView> View() const;
  bool Has(std::string_view node) const;

  // kNotFound for an unknown node, kExecution when it does not start.
  base::Result<void> StopServer(std::string_view node);
  base::Result<void> StartServer(std::string_view node);

  // Everything to and from the nodes of the zone is swallowed; and again delivered.
  void LoseZone(const std::string& zone);
  void RestoreZone(const std::string& zone);

 private:
  struct Impl;
  explicit Redis(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::platform
