#pragma once

// A server that azexporter speaks to by its configuration, and how it wants to be spoken to: what
// remote write and the data source of rules have in common.
//
// Thread safety: Endpoint is a value; an EndpointClient is used by one thread at a time.

#include <stop_token>
#include <string>

#include "azexporter/base/result.h"
#include "azexporter/net/client_files.h"

namespace azexporter::remote {

// The files are read anew for each request: a rotated password or certificate needs no reload.
struct Endpoint {
  std::string url;           // http or https, without userinfo
  net::HttpHeaders headers;  // sent along; no secrets
  std::string username;      // basic authentication; empty: none
  std::string password_file;
  std::string authorization_type = "Bearer";  // with credentials_file: "Authorization: TYPE TEXT"
  std::string credentials_file;               // empty: none
  std::string ca_file;                        // empty: the system's bundle
  std::string cert_file;                      // both or neither
  std::string key_file;
  bool insecure_skip_verify = false;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

class EndpointClient {
 public:
  explicit EndpointClient(Endpoint endpoint);
  ~EndpointClient();
  EndpointClient(const EndpointClient&) = delete;
  EndpointClient& operator=(const EndpointClient&) = delete;

  const Endpoint& endpoint() const { return endpoint_; }

  // POSTs `body` to the URL of the endpoint and `path` behind it, within `timeout_ms`. Any status
  // is an answer. Errors as net::HttpClient's, or kUnavailable for a file that cannot be read.
  struct Post {
    std::string path = {};
    net::HttpHeaders headers = {};
    std::string body = {};
    std::int64_t timeout_ms = 30'000;
    std::size_t max_answer_bytes = std::size_t{1} << 20;
  };
  base::Result<net::HttpResponse> Send(Post post, const std::stop_token& stop);

 private:
  base::Result<void> Authenticate(net::HttpRequest& request) const;
  base::Result<net::HttpClient*> Client();

  const Endpoint endpoint_;
  net::KeptClient client_;
};

}  // namespace azexporter::remote
