// The key `alerting`, as Prometheus has it, as far as it is understood.
// Source: prometheus.io/docs/prometheus/latest/configuration/configuration/#alertmanager_config.

#include <algorithm>

#include "decode.h"

namespace azexporter::config {
namespace {

// Keys that Prometheus knows and azexporter does not, by the map they stand in. They are refused
// with another message than a misspelt key.
constexpr std::string_view kAlertingNotYet[] = {"alert_relabel_configs"};
constexpr std::string_view kAlertmanagerNotYet[] = {"alert_relabel_configs",
                                                    "relabel_configs",
                                                    "sigv4",
                                                    "authorization",
                                                    "oauth2",
                                                    "bearer_token",
                                                    "bearer_token_file",
                                                    "proxy_url",
                                                    "no_proxy",
                                                    "proxy_connect_header",
                                                    "proxy_from_environment",
                                                    "follow_redirects",
                                                    "enable_http2",
                                                    "http_headers"};
constexpr std::string_view kStaticConfigNotYet[] = {"labels"};
constexpr std::string_view kBasicAuthNotYet[] = {"username_file", "username_ref", "password_ref"};
constexpr std::string_view kTlsNotYet[] = {"ca",          "cert",        "key",
                                           "ca_ref",      "cert_ref",    "key_ref",
                                           "server_name", "min_version", "max_version"};

Result<void> RefuseNotYet(const YamlNode& map, std::span<const std::string_view> keys) {
  for (const auto& [key, value] : map.entries()) {
    const bool discovery = key.scalar().ends_with("_sd_configs");
    if (!discovery && std::find(keys.begin(), keys.end(), key.scalar()) == keys.end()) continue;
    return Fail(key.ErrorHere("\"" + key.scalar() + "\" is not supported yet"));
  }
  return {};
}

Result<void> ReadScheme(YamlMap& map, std::string& scheme) {
  AZX_RETURN_IF_ERROR(ReadText(map, "scheme", scheme));
  if (scheme == "http" || scheme == "https") return {};
  return Fail(
      map.Find("scheme")->ErrorHere("scheme must be http or https, got \"" + scheme + "\""));
}

Result<void> ReadPathPrefix(YamlMap& map, std::string& prefix) {
  AZX_RETURN_IF_ERROR(ReadText(map, "path_prefix", prefix));
  if (prefix.find_first_of("?#% \t\n") == std::string::npos) return {};
  return Fail(map.Find("path_prefix")
                  ->ErrorHere("path_prefix must be a plain path, got \"" + prefix + "\""));
}

Result<void> ReadApiVersion(YamlMap& map) {
  std::string version = "v2";
  AZX_RETURN_IF_ERROR(ReadText(map, "api_version", version));
  if (version == "v2") return {};
  return Fail(
      map.Find("api_version")->ErrorHere("api_version must be v2, got \"" + version + "\""));
}

Result<void> ReadBasicAuth(const YamlNode& node, YamlMap& map, notify::Alertmanager& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kBasicAuthNotYet));
  if (const YamlNode* password = map.Find("password")) {
    return Fail(password->ErrorHere(
        "a password does not belong in here; put it into a file (password_file)"));
  }
  AZX_RETURN_IF_ERROR(map.Require("username"));
  AZX_RETURN_IF_ERROR(ReadText(map, "username", out.username));
  return ReadPath(map, "password_file", out.password_file);
}

Result<void> ReadTls(const YamlNode& node, YamlMap& map, notify::Alertmanager& out) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kTlsNotYet));
  AZX_RETURN_IF_ERROR(ReadPath(map, "ca_file", out.ca_file));
  AZX_RETURN_IF_ERROR(ReadPath(map, "cert_file", out.cert_file));
  AZX_RETURN_IF_ERROR(ReadPath(map, "key_file", out.key_file));
  if (out.cert_file.empty() != out.key_file.empty()) {
    return Fail(node.ErrorHere("give both cert_file and key_file, or neither"));
  }
  const YamlNode* skip = map.Find("insecure_skip_verify");
  if (skip == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(out.insecure_skip_verify, skip->AsBool());
  return {};
}

// HOST or HOST:PORT, as Prometheus wants it. User and password would show up wherever the URL does.
Result<void> CheckTarget(const YamlNode& node) {
  const std::string& target = node.scalar();
  if (target.find('@') != std::string::npos) {
    return Fail(node.ErrorHere("a target carries no user or password; use basic_auth"));
  }
  const bool good = !target.empty() && target.find_first_of("/?# \t\n\"<>") == std::string::npos;
  if (good) return {};
  return Fail(node.ErrorHere("target must be HOST:PORT, got \"" + target + "\""));
}

Result<std::vector<YamlNode>> ReadTargets(YamlMap& alertmanager) {
  std::vector<YamlNode> targets;
  AZX_RETURN_IF_ERROR(ReadList(alertmanager, "static_configs",
                               [&](const YamlNode& item, YamlMap& map) -> Result<void> {
                                 AZX_RETURN_IF_ERROR(RefuseNotYet(item, kStaticConfigNotYet));
                                 const YamlNode* list = map.Find("targets");
                                 if (list == nullptr) return {};
                                 AZX_RETURN_IF_ERROR(list->AsStringList());
                                 for (const YamlNode& target : list->items()) {
                                   AZX_RETURN_IF_ERROR(CheckTarget(target));
                                   targets.push_back(target);
                                 }
                                 return {};
                               }));
  return targets;
}

Result<void> ReadAlertmanager(const YamlNode& node, YamlMap& map,
                              std::vector<notify::Alertmanager>& alertmanagers) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kAlertmanagerNotYet));
  notify::Alertmanager common;
  std::string scheme = "http";
  std::string path_prefix;
  AZX_RETURN_IF_ERROR(ReadScheme(map, scheme));
  AZX_RETURN_IF_ERROR(ReadPathPrefix(map, path_prefix));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "timeout", 10, common.timeout_ms));
  AZX_RETURN_IF_ERROR(ReadApiVersion(map));
  const YamlNode* basic_auth = map.Find("basic_auth");
  AZX_RETURN_IF_ERROR(ReadSection(map, "basic_auth", [&](YamlMap& section) {
    return ReadBasicAuth(*basic_auth, section, common);
  }));
  const YamlNode* tls = map.Find("tls_config");
  AZX_RETURN_IF_ERROR(ReadSection(
      map, "tls_config", [&](YamlMap& section) { return ReadTls(*tls, section, common); }));
  AZX_ASSIGN_OR_RETURN(const std::vector<YamlNode> targets, ReadTargets(map));
  for (const YamlNode& target : targets) {
    common.url = notify::PushUrl(scheme, target.scalar(), path_prefix);
    for (const notify::Alertmanager& other : alertmanagers) {
      if (other.url != common.url) continue;
      return Fail(target.ErrorHere("target \"" + target.scalar() + "\" is there twice"));
    }
    alertmanagers.push_back(common);
  }
  return {};
}

}  // namespace

Result<void> ReadAlerting(YamlMap& root, std::vector<notify::Alertmanager>& alertmanagers) {
  const YamlNode* node = root.Find("alerting");
  return ReadSection(root, "alerting", [&](YamlMap& alerting) -> Result<void> {
    AZX_RETURN_IF_ERROR(RefuseNotYet(*node, kAlertingNotYet));
    return ReadList(alerting, "alertmanagers", [&](const YamlNode& item, YamlMap& map) {
      return ReadAlertmanager(item, map, alertmanagers);
    });
  });
}

}  // namespace azexporter::config
