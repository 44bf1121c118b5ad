#pragma once

// A source of logins that gives out what it is told to.
//
// Thread safety: thread-safe, but for its members: to be changed while nobody asks.

#include <atomic>
#include <string>

#include "azexporter/db/login.h"

namespace azexporter::test {

class FakeLogin final : public db::LoginSource {
 public:
  FakeLogin(db::Login get, db::Login renew) : first(std::move(get)), renewed(std::move(renew)) {}

  base::Result<db::Login> Get(std::int64_t, std::stop_token) override {
    ++asked;
    if (!error.empty()) return base::Fail(base::ErrorCode::kUnavailable, error);
    return first;
  }
  base::Result<db::Login> Renew(const db::Login&, std::int64_t, std::stop_token) override {
    ++refused;
    return renewed;
  }

  db::Login first;
  db::Login renewed;
  std::string error;  // of the first; empty: none
  std::atomic<int> asked = 0;
  std::atomic<int> refused = 0;
};

}  // namespace azexporter::test
