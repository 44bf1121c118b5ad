#include "kubernetes_targets.h"

#include <string>
#include <string_view>

namespace azexporter::app {
namespace {

using notify::KubernetesDiscovery;
using Role = KubernetesDiscovery::Role;

constexpr std::string_view kMeta = "__meta_kubernetes_";

// A target's labels under names that begin alike.
class MetaLabels {
 public:
  MetaLabels(model::LabelsBuilder& builder, std::string_view object)
      : builder_(builder), prefix_(std::string(kMeta) + std::string(object)) {}

  MetaLabels& Set(std::string_view name, std::string_view value) {
    builder_.Set(prefix_ + std::string(name), value);
    return *this;
  }
  MetaLabels& SetBool(std::string_view name, bool value) {
    return Set(name, value ? "true" : "false");
  }
  // Its Kubernetes labels, characters that PromQL's names have not replaced.
  MetaLabels& SetLabels(const kube::StringMap& labels) {
    for (const auto& [key, value] : labels) {
      const std::string name = Sanitized(key);
      Set("_label_" + name, value);
      Set("_labelpresent_" + name, "true");
    }
    return *this;
  }

 private:
  static std::string Sanitized(std::string name) {
    for (char& c : name) {
      const bool plain =
          (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
      if (!plain) c = '_';
    }
    return name;
  }

  model::LabelsBuilder& builder_;
  const std::string prefix_;
};

std::string_view StatusText(kube::ConditionStatus status) {
  switch (status) {
    case kube::ConditionStatus::kTrue:
      return "true";
    case kube::ConditionStatus::kFalse:
      return "false";
    case kube::ConditionStatus::kUnknown:
      return "unknown";
  }
  return "unknown";
}

void SetPod(const kube::Pod& pod, model::LabelsBuilder& builder) {
  MetaLabels meta(builder, "pod");
  meta.Set("_name", pod.meta.name)
      .Set("_ip", pod.pod_ip)
      .Set("_ready", StatusText(pod.ready))
      .Set("_phase", kube::PodPhaseName(pod.phase))
      .Set("_node_name", pod.node_name)
      .Set("_host_ip", pod.host_ip)
      .Set("_uid", pod.meta.uid)
      .SetLabels(pod.meta.labels);
  if (const kube::Owner* owner = kube::ControllerOf(pod.owners)) {
    meta.Set("_controller_kind", owner->kind).Set("_controller_name", owner->name);
  }
}

// What all targets of a slice have alike.
model::Labels OfSlice(const kube::EndpointSlice& slice, Role role,
                      const kube::ClusterState& cluster) {
  model::LabelsBuilder builder;
  MetaLabels(builder, "namespace").Set("", slice.meta.ns);
  if (role == Role::kEndpointSlice) {
    MetaLabels(builder, "endpointslice")
        .Set("_name", slice.meta.name)
        .Set("_address_type", slice.address_type)
        .SetLabels(slice.meta.labels);
  } else {
    MetaLabels(builder, "endpoints").Set("_name", slice.service);
  }
  if (const kube::Service* service = cluster.FindService(slice.meta.ns, slice.service)) {
    MetaLabels(builder, "service").Set("_name", service->meta.name).SetLabels(service->meta.labels);
  }
  return builder.Build();
}

void SetPort(const kube::EndpointPort& port, Role role, model::LabelsBuilder& builder) {
  if (role == Role::kEndpoints) {
    MetaLabels(builder, "endpoint_port").Set("_name", port.name).Set("_protocol", port.protocol);
    return;
  }
  MetaLabels meta(builder, "endpointslice_port");
  meta.Set("_name", port.name).Set("_protocol", port.protocol);
  meta.Set("_app_protocol", port.app_protocol);
  if (port.port != 0) meta.Set("", std::to_string(port.port));
}

void SetEndpoint(const kube::Endpoint& endpoint, Role role, model::LabelsBuilder& builder) {
  const std::string_view kind = endpoint.target_pod.empty() ? "" : "Pod";
  if (role == Role::kEndpoints) {
    MetaLabels(builder, "endpoint")
        .SetBool("_ready", endpoint.ready)
        .Set("_node_name", endpoint.node_name)
        .Set("_address_target_kind", kind)
        .Set("_address_target_name", endpoint.target_pod);
    return;
  }
  MetaLabels(builder, "endpointslice")
      .SetBool("_endpoint_conditions_ready", endpoint.ready)
      .SetBool("_endpoint_conditions_serving", endpoint.serving)
      .SetBool("_endpoint_conditions_terminating", endpoint.terminating)
      .Set("_endpoint_zone", endpoint.zone)
      .Set("_endpoint_node_name", endpoint.node_name)
      .Set("_address_target_kind", kind)
      .Set("_address_target_name", endpoint.target_pod);
}

std::string AddressOf(const kube::Endpoint& endpoint, const kube::EndpointPort& port) {
  const bool ipv6 = endpoint.address.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + endpoint.address + "]" : endpoint.address;
  return port.port == 0 ? host : host + ":" + std::to_string(port.port);
}

void AddSlice(const kube::EndpointSlice& slice, Role role, const kube::ClusterState& cluster,
              std::vector<model::Labels>& targets) {
  // Those of a Service alone are what an Endpoints object holds.
  if (role == Role::kEndpoints && slice.service.empty()) return;
  const model::Labels of_slice = OfSlice(slice, role, cluster);
  for (const kube::Endpoint& endpoint : slice.endpoints) {
    if (endpoint.address.empty()) continue;
    const kube::Pod* pod =
        endpoint.target_pod.empty() ? nullptr : cluster.FindPod(slice.meta.ns, endpoint.target_pod);
    for (const kube::EndpointPort& port : slice.ports) {
      model::LabelsBuilder builder(of_slice);
      builder.Set(notify::kAddressLabel, AddressOf(endpoint, port));
      SetPort(port, role, builder);
      SetEndpoint(endpoint, role, builder);
      if (pod != nullptr) SetPod(*pod, builder);
      targets.push_back(builder.Build());
    }
  }
}

}  // namespace

std::vector<model::Labels> KubernetesTargets(const KubernetesDiscovery& discovery,
                                             const kube::ClusterState& cluster) {
  std::vector<model::Labels> targets;
  const auto add = [&](const std::shared_ptr<const kube::EndpointSlice>& slice) {
    AddSlice(*slice, discovery.role, cluster, targets);
  };
  if (discovery.namespaces.empty()) {
    for (const auto& slice : cluster.endpoint_slices()) add(slice);
  }
  for (const std::string& ns : discovery.namespaces) {
    for (const auto& slice : cluster.SlicesIn(ns)) add(slice);
  }
  return targets;
}

}  // namespace azexporter::app
