#pragma once

// The Lease by which the kubelet of a node says that it is there, every quarter of its duration
// (10 s), long before the node's Ready condition tells that it is not.
// Source: kubernetes.io/docs/concepts/architecture/leases/#node-heart-beats.
//
// Thread safety: a value.

#include <cstdint>
#include <string_view>

#include "azexporter/kube/object_meta.h"

namespace azexporter::kube {

struct NodeLease {
  static constexpr std::string_view kResource = "leases";
  // Leases of other namespaces are of other things.
  static constexpr std::string_view kNamespace = "kube-node-lease";

  ObjectMeta meta;               // its name is the node's
  std::int64_t renewed_ms = 0;   // wall time by the node's clock; 0: never
  std::int64_t duration_ms = 0;  // 0: not given

  bool operator==(const NodeLease&) const = default;
};

}  // namespace azexporter::kube
