#pragma once

// Logins of databases from the cluster's Secrets, each read by its name with one GET when a server
// is first connected to. Private to `app`.
//
// A Secret is read again, before the next connection, when it was read more than kFreshMs ago;
// where a server refused what was in it, or it could not be read, after kRetryMs. As long as
// connections hold nothing is read. While the API server gives no answer the last login holds; a
// Secret that is forbidden, gone or without its keys has none.
//
// Thread safety: SecretLogins is of one thread; the sources it gives out are thread-safe and may
// outlive it, but not the clock.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "azexporter/base/clock.h"
#include "azexporter/db/login.h"
#include "azexporter/kube/access.h"
#include "azexporter/kube/api_client.h"

namespace azexporter::app {

// Which keys of which Secret.
struct SecretKeys {
  std::string ns;
  std::string name;
  std::string user_key;  // empty: no user is in it
  std::string password_key;

  auto operator<=>(const SecretKeys&) const = default;
};

class SecretLogins {
 public:
  static constexpr std::int64_t kFreshMs = 600'000;
  static constexpr std::int64_t kRetryMs = 30'000;

  // `clock` must outlive this.
  explicit SecretLogins(const base::Clock& clock) : clock_(clock) {}

  // Where Secrets are read. Without it there are none, as in a snapshot.
  void SetClient(std::shared_ptr<kube::ApiClient> client) { client_ = std::move(client); }

  // The same source for the same keys, for as long as somebody has it.
  std::shared_ptr<db::LoginSource> Of(const SecretKeys& keys);
  // Forgets the sources that nobody has any more.
  void ForgetUnused();

 private:
  const base::Clock& clock_;
  std::shared_ptr<kube::ApiClient> client_;
  std::map<SecretKeys, std::shared_ptr<db::LoginSource>> sources_;
};

// `name` with CLUSTER in the place of each "{cluster}".
std::string SecretName(std::string name, std::string_view cluster);

}  // namespace azexporter::app
