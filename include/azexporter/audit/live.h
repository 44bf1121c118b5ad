#pragma once

// The audit of a running cluster: the same checks on the objects that are watched, and what only a
// cluster knows: its zones, its nodes, which labels and taints they carry.
//
// What is judged together is what is of one namespace: a change there has that namespace judged
// again and nothing else, and what a check does not read (a status, a heartbeat) is no change.
//
// Thread safety: thread-compatible.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <tuple>

#include "azexporter/audit/audit.h"
#include "azexporter/kube/cluster_state.h"

namespace azexporter::audit {

class LiveAudit {
 public:
  // The report of what the cluster holds; its findings have no file. The same object as long as
  // nothing changed that a check reads.
  std::shared_ptr<const Report> Update(const kube::ClusterState& cluster);

  // How many namespaces the newest Update judged.
  std::size_t judged() const { return judged_; }

 private:
  using Lists =
      std::tuple<kube::ObjectList<kube::Deployment>, kube::ObjectList<kube::StatefulSet>,
                 kube::ObjectList<kube::DaemonSet>, kube::ObjectList<kube::PodDisruptionBudget>,
                 kube::ObjectList<kube::Service>, kube::ObjectList<kube::EndpointSlice>,
                 kube::ObjectList<kube::PersistentVolumeClaim>,
                 kube::ObjectList<kube::StorageClass>, kube::ObjectList<kube::CnpgCluster>,
                 kube::ObjectList<kube::RedisCluster>, kube::ObjectList<kube::DestinationRule>,
                 kube::ObjectList<kube::TargetGroupBinding>>;
  static Lists ListsOf(const kube::ClusterState& cluster);

  // Whether they are other nodes than before to a check.
  bool TakeNodes(const kube::ObjectList<kube::Node>& nodes);
  // Adds the namespaces to which it matters.
  void TakeVolumes(const kube::ObjectList<kube::PersistentVolume>& volumes,
                   std::set<std::string>& changed);
  Report Judge(const std::string& ns) const;
  void Merge();

  // What the reports were made of.
  kube::ObjectList<kube::Node> nodes_;
  kube::ObjectList<kube::PersistentVolume> volumes_;
  Lists lists_;
  Options options_;
  std::map<std::string, Report> by_namespace_;  // "": of the cluster's objects
  std::shared_ptr<const Report> report_;        // of all
  std::size_t judged_ = 0;
};

}  // namespace azexporter::audit
