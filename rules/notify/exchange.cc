#include "exchange.h"

#include <algorithm>

#include "azexporter/base/file.h"

namespace azexporter::notify {
namespace {

using base::Result;

constexpr std::int64_t kMaxConnectMs = 5'000;
constexpr std::size_t kMaxAnswerBytes = 1 << 20;
constexpr std::size_t kShownAnswerBytes = 200;

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = std::min(text.find_first_not_of(kSpace), text.size());
  const std::size_t end = text.find_last_not_of(kSpace);
  return text.substr(begin, end == std::string_view::npos ? 0 : end + 1 - begin);
}

Result<void> ReadOptional(const std::string& path, std::string& out) {
  out.clear();
  if (path.empty()) return {};
  AZX_ASSIGN_OR_RETURN(out, base::ReadFile(path));
  return {};
}

// What goes into one line of a request.
Result<std::string> ReadSecret(const std::string& path) {
  std::string text;
  AZX_RETURN_IF_ERROR(ReadOptional(path, text));
  std::string secret(Trim(text));
  const bool one_line = std::none_of(secret.begin(), secret.end(), [](char c) {
    return static_cast<unsigned char>(c) < ' ' && c != '\t';
  });
  if (one_line) return secret;
  return base::Fail(base::ErrorCode::kUnavailable, path + ": must be one line");
}

bool RefusedForItsContent(int status) {
  return status == 400 || status == 413 || status == 415 || status == 422;
}

}  // namespace

Result<net::HttpClient*> Exchange::Client() {
  net::TlsOptions tls{.insecure_skip_verify = alertmanager_.insecure_skip_verify,
                      .server_name = alertmanager_.server_name,
                      .min_version = alertmanager_.min_version,
                      .max_version = alertmanager_.max_version};
  AZX_RETURN_IF_ERROR(ReadOptional(alertmanager_.ca_file, tls.ca_pem));
  AZX_RETURN_IF_ERROR(ReadOptional(alertmanager_.cert_file, tls.client_cert_pem));
  AZX_RETURN_IF_ERROR(ReadOptional(alertmanager_.key_file, tls.client_key_pem));
  if (!client_ || tls != tls_) {
    tls_ = tls;
    client_ = std::make_unique<net::HttpClient>(net::HttpClientOptions{
        .user_agent = "azexporter", .tls = std::move(tls), .proxy_url = alertmanager_.proxy_url});
  }
  return client_.get();
}

Result<void> Exchange::AddCredentials(net::HttpRequest& request) const {
  if (!alertmanager_.credentials_file.empty()) {
    AZX_ASSIGN_OR_RETURN(const std::string secret, ReadSecret(alertmanager_.credentials_file));
    request.headers.emplace_back("Authorization", alertmanager_.authorization_type + " " + secret);
    return {};
  }
  std::string username = alertmanager_.username;
  if (!alertmanager_.username_file.empty()) {
    AZX_ASSIGN_OR_RETURN(username, ReadSecret(alertmanager_.username_file));
  }
  if (username.empty() && alertmanager_.password_file.empty()) return {};
  AZX_ASSIGN_OR_RETURN(const std::string password, ReadSecret(alertmanager_.password_file));
  request.basic_auth = username + ":" + password;
  return {};
}

Result<void> Exchange::AddHeaders(net::HttpRequest& request) const {
  for (const HeaderFiles& header : alertmanager_.headers) {
    for (const std::string& file : header.files) {
      AZX_ASSIGN_OR_RETURN(std::string value, ReadSecret(file));
      request.headers.emplace_back(header.name, std::move(value));
    }
  }
  return {};
}

Result<void> Exchange::Post(std::span<const Alert> batch, const std::stop_token& stop) {
  net::HttpRequest request{.method = "POST",
                           .url = alertmanager_.url,
                           .headers = {{"Content-Type", "application/json"}},
                           .body = AlertsJson(batch),
                           .connect_timeout_ms = std::min(kMaxConnectMs, alertmanager_.timeout_ms),
                           .timeout_ms = alertmanager_.timeout_ms,
                           .follow_redirects = alertmanager_.follow_redirects,
                           .max_body_bytes = kMaxAnswerBytes};
  AZX_RETURN_IF_ERROR(AddCredentials(request));
  AZX_RETURN_IF_ERROR(AddHeaders(request));
  AZX_ASSIGN_OR_RETURN(net::HttpClient * client, Client());
  AZX_ASSIGN_OR_RETURN(const net::HttpResponse response, client->Fetch(request, stop));
  if (response.ok()) return {};
  const std::string_view answer =
      Trim(std::string_view(response.body).substr(0, kShownAnswerBytes));
  const auto code = RefusedForItsContent(response.status) ? base::ErrorCode::kBadData
                                                          : base::ErrorCode::kUnavailable;
  return base::Fail(code, "POST " + net::RedactUrl(alertmanager_.url) + ": HTTP status " +
                              std::to_string(response.status) +
                              (answer.empty() ? "" : ": " + std::string(answer)));
}

}  // namespace azexporter::notify
