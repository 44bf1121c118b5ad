#pragma once

// From which zones the volumes can be reached, and which claims thereby hold their pods in one
// zone: a pod that needs such a claim is gone with the zone, wherever there is room.
// Semantics: kubernetes.io/docs/concepts/storage/persistent-volumes/#node-affinity and
// kubernetes.io/docs/concepts/storage/storage-classes/#volume-binding-mode.
//
// Whether volumes, claims and classes are known at all, their ResourceHealth says.
//
// Pure functions. Thread safety: values.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/workload_pods.h"

namespace azexporter::zones {

enum class VolumeReach {
  kEverywhere,  // no node affinity: a network file system, say
  kZones,
  kUnknown,  // no zone is named, and the nodes that are admitted are gone or have no zone
};
std::string_view VolumeReachName(VolumeReach reach);  // "everywhere", "zones", "unknown"

// One of the affinity's terms must hold. The zones of a term are those named by its requirements
// `In` on topology.kubernetes.io/zone, on the label it replaced, and on every other key that ends
// in "/zone", which are the storage drivers' own. A driver's name for a zone is translated by the
// nodes that carry it, where there are any. Of these zones, those count in which a node fulfils the
// whole term; where none does, as when the zone is gone, all of them do. A term that names no zone
// (a local volume: by hostname) has the zones of the nodes that fulfil it.
struct VolumePlace {
  VolumeReach reach = VolumeReach::kUnknown;
  std::vector<std::string> zones;  // of kZones, sorted
  // No node that is there fulfils the affinity: nobody can mount it now.
  bool stranded = false;
  bool operator==(const VolumePlace&) const = default;
};
VolumePlace PlaceOf(const kube::ClusterState& cluster, const kube::PersistentVolume& volume);

// Volumes of one class that one zone reaches, in every phase. One that several zones reach is in
// the group of each: sums over zones count it more than once.
struct VolumeGroup {
  VolumeReach reach = VolumeReach::kUnknown;
  std::string zone;           // "" unless kZones
  std::string storage_class;  // "" for none
  std::int64_t volumes = 0;
  std::int64_t capacity_bytes = 0;
  std::int64_t stranded = 0;

  bool operator==(const VolumeGroup&) const = default;
};

struct StorageClassStatus {
  std::string name;
  bool is_default = false;
  bool immediate = false;  // binds a claim before it is known where its pod will be
  // That allowedTopologies leave, sorted; empty: everywhere.
  std::vector<std::string> allowed_zones;
  std::int64_t volumes = 0;
  std::int64_t zonal_volumes = 0;  // those of them that are not reached from everywhere

  // Every volume it makes is in one and the same zone.
  bool one_zone() const { return allowed_zones.size() == 1; }
  // Immediate, more than one zone to choose from, and no sign that its volumes are reachable from
  // everywhere. The zone is then chosen without regard to the pod, which has to follow.
  bool blind_choice = false;

  bool operator==(const StorageClassStatus&) const = default;
};

struct VolumeReport {
  std::vector<VolumeGroup> groups;          // sorted by reach, zone, class
  std::vector<StorageClassStatus> classes;  // sorted by name

  bool operator==(const VolumeReport&) const = default;
};
VolumeReport VolumesOf(const kube::ClusterState& cluster);

enum class ClaimState {
  kPinned,    // its volume is reached from one zone only
  kUnplaced,  // bound, but its volume is not there, or no node is, or nothing tells where that is
  kPending,
  kLost,     // the volume it was bound to is gone, and the data
  kMissing,  // named by a pod or a workload's template, and not there
};
std::string_view ClaimStateName(ClaimState state);  // "pinned", "unplaced", ...

// A claim that is in one of these states; those that several zones reach are not.
struct PinnedClaim {
  std::string claim;
  ClaimState state = ClaimState::kPinned;
  std::string volume;  // "" until bound
  std::string zone;    // of kPinned
  bool stranded = false;
  // Pending as it is to be: its class waits for a pod, and no pod asks for it.
  bool waits_for_pod = false;
  // Whose pods use it, sorted, each once: by what they or the workload's template name, and by the
  // claim templates of StatefulSets, whether or not the pod exists.
  std::vector<WorkloadRef> workloads;
  std::vector<std::string> pods;  // that are there, finished ones left out; sorted

  bool operator==(const PinnedClaim&) const = default;
};

}  // namespace azexporter::zones
