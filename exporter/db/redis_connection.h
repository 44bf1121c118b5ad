#pragma once

// Commands to a Redis server and its replies (RESP2). Private to `db`.
//
// Thread safety: one thread at a time.

#include <memory>
#include <string>
#include <vector>

#include "redis_socket.h"

namespace azexporter::db {

// Everything that is asked here is answered with a text, a status, a number or an error.
struct RedisReply {
  bool error = false;
  std::string text;  // of an error with its code: "NOPERM this user has no permissions ..."
};

class RedisConnection {
 public:
  // Connects, and authenticates where the cluster's configuration says how.
  static base::Result<std::unique_ptr<RedisConnection>> Open(const RedisCluster& cluster,
                                                             const std::string& address,
                                                             const Deadline& deadline);
  ~RedisConnection();

  // Sends all commands at once and reads as many replies.
  base::Result<std::vector<RedisReply>> Ask(const std::vector<std::vector<std::string>>& commands,
                                            const Deadline& deadline);

 private:
  struct Impl;
  explicit RedisConnection(std::unique_ptr<Impl> impl);
  // kBadData where the server refuses.
  base::Result<void> LogIn(const RedisCluster& cluster, const Login& login,
                           const Deadline& deadline);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::db
