#pragma once

// Where user and password of a server come from that stand in no file: whoever keeps them is asked
// before each connection, and again where the server refused them.
//
// Thread safety: Login is a value; a LoginSource is thread-safe.

#include <cstdint>
#include <stop_token>
#include <string>

#include "azexporter/base/result.h"

namespace azexporter::db {

struct Login {
  std::string user;  // empty: what the configuration says beside it
  std::string password;

  friend bool operator==(const Login&, const Login&) = default;
};

// Its errors say where it looked, and never hold a password.
class LoginSource {
 public:
  virtual ~LoginSource() = default;

  // What is to be tried. Waits no longer than `timeout_ms`.
  virtual base::Result<Login> Get(std::int64_t timeout_ms, std::stop_token stop) = 0;
  // What is to be tried after a server refused `refused`: the same where there is nothing newer.
  virtual base::Result<Login> Renew(const Login& refused, std::int64_t timeout_ms,
                                    std::stop_token stop) = 0;
};

}  // namespace azexporter::db
