#pragma once

// What azexporter shows the API server to be let in, renewed as it runs out: files are read for
// each request, a plugin is run anew when what it gave expires or is refused. Private to `kube`.
// Source:
// kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins.
//
// Thread safety: thread-safe; a plugin runs once at a time.

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "azexporter/base/clock.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/result.h"
#include "azexporter/kube/access.h"

namespace azexporter::kube {

// What a plugin prints: an ExecCredential.
struct ExecCredential {
  std::string token;
  std::string client_cert_pem;
  std::string client_key_pem;
  std::optional<std::int64_t> expires_ms;  // wall time
};
// kBadData where it is none, or of another version than was asked for.
base::Result<ExecCredential> ParseExecCredential(std::string_view json,
                                                 const std::string& api_version);
// What a plugin is told in KUBERNETES_EXEC_INFO.
std::string ExecInfo(const ClusterAccess& access);

class Credentials {
 public:
  struct Shown {
    std::string bearer_token;
    std::string basic_auth;  // "user:password"
    net::TlsOptions tls;
    std::uint64_t generation = 0;  // of what a plugin gave
  };

  // Both must outlive this.
  Credentials(const ClusterAccess& access, const base::Clock& clock)
      : access_(access), clock_(clock) {}

  // May run a plugin, and waits for it. Errors name the file or the program.
  base::Result<Shown> Get(const std::stop_token& stop);
  // The server refused it (401). Whether another try is worth it: what a plugin gave is forgotten.
  bool Refused(const Shown& shown);

 private:
  base::Result<void> RunPluginLocked(const std::stop_token& stop) AZX_REQUIRES(mu_);

  const ClusterAccess& access_;
  const base::Clock& clock_;
  base::Mutex mu_;
  std::optional<ExecCredential> given_ AZX_GUARDED_BY(mu_);
  std::uint64_t generation_ AZX_GUARDED_BY(mu_) = 0;
};

}  // namespace azexporter::kube
