#include "azexporter/remote/endpoint.h"

#include <algorithm>

#include "azexporter/base/file.h"

namespace azexporter::remote {
namespace {

constexpr std::int64_t kMaxConnectMs = 5'000;

std::string Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  const std::size_t end = text.find_last_not_of(kSpace);
  return std::string(text.substr(begin, end == std::string_view::npos ? 0 : end + 1 - begin));
}

base::Result<std::string> ReadOptional(const std::string& path) {
  if (path.empty()) return std::string();
  return base::ReadFile(path);
}

bool SameTls(const net::TlsOptions& a, const net::TlsOptions& b) {
  return a.ca_pem == b.ca_pem && a.client_cert_pem == b.client_cert_pem &&
         a.client_key_pem == b.client_key_pem && a.insecure_skip_verify == b.insecure_skip_verify;
}

}  // namespace

EndpointClient::EndpointClient(Endpoint endpoint) : endpoint_(std::move(endpoint)) {}

EndpointClient::~EndpointClient() = default;

base::Result<net::HttpClient*> EndpointClient::Client() {
  net::TlsOptions tls{.insecure_skip_verify = endpoint_.insecure_skip_verify};
  AZX_ASSIGN_OR_RETURN(tls.ca_pem, ReadOptional(endpoint_.ca_file));
  AZX_ASSIGN_OR_RETURN(tls.client_cert_pem, ReadOptional(endpoint_.cert_file));
  AZX_ASSIGN_OR_RETURN(tls.client_key_pem, ReadOptional(endpoint_.key_file));
  if (!client_ || !SameTls(tls, tls_)) {
    tls_ = tls;
    client_ = std::make_unique<net::HttpClient>(
        net::HttpClientOptions{.user_agent = "azexporter", .tls = std::move(tls)});
  }
  return client_.get();
}

base::Result<void> EndpointClient::Authenticate(net::HttpRequest& request) const {
  if (!endpoint_.username.empty()) {
    AZX_ASSIGN_OR_RETURN(const std::string password, ReadOptional(endpoint_.password_file));
    request.basic_auth = endpoint_.username + ":" + Trim(password);
  }
  if (!endpoint_.credentials_file.empty()) {
    AZX_ASSIGN_OR_RETURN(const std::string secret, ReadOptional(endpoint_.credentials_file));
    request.headers.emplace_back("Authorization",
                                 endpoint_.authorization_type + " " + Trim(secret));
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
