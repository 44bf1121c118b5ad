#include "rendering.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace azexporter::audit {
namespace {

using base::YamlNode;

// A map in the making. What is empty is left out, as manifests do.
class Entries {
 public:
  Entries& Node(std::string_view key, YamlNode value) {
    if (!value.is_null()) {
      entries_.emplace_back(YamlNode::OfText(std::string(key)), std::move(value));
    }
    return *this;
  }
  Entries& Text(std::string_view key, std::string_view value) {
    return Node(key, value.empty() ? YamlNode() : YamlNode::OfText(std::string(value)));
  }
  Entries& Int(std::string_view key, std::int64_t value) {
    return Text(key, std::to_string(value));
  }
  YamlNode Take() { return YamlNode::OfEntries(std::move(entries_)); }
  // Null where there is no entry.
  YamlNode TakeIfAny() { return entries_.empty() ? YamlNode() : Take(); }

 private:
  std::vector<std::pair<YamlNode, YamlNode>> entries_;
};

// Null where the list is empty.
template <class List, class Render>
YamlNode Each(const List& list, Render render) {
  if (list.empty()) return YamlNode();
  std::vector<YamlNode> items;
  items.reserve(list.size());
  for (const auto& item : list) items.push_back(render(item));
  return YamlNode::OfItems(std::move(items));
}

YamlNode Texts(const std::vector<std::string>& texts) { return Each(texts, &YamlNode::OfText); }

YamlNode Map(const kube::StringMap& map) {
  Entries entries;
  for (const auto& [key, value] : map) {
    entries.Node(key, YamlNode::OfText(value));
  }
  return entries.TakeIfAny();
}

YamlNode Requirements(const std::vector<kube::Requirement>& requirements) {
  return Each(requirements, [](const kube::Requirement& requirement) {
    return Entries()
        .Text("key", requirement.key)
        .Text("operator", kube::SelectorOpName(requirement.op))
        .Node("values", Texts(requirement.values))
        .Take();
  });
}

// Null where it is absent; an empty one is not.
YamlNode Selector(const std::optional<kube::LabelSelector>& selector) {
  if (!selector) return YamlNode();
  return Entries()
      .Node("matchLabels", Map(selector->match_labels))
      .Node("matchExpressions", Requirements(selector->requirements))
      .Take();
}

YamlNode Owners(const std::vector<kube::Owner>& owners) {
  return Each(owners, [](const kube::Owner& owner) {
    return Entries()
        .Text("kind", owner.kind)
        .Text("name", owner.name)
        .Text("controller", owner.controller ? "true" : "")
        .Take();
  });
}

// An object's first entries.
Entries Root(std::string_view api_version, std::string_view kind, const kube::ObjectMeta& meta,
             const std::vector<kube::Owner>& owners = {}) {
  Entries root;
  root.Text("apiVersion", api_version).Text("kind", kind);
  root.Node("metadata", Entries()
                            .Text("name", meta.name)
                            .Text("namespace", meta.ns)
                            .Node("annotations", Map(meta.annotations))
                            .Node("ownerReferences", Owners(owners))
                            .Take());
  return root;
}

constexpr std::string_view kRequired = "requiredDuringSchedulingIgnoredDuringExecution";
constexpr std::string_view kPreferred = "preferredDuringSchedulingIgnoredDuringExecution";

YamlNode PodTerm(const kube::PodAffinityTerm& term) {
  return Entries()
      .Text("topologyKey", term.topology_key)
      .Node("labelSelector", Selector(term.selector))
      .Take();
}

YamlNode PodTerms(const std::vector<kube::PodAffinityTerm>& terms) { return Each(terms, &PodTerm); }

YamlNode WeightedPodTerms(const std::vector<kube::PodAffinityTerm>& terms) {
  return Each(terms, [](const kube::PodAffinityTerm& term) {
    return Entries().Node("podAffinityTerm", PodTerm(term)).Take();
  });
}

YamlNode NodeSelectorOf(const kube::NodeSelector& selector) {
  return Entries()
      .Node("nodeSelectorTerms", Each(selector.terms,
                                      [](const kube::NodeSelectorTerm& term) {
                                        return Entries()
                                            .Node("matchExpressions",
                                                  Requirements(term.match_expressions))
                                            .Take();
                                      }))
      .Take();
}

YamlNode Affinity(const kube::PodSpec& spec) {
  Entries of_nodes;
  if (spec.required_node_affinity) {
    of_nodes = of_nodes.Node(kRequired, NodeSelectorOf(*spec.required_node_affinity));
  }
  return Entries()
      .Node("nodeAffinity", of_nodes.TakeIfAny())
      .Node("podAffinity", Entries().Node(kRequired, PodTerms(spec.required_affinity)).TakeIfAny())
      .Node("podAntiAffinity", Entries()
                                   .Node(kRequired, PodTerms(spec.required_anti_affinity))
                                   .Node(kPreferred, WeightedPodTerms(spec.preferred_anti_affinity))
                                   .TakeIfAny())
      .TakeIfAny();
}

YamlNode Toleration(const kube::Toleration& toleration) {
  return Entries()
      .Text("key", toleration.key)
      .Text("operator", toleration.op == kube::Toleration::Op::kExists ? "Exists" : "Equal")
      .Text("value", toleration.value)
      .Text("effect", toleration.effect)
      .Take();
}

YamlNode Spread(const kube::TopologySpreadConstraint& spread) {
  const bool hard = spread.when_unsatisfiable == kube::WhenUnsatisfiable::kDoNotSchedule;
  const bool honors = spread.node_taints_policy == kube::NodeInclusionPolicy::kHonor;
  Entries entries = Entries()
                        .Int("maxSkew", spread.max_skew)
                        .Text("topologyKey", spread.topology_key)
                        .Text("whenUnsatisfiable", hard ? "DoNotSchedule" : "ScheduleAnyway")
                        .Text("nodeTaintsPolicy", honors ? "Honor" : "Ignore")
                        .Node("labelSelector", Selector(spread.selector));
  if (spread.min_domains) entries.Int("minDomains", *spread.min_domains);
  return entries.Take();
}

// One container in the place of all.
YamlNode Containers(const kube::PodSpec& spec) {
  YamlNode lifecycle;
  if (spec.pre_stop_seconds > 0) {
    YamlNode sleep = Entries().Int("seconds", spec.pre_stop_seconds).Take();
    YamlNode hook = Entries().Node("sleep", std::move(sleep)).Take();
    lifecycle = Entries().Node("preStop", std::move(hook)).Take();
  }
  std::vector<YamlNode> containers;
  containers.push_back(
      Entries()
          .Node("readinessProbe", spec.readiness_probe ? Entries().Take() : YamlNode())
          .Node("lifecycle", std::move(lifecycle))
          .Take());
  return YamlNode::OfItems(std::move(containers));
}

YamlNode Volumes(const std::vector<std::string>& claims) {
  return Each(claims, [](const std::string& claim) {
    return Entries()
        .Node("persistentVolumeClaim", Entries().Text("claimName", claim).Take())
        .Take();
  });
}

YamlNode PodSpecOf(const kube::Workload& workload) {
  const kube::PodSpec& spec = *workload.template_spec;
  return Entries()
      .Text("priorityClassName", spec.priority_class)
      .Node("nodeSelector", Map(spec.node_selector))
      .Node("affinity", Affinity(spec))
      .Node("tolerations", Each(spec.tolerations, &Toleration))
      .Node("topologySpreadConstraints", Each(spec.spread_constraints, &Spread))
      .Int("terminationGracePeriodSeconds", spec.grace_seconds)
      .Node("containers", Containers(spec))
      .Node("volumes", Volumes(workload.claims))
      .Take();
}

// Metadata without what tells who wrote when.
YamlNode WithoutTraces(const YamlNode& metadata) {
  Entries entries;
  for (const auto& [key, value] : metadata.entries()) {
    for (std::string_view kept : {"name", "namespace", "annotations", "ownerReferences"}) {
      if (key.scalar() == kept) entries.Node(kept, value);
    }
  }
  return entries.Take();
}

}  // namespace

YamlNode ManifestOf(const kube::Workload& workload) {
  YamlNode labels = Entries().Node("labels", Map(workload.template_labels)).Take();
  YamlNode pod_template =
      Entries().Node("metadata", std::move(labels)).Node("spec", PodSpecOf(workload)).Take();
  Entries spec;
  if (workload.kind != kube::WorkloadKind::kDaemonSet) {
    spec.Int("replicas", workload.desired);
  }
  return Root("apps/v1", kube::WorkloadKindName(workload.kind), workload.meta, workload.owners)
      .Node("spec", spec.Node("selector", Selector(workload.selector))
                        .Node("template", std::move(pod_template))
                        .Take())
      .Take();
}

YamlNode ManifestOf(const kube::PodDisruptionBudget& budget) {
  const auto amount = [](const std::optional<kube::IntOrPercent>& given) {
    return given ? given->Text() : "";
  };
  // Whether it covers pods, not how many: they come and go. What no server made has no generation.
  YamlNode status;
  if (budget.generation > 0) {
    const bool behind = budget.observed_generation < budget.generation;
    status = Entries().Int("expectedPods", behind || budget.expected_pods > 0 ? 1 : 0).Take();
  }
  return Root("policy/v1", "PodDisruptionBudget", budget.meta)
      .Node("spec", Entries()
                        .Text("minAvailable", amount(budget.min_available))
                        .Text("maxUnavailable", amount(budget.max_unavailable))
                        .Node("selector", Selector(budget.selector))
                        .Take())
      .Node("status", std::move(status))
      .Take();
}

YamlNode ManifestOf(const kube::Service& service) {
  YamlNode ports = Each(service.ports, [](const kube::ServicePort& port) {
    return Entries()
        .Text("name", port.name)
        .Int("port", port.port)
        .Text("targetPort", port.target_port)
        .Take();
  });
  return Root("v1", "Service", service.meta)
      .Node("spec", Entries()
                        .Text("type", service.type)
                        .Node("selector", Map(service.selector))
                        .Node("ports", std::move(ports))
                        .Text("externalTrafficPolicy", service.external_traffic_policy)
                        .Text("internalTrafficPolicy", service.internal_traffic_policy)
                        .Take())
      .Take();
}

YamlNode ManifestOf(const kube::PersistentVolumeClaim& claim) {
  std::vector<std::string> modes;
  if (claim.one_node) modes.emplace_back("ReadWriteOnce");
  return Root("v1", "PersistentVolumeClaim", claim.meta)
      .Node("spec", Entries()
                        .Text("storageClassName", claim.storage_class.value_or(""))
                        .Text("volumeName", claim.volume_name)
                        .Node("accessModes", Texts(modes))
                        .Take())
      .Take();
}

YamlNode ManifestOf(const kube::PersistentVolume& volume) {
  YamlNode affinity;
  if (volume.node_affinity) {
    affinity = Entries().Node("required", NodeSelectorOf(*volume.node_affinity)).Take();
  }
  return Root("v1", "PersistentVolume", volume.meta)
      .Node("spec", Entries().Node("nodeAffinity", std::move(affinity)).Take())
      .Take();
}

YamlNode ManifestOf(const kube::StorageClass& storage_class) {
  const bool waits = storage_class.binding == kube::VolumeBinding::kWaitForFirstConsumer;
  return Root("storage.k8s.io/v1", "StorageClass", storage_class.meta)
      .Text("provisioner", storage_class.provisioner)
      .Node("parameters", Map(storage_class.parameters))
      .Text("volumeBindingMode", waits ? "WaitForFirstConsumer" : "Immediate")
      .Take();
}

YamlNode ManifestOf(const kube::EndpointSlice& slice) {
  std::vector<YamlNode> endpoints;
  for (const kube::Endpoint& endpoint : slice.endpoints) {
    if (!endpoint.zone.empty()) continue;
    endpoints.push_back(Entries()
                            .Node("addresses", Texts({endpoint.address}))
                            .Text("nodeName", endpoint.node_name)
                            .Take());
  }
  return Root("discovery.k8s.io/v1", "EndpointSlice", slice.meta)
      .Node("endpoints", YamlNode::OfItems(std::move(endpoints)))
      .Take();
}

YamlNode ManifestOf(const kube::CustomObject& object) {
  // Of the server's JSON nobody wants to know the lines.
  const base::YamlDocuments parsed = YamlNode::ParseUntilFault(object.json, "");
  if (parsed.fault || parsed.documents.empty()) return YamlNode();
  Entries root;
  for (const auto& [key, value] : parsed.documents.front().entries()) {
    if (key.scalar() == "status") continue;
    root.Node(key.scalar(), key.scalar() == "metadata" ? WithoutTraces(value) : value);
  }
  return root.Take();
}

}  // namespace azexporter::audit
