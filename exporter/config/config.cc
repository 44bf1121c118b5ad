#include "azexporter/config/config.h"

#include <algorithm>

#include "azexporter/base/byte_size.h"
#include "azexporter/base/file.h"
#include "azexporter/base/yaml.h"
#include "azexporter/net/http_client.h"
#include "decode.h"

namespace azexporter::config {
namespace {

Result<void> ReadGlobal(YamlMap& map, GlobalConfig& global) {
  AZX_RETURN_IF_ERROR(ReadDuration(map, "evaluation_interval", 100, global.evaluation_interval_ms));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "collect_interval", 100, global.collect_interval_ms));
  const YamlNode* labels = map.Find("external_labels");
  if (labels == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(const kube::StringMap pairs, ReadStringMap(*labels));
  model::LabelsBuilder builder;
  for (const auto& [name, value] : pairs) builder.Set(name, value);
  global.external_labels = builder.Build();
  return {};
}

// As kube-scheduler's PodTopologySpreadArgs.defaultConstraints.
Result<kube::TopologySpreadConstraint> ReadConstraint(const YamlNode& node) {
  AZX_ASSIGN_OR_RETURN(YamlMap map, YamlMap::Of(node));
  kube::TopologySpreadConstraint constraint;
  AZX_ASSIGN_OR_RETURN(const YamlNode* skew, map.Require("maxSkew"));
  AZX_ASSIGN_OR_RETURN(constraint.max_skew, skew->AsInt64());
  if (constraint.max_skew < 1) return Fail(skew->ErrorHere("maxSkew must be at least 1"));
  AZX_ASSIGN_OR_RETURN(const YamlNode* key, map.Require("topologyKey"));
  constraint.topology_key = key->scalar();
  AZX_ASSIGN_OR_RETURN(const YamlNode* when, map.Require("whenUnsatisfiable"));
  if (when->scalar() == "ScheduleAnyway") {
    constraint.when_unsatisfiable = kube::WhenUnsatisfiable::kScheduleAnyway;
  } else if (when->scalar() != "DoNotSchedule") {
    return Fail(when->ErrorHere("whenUnsatisfiable must be DoNotSchedule or ScheduleAnyway"));
  }
  AZX_RETURN_IF_ERROR(map.CheckAllRead());
  return constraint;
}

// "system", or a list.
Result<zones::DefaultConstraints> ReadDefaultConstraints(const YamlNode& node) {
  if (node.scalar() == "system") return zones::SystemDefaultConstraints();
  if (node.kind() != YamlNode::Kind::kSequence) {
    return Fail(node.ErrorHere("default_constraints must be \"system\" or a list"));
  }
  zones::DefaultConstraints defaults;
  for (const YamlNode& item : node.items()) {
    AZX_ASSIGN_OR_RETURN(kube::TopologySpreadConstraint constraint, ReadConstraint(item));
    defaults.constraints.push_back(std::move(constraint));
  }
  return defaults;
}

Result<void> ReadLeaderElection(const YamlNode& node, YamlMap& map,
                                kube::LeaderElectionOptions& options) {
  AZX_RETURN_IF_ERROR(ReadText(map, "namespace", options.ns));
  AZX_RETURN_IF_ERROR(ReadText(map, "name", options.name));
  AZX_RETURN_IF_ERROR(ReadText(map, "identity", options.identity));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "lease_duration", 1'000, options.lease_duration_ms));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "renew_deadline", 1, options.renew_deadline_ms));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "retry_period", 1, options.retry_period_ms));
  kube::LeaderElectionOptions complete = options;
  if (complete.ns.empty()) complete.ns = "that of the pod";
  const auto valid = complete.Validate();
  return valid ? Result<void>() : Fail(node.ErrorHere(valid.error().message()));
}

Result<void> ReadKubernetes(YamlMap& map, KubernetesConfig& kubernetes) {
  AZX_RETURN_IF_ERROR(ReadPath(map, "kubeconfig", kubernetes.kubeconfig));
  AZX_RETURN_IF_ERROR(ReadText(map, "context", kubernetes.context));
  AZX_RETURN_IF_ERROR(ReadPath(map, "snapshot", kubernetes.snapshot));
  AZX_RETURN_IF_ERROR(ReadBool(map, "node_leases", kubernetes.node_leases));
  if (const YamlNode* namespaces = map.Find("namespaces")) {
    AZX_ASSIGN_OR_RETURN(const auto names, namespaces->AsStringList());
    auto parsed = ParseNamespaces(names);
    if (!parsed) return Fail(namespaces->ErrorHere(parsed.error().message()));
    kubernetes.namespaces = std::move(*parsed);
  }
  if (const YamlNode* defaults = map.Find("default_constraints")) {
    AZX_ASSIGN_OR_RETURN(kubernetes.default_constraints, ReadDefaultConstraints(*defaults));
  }
  if (const YamlNode* election = map.Find("leader_election")) {
    kubernetes.leader_election.emplace();
    AZX_RETURN_IF_ERROR(ReadSection(map, "leader_election", [&](YamlMap& section) {
      return ReadLeaderElection(*election, section, *kubernetes.leader_election);
    }));
  }
  return ReadDuration(map, "stale_after", 1'000, kubernetes.stale_after_ms);
}

Result<void> ReadStorage(YamlMap& map, StorageConfig& storage) {
  AZX_RETURN_IF_ERROR(ReadPath(map, "path", storage.path));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "retention", 60'000, storage.retention_ms));
  if (const YamlNode* keep = map.Find("keep")) {
    const auto parsed = ParseKeep(keep->scalar());
    if (!parsed) return Fail(keep->ErrorHere(parsed.error().message()));
    storage.keep = *parsed;
  }
  if (const YamlNode* size = map.Find("retention_size")) {
    const auto parsed = base::ParseByteSize(size->scalar());
    if (!parsed) return Fail(size->ErrorHere(parsed.error().message()));
    storage.max_bytes = *parsed;
  }
  return {};
}

Result<void> ReadZonesConfigMap(YamlMap& root, Config& config) {
  const YamlNode* node = root.Find("zones_config_map");
  if (node == nullptr) return {};
  const std::string& text = node->scalar();
  const std::size_t slash = text.find('/');
  const bool good = slash != std::string::npos && slash > 0 && slash + 1 < text.size() &&
                    text.find('/', slash + 1) == std::string::npos;
  if (!good) return Fail(node->ErrorHere("zones_config_map must be NAMESPACE/NAME"));
  if (!config.zones.empty()) {
    return Fail(node->ErrorHere("give zones or zones_config_map, not both"));
  }
  config.zones_config_map = ZonesConfigMap{text.substr(0, slash), text.substr(slash + 1)};
  return {};
}

Result<void> ReadZoneLoss(YamlMap& map, Config& config) {
  const YamlNode* accepted = map.Find("accepted");
  if (accepted == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(const std::vector<std::string> names, accepted->AsStringList());
  config.accepted_losses.insert(names.begin(), names.end());
  return {};
}

Result<void> ReadZonePods(YamlMap& map, ZonePods& pods) {
  AZX_RETURN_IF_ERROR(ReadText(map, "namespace", pods.ns));
  if (const YamlNode* selector = map.Find("selector")) {
    AZX_ASSIGN_OR_RETURN(pods.selector, ReadStringMap(*selector));
  }
  return {};
}

Result<void> ReadTarget(const YamlNode& item, YamlMap& map, ProbesConfig& probes) {
  probe::Target target;
  AZX_RETURN_IF_ERROR(map.Require("name"));
  AZX_ASSIGN_OR_RETURN(const YamlNode* url, map.Require("url"));
  AZX_RETURN_IF_ERROR(ReadText(map, "name", target.name));
  AZX_RETURN_IF_ERROR(ReadText(map, "url", target.url));
  AZX_RETURN_IF_ERROR(ReadText(map, "zone", target.zone));
  if (!net::IsHttpUrl(target.url)) {
    return Fail(url->ErrorHere("not a http or https URL: \"" + target.url + "\""));
  }
  for (const probe::Target& other : probes.targets) {
    if (other.name != target.name) continue;
    return Fail(item.ErrorHere("target \"" + target.name + "\" is there twice"));
  }
  probes.targets.push_back(std::move(target));
  return {};
}

Result<void> ReadProbes(YamlMap& map, ProbesConfig& probes) {
  AZX_RETURN_IF_ERROR(ReadText(map, "source_zone", probes.source_zone));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "interval", 100, probes.interval_ms));
  AZX_RETURN_IF_ERROR(ReadDuration(map, "timeout", 10, probes.timeout_ms));
  return ReadList(map, "targets", [&](const YamlNode& item, YamlMap& target) {
    return ReadTarget(item, target, probes);
  });
}

Result<void> ReadRuleFiles(YamlMap& root, Config& config) {
  const YamlNode* node = root.Find("rule_files");
  if (node == nullptr) return {};
  AZX_ASSIGN_OR_RETURN(config.rule_files, node->AsStringList());
  for (std::string& path : config.rule_files) path = base::RelativeTo(node->file(), path);
  return {};
}

Result<void> ReadPrometheusRules(YamlMap& root, Config& config) {
  if (root.Find("prometheus_rules") == nullptr) return {};
  ObjectSelection& selection = config.prometheus_rules.emplace();
  return ReadSection(root, "prometheus_rules",
                     [&](YamlMap& map) { return ReadSelection(map, selection); });
}

Result<void> ReadCollectors(YamlMap& map, Config& config) {
  for (const collect::Collector& collector : collect::Collectors()) {
    AZX_RETURN_IF_ERROR(ReadSection(map, collector.name, [&](YamlMap& options) -> Result<void> {
      if (const YamlNode* enabled = options.Find("enabled")) {
        AZX_ASSIGN_OR_RETURN(const bool on, enabled->AsBool());
        if (!on) config.disabled_collectors.insert(std::string(collector.name));
      }
      if (collector.name == "policy") {
        const YamlNode* watched = options.Find("custom_resources");
        if (watched == nullptr) return {};
        AZX_ASSIGN_OR_RETURN(config.collectors.policy_custom_resources, watched->AsBool());
        return {};
      }
      if (collector.name != "pods") return {};
      const YamlNode* detail = options.Find("detail");
      if (detail == nullptr) return {};
      AZX_ASSIGN_OR_RETURN(config.collectors.pods_detail, detail->AsBool());
      return {};
    }));
  }
  return {};
}

}  // namespace

bool ObjectSelection::Matches(const kube::ObjectMeta& object) const {
  const bool here = namespaces.empty() || namespaces.contains(object.ns);
  return here && selector.Matches(object.labels);
}

bool ObjectSelection::Selects(const kube::ObjectMeta& object) const {
  return !object.terminating && Matches(object);
}

Result<Config> ParseConfig(std::string_view yaml, const std::string& file) {
  AZX_ASSIGN_OR_RETURN(YamlNode root_node, YamlNode::Parse(yaml, file));
  AZX_ASSIGN_OR_RETURN(YamlMap root, YamlMap::Of(root_node));
  Config config;
  AZX_RETURN_IF_ERROR(
      ReadSection(root, "global", [&](YamlMap& map) { return ReadGlobal(map, config.global); }));
  AZX_RETURN_IF_ERROR(ReadSection(
      root, "kubernetes", [&](YamlMap& map) { return ReadKubernetes(map, config.kubernetes); }));
  if (const YamlNode* zones = root.Find("zones")) {
    AZX_ASSIGN_OR_RETURN(config.zones, zones::DecodeExpectedZones(*zones));
  }
  AZX_RETURN_IF_ERROR(ReadZonesConfigMap(root, config));
  AZX_RETURN_IF_ERROR(ReadSection(
      root, "zone_pods", [&](YamlMap& map) { return ReadZonePods(map, config.zone_pods); }));
  AZX_RETURN_IF_ERROR(
      ReadSection(root, "zone_loss", [&](YamlMap& map) { return ReadZoneLoss(map, config); }));
  AZX_RETURN_IF_ERROR(
      ReadSection(root, "probes", [&](YamlMap& map) { return ReadProbes(map, config.probes); }));
  AZX_RETURN_IF_ERROR(ReadDatabases(root, config));
  AZX_RETURN_IF_ERROR(ReadRuleFiles(root, config));
  AZX_RETURN_IF_ERROR(ReadPrometheusRules(root, config));
  AZX_RETURN_IF_ERROR(ReadAlerting(root, config.alerting));
  AZX_RETURN_IF_ERROR(ReadRemoteWrite(root, config.remote_write));
  AZX_RETURN_IF_ERROR(ReadDatasource(root, config.datasource));
  AZX_RETURN_IF_ERROR(
      ReadSection(root, "storage", [&](YamlMap& map) { return ReadStorage(map, config.storage); }));
  AZX_RETURN_IF_ERROR(
      ReadSection(root, "collectors", [&](YamlMap& map) { return ReadCollectors(map, config); }));
  AZX_RETURN_IF_ERROR(root.CheckAllRead());
  if (const auto checked = CheckNamespaces(config); !checked) {
    return Fail(root.Find("kubernetes")->ErrorHere(checked.error().message()));
  }
  return config;
}

Result<StorageConfig::Keep> ParseKeep(std::string_view text) {
  if (text == "rules") return StorageConfig::Keep::kRules;
  if (text == "all") return StorageConfig::Keep::kAll;
  return base::BadData("must be rules or all, not \"" + std::string(text) + "\"");
}

Result<Config> LoadConfig(const std::string& path) {
  AZX_ASSIGN_OR_RETURN(std::string text, base::ReadFile(path));
  AZX_ASSIGN_OR_RETURN(Config config, ParseConfig(text, path));
  config.text = std::move(text);
  return config;
}

}  // namespace azexporter::config
