#pragma once

// Volumes, the claims on them, and their classes: where data can be reached from.
// Field meanings: kubernetes.io/docs/reference/kubernetes-api/config-and-storage-resources.
//
// Thread safety: values; published as shared_ptr<const T>, then never changed.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/object_meta.h"
#include "azexporter/kube/selectors.h"

namespace azexporter::kube {

struct PersistentVolume {
  static constexpr std::string_view kResource = "persistentvolumes";

  ObjectMeta meta;
  std::string storage_class;
  std::string claim_ns;  // of claimRef; both empty where it has none
  std::string claim_name;
  std::optional<NodeSelector> node_affinity;  // absent: reachable from every node
  std::string phase;                          // Available, Bound, Released, Failed, Pending
  std::int64_t capacity_bytes = 0;

  bool operator==(const PersistentVolume&) const = default;
};

struct PersistentVolumeClaim {
  static constexpr std::string_view kResource = "persistentvolumeclaims";

  ObjectMeta meta;
  std::string volume_name;                   // empty until bound
  std::optional<std::string> storage_class;  // absent: the default; empty: none, a volume by hand
  std::string phase;                         // Pending, Bound, Lost
  bool one_node = false;                     // ReadWriteOnce and ReadWriteOncePod alone

  bool operator==(const PersistentVolumeClaim&) const = default;
};

enum class VolumeBinding { kImmediate, kWaitForFirstConsumer };

struct TopologyTerm {
  // All must match; Requirement::op is kIn.
  std::vector<Requirement> match_expressions;

  bool operator==(const TopologyTerm&) const = default;
};

struct StorageClass {
  static constexpr std::string_view kResource = "storageclasses";

  ObjectMeta meta;
  std::string provisioner;
  StringMap parameters;  // of the provisioner
  VolumeBinding binding = VolumeBinding::kImmediate;
  std::vector<TopologyTerm> allowed_topologies;  // one must match; none: everywhere
  bool is_default = false;

  bool operator==(const StorageClass&) const = default;
};

}  // namespace azexporter::kube
