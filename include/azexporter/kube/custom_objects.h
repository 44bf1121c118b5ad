#pragma once

// Objects of custom resources, which are watched where somebody asks for them and the cluster has
// them. What they say is read by who asks; here they are the text the server told.
//
// Thread safety: values; published as shared_ptr<const T>, then never changed.

#include <string>
#include <string_view>

#include "azexporter/kube/object_meta.h"

namespace azexporter::kube {

struct CustomObject {
  ObjectMeta meta;
  std::string json;  // the whole object

  bool operator==(const CustomObject&) const = default;
};

// One type for each resource, so that each has a cache of its own. Of several groups that have a
// resource of one name, hence the group in it.

// Prometheus Operator: rules/engine/prometheus_rule.cc reads it.
struct PrometheusRule : CustomObject {
  static constexpr std::string_view kResource = "prometheusrules.monitoring.coreos.com";
};
// CloudNativePG.
struct CnpgCluster : CustomObject {
  static constexpr std::string_view kResource = "clusters.postgresql.cnpg.io";
};
// The Redis operator of OpsTree.
struct RedisCluster : CustomObject {
  static constexpr std::string_view kResource = "redisclusters.redis.redis.opstreelabs.in";
};
// Istio.
struct DestinationRule : CustomObject {
  static constexpr std::string_view kResource = "destinationrules.networking.istio.io";
};
// AWS Load Balancer Controller.
struct TargetGroupBinding : CustomObject {
  static constexpr std::string_view kResource = "targetgroupbindings.elbv2.k8s.aws";
};

}  // namespace azexporter::kube
