#pragma once

// Where Alertmanagers are: targets of the configuration and of a discovery, relabelled into what is
// posted to.
// Semantics: prometheus.io/docs/prometheus/latest/configuration/configuration/#alertmanager_config.
//
// Thread safety: values and pure functions.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/model/labels.h"
#include "azexporter/model/relabel.h"
#include "azexporter/notify/sender.h"

namespace azexporter::notify {

// The labels of a target that say where it is. Those that are not set come from the configuration.
inline constexpr std::string_view kAddressLabel = "__address__";  // HOST or HOST:PORT
inline constexpr std::string_view kSchemeLabel = "__scheme__";
inline constexpr std::string_view kAlertsPathLabel = "__alerts_path__";

// kubernetes_sd_configs: the endpoints of Services.
struct KubernetesDiscovery {
  enum class Role { kEndpoints, kEndpointSlice };

  Role role = Role::kEndpoints;         // how the labels of a target are called
  std::vector<std::string> namespaces;  // empty: all

  friend bool operator==(const KubernetesDiscovery&, const KubernetesDiscovery&) = default;
};

// An entry of alerting.alertmanagers.
struct AlertmanagerGroup {
  Alertmanager common;  // without its url
  std::string scheme = "http";
  std::string path_prefix;
  std::vector<model::Labels> static_targets;  // each with its __address__
  std::vector<KubernetesDiscovery> kubernetes;
  model::RelabelRules relabel;  // of targets

  friend bool operator==(const AlertmanagerGroup&, const AlertmanagerGroup&) = default;
};

// The key `alerting`.
struct AlertingOptions {
  std::vector<AlertmanagerGroup> groups;
  model::RelabelRules alert_relabel;  // of every alert

  friend bool operator==(const AlertingOptions&, const AlertingOptions&) = default;
};

// What targets came to.
struct Targets {
  std::vector<Alertmanager> alertmanagers;  // of several with one URL only the first
  std::vector<std::string> dropped;         // URLs of what relabelling dropped, as they were
  std::vector<std::string> errors;          // what is no HOST:PORT, or no http
};

// Adds what the group's rules make of `targets`.
void AddTargets(const AlertmanagerGroup& group, const std::vector<model::Labels>& targets,
                Targets& to);

// HOST or HOST:PORT, with nothing that belongs to another part of a URL.
bool IsTargetAddress(std::string_view address);

}  // namespace azexporter::notify
