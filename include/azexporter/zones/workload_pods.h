#pragma once

// Which pods make up which workload: the ground on which spread, distribution and budgets stand.
//
// Thread safety: values; WorkloadFinder: one thread only.

#include <compare>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "azexporter/kube/cluster_state.h"

namespace azexporter::zones {

// The names of a workload as kubectl shows them.
struct WorkloadRef {
  std::string ns;
  std::string kind;  // "Deployment"; of an owner azexporter does not watch its own kind: "Rollout"
  std::string name;
  auto operator<=>(const WorkloadRef&) const = default;
};

std::string ShortName(const WorkloadRef& ref);  // "Deployment web"
std::string FullName(const WorkloadRef& ref);   // "Deployment shop/web"

// Numbers workloads from 0, in the order in which they are first asked for. Pods of one controller
// are looked up once.
class WorkloadFinder {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  explicit WorkloadFinder(const kube::ClusterState& cluster);  // cluster must outlive this
  // Asks for the workloads of the namespace first, sorted by WorkloadRef: for all but those that
  // belong to another and ReplicaSets scaled to nothing.
  WorkloadFinder(const kube::ClusterState& cluster, std::string_view ns);
  ~WorkloadFinder();

  // The workload the pod belongs to in the end, else the controller it names. kNone for a pod
  // without controller and for a static pod, whose controller is its node.
  std::uint32_t Of(const kube::Pod& pod);

  const WorkloadRef& ref(std::uint32_t number) const;
  const kube::Workload* workload(std::uint32_t number) const;
  std::size_t size() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Neither finished nor on its way out: the pods that the scheduler and budgets count.
bool IsCounted(const kube::Pod& pod);

// topology.kubernetes.io/zone and the label it replaced.
bool IsZoneKey(std::string_view topology_key);

}  // namespace azexporter::zones
