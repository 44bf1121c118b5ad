#include "context.h"

#include <algorithm>

namespace azexporter::audit {
namespace {

using base::YamlNode;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return c >= 'a' && c <= 'z'; }

// "us-east-1a", "us-west-2-lax-1a": a region of words and a number, then a letter.
bool LooksLikeAwsZone(std::string_view name) {
  if (name.size() < 6 || !IsLetter(name.back()) || !IsDigit(name[name.size() - 2])) return false;
  const std::size_t dash = name.rfind('-');
  return dash != std::string_view::npos && dash >= 2 && dash + 3 == name.size() &&
         name.substr(0, dash).find('-') != std::string_view::npos;
}

// "europe-west1-b": a region that ends with a number, a dash, a letter.
bool LooksLikeGoogleZone(std::string_view name) {
  if (name.size() < 6 || !IsLetter(name.back()) || name[name.size() - 2] != '-') return false;
  const std::string_view region = name.substr(0, name.size() - 2);
  return IsDigit(region.back()) && region.size() > 2 && IsLetter(region[region.size() - 2]) &&
         region.find('-') != std::string_view::npos;
}

std::optional<std::int64_t> ReplicasOf(const Object& object, const Manifests& manifests) {
  if (object.kind == "DaemonSet") return std::nullopt;
  for (const Object* scaler : manifests.Of("autoscaling", "HorizontalPodAutoscaler")) {
    if (scaler->ns != object.ns) continue;
    const Field target = FieldAt(scaler->root, {"spec", "scaleTargetRef"});
    if (!target || TextAt(*target.value, {"kind"}) != object.kind ||
        TextAt(*target.value, {"name"}) != object.name) {
      continue;
    }
    return IntAt(scaler->root, {"spec", "minReplicas"}).value_or(1);
  }
  const auto given = IntAt(object.root, {"spec", "replicas"});
  const bool is_fragment = !FieldAt(object.root, {"spec", "selector"});
  return given || is_fragment ? given : std::optional<std::int64_t>(1);
}

kube::StringMap LabelsOf(const Object& object, const YamlNode& pod_spec) {
  kube::StringMap labels = StringMapAt(object.root, {"spec", "template", "metadata", "labels"});
  for (const YamlNode& spread : ItemsAt(pod_spec, {"topologySpreadConstraints"})) {
    if (!labels.empty()) break;
    labels = StringMapAt(spread, {"labelSelector", "matchLabels"});
  }
  return labels;
}

std::vector<Workload> WorkloadsOf(const Manifests& manifests) {
  std::vector<Workload> workloads;
  for (const Object& object : manifests.objects()) {
    if (object.group != kApps || (object.kind != "Deployment" && object.kind != "StatefulSet" &&
                                  object.kind != "DaemonSet")) {
      continue;
    }
    const Field pod_spec = FieldAt(object.root, {"spec", "template", "spec"});
    if (!pod_spec) continue;
    workloads.push_back({.object = &object,
                         .pod_spec = pod_spec.value,
                         .replicas = ReplicasOf(object, manifests),
                         .labels = LabelsOf(object, *pod_spec.value),
                         .is_fragment = !FieldAt(object.root, {"spec", "selector"})});
  }
  return workloads;
}

void IndexWorkloads(Context& context) {
  for (const Workload& workload : context.workloads) {
    auto& index = context.workloads_by_namespace[workload.object->ns];
    index.all.push_back(&workload);
    for (const auto& [key, value] : workload.labels) {
      index.by_label[key + "=" + value].push_back(&workload);
    }
  }
}

// Of all Services at once: of each workload alone it would be a walk over all workloads each time.
void FindServices(Context& context) {
  std::map<const Workload*, std::vector<const Object*>> services;
  for (const Object* service : context.Of(kCore, "Service")) {
    for (const Workload* workload : context.Behind(*service)) {
      services[workload].push_back(service);
    }
  }
  for (Workload& workload : context.workloads) {
    const auto found = services.find(&workload);
    if (found != services.end()) workload.services = std::move(found->second);
  }
}

std::shared_ptr<const Nodes> NodesOf(const Manifests& manifests, const Options& options) {
  const auto& objects = manifests.Of(kCore, "Node");
  if (objects.empty()) return options.known_nodes;
  std::vector<NodeView> views;
  for (const Object* object : objects) {
    NodeView& view = views.emplace_back();
    view.name = object->name;
    view.labels = StringMapAt(object->root, {"metadata", "labels"});
    view.zone = kube::Lookup(view.labels, kZoneKey);
    for (const YamlNode& item : ItemsAt(object->root, {"spec", "taints"})) {
      const kube::Taint taint{.key = TextAt(item, {"key"}),
                              .value = TextAt(item, {"value"}),
                              .effect = TextAt(item, {"effect"})};
      if (IsLasting(taint)) view.taints.push_back(taint);
    }
  }
  return std::make_shared<const Nodes>(std::move(views));
}

}  // namespace

const YamlNode& Workload::ReplicasPlace() const {
  const Field field = FieldAt(object->root, {"spec", "replicas"});
  return field ? *field.key : *ProblemOf(*object, "").place;
}

Context MakeContext(const Manifests& manifests, const Options& options) {
  Context context{.manifests = manifests, .workloads = WorkloadsOf(manifests)};
  IndexWorkloads(context);
  FindServices(context);
  context.nodes = NodesOf(manifests, options);
  if (context.nodes) context.zone_names = context.nodes->zones();
  context.zones =
      context.nodes ? static_cast<std::int64_t>(context.zone_names.size()) : options.zones;
  context.node_count = options.nodes;
  context.zonal_classes = options.zonal_classes;
  for (const Workload& workload : context.workloads) {
    context.zone_names.merge(BoundTo(*workload.pod_spec, kZoneKey));
  }
  return context;
}

bool Context::IsZone(std::string_view name) const {
  return zone_names.contains(std::string(name)) || LooksLikeAwsZone(name) ||
         LooksLikeGoogleZone(name);
}

std::vector<const Workload*> Context::Selected(
    const std::string& ns, const std::optional<kube::LabelSelector>& selector) const {
  std::vector<const Workload*> selected;
  const auto of_namespace = workloads_by_namespace.find(ns);
  if (of_namespace == workloads_by_namespace.end()) return selected;
  // Those with the rarest of the labels that it asks for.
  const std::vector<const Workload*>* candidates = &of_namespace->second.all;
  if (selector) {
    for (const auto& [key, value] : selector->match_labels) {
      const auto found = of_namespace->second.by_label.find(key + "=" + value);
      if (found == of_namespace->second.by_label.end()) return selected;
      if (found->second.size() < candidates->size()) candidates = &found->second;
    }
  }
  for (const Workload* workload : *candidates) {
    if (kube::Matches(selector, workload->labels)) selected.push_back(workload);
  }
  return selected;
}

std::vector<const Workload*> Context::Behind(const Object& service) const {
  kube::LabelSelector selector;
  selector.match_labels = StringMapAt(service.root, {"spec", "selector"});
  if (selector.empty()) return {};
  return Selected(service.ns, selector);
}

std::optional<std::int64_t> Context::Domains(const Workload& workload,
                                             std::string_view topology_key) const {
  if (nodes) return nodes->ValuesFor(DemandsOf(*workload.pod_spec), topology_key);
  if (topology_key == kZoneKey) return zones;
  if (topology_key == kHostKey) return node_count;
  return std::nullopt;
}

Problem ProblemAt(const Object& object, const YamlNode& place, std::string message) {
  return {.object = &object, .place = &place, .message = std::move(message)};
}

Problem ProblemOf(const Object& object, std::string message) {
  const Field name = FieldAt(object.root, {"metadata", "name"});
  return ProblemAt(object, name ? *name.key : object.root, std::move(message));
}

std::vector<const YamlNode*> SpreadsOver(const Workload& workload, std::string_view key) {
  std::vector<const YamlNode*> spreads;
  for (const YamlNode& spread : ItemsAt(*workload.pod_spec, {"topologySpreadConstraints"})) {
    if (TextAt(spread, {"topologyKey"}) == key) spreads.push_back(&spread);
  }
  return spreads;
}

std::vector<const YamlNode*> OwnAntiAffinity(const Workload& workload, std::string_view key,
                                             Force force) {
  std::vector<const YamlNode*> terms;
  const auto take = [&](const YamlNode& term) {
    if (TextAt(term, {"topologyKey"}) == key &&
        kube::Matches(SelectorAt(term, {"labelSelector"}), workload.labels)) {
      terms.push_back(&term);
    }
  };
  const bool required = force == Force::kRequired;
  for (const YamlNode& item : ItemsAt(
           *workload.pod_spec, {"affinity", "podAntiAffinity",
                                required ? "requiredDuringSchedulingIgnoredDuringExecution"
                                         : "preferredDuringSchedulingIgnoredDuringExecution"})) {
    if (required) {
      take(item);
    } else if (const Field term = FieldAt(item, {"podAffinityTerm"})) {
      take(*term.value);
    }
  }
  return terms;
}

bool IsOverZones(const Workload& workload) {
  return !SpreadsOver(workload, kZoneKey).empty() ||
         !OwnAntiAffinity(workload, kZoneKey, Force::kRequired).empty() ||
         !OwnAntiAffinity(workload, kZoneKey, Force::kPreferred).empty();
}

std::int64_t ZonesOf(const Context& context, const Workload& workload) {
  const auto bound = BoundTo(*workload.pod_spec, kZoneKey);
  return bound.empty() ? context.zones : static_cast<std::int64_t>(bound.size());
}

std::int64_t DesiredHealthy(const Object& budget, std::int64_t replicas) {
  if (const auto least = AmountAt(budget.root, {"spec", "minAvailable"})) {
    return least->Of(replicas);
  }
  const auto most = AmountAt(budget.root, {"spec", "maxUnavailable"});
  return replicas - (most ? most->Of(replicas) : replicas);
}

const YamlNode* HoldingBack(const Context& context, const Workload& workload) {
  for (const YamlNode* spread : SpreadsOver(workload, kZoneKey)) {
    if (ZonesOf(context, workload) < 2) return nullptr;
    const std::int64_t max_skew = IntAt(*spread, {"maxSkew"}).value_or(1);
    if (TextAt(*spread, {"whenUnsatisfiable"}) != "ScheduleAnyway" &&
        TextAt(*spread, {"nodeTaintsPolicy"}) != "Honor" &&
        workload.replicas.value_or(0) > max_skew * (ZonesOf(context, workload) - 1)) {
      return spread;
    }
  }
  return nullptr;
}

std::set<std::string> BoundTo(const YamlNode& pod_spec, std::string_view key) {
  std::set<std::string> values;
  if (const std::string value = TextAt(pod_spec, {"nodeSelector", key}); !value.empty()) {
    return {value};
  }
  for (const YamlNode& term :
       ItemsAt(pod_spec, {"affinity", "nodeAffinity",
                          "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms"})) {
    std::set<std::string> of_term;
    for (const YamlNode& requirement : ItemsAt(term, {"matchExpressions"})) {
      if (TextAt(requirement, {"key"}) != key || TextAt(requirement, {"operator"}) != "In")
        continue;
      for (const YamlNode& value : ItemsAt(requirement, {"values"})) {
        of_term.insert(value.scalar());
      }
    }
    if (of_term.empty()) return {};  // one of the terms leaves it free
    values.merge(of_term);
  }
  return values;
}

}  // namespace azexporter::audit
