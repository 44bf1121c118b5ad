#pragma once

// The selector that the scheduler gives default constraints: what the Services that select the pod
// demand, and the selector of its ReplicaSet or StatefulSet.
// Semantics: kubernetes pkg/scheduler/framework/plugins/helper, DefaultSelector.
//
// Thread safety: one thread only.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::zones {

class DefaultSelectors {
 public:
  explicit DefaultSelectors(const kube::ClusterState& cluster);  // cluster must outlive this

  // Absent where the pod has neither: then defaults do not apply. Quick for pods of one namespace
  // after another.
  std::optional<kube::LabelSelector> Of(const kube::Pod& pod);

 private:
  void Index(std::string_view ns);
  kube::StringMap DemandedOf(const kube::StringMap& labels) const;

  const kube::ClusterState& cluster_;
  std::optional<std::string_view> ns_;  // whose Services are indexed
  // Services by the first pair of their selectors: a pod is asked only about those of which it has
  // that pair.
  std::map<std::pair<std::string, std::string>, std::vector<const kube::Service*>> by_pair_;
};

}  // namespace azexporter::zones
