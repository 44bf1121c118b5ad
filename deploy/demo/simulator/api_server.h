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
// What goes wrong in real life is provoked with SetInterceptor (any answer, a stream that is cut or
// hangs), Forbid (403), CloseWatches, Store::Compact (410) and Stop.
//
// Thread safety: thread-safe.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "azexporter/base/clock.h"
#include "azexporter/base/result.h"
#include "simulator/http_server.h"
#include "simulator/store.h"

namespace azexporter::simulator {

struct ApiServerOptions {
  std::string address = "127.0.0.1";
  int port = 0;                              // 0: a free one
  bool tls = false;                          // kubectl sends a token over TLS only
  std::string token;                         // empty: everybody may ask
  std::string user = "azexporter-platform";  // whom the token belongs to, as told by a 403
  std::int64_t bookmark_interval_ms = 60'000;
  std::size_t threads = 128;  // connections served at once; an open watch holds one
};

class ApiServer {
 public:
  // Asked before anything else; an answer is sent in place of the server's own. Called from many
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

  void SetInterceptor(Interceptor interceptor);  // nullptr: none
  // From now on every request for this resource ("pods", "deployments.apps") is answered 403.
  void Forbid(const std::string& resource);
  void Allow(const std::string& resource);
  // Ends all open watches properly, as a server does that is about to restart.
  void CloseWatches();
  std::size_t open_watches() const;
  std::int64_t requests() const;  // answered so far

  // Cuts every connection. May be called again.
  void Stop();

 private:
  struct Impl;
  explicit ApiServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace azexporter::simulator
