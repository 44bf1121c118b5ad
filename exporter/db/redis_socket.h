#pragma once

// A TCP connection, under TLS where that is wanted, whose every wait has a deadline. hiredis 0.14
// knows no TLS, so that its reader of replies is fed from here. Private to `db`.
//
// Thread safety: one thread at a time.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/db/redis.h"
#include "deadline.h"

namespace azexporter::db {

class RedisSocket {
 public:
  // `address` is HOST:PORT; an IPv6 address stands in brackets. Resolving a name has no deadline.
  static base::Result<std::unique_ptr<RedisSocket>> Connect(const std::string& address,
                                                            const std::optional<RedisTls>& tls,
                                                            const Deadline& deadline);
  ~RedisSocket();
  RedisSocket(const RedisSocket&) = delete;
  RedisSocket& operator=(const RedisSocket&) = delete;

  base::Result<void> Write(std::string_view bytes, const Deadline& deadline);
  // At least one byte; kUnavailable where the server closed the connection.
  base::Result<std::string> Read(const Deadline& deadline);

 private:
  struct Impl;
  explicit RedisSocket(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::db
