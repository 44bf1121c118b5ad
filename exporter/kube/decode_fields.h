#pragma once

// The top-level fields of each kind. Private to the decoders of `kube`.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "fields.h"
#include "value_pool.h"

namespace azexporter::kube {

// What decoding one object needs beside the object.
struct DecodeContext {
  ValuePools& pools;
  std::string* resource_version = nullptr;  // null: not wanted
};

// One field of the object's top level ("metadata", "spec", "status"); others are skipped.
base::Result<void> ReadField(std::string_view key, Value v, Node& node, DecodeContext& context);
base::Result<void> ReadField(std::string_view key, Value v, Pod& pod, DecodeContext& context);
base::Result<void> ReadField(std::string_view key, Value v, ConfigMap& map, DecodeContext& context);
// Of all five kinds of it.
base::Result<void> ReadField(std::string_view key, Value v, Workload& workload,
                             DecodeContext& context);
base::Result<void> ReadField(std::string_view key, Value v, PodDisruptionBudget& budget,
                             DecodeContext& context);
base::Result<void> ReadField(std::string_view key, Value v, PersistentVolume& volume,
                             DecodeContext& context);
base::Result<void> ReadField(std::string_view key, Value v, PersistentVolumeClaim& claim,
                             DecodeContext& context);
base::Result<void> ReadField(std::string_view key, Value v, StorageClass& storage_class,
                             DecodeContext& context);
base::Result<void> ReadField(std::string_view key, Value v, Service& service,
                             DecodeContext& context);
base::Result<void> ReadField(std::string_view key, Value v, EndpointSlice& slice,
                             DecodeContext& context);
base::Result<void> ReadField(std::string_view key, Value v, NodeLease& lease,
                             DecodeContext& context);

// A pod's spec, or that of a template.
struct PodSpecFields {
  PodSpec spec;
  std::string node_name;
  std::vector<std::string> claims;
  // Volumes whose claim has a name of its own for each pod: POD-VOLUME.
  std::vector<std::string> ephemeral_volumes;
};
base::Result<void> ReadPodSpec(Value value, PodSpecFields& fields);

}  // namespace azexporter::kube
