#pragma once

// Makes the report of one namespace after another, and finds in the same pass which groups of pods
// it has, for placement.
//
// Thread safety: one thread only.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/namespace_report.h"
#include "azexporter/zones/services.h"
#include "node_domains.h"
#include "placement_pods.h"
#include "volume_places.h"

namespace azexporter::zones {

class NamespaceReporter {
 public:
  struct Result {
    NamespaceReport report;
    NamespaceGroups groups;
  };

  // Remembers what follows from the nodes of `cluster`, which must outlive this.
  NamespaceReporter(const kube::ClusterState& cluster, NamespaceOptions options);
  NamespaceReporter(const NamespaceReporter&) = delete;
  NamespaceReporter& operator=(const NamespaceReporter&) = delete;

  // `cluster`: with nodes that have the same names, labels, taints and readiness as those given.
  Result Of(const kube::ClusterState& cluster, std::string_view ns);
  NodeDomains& nodes() { return nodes_; }

 private:
  NodeDomains nodes_;
  VolumePlaces places_;
  const ServiceZones service_zones_;
  const NamespaceOptions options_;
};

// Every namespace that has a pod, a workload, a budget, a Service or a claim, sorted.
std::vector<std::string> NamespacesOf(const kube::ClusterState& cluster);

}  // namespace azexporter::zones
