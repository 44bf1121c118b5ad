#pragma once

// Services and the endpoints behind them.
// Field meanings: kubernetes.io/docs/reference/kubernetes-api/service-resources.
//
// Thread safety: values; published as shared_ptr<const T>, then never changed.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/object_meta.h"

namespace azexporter::kube {

struct ServicePort {
  std::string name;  // may be empty
  std::int64_t port = 0;
  std::string target_port;  // a number, or the name of a container's port; empty: `port`

  bool operator==(const ServicePort&) const = default;
};

struct Service {
  static constexpr std::string_view kResource = "services";

  // Annotations: those of service.kubernetes.io/ and of AWS load balancers.
  ObjectMeta meta;
  std::string type;  // ClusterIP, NodePort, LoadBalancer, ExternalName
  std::vector<ServicePort> ports;
  StringMap selector;  // empty: its endpoints are written by hand
  std::string traffic_distribution;
  std::string external_traffic_policy;  // Cluster, Local; empty where it has no meaning
  std::string internal_traffic_policy;
  std::string load_balancer_class;
  bool headless = false;
  bool publish_not_ready = false;  // endpoints count as ready whatever their pods are

  bool operator==(const Service&) const = default;
};

// 160 bytes, and beside them every name longer than 15 characters; a cluster may have 150,000.
struct Endpoint {
  // As the consumers of slices read absent conditions: ready, serving as ready is, not terminating.
  bool ready = true;
  bool serving = true;
  bool terminating = false;
  std::string node_name;
  std::string zone;
  std::vector<std::string> hint_zones;  // hints.forZones
  std::string target_pod;               // of the slice's namespace; empty: no pod
  std::string address;                  // the first, which is the one in use

  bool operator==(const Endpoint&) const = default;
};

struct EndpointPort {
  std::string name;  // may be empty
  std::string protocol;
  std::string app_protocol;
  std::int64_t port = 0;  // 0: not given

  friend bool operator==(const EndpointPort&, const EndpointPort&) = default;
};

struct EndpointSlice {
  static constexpr std::string_view kResource = "endpointslices";

  ObjectMeta meta;
  std::string service;       // of its namespace, from the label; empty: of none
  std::string address_type;  // IPv4, IPv6, FQDN: a dual-stack Service has slices of both families
  std::vector<Endpoint> endpoints;
  std::vector<EndpointPort> ports;  // of each endpoint

  bool operator==(const EndpointSlice&) const = default;
};

}  // namespace azexporter::kube
