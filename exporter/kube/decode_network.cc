// Services and EndpointSlices.

#include <optional>

#include "decode_fields.h"

namespace azexporter::kube {
namespace {

using base::Result;

Result<void> ReadServicePort(Value value, ServicePort& port) {
  constexpr std::string_view kName = "spec.ports";
  return ForEachField(kName, value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "name") return Read(kName, v, port.name);
    if (key == "port") return Read(kName, v, port.port);
    if (key != "targetPort" || IsNull(v)) return {};
    return ReadNumberText(kName, v, port.target_port);
  });
}

Result<void> ReadServiceSpec(Value value, Service& service) {
  return ForEachField("spec", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "type") return Read("spec.type", v, service.type);
    if (key == "selector") return Read("spec.selector", v, service.selector);
    if (key == "ports") {
      return ForEachItem("spec.ports", v, [&](Value item) {
        return ReadServicePort(item, service.ports.emplace_back());
      });
    }
    if (key == "trafficDistribution") return Read(key, v, service.traffic_distribution);
    if (key == "externalTrafficPolicy") return Read(key, v, service.external_traffic_policy);
    if (key == "internalTrafficPolicy") return Read(key, v, service.internal_traffic_policy);
    if (key == "loadBalancerClass") return Read(key, v, service.load_balancer_class);
    if (key == "publishNotReadyAddresses") return Read(key, v, service.publish_not_ready);
    if (key != "clusterIP") return {};
    std::string address;
    AZX_RETURN_IF_ERROR(Read("spec.clusterIP", v, address));
    service.headless = address == "None";
    return {};
  });
}

Result<void> ReadEndpointConditions(Value value, Endpoint& endpoint) {
  std::optional<bool> ready;
  std::optional<bool> serving;
  AZX_RETURN_IF_ERROR(ForEachField("endpoints.conditions", value,
                                   [&](std::string_view key, Value v) -> Result<void> {
                                     if (key == "ready") return Read(key, v, ready);
                                     if (key == "serving") return Read(key, v, serving);
                                     if (key == "terminating") {
                                       return Read(key, v, endpoint.terminating);
                                     }
                                     return {};
                                   }));
  endpoint.ready = ready.value_or(true);
  endpoint.serving = serving.value_or(endpoint.ready);
  return {};
}

Result<void> ReadTarget(Value value, Endpoint& endpoint) {
  std::string kind;
  std::string name;
  AZX_RETURN_IF_ERROR(ForEachField("endpoints.targetRef", value,
                                   [&](std::string_view key, Value v) -> Result<void> {
                                     if (key == "kind") return Read(key, v, kind);
                                     if (key == "name") return Read(key, v, name);
                                     return {};
                                   }));
  if (kind == "Pod") endpoint.target_pod = std::move(name);
  return {};
}

Result<void> ReadHints(Value value, Endpoint& endpoint) {
  constexpr std::string_view kName = "endpoints.hints.forZones";
  return ForEachField(kName, value, [&](std::string_view key, Value v) -> Result<void> {
    if (key != "forZones") return {};
    return ForEachItem(kName, v, [&](Value item) {
      return ForEachField(kName, item, [&](std::string_view k, Value zone) -> Result<void> {
        return k == "name" ? Read(kName, zone, endpoint.hint_zones.emplace_back()) : Result<void>();
      });
    });
  });
}

Result<void> ReadFirstAddress(Value value, Endpoint& endpoint) {
  constexpr std::string_view kName = "endpoints.addresses";
  return ForEachItem(kName, value, [&](Value item) -> Result<void> {
    return endpoint.address.empty() ? Read(kName, item, endpoint.address) : Result<void>();
  });
}

Result<void> ReadPort(Value value, EndpointPort& port) {
  return ForEachField("ports", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "name") return Read("ports.name", v, port.name);
    if (key == "protocol") return Read("ports.protocol", v, port.protocol);
    if (key == "appProtocol") return Read("ports.appProtocol", v, port.app_protocol);
    if (key == "port") return Read("ports.port", v, port.port);
    return {};
  });
}

Result<void> ReadEndpoint(Value value, Endpoint& endpoint) {
  return ForEachField("endpoints", value, [&](std::string_view key, Value v) -> Result<void> {
    if (key == "conditions") return ReadEndpointConditions(v, endpoint);
    if (key == "nodeName") return Read("endpoints.nodeName", v, endpoint.node_name);
    if (key == "zone") return Read("endpoints.zone", v, endpoint.zone);
    if (key == "hints") return ReadHints(v, endpoint);
    if (key == "targetRef") return ReadTarget(v, endpoint);
    if (key == "addresses") return ReadFirstAddress(v, endpoint);
    return {};
  });
}

}  // namespace

Result<void> ReadField(std::string_view key, Value v, Service& service, DecodeContext& context) {
  if (key == "metadata") {
    return ReadMeta(v, {.meta = service.meta,
                        .annotations = MetaFields::Annotations::kRouting,
                        .resource_version = context.resource_version});
  }
  if (key == "spec") return ReadServiceSpec(v, service);
  return {};
}

Result<void> ReadField(std::string_view key, Value v, EndpointSlice& slice,
                       DecodeContext& context) {
  if (key == "metadata") {
    AZX_RETURN_IF_ERROR(ReadMeta(v, {.meta = slice.meta,
                                     .annotations = MetaFields::Annotations::kAudit,
                                     .resource_version = context.resource_version}));
    slice.service = Lookup(slice.meta.labels, "kubernetes.io/service-name");
    return {};
  }
  if (key == "addressType") return Read(key, v, slice.address_type);
  if (key == "endpoints") {
    return ForEachItem(
        key, v, [&](Value item) { return ReadEndpoint(item, slice.endpoints.emplace_back()); });
  }
  if (key == "ports") {
    return ForEachItem(key, v,
                       [&](Value item) { return ReadPort(item, slice.ports.emplace_back()); });
  }
  return {};
}

}  // namespace azexporter::kube
