// The key `alerting`, as Prometheus has it, as far as it is understood.
// Source: prometheus.io/docs/prometheus/latest/configuration/configuration/#alertmanager_config.

#include <algorithm>
#include <set>

#include "decode.h"

namespace azexporter::config {
namespace {

constexpr std::string_view kDiscoveryNotYet[] = {
    "api_server",   "kubeconfig_file",  "selectors",         "attach_metadata", "basic_auth",
    "bearer_token", "authorization",    "bearer_token_file", "oauth2",          "proxy_url",
    "tls_config",   "follow_redirects", "http_headers"};
constexpr std::string_view kNamespacesNotYet[] = {"own_namespace"};

// Of all ways to discover targets one is understood.
Result<void> RefuseOtherDiscovery(const YamlNode& map) {
  for (const auto& [key, value] : map.entries()) {
    if (!key.scalar().ends_with("_sd_configs") || key.scalar() == "kubernetes_sd_configs") continue;
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

// HOST or HOST:PORT, as Prometheus wants it. User and password would show up wherever the URL does.
Result<void> CheckTarget(const YamlNode& node) {
  const std::string& target = node.scalar();
  if (target.find('@') != std::string::npos) {
    return Fail(node.ErrorHere("a target carries no user or password; use basic_auth"));
  }
  if (notify::IsTargetAddress(target)) return {};
  return Fail(node.ErrorHere("target must be HOST:PORT, got \"" + target + "\""));
}

Result<model::Labels> ReadLabels(YamlMap& map) {
  const YamlNode* node = map.Find("labels");
  if (node == nullptr) return model::Labels();
  if (!node->is_map()) return Fail(node->ErrorHere("expected a map of labels"));
  model::LabelsBuilder builder;
  for (const auto& [name, value] : node->entries()) {
    if (name.scalar().empty()) return Fail(name.ErrorHere("a label has a name"));
    AZX_ASSIGN_OR_RETURN(const std::string text, value.AsString());
    builder.Set(name.scalar(), text);
  }
  return builder.Build();
}

// `known` holds the targets so far that nothing relabels, by their URL.
Result<void> ReadStaticConfig(YamlMap& map, std::set<std::string>& known,
                              notify::AlertmanagerGroup& group) {
  AZX_ASSIGN_OR_RETURN(const model::Labels labels, ReadLabels(map));
  const YamlNode* list = map.Find("targets");
  if (list == nullptr) return {};
  AZX_RETURN_IF_ERROR(list->AsStringList());
  for (const YamlNode& target : list->items()) {
    AZX_RETURN_IF_ERROR(CheckTarget(target));
    const std::string url = notify::PushUrl(group.scheme, target.scalar(), group.path_prefix);
    if (group.relabel.empty() && !known.insert(url).second) {
      return Fail(target.ErrorHere("target \"" + target.scalar() + "\" is there twice"));
    }
    group.static_targets.push_back(
        model::LabelsBuilder(labels).Set(notify::kAddressLabel, target.scalar()).Build());
  }
  return {};
}

Result<void> ReadNamespaces(const YamlNode& node, YamlMap& map, std::vector<std::string>& names) {
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kNamespacesNotYet));
  const YamlNode* list = map.Find("names");
  if (list == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(names, list->AsStringList());
  return {};
}

Result<void> ReadDiscovery(const YamlNode& node, YamlMap& map, notify::AlertmanagerGroup& group) {
  using Role = notify::KubernetesDiscovery::Role;
  AZX_RETURN_IF_ERROR(RefuseNotYet(node, kDiscoveryNotYet));
  notify::KubernetesDiscovery discovery;
  AZX_ASSIGN_OR_RETURN(const YamlNode* role, map.Require("role"));
  if (role->scalar() == "endpointslice") {
    discovery.role = Role::kEndpointSlice;
  } else if (role->scalar() != "endpoints") {
    return Fail(
        role->ErrorHere("role must be endpoints or endpointslice, got \"" + role->scalar() + "\""));
  }
  const YamlNode* namespaces = map.Find("namespaces");
  AZX_RETURN_IF_ERROR(ReadSection(map, "namespaces", [&](YamlMap& section) {
    return ReadNamespaces(*namespaces, section, discovery.namespaces);
  }));
  group.kubernetes.push_back(std::move(discovery));
  return {};
}

Result<void> ReadAlertmanager(const YamlNode& node, YamlMap& map, std::set<std::string>& known,
                              notify::AlertmanagerGroup& group) {
  AZX_RETURN_IF_ERROR(RefuseOtherDiscovery(node));
  AZX_RETURN_IF_ERROR(ReadScheme(map, group.scheme));
  AZX_RETURN_IF_ERROR(ReadPathPrefix(map, group.path_prefix));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "timeout", 10, group.common.timeout_ms));
  AZX_RETURN_IF_ERROR(ReadApiVersion(map));
  AZX_RETURN_IF_ERROR(ReadHttpClient(node, map, group.common));
  AZX_RETURN_IF_ERROR(ReadRelabelRules(map, "alert_relabel_configs", group.common.alert_relabel));
  AZX_RETURN_IF_ERROR(ReadRelabelRules(map, "relabel_configs", group.relabel));
  AZX_RETURN_IF_ERROR(ReadList(map, "static_configs", [&](const YamlNode&, YamlMap& item) {
    return ReadStaticConfig(item, known, group);
  }));
  return ReadList(map, "kubernetes_sd_configs", [&](const YamlNode& item, YamlMap& discovery) {
    return ReadDiscovery(item, discovery, group);
  });
}

}  // namespace

Result<void> ReadAlerting(YamlMap& root, notify::AlertingOptions& alerting) {
  std::set<std::string> known;
  return ReadSection(root, "alerting", [&](YamlMap& map) -> Result<void> {
    AZX_RETURN_IF_ERROR(ReadRelabelRules(map, "alert_relabel_configs", alerting.alert_relabel));
    return ReadList(map, "alertmanagers", [&](const YamlNode& item, YamlMap& entry) {
      return ReadAlertmanager(item, entry, known, alerting.groups.emplace_back());
    });
  });
}

}  // namespace azexporter::config
