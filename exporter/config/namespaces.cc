// Which namespaces are watched, and that nothing else is asked for.

#include <algorithm>

#include "azexporter/config/config.h"

namespace azexporter::config {
namespace {

using base::Result;

// Each has a watch of each resource, with a thread and a connection of its own.
constexpr std::size_t kMostNamespaces = 50;

// Semantics: RFC 1123 labels, as kubernetes.io/docs/concepts/overview/working-with-objects/names
// has them for namespaces.
bool IsNamespaceName(std::string_view name) {
  constexpr std::size_t kLongest = 63;
  const auto is_alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
  };
  return !name.empty() && name.size() <= kLongest && is_alphanumeric(name.front()) &&
         is_alphanumeric(name.back()) && std::all_of(name.begin(), name.end(), [&](char c) {
           return is_alphanumeric(c) || c == '-';
         });
}

}  // namespace

Result<std::set<std::string>> ParseNamespaces(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (!IsNamespaceName(name)) return base::BadData("\"" + name + "\" is no name of a namespace");
  }
  if (names.size() > kMostNamespaces) {
    return base::BadData("more than " + std::to_string(kMostNamespaces) +
                         " namespaces: name none, which watches all of them at once");
  }
  return std::set<std::string>(names.begin(), names.end());
}

Result<void> CheckNamespaces(const Config& config) {
  const std::set<std::string>& watched = config.kubernetes.namespaces;
  if (watched.empty()) return {};
  if (!config.kubernetes.snapshot.empty()) {
    return base::BadData(
        "kubernetes.namespaces: does not go with a snapshot, which is all there is");
  }
  const auto check = [&](std::string_view key, const auto& names) -> Result<void> {
    for (const std::string& name : names) {
      if (watched.contains(name)) continue;
      return base::BadData(std::string(key) + ": namespace \"" + name +
                           "\" is not among those that are watched (kubernetes.namespaces)");
    }
    return {};
  };
  if (!config.zone_pods.ns.empty()) {
    AZX_RETURN_IF_ERROR(check("zone_pods.namespace", std::set{config.zone_pods.ns}));
  }
  if (config.cnpg) AZX_RETURN_IF_ERROR(check("postgres.cnpg", config.cnpg->selection.namespaces));
  if (config.opstree) {
    AZX_RETURN_IF_ERROR(check("redis.opstree", config.opstree->selection.namespaces));
  }
  if (config.prometheus_rules) {
    AZX_RETURN_IF_ERROR(check("prometheus_rules", config.prometheus_rules->namespaces));
  }
  for (const notify::AlertmanagerGroup& group : config.alerting.groups) {
    for (const notify::KubernetesDiscovery& discovery : group.kubernetes) {
      AZX_RETURN_IF_ERROR(check("kubernetes_sd_configs", discovery.namespaces));
    }
  }
  return {};
}

}  // namespace azexporter::config
