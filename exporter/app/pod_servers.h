#pragma once

// Database servers that are pods: whether one can be asked, where, and as whom. Private to `app`.
//
// Thread safety: pure functions, but for the SecretLogins they ask.

#include <string>
#include <string_view>

#include "azexporter/config/config.h"
#include "azexporter/kube/objects.h"
#include "secret_logins.h"

namespace azexporter::app {

// The database cluster of a pod.
struct PodCluster {
  std::string name;    // as in metrics: "orders", or "shop/orders" for namesakes
  std::string ns;      // of its pods, and of its Secret
  std::string object;  // what "{cluster}" stands for in the name of a Secret: "orders"
};

// Why the pod cannot be asked; empty where it can.
std::string_view Obstacle(const kube::Pod* pod);

// Sets where the server at the address `ip` is asked, and as whom. `host`: the name that its
// certificate is for; empty: the address.
void SetAccess(const config::PostgresAccess& access, const PodCluster& cluster,
               const std::string& host, const std::string& ip, SecretLogins& secrets,
               db::PostgresInstance& instance);

// Sets as whom the servers of a cluster are asked; its Secret is another matter.
void SetAccess(const config::RedisAccess& access, db::RedisCluster& cluster);
// "10.0.0.7:6379", "[fd00::7]:6379".
std::string AddressOf(const std::string& ip, int port);

}  // namespace azexporter::app
