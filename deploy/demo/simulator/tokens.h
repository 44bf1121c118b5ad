#pragma once

// Tokens of service accounts. They look like the real ones, JSON web tokens, but are known by
// heart rather than verified: the signature is noise.
//
// Thread safety: thread-safe.

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "azexporter/base/clock.h"
#include "azexporter/base/mutex.h"
#include "simulator/authorizer.h"
#include "simulator/store.h"

namespace azexporter::simulator {

struct IssuedToken {
  std::string token;
  std::int64_t expires_ms = 0;  // since the Unix epoch
};

class Tokens {
 public:
  // Both must outlive the tokens.
  Tokens(const Store& store, const base::Clock& clock) : store_(store), clock_(clock) {}

  // kNotFound when there is no such ServiceAccount.
  base::Result<IssuedToken> Issue(const std::string& ns, const std::string& name,
                                  std::int64_t lifetime_seconds);
  // Whose token it is; nullopt when it is unknown or expired, or its account was deleted (one made
  // again under the same name is another).
  std::optional<UserInfo> UserOf(std::string_view token) const;

 private:
  struct Owner {
    std::string ns;
    std::string name;
    std::string uid;
    std::int64_t expires_ms = 0;
  };

  std::string Uid(const std::string& ns, const std::string& name) const;

  // Constant after construction.
  const Store& store_;
  const base::Clock& clock_;
  // Guarded by mu_.
  mutable base::Mutex mu_;
  std::map<std::string, Owner, std::less<>> owners_ AZX_GUARDED_BY(mu_);
  std::mt19937_64 random_ AZX_GUARDED_BY(mu_){std::random_device{}()};
};

}  // namespace azexporter::simulator
