#pragma once

// The audit of a running cluster: the same checks on the custom resources that are watched
// (CloudNativePG, Redis, Istio, AWS's load balancers), and what only a cluster knows: its zones,
// how many nodes it has, which labels they carry. Of built-in kinds the cluster's view is no
// manifest; what is wrong with them the zones' report tells.
//
// Thread safety: thread-compatible.

#include <memory>

#include "azexporter/audit/audit.h"
#include "azexporter/kube/cluster_state.h"

namespace azexporter::audit {

class LiveAudit {
 public:
  // The report of what the cluster holds; its findings have no file. Made anew only where an object
  // or the nodes changed.
  std::shared_ptr<const Report> Update(const kube::ClusterState& cluster);

 private:
  // What the report was made of.
  kube::ObjectList<kube::Node> nodes_;
  kube::ObjectList<kube::CnpgCluster> cnpg_clusters_;
  kube::ObjectList<kube::RedisCluster> redis_clusters_;
  kube::ObjectList<kube::DestinationRule> destination_rules_;
  kube::ObjectList<kube::TargetGroupBinding> target_group_bindings_;
  Options options_;
  std::shared_ptr<const Report> report_;
};

}  // namespace azexporter::audit
