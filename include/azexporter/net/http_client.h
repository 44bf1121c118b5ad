#pragma once

// An HTTP client over libcurl: whole answers and streamed ones, with deadlines and cancellation.
// It knows nothing of what it fetches; Kubernetes, the probes and `--url` all go through it.
//
// Thread safety: HttpClient is thread-safe; each call runs on the caller's thread. Connections are
// kept and used again.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::net {

enum class TlsVersion { kDefault, kTls10, kTls11, kTls12, kTls13 };

struct TlsOptions {
  std::string ca_pem;           // empty: the system's bundle
  std::string client_cert_pem;  // both or neither
  std::string client_key_pem;
  bool insecure_skip_verify = false;
  // The name that the certificate must bear, and that is asked for (SNI). Empty: the URL's host.
  std::string server_name = {};
  TlsVersion min_version = TlsVersion::kDefault;  // 1.2
  TlsVersion max_version = TlsVersion::kDefault;  // the newest

  friend bool operator==(const TlsOptions&, const TlsOptions&) = default;
};

struct HttpClientOptions {
  std::string user_agent;  // never one that looks like curl's: Kubernetes then answers prettily
  TlsOptions tls;
  std::string proxy_url = {};  // empty: none (the environment is not asked)

  friend bool operator==(const HttpClientOptions&, const HttpClientOptions&) = default;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  HttpHeaders headers;
  std::string basic_auth;  // "user:password", empty for none
  std::string body;
  std::int64_t connect_timeout_ms = 5'000;
  // For the whole exchange. 0: no bound, for streams, which idle_timeout_ms bounds instead.
  std::int64_t timeout_ms = 30'000;
  // No byte for this long ends the exchange. 0: no bound. Resolution: a second.
  std::int64_t idle_timeout_ms = 0;
  bool accept_gzip = true;
  // A connection of its own, closed afterwards: what a probe measures then includes connecting.
  bool fresh_connection = false;
  // Up to 10 redirects are followed; method and body stay as they are, whatever the status. User,
  // password and an Authorization header are not told to another host.
  bool follow_redirects = false;
  std::size_t max_body_bytes = std::size_t{1} << 30;
};

struct HttpTiming {
  double connect_seconds = 0;  // name resolution and TCP; 0 on a kept connection
  double total_seconds = 0;
};

struct HttpResponse {
  int status = 0;
  HttpHeaders headers;  // names in lower case
  std::string body;     // empty after Stream, but for statuses other than 2xx
  HttpTiming timing;

  // The first header of that (lower-case) name, "" where there is none.
  std::string_view Header(std::string_view name) const;
  bool ok() const { return status >= 200 && status < 300; }
};

// Takes the next bytes of a 2xx body; of `head` status and headers are known. Returning false ends
// the exchange without error.
using ChunkHandler = std::function<bool(const HttpResponse& head, std::string_view chunk)>;

// What sends requests. Tests put a server of their own in the place of the network.
class HttpTransport {
 public:
  virtual ~HttpTransport() = default;

  // Any HTTP status is an answer, not an error; but for a redirect that is to be followed and leads
  // nowhere. Errors name the method and the URL without
  // userinfo: kTimeout, kCanceled when `stop` was asked for, kUnavailable for everything on the
  // network. A 2xx body is handed to `on_chunk` as it arrives, where there is one.
  virtual base::Result<HttpResponse> Stream(const HttpRequest& request,
                                            const ChunkHandler& on_chunk,
                                            std::stop_token stop = {}) = 0;
  // The whole answer.
  base::Result<HttpResponse> Fetch(const HttpRequest& request, std::stop_token stop = {}) {
    return Stream(request, ChunkHandler(), std::move(stop));
  }
};

class HttpClient final : public HttpTransport {
 public:
  explicit HttpClient(HttpClientOptions options);
  ~HttpClient() override;
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  base::Result<HttpResponse> Stream(const HttpRequest& request, const ChunkHandler& on_chunk,
                                    std::stop_token stop = {}) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The URL without user and password, for messages.
std::string RedactUrl(std::string_view url);
// "Wed, 21 Oct 2015 07:28:00 GMT" as milliseconds since the epoch; nothing where it is no date.
std::optional<std::int64_t> ParseHttpDateMs(std::string_view text);
// Scheme http or https, and a host: what a probe or an API server needs.
bool IsHttpUrl(std::string_view url);

}  // namespace azexporter::net
