#pragma once

// A Kubernetes API server on loopback that answers, from a Store, as a real one (1.32) does: lists
// and their pages, watches, bookmarks and streaming lists, tables for kubectl, discovery, writes
// and the errors in between. Used by the embedded platform and by tests of the Kubernetes client.
//
//   base::SystemClock clock;
//   Store store({.clock = clock});
//   auto server = ApiServer::Start({.token = "secret"}, store, clock);
//   ... (*server)->url(), (*server)->Kubeconfig() ...
//
// What goes wrong in real life is provoked with faults() (see faults.h: errors, cuts, hangs,
// delays, silence, garbage), CloseWatches, Store::Compact (410), Stop and Restart, which together
// with Store::RestoreCheckpoint is an etcd that was restored from a backup.
//
// Thread safety: thread-safe, but for Stop and Restart: one thread at a time calls these, and port
// and url not meanwhile.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "azexporter/base/clock.h"
#include "azexporter/base/result.h"
#include "simulator/faults.h"
#include "simulator/http_server.h"
#include "simulator/reviews.h"
#include "simulator/store.h"

namespace azexporter::simulator {

enum class ReplayMode { kByName, kByTarget };

struct ApiServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;                              // 0: a free one
  bool tls = false;                          // kubectl sends a token over TLS only
  std::string token;                         // of the administrator; empty: everybody may ask
  std::string user = "azexporter-platform";  // whom the token belongs to, as told by a 403
  // With kRbac others than the administrator may do what the roles in the store grant (see
  // authorizer.h); who shows no token is system:anonymous.
  Authorization authorization = Authorization::kAlwaysAllow;
  // A folder of recorded answers (see replay.h), for the fault "replay NAME"; empty: none.
  std::string recordings;
  // kByTarget: a request that was recorded gets its recording, whoever asks; all others the
  // server's own answer.
  ReplayMode replay = ReplayMode::kByName;
  std::int64_t bookmark_interval_ms = 60'000;
  std::size_t threads = 128;  // connections served at once; an open watch holds one
};

class ApiServer {
 public:
  // Asked before anything else, faults included; an answer is sent in place of the server's own.
  // For tests that look at requests, or need an answer that no fault gives. Called from many
  // threads.
  using Interceptor = std::function<std::optional<HttpResponse>(const HttpRequest&)>;

  // `store` and `clock` must outlive the server.
  static base::Result<std::unique_ptr<ApiServer>> Start(const ApiServerOptions& options,
                                                        Store& store, const base::Clock& clock);
  ~ApiServer();
  ApiServer(const ApiServer&) = delete;
  ApiServer& operator=(const ApiServer&) = delete;

  int port() const;
  std::string url() const;
  // The authority of the server's certificate, PEM; empty without TLS.
  const std::string& ca_certificate() const;
  // YAML that kubectl and azexporter accept with --kubeconfig.
  std::string Kubeconfig() const;
  // The same for another user. `token` empty: without credentials.
  std::string KubeconfigFor(const std::string& user, const std::string& token) const;
  // A token of a ServiceAccount, as its TokenRequest gives. kNotFound when there is none.
  base::Result<std::string> CreateToken(const std::string& ns, const std::string& service_account,
                                        std::int64_t lifetime_seconds = 3600);

  void SetInterceptor(Interceptor interceptor);  // nullptr: none
  Faults& faults();
  // Ends all open watches properly, as a server does that is about to restart.
  void CloseWatches();
  std::size_t open_watches() const;
  std::int64_t requests() const;  // answered so far

  // Cuts every connection; from then on connections are refused. May be called again.
  void Stop();
  // Stops unless stopped, and serves again: same port, certificate, token and faults. kUnavailable
  // when the port is gone.
  base::Result<void> Restart();

 private:
  struct Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::simulator
