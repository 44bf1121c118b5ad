#include "azexporter/zones/volumes.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "namespace_view.h"
#include "volume_places.h"

namespace azexporter::zones {
namespace {

WorkloadRef RefOf(const kube::Workload& workload) {
  return {workload.meta.ns, std::string(WorkloadKindName(workload.kind)), workload.meta.name};
}

// Whose pods use the claims of a namespace.
class ClaimUsers {
 public:
  explicit ClaimUsers(const NamespaceView& view) : finder_(view.finder) {
    AddWorkloads(view.cluster.deployments(), view.ns);
    AddWorkloads(view.cluster.replica_sets(), view.ns);
    AddWorkloads(view.cluster.stateful_sets(), view.ns);
    AddWorkloads(view.cluster.daemon_sets(), view.ns);
    AddWorkloads(view.cluster.jobs(), view.ns);
    for (const SeenPod& seen : view.pods) {
      if (!seen.pod->is_active()) continue;
      for (const std::string& claim : seen.pod->claims) uses_.push_back({claim, &seen});
    }
    // By claim; of each claim the pods stay in order of their names.
    std::stable_sort(uses_.begin(), uses_.end(),
                     [](const Use& a, const Use& b) { return a.claim < b.claim; });
  }

  // That pods and workloads name, whether or not they exist.
  std::set<std::string_view> Claims() const {
    std::set<std::string_view> claims;
    for (const Use& use : uses_) claims.insert(claims.end(), use.claim);
    for (const auto& [claim, workloads] : workloads_) claims.insert(claim);
    return claims;
  }

  void AddTo(PinnedClaim& status) const {
    std::set<WorkloadRef> workloads;
    if (const auto found = workloads_.find(status.claim); found != workloads_.end()) {
      workloads = found->second;
    }
    for (const kube::Workload* set : SetsOf(status.claim)) workloads.insert(RefOf(*set));
    auto use =
        std::lower_bound(uses_.begin(), uses_.end(), status.claim,
                         [](const Use& a, std::string_view claim) { return a.claim < claim; });
    for (; use != uses_.end() && use->claim == status.claim; ++use) {
      const SeenPod& by = *use->by;
      if (status.pods.empty() || status.pods.back() != by.pod->meta.name) {
        status.pods.push_back(by.pod->meta.name);
      }
      if (by.workload != WorkloadFinder::kNone) workloads.insert(finder_.ref(by.workload));
    }
    status.workloads.assign(workloads.begin(), workloads.end());
  }

 private:
  struct Use {
    std::string_view claim;
    const SeenPod* by = nullptr;
  };

  // Not ReplicaSets that belong to another: their owner, or their pods, name the claims.
  template <class T>
  void AddWorkloads(const kube::ObjectList<T>& list, std::string_view ns) {
    for (const auto& workload : list.In(ns)) {
      const bool owned = workload->kind == kube::WorkloadKind::kReplicaSet &&
                         kube::ControllerOf(workload->owners) != nullptr;
      if (owned || workload->finished) continue;
      for (const std::string& claim : workload->claims) {
        workloads_[claim].insert(RefOf(*workload));
      }
      for (const std::string& name : workload->claim_templates) {
        sets_[name + "-" + workload->meta.name].push_back(workload.get());
      }
    }
  }

  // The StatefulSets of whose claim templates it is: TEMPLATE-SET-ORDINAL.
  std::vector<const kube::Workload*> SetsOf(const std::string& claim) const {
    const std::size_t dash = claim.rfind('-');
    if (dash == std::string::npos || dash + 1 == claim.size()) return {};
    const std::string_view ordinal = std::string_view(claim).substr(dash + 1);
    if (ordinal.find_first_not_of("0123456789") != std::string_view::npos) return {};
    if (ordinal.size() > 1 && ordinal.front() == '0') return {};
    const auto found = sets_.find(claim.substr(0, dash));
    if (found == sets_.end()) return {};
    return found->second;
  }

  const WorkloadFinder& finder_;
  std::vector<Use> uses_;                                                     // of pods
  std::map<std::string_view, std::set<WorkloadRef>, std::less<>> workloads_;  // by claim
  std::map<std::string, std::vector<const kube::Workload*>> sets_;            // by TEMPLATE-SET
};

struct ClassVolumes {
  std::int64_t all = 0;
  std::int64_t zonal = 0;
};

// By storage class, and into groups.
std::map<std::string_view, ClassVolumes> CountVolumes(const kube::ClusterState& cluster,
                                                      VolumePlaces& places,
                                                      std::vector<VolumeGroup>& groups) {
  std::map<std::tuple<VolumeReach, std::string, std::string>, VolumeGroup> by_key;
  std::map<std::string_view, ClassVolumes> by_class;
  for (const auto& volume : cluster.volumes()) {
    const VolumePlace& place = places.Of(*volume);
    ClassVolumes& counts = by_class[volume->storage_class];
    ++counts.all;
    counts.zonal += place.reach == VolumeReach::kEverywhere ? 0 : 1;
    const bool zoned = place.reach == VolumeReach::kZones;
    for (const std::string& zone : zoned ? place.zones : std::vector<std::string>{""}) {
      VolumeGroup& group = by_key[{place.reach, zone, volume->storage_class}];
      ++group.volumes;
      group.capacity_bytes += volume->capacity_bytes;
      group.stranded += place.stranded ? 1 : 0;
    }
  }
  for (auto& [key, group] : by_key) {
    std::tie(group.reach, group.zone, group.storage_class) = key;
    groups.push_back(std::move(group));
  }
  return by_class;
}

std::set<std::string> ZonesOfNodes(const kube::ClusterState& cluster) {
  std::set<std::string> zones;
  for (const auto& node : cluster.nodes()) {
    if (!node->zone().empty()) zones.emplace(node->zone());
  }
  return zones;
}

// Empty where one of the terms names no zone: then every zone will do.
std::vector<std::string> AllowedZones(const kube::StorageClass& storage_class,
                                      VolumePlaces& places) {
  std::set<std::string> zones;
  for (const kube::TopologyTerm& term : storage_class.allowed_topologies) {
    auto named = places.NamedZones(term.match_expressions);
    if (!named) return {};
    zones.merge(*named);
  }
  return {zones.begin(), zones.end()};
}

// The class a claim that names none is given.
const kube::StorageClass* DefaultClass(const kube::ClusterState& cluster) {
  const kube::StorageClass* newest = nullptr;
  for (const auto& storage_class : cluster.storage_classes()) {
    if (!storage_class->is_default) continue;
    if (newest == nullptr || storage_class->meta.created_ms > newest->meta.created_ms) {
      newest = storage_class.get();
    }
  }
  return newest;
}

bool WaitsForPod(const kube::ClusterState& cluster, const kube::PersistentVolumeClaim& claim) {
  const kube::StorageClass* storage_class =
      claim.storage_class ? cluster.FindStorageClass(*claim.storage_class) : DefaultClass(cluster);
  return storage_class != nullptr &&
         storage_class->binding == kube::VolumeBinding::kWaitForFirstConsumer;
}

// State and place of the claim; false where it is not to be listed.
bool Judge(const kube::ClusterState& cluster, const kube::PersistentVolumeClaim& claim,
           VolumePlaces& places, PinnedClaim& status) {
  if (claim.phase == "Lost") {
    status.state = ClaimState::kLost;
    return true;
  }
  if (claim.phase != "Bound" || claim.volume_name.empty()) {
    status.state = ClaimState::kPending;
    return true;
  }
  const kube::PersistentVolume* volume = cluster.FindVolume(claim.volume_name);
  if (volume == nullptr) {
    status.state = ClaimState::kUnplaced;
    return true;
  }
  const VolumePlace& place = places.Of(*volume);
  status.stranded = place.stranded;
  if (place.zones.size() == 1) {
    status.state = ClaimState::kPinned;
    status.zone = place.zones.front();
    return true;
  }
  status.state = ClaimState::kUnplaced;
  return place.stranded || place.reach == VolumeReach::kUnknown;
}

}  // namespace

VolumePlace PlaceOf(const kube::ClusterState& cluster, const kube::PersistentVolume& volume) {
  return VolumePlaces(cluster.nodes()).Of(volume);
}

VolumeReport VolumesOf(const kube::ClusterState& cluster) {
  VolumePlaces places(cluster.nodes());
  VolumeReport report;
  const auto counts = CountVolumes(cluster, places, report.groups);
  const std::size_t zones = ZonesOfNodes(cluster).size();
  for (const auto& storage_class : cluster.storage_classes()) {
    StorageClassStatus& status = report.classes.emplace_back();
    status.name = storage_class->meta.name;
    status.is_default = storage_class->is_default;
    status.immediate = storage_class->binding == kube::VolumeBinding::kImmediate;
    status.allowed_zones = AllowedZones(*storage_class, places);
    const auto found = counts.find(status.name);
    if (found != counts.end()) {
      status.volumes = found->second.all;
      status.zonal_volumes = found->second.zonal;
    }
    const std::size_t choice = status.allowed_zones.empty() ? zones : status.allowed_zones.size();
    const bool reached_everywhere = status.volumes > 0 && status.zonal_volumes == 0;
    status.blind_choice = status.immediate && choice > 1 && !reached_everywhere;
  }
  return report;
}

std::vector<PinnedClaim> PinnedClaimsIn(const NamespaceView& view, VolumePlaces& places) {
  const kube::ClusterState& cluster = view.cluster;
  const std::string_view ns = view.ns;
  const ClaimUsers users(view);
  std::vector<PinnedClaim> all;
  std::set<std::string_view> missing = users.Claims();
  for (const auto& claim : cluster.claims().In(ns)) {
    missing.erase(claim->meta.name);
    PinnedClaim status;
    status.claim = claim->meta.name;
    status.volume = claim->volume_name;
    if (!Judge(cluster, *claim, places, status)) continue;
    users.AddTo(status);
    status.waits_for_pod =
        status.state == ClaimState::kPending && status.pods.empty() && WaitsForPod(cluster, *claim);
    all.push_back(std::move(status));
  }
  for (const std::string_view claim : missing) {
    PinnedClaim& status = all.emplace_back();
    status.claim = claim;
    status.state = ClaimState::kMissing;
    users.AddTo(status);
  }
  std::sort(all.begin(), all.end(),
            [](const PinnedClaim& a, const PinnedClaim& b) { return a.claim < b.claim; });
  return all;
}

std::string_view VolumeReachName(VolumeReach reach) {
  switch (reach) {
    case VolumeReach::kEverywhere:
      return "everywhere";
    case VolumeReach::kZones:
      return "zones";
    case VolumeReach::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view ClaimStateName(ClaimState state) {
  switch (state) {
    case ClaimState::kPinned:
      return "pinned";
    case ClaimState::kUnplaced:
      return "unplaced";
    case ClaimState::kPending:
      return "pending";
    case ClaimState::kLost:
      return "lost";
    case ClaimState::kMissing:
      return "missing";
  }
  return "lost";
}

}  // namespace azexporter::zones
