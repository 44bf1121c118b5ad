// How an HTTP client is configured, as in Prometheus; secrets only from files.
// Source: prometheus.io/docs/prometheus/latest/configuration/configuration/#http_config.

#include <algorithm>

#include "azexporter/base/file.h"
#include "azexporter/base/text.h"
#include "azexporter/net/http_client.h"
#include "decode.h"

namespace azexporter::config {
namespace {

constexpr std::string_view kClientNotYet[] = {"sigv4",        "azuread",
                                              "google_iam",   "oauth2",
                                              "no_proxy",     "proxy_connect_header",
                                              "enable_http2", "proxy_from_environment"};
constexpr std::string_view kBasicAuthNotYet[] = {"username_ref", "password_ref"};
constexpr std::string_view kAuthorizationNotYet[] = {"credentials_ref"};
constexpr std::string_view kTlsNotYet[] = {"ca", "cert", "key", "ca_ref", "cert_ref", "key_ref"};

// Headers that the client makes itself; in lower case.
constexpr std::string_view kReservedHeaders[] = {"accept-encoding",
                                                 "authorization",
                                                 "connection",
                                                 "content-encoding",
                                                 "content-length",
                                                 "content-type",
                                                 "expect",
                                                 "host",
                                                 "keep-alive",
                                                 "proxy-authenticate",
                                                 "proxy-authorization",
                                                 "transfer-encoding",
                                                 "user-agent",
                                                 "www-authenticate"};

Result<void> RefuseSecret(YamlMap& map, std::string_view key, std::string_view instead) {
  const YamlNode* secret = map.Find(key);
  if (secret == nullptr) return {};
  return Fail(secret->ErrorHere("a secret does not belong in here; put it into a file (" +
                                std::string(instead) + ")"));
}

Result<void> ReadBasicAuth(const YamlNode& node, YamlMap& map, notify::Alertmanager& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kBasicAuthNotYet));
  AZX_RETURN_IF_ERROR(RefusePassword(map));
  AZX_RETURN_IF_ERROR(ReadPath(map, "username_file", out.username_file));
  if (out.username_file.empty()) AZX_RETURN_IF_ERROR(map.Require("username"));
  AZX_RETURN_IF_ERROR(ReadText(map, "username", out.username));
  if (!out.username.empty() && !out.username_file.empty()) {
    return Fail(node.ErrorHere("give username or username_file, not both"));
  }
  return ReadPath(map, "password_file", out.password_file);
}

bool IsToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

Result<void> ReadAuthorization(const YamlNode& node, YamlMap& map, notify::Alertmanager& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kAuthorizationNotYet));
  AZX_RETURN_IF_ERROR(RefuseSecret(map, "credentials", "credentials_file"));
  AZX_RETURN_IF_ERROR(map.Require("credentials_file"));
  AZX_RETURN_IF_ERROR(ReadPath(map, "credentials_file", out.credentials_file));
  out.authorization_type = "Bearer";
  AZX_RETURN_IF_ERROR(ReadText(map, "type", out.authorization_type));
  if (!IsToken(out.authorization_type)) {
    return Fail(map.Find("type")->ErrorHere("type must be one word, got \"" +
                                            out.authorization_type + "\""));
  }
  if (base::Lower(out.authorization_type) != "basic") return {};
  return Fail(map.Find("type")->ErrorHere("type must not be basic; use basic_auth"));
}

// Of the three ways to be known at most one.
Result<void> ReadCredentials(const YamlNode& node, YamlMap& map, notify::Alertmanager& out) {
  const YamlNode* basic = map.Find("basic_auth");
  const YamlNode* authorization = map.Find("authorization");
  const YamlNode* token_file = map.Find("bearer_token_file");
  AZX_RETURN_IF_ERROR(RefuseSecret(map, "bearer_token", "bearer_token_file"));
  if ((basic != nullptr) + (authorization != nullptr) + (token_file != nullptr) > 1) {
    return Fail(node.ErrorHere("give one of basic_auth, authorization and bearer_token_file"));
  }
  AZX_RETURN_IF_ERROR(ReadSection(
      map, "basic_auth", [&](YamlMap& section) { return ReadBasicAuth(*basic, section, out); }));
  AZX_RETURN_IF_ERROR(ReadSection(map, "authorization", [&](YamlMap& section) {
    return ReadAuthorization(*authorization, section, out);
  }));
  AZX_RETURN_IF_ERROR(ReadPath(map, "bearer_token_file", out.credentials_file));
  if (token_file != nullptr) out.authorization_type = "Bearer";
  return {};
}

Result<void> ReadTlsVersion(YamlMap& map, std::string_view key, net::TlsVersion& out) {
  constexpr std::pair<std::string_view, net::TlsVersion> kVersions[] = {
      {"TLS10", net::TlsVersion::kTls10},
      {"TLS11", net::TlsVersion::kTls11},
      {"TLS12", net::TlsVersion::kTls12},
      {"TLS13", net::TlsVersion::kTls13}};
  const YamlNode* node = map.Find(key);
  if (node == nullptr) return {};
  for (const auto& [name, version] : kVersions) {
    if (node->scalar() != name) continue;
    out = version;
    return {};
  }
  return Fail(node->ErrorHere(std::string(key) + " must be TLS10, TLS11, TLS12 or TLS13, got \"" +
                              node->scalar() + "\""));
}

Result<void> ReadTls(const YamlNode& node, YamlMap& map, notify::Alertmanager& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kTlsNotYet));
  AZX_RETURN_IF_ERROR(ReadTlsFiles(node, map, out));
  AZX_RETURN_IF_ERROR(ReadText(map, "server_name", out.server_name));
  if (out.server_name.find_first_of("/?#@: \t\r\n") != std::string::npos) {
    return Fail(
        map.Find("server_name")
            ->ErrorHere("server_name must be a host's name, got \"" + out.server_name + "\""));
  }
  AZX_RETURN_IF_ERROR(ReadTlsVersion(map, "min_version", out.min_version));
  AZX_RETURN_IF_ERROR(ReadTlsVersion(map, "max_version", out.max_version));
  if (out.max_version != net::TlsVersion::kDefault && out.min_version > out.max_version) {
    return Fail(node.ErrorHere("min_version is above max_version"));
  }
  return {};
}

Result<void> ReadProxy(YamlMap& map, std::string& url) {
  AZX_RETURN_IF_ERROR(ReadText(map, "proxy_url", url));
  if (url.empty()) return {};
  const YamlNode* node = map.Find("proxy_url");
  if (url.find('@') != std::string::npos) {
    return Fail(node->ErrorHere("a proxy's URL carries no user or password"));
  }
  if (net::IsHttpUrl(url)) return {};
  return Fail(node->ErrorHere("not a http or https URL: \"" + url + "\""));
}

Result<void> ReadHeader(const YamlNode& key, const YamlNode& value, notify::Alertmanager& out) {
  AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(value));
  const std::string& name = key.scalar();
  const auto reserved = std::find(std::begin(kReservedHeaders), std::end(kReservedHeaders),
                                  std::string_view(base::Lower(name)));
  if (!IsToken(name)) return Fail(key.ErrorHere("no name of a header: \"" + name + "\""));
  if (reserved != std::end(kReservedHeaders)) {
    return Fail(key.ErrorHere("header " + name + " must not be set"));
  }
  for (const char* inlined : {"values", "secrets"}) {
    AZX_RETURN_IF_ERROR(RefuseSecret(map, inlined, "files"));
  }
  notify::HeaderFiles header{.name = name, .files = {}};
  AZX_ASSIGN_OR_RETURN(const YamlNode* files, map.Require("files"));
  AZX_ASSIGN_OR_RETURN(header.files, files->AsStringList());
  for (std::string& path : header.files) path = base::RelativeTo(value.file(), path);
  out.headers.push_back(std::move(header));
  return map.CheckAllRead();
}

Result<void> ReadHeaders(YamlMap& map, notify::Alertmanager& out) {
  const YamlNode* node = map.Find("http_headers");
  if (node == nullptr) return {};
  if (!node->is_map()) return Fail(node->ErrorHere("http_headers must be a map"));
  for (const auto& [key, value] : node->entries()) {
    AZX_RETURN_IF_ERROR(ReadHeader(key, value, out));
  }
  return {};
}

}  // namespace

Result<void> ReadHttpClient(const YamlNode& node, YamlMap& map, notify::Alertmanager& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kClientNotYet));
  AZX_RETURN_IF_ERROR(ReadCredentials(node, map, out));
  const YamlNode* tls = map.Find("tls_config");
  AZX_RETURN_IF_ERROR(ReadSection(map, "tls_config",
                                  [&](YamlMap& section) { return ReadTls(*tls, section, out); }));
  AZX_RETURN_IF_ERROR(ReadProxy(map, out.proxy_url));
  AZX_RETURN_IF_ERROR(ReadBool(map, "follow_redirects", out.follow_redirects));
  return ReadHeaders(map, out);
}

}  // namespace azexporter::config
