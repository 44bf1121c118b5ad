#include "azexporter/zones/volumes.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <span>
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
  // What names a claim: a pod that is there, or a workload's template.
  struct Use {
    std::string_view claim;
    const SeenPod* pod = nullptr;           // null: a template
    const WorkloadRef* workload = nullptr;  // null: of no workload
  };
  using Uses = std::span<const Use>;

  explicit ClaimUsers(const NamespaceView& view) {
    AddWorkloads(view.cluster.deployments(), view.ns);
    AddWorkloads(view.cluster.replica_sets(), view.ns);
    AddWorkloads(view.cluster.stateful_sets(), view.ns);
    AddWorkloads(view.cluster.daemon_sets(), view.ns);
    AddWorkloads(view.cluster.jobs(), view.ns);
    for (const SeenPod& seen : view.pods) {
      if (!seen.active || !seen.has_claims) continue;
      const bool owned = seen.workload != WorkloadFinder::kNone;
      for (const std::string& claim : seen.pod->claims) {
        uses_.push_back({claim, &seen, owned ? &view.finder.ref(seen.workload) : nullptr});
      }
    }
    // By claim; of each claim the pods stay in order of their names.
    std::stable_sort(uses_.begin(), uses_.end(),
                     [](const Use& a, const Use& b) { return a.claim < b.claim; });
  }

  // In order of their claims.
  Uses all() const { return uses_; }
  // Those of the first claim, which are taken from `rest`.
  static Uses TakeFirst(Uses& rest) {
    const auto end = std::find_if(rest.begin(), rest.end(),
                                  [&](const Use& use) { return use.claim != rest.front().claim; });
    const Uses first(rest.begin(), end);
    rest = rest.subspan(first.size());
    return first;
  }

  // `uses`: all of the claim.
  void AddTo(PinnedClaim& status, Uses uses) const {
    std::vector<WorkloadRef>& workloads = status.workloads;
    const WorkloadRef* last = nullptr;
    const auto add = [&](const WorkloadRef* workload) {
      if (workload == nullptr || std::exchange(last, workload) == workload) return;
      const auto end = workloads.end();
      if (std::find(workloads.begin(), end, *workload) == end) workloads.push_back(*workload);
    };
    for (const WorkloadRef* set : SetsOf(status.claim)) add(set);
    for (const Use& use : uses) {
      add(use.workload);
      if (use.pod == nullptr) continue;
      const std::string& pod = use.pod->pod->meta.name;
      if (status.pods.empty() || status.pods.back() != pod) status.pods.push_back(pod);
    }
    std::sort(workloads.begin(), workloads.end());
  }

 private:
  // Not ReplicaSets that belong to another: their owner, or their pods, name the claims.
  template <class T>
  void AddWorkloads(const kube::ObjectList<T>& list, std::string_view ns) {
    for (const auto& workload : list.In(ns)) {
      const bool owned = workload->kind == kube::WorkloadKind::kReplicaSet &&
                         kube::ControllerOf(workload->owners) != nullptr;
      if (owned || workload->finished) continue;
      if (workload->claims.empty() && workload->claim_templates.empty()) continue;
      const WorkloadRef& ref = refs_.emplace_back(RefOf(*workload));
      for (const std::string& claim : workload->claims) uses_.push_back({claim, nullptr, &ref});
      for (const std::string& name : workload->claim_templates) {
        sets_[name + "-" + workload->meta.name].push_back(&ref);
      }
    }
  }

  // The StatefulSets of whose claim templates it is: TEMPLATE-SET-ORDINAL.
  std::span<const WorkloadRef* const> SetsOf(std::string_view claim) const {
    const std::size_t dash = claim.rfind('-');
    if (dash == std::string_view::npos || dash + 1 == claim.size()) return {};
    const std::string_view ordinal = claim.substr(dash + 1);
    if (ordinal.find_first_not_of("0123456789") != std::string_view::npos) return {};
    if (ordinal.size() > 1 && ordinal.front() == '0') return {};
    const auto found = sets_.find(claim.substr(0, dash));
    if (found == sets_.end()) return {};
    return found->second;
  }

  std::vector<Use> uses_;
  std::deque<WorkloadRef> refs_;  // that uses_ and sets_ point to
  std::map<std::string, std::vector<const WorkloadRef*>, std::less<>> sets_;  // by TEMPLATE-SET
};

struct ClassVolumes {
  std::int64_t all = 0;
  std::int64_t zonal = 0;
};

// By storage class, and into groups.
std::map<std::string_view, ClassVolumes> CountVolumes(const kube::ClusterState& cluster,
                                                      VolumePlaces& places,
                                                      std::vector<VolumeGroup>& groups) {
  struct Volumes {
    std::int64_t count = 0;
    std::int64_t capacity_bytes = 0;
  };
  std::map<std::pair<const VolumePlace*, std::string_view>, Volumes> by_place;
  for (const auto& volume : cluster.volumes()) {
    Volumes& volumes = by_place[{&places.Of(*volume), volume->storage_class}];
    ++volumes.count;
    volumes.capacity_bytes += volume->capacity_bytes;
  }
  std::map<std::tuple<VolumeReach, std::string, std::string>, VolumeGroup> by_key;
  std::map<std::string_view, ClassVolumes> by_class;
  for (const auto& [key, volumes] : by_place) {
    const auto& [place, storage_class] = key;
    ClassVolumes& counts = by_class[storage_class];
    counts.all += volumes.count;
    counts.zonal += place->reach == VolumeReach::kEverywhere ? 0 : volumes.count;
    const bool zoned = place->reach == VolumeReach::kZones;
    for (const std::string& zone : zoned ? place->zones : std::vector<std::string>{""}) {
      VolumeGroup& group = by_key[{place->reach, zone, std::string(storage_class)}];
      group.volumes += volumes.count;
      group.capacity_bytes += volumes.capacity_bytes;
      group.stranded += place->stranded ? volumes.count : 0;
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

void AddMissing(const ClaimUsers& users, ClaimUsers::Uses uses, std::vector<PinnedClaim>& all) {
  PinnedClaim& status = all.emplace_back();
  status.claim = uses.front().claim;
  status.state = ClaimState::kMissing;
  users.AddTo(status, uses);
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
  const ClaimUsers users(view);
  const auto claims = cluster.claims().In(view.ns);
  std::vector<PinnedClaim> all;
  all.reserve(claims.size());
  // Both are in order of the claims' names.
  ClaimUsers::Uses rest = users.all();
  for (const auto& claim : claims) {
    const std::string& name = claim->meta.name;
    while (!rest.empty() && rest.front().claim < name)
      AddMissing(users, ClaimUsers::TakeFirst(rest), all);
    const bool used = !rest.empty() && rest.front().claim == name;
    const ClaimUsers::Uses uses = used ? ClaimUsers::TakeFirst(rest) : ClaimUsers::Uses();
    PinnedClaim status;
    if (!Judge(cluster, *claim, places, status)) continue;
    status.claim = name;
    status.volume = claim->volume_name;
    users.AddTo(status, uses);
    status.waits_for_pod =
        status.state == ClaimState::kPending && status.pods.empty() && WaitsForPod(cluster, *claim);
    all.push_back(std::move(status));
  }
  while (!rest.empty()) AddMissing(users, ClaimUsers::TakeFirst(rest), all);
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
