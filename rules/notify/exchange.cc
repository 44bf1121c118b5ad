#include "exchange.h"

#include <algorithm>

#include "azexporter/base/text.h"

namespace azexporter::notify {
namespace {

using base::Result;

constexpr std::int64_t kMaxConnectMs = 5'000;
constexpr std::size_t kMaxAnswerBytes = 1 << 20;
constexpr std::size_t kShownAnswerBytes = 200;

bool RefusedForItsContent(int status) {
  return status == 400 || status == 413 || status == 415 || status == 422;
}

}  // namespace

Result<net::HttpClient*> Exchange::Client() {
  net::HttpClientOptions options{.user_agent = "azexporter",
                                 .tls = {.insecure_skip_verify = alertmanager_.insecure_skip_verify,
                                         .server_name = alertmanager_.server_name,
                                         .min_version = alertmanager_.min_version,
                                         .max_version = alertmanager_.max_version},
                                 .proxy_url = alertmanager_.proxy_url};
  AZX_RETURN_IF_ERROR(net::ReadTlsFiles(
      {alertmanager_.ca_file, alertmanager_.cert_file, alertmanager_.key_file}, options.tls));
  return &client_.For(options);
}

Result<void> Exchange::AddCredentials(net::HttpRequest& request) const {
  if (!alertmanager_.credentials_file.empty()) {
    AZX_ASSIGN_OR_RETURN(const std::string secret, net::ReadSecret(alertmanager_.credentials_file));
    request.headers.emplace_back("Authorization", alertmanager_.authorization_type + " " + secret);
    return {};
  }
  std::string username = alertmanager_.username;
  if (!alertmanager_.username_file.empty()) {
    AZX_ASSIGN_OR_RETURN(username, net::ReadSecret(alertmanager_.username_file));
  }
  if (username.empty() && alertmanager_.password_file.empty()) return {};
  AZX_ASSIGN_OR_RETURN(const std::string password, net::ReadSecret(alertmanager_.password_file));
  request.basic_auth = username + ":" + password;
  return {};
}

Result<void> Exchange::AddHeaders(net::HttpRequest& request) const {
  for (const HeaderFiles& header : alertmanager_.headers) {
    for (const std::string& file : header.files) {
      AZX_ASSIGN_OR_RETURN(std::string value, net::ReadSecret(file));
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
      base::Trim(std::string_view(response.body).substr(0, kShownAnswerBytes));
  const auto code = RefusedForItsContent(response.status) ? base::ErrorCode::kBadData
                                                          : base::ErrorCode::kUnavailable;
  return base::Fail(code, "POST " + net::RedactUrl(alertmanager_.url) + ": HTTP status " +
                              std::to_string(response.status) +
                              (answer.empty() ? "" : ": " + std::string(answer)));
}

}  // namespace azexporter::notify
