#include "report_changes.h"

#include <algorithm>
#include <type_traits>
#include <unordered_set>

namespace azexporter::zones {
namespace {

// What of a node the report, and the placement of pods, depend on.
bool SameForReport(const kube::Node& a, const kube::Node& b) {
  return a.meta.name == b.meta.name && a.meta.labels == b.meta.labels &&
         kube::Lookup(a.meta.annotations, kMaintenanceAnnotation) ==
             kube::Lookup(b.meta.annotations, kMaintenanceAnnotation) &&
         a.unschedulable == b.unschedulable && a.ready() == b.ready() && a.taints == b.taints &&
         a.allocatable == b.allocatable;
}

// Whether it may place pods otherwise, one of the two null where the object came or went. What
// becomes of pods is known from the pods.
template <class T>
bool MovesPods(const T*, const T*) {
  return true;
}
bool MovesPods(const kube::Pod*, const kube::Pod*) { return false; }
bool MovesPods(const kube::PodDisruptionBudget*, const kube::PodDisruptionBudget*) { return false; }
bool MovesPods(const kube::EndpointSlice*, const kube::EndpointSlice*) { return false; }
// The rest is status, and what its pods show.
bool MovesPods(const kube::Workload* before, const kube::Workload* now) {
  return before == nullptr || now == nullptr || before->selector != now->selector;
}
template <class T>
requires std::is_base_of_v<kube::Workload, T>
bool MovesPods(const T* before, const T* now) {
  return MovesPods(static_cast<const kube::Workload*>(before), now);
}

template <class T>
void AddChanged(const kube::ObjectList<T>& before, const kube::ObjectList<T>& after,
                Changes& changes) {
  kube::ForEachChange(before, after, [&](const T* was, const T* is) {
    const std::string& ns = is == nullptr ? was->meta.ns : is->meta.ns;
    changes.namespaces.insert(ns);
    if (MovesPods(was, is)) changes.placement.insert(ns);
  });
}

// A volume is looked at by the claims that name it, whichever claim it names itself.
void AddChangedVolumes(const kube::ClusterState& before, const kube::ClusterState& after,
                       Changes& changes) {
  std::unordered_set<std::string_view> changed;
  kube::ForEachChange(before.volumes(), after.volumes(),
                      [&](const kube::PersistentVolume* was, const kube::PersistentVolume* is) {
                        changed.insert(is == nullptr ? was->meta.name : is->meta.name);
                      });
  if (changed.empty()) return;
  for (const auto& claim : after.claims()) {
    if (!changed.contains(claim->volume_name)) continue;
    changes.namespaces.insert(claim->meta.ns);
    changes.placement.insert(claim->meta.ns);
  }
}

}  // namespace

bool SameForReport(const kube::ObjectList<kube::Node>& a, const kube::ObjectList<kube::Node>& b) {
  return &a == &b ||
         std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& one, const auto& other) {
           return one == other || SameForReport(*one, *other);
         });
}

Changes ChangesBetween(const kube::ClusterState& before, const kube::ClusterState& after) {
  Changes changes;
  AddChanged(before.pods(), after.pods(), changes);
  AddChanged(before.deployments(), after.deployments(), changes);
  AddChanged(before.replica_sets(), after.replica_sets(), changes);
  AddChanged(before.stateful_sets(), after.stateful_sets(), changes);
  AddChanged(before.daemon_sets(), after.daemon_sets(), changes);
  AddChanged(before.jobs(), after.jobs(), changes);
  AddChanged(before.budgets(), after.budgets(), changes);
  AddChanged(before.services(), after.services(), changes);
  AddChanged(before.endpoint_slices(), after.endpoint_slices(), changes);
  AddChanged(before.claims(), after.claims(), changes);
  AddChangedVolumes(before, after, changes);
  return changes;
}

}  // namespace azexporter::zones
