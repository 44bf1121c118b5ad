#include "azexporter/remote/endpoint.h"

#include <algorithm>

namespace azexporter::remote {
namespace {

constexpr std::int64_t kMaxConnectMs = 5'000;

}  // namespace

EndpointClient::EndpointClient(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

EndpointClient::~EndpointClient() = default;

base::Result<net::HttpClient*> EndpointClient::Client() {
  net::HttpClientOptions options{.user_agent = "azexporter",
                                 .tls = {.insecure_skip_verify = endpoint_.insecure_skip_verify}};
  AZX_RETURN_IF_ERROR(
      net::ReadTlsFiles({endpoint_.ca_file, endpoint_.cert_file, endpoint_.key_file}, options.tls));
  return &client_.For(options);
}

base::Result<void> EndpointClient::Authenticate(net::HttpRequest& request) const {
  if (!endpoint_.username.empty()) {
    AZX_ASSIGN_OR_RETURN(const std::string password, net::ReadSecret(endpoint_.password_file));
    request.basic_auth = endpoint_.username + ":" + password;
  }
  if (!endpoint_.credentials_file.empty()) {
    AZX_ASSIGN_OR_RETURN(const std::string secret, net::ReadSecret(endpoint_.credentials_file));
    request.headers.emplace_back("Authorization", endpoint_.authorization_type + " " + secret);
  }
  return {};
}

base::Result<net::HttpResponse> EndpointClient::Send(Post post, const std::stop_token& stop) {
  net::HttpRequest request{.method = "POST",
                           .url = endpoint_.url + post.path,
                           .headers = std::move(post.headers),
                           .body = std::move(post.body),
                           .connect_timeout_ms = std::min(kMaxConnectMs, post.timeout_ms),
                           .timeout_ms = post.timeout_ms,
                           .max_body_bytes = post.max_answer_bytes};
  request.headers.insert(request.headers.end(), endpoint_.headers.begin(), endpoint_.headers.end());
  AZX_RETURN_IF_ERROR(Authenticate(request));
  AZX_ASSIGN_OR_RETURN(net::HttpClient * client, Client());
  return client->Fetch(request, stop);
}

}  // namespace azexporter::remote
