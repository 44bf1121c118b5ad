// How a server is spoken to, in the keys of Prometheus's HTTP clients.
// Source: prometheus.io/docs/prometheus/latest/configuration/configuration/#http_config.

#include <algorithm>
#include <array>
#include <set>

#include "azexporter/base/text.h"
#include "azexporter/net/http_client.h"
#include "decode.h"

namespace azexporter::config {
namespace {

constexpr std::string_view kNotYet[] = {"oauth2",
                                        "bearer_token",
                                        "bearer_token_file",
                                        "proxy_url",
                                        "no_proxy",
                                        "sigv4",
                                        "azuread",
                                        "google_iam",
                                        "round_robin_dns",
                                        "http_headers",
                                        "proxy_connect_header",
                                        "proxy_from_environment",
                                        "follow_redirects",
                                        "enable_http2"};
constexpr std::string_view kBasicAuthNotYet[] = {"username_file", "username_ref", "password_ref"};
constexpr std::string_view kAuthorizationNotYet[] = {"credentials_ref"};
constexpr std::string_view kTlsNotYet[] = {"ca",          "cert",        "key",
                                           "ca_ref",      "cert_ref",    "key_ref",
                                           "server_name", "min_version", "max_version"};

Result<void> ReadBasicAuth(const YamlNode& node, YamlMap& map, remote::Endpoint& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kBasicAuthNotYet));
  AZX_RETURN_IF_ERROR(RefusePassword(map));
  AZX_RETURN_IF_ERROR(map.Require("username"));
  AZX_RETURN_IF_ERROR(ReadText(map, "username", out.username));
  return ReadPath(map, "password_file", out.password_file);
}

Result<void> ReadAuthorization(const YamlNode& node, YamlMap& map, remote::Endpoint& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kAuthorizationNotYet));
  if (const YamlNode* credentials = map.Find("credentials")) {
    return Fail(credentials->ErrorHere(
        "credentials do not belong in here; put them into a file (credentials_file)"));
  }
  AZX_RETURN_IF_ERROR(ReadText(map, "type", out.authorization_type));
  if (base::Lower(out.authorization_type) == "basic") {
    return Fail(map.Find("type")->ErrorHere("for type Basic use basic_auth"));
  }
  AZX_RETURN_IF_ERROR(map.Require("credentials_file"));
  return ReadPath(map, "credentials_file", out.credentials_file);
}

Result<void> ReadTls(const YamlNode& node, YamlMap& map, remote::Endpoint& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kTlsNotYet));
  return ReadTlsFiles(node, map, out);
}

Result<void> ReadUrl(YamlMap& map, std::string& url) {
  AZX_ASSIGN_OR_RETURN(const YamlNode* node, map.Require("url"));
  AZX_RETURN_IF_ERROR(ReadText(map, "url", url));
  // The password of a URL would show up wherever the URL does.
  if (net::RedactUrl(url) != url) {
    return Fail(node->ErrorHere("a URL carries no user or password; use basic_auth"));
  }
  if (net::IsHttpUrl(url)) return {};
  return Fail(node->ErrorHere("not a http or https URL: \"" + url + "\""));
}

// The headers that the protocol sets, and those that are there to carry a secret.
Result<void> CheckHeader(const YamlNode& name) {
  static const std::set<std::string> kReserved = {"connection",
                                                  "content-encoding",
                                                  "content-length",
                                                  "content-type",
                                                  "host",
                                                  "keep-alive",
                                                  "proxy-authenticate",
                                                  "te",
                                                  "trailer",
                                                  "transfer-encoding",
                                                  "upgrade",
                                                  "user-agent",
                                                  "www-authenticate",
                                                  "accept-encoding",
                                                  "x-prometheus-remote-write-version",
                                                  "retry-attempt"};
  const std::string lower = base::Lower(name.scalar());
  if (kReserved.contains(lower)) {
    return Fail(name.ErrorHere("\"" + name.scalar() + "\" is not a header to be set"));
  }
  for (const char* word : {"authorization", "cookie", "token", "secret", "password", "api-key"}) {
    if (lower.find(word) == std::string::npos) continue;
    return Fail(name.ErrorHere("a secret does not belong in here (header \"" + name.scalar() +
                               "\"); use authorization or basic_auth with a file"));
  }
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyz0123456789-_";
  if (!lower.empty() && lower.find_first_not_of(kPlain) == std::string::npos) return {};
  return Fail(name.ErrorHere("\"" + name.scalar() + "\" is not the name of a header"));
}

Result<void> ReadHeaders(YamlMap& map, net::HttpHeaders& headers) {
  const YamlNode* node = map.Find("headers");
  if (node == nullptr) return {};
  if (!node->is_map()) return Fail(node->ErrorHere("expected a map of headers"));
  for (const auto& [name, value] : node->entries()) {
    AZX_RETURN_IF_ERROR(CheckHeader(name));
    AZX_ASSIGN_OR_RETURN(std::string text, value.AsString());
    if (text.find_first_of("\r\n") != std::string::npos) {
      return Fail(value.ErrorHere("the value of a header is one line"));
    }
    headers.emplace_back(name.scalar(), std::move(text));
  }
  return {};
}

}  // namespace

Result<void> ReadEndpoint(const YamlNode& node, YamlMap& map, remote::Endpoint& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kNotYet));
  AZX_RETURN_IF_ERROR(ReadUrl(map, out.url));
  AZX_RETURN_IF_ERROR(ReadHeaders(map, out.headers));
  const YamlNode* basic_auth = map.Find("basic_auth");
  AZX_RETURN_IF_ERROR(ReadSection(map, "basic_auth", [&](YamlMap& section) {
    return ReadBasicAuth(*basic_auth, section, out);
  }));
  const YamlNode* authorization = map.Find("authorization");
  AZX_RETURN_IF_ERROR(ReadSection(map, "authorization", [&](YamlMap& section) {
    return ReadAuthorization(*authorization, section, out);
  }));
  if (basic_auth != nullptr && authorization != nullptr) {
    return Fail(node.ErrorHere("give basic_auth or authorization, not both"));
  }
  const YamlNode* tls = map.Find("tls_config");
  return ReadSection(map, "tls_config",
                     [&](YamlMap& section) { return ReadTls(*tls, section, out); });
}

}  // namespace azexporter::config
