#pragma once

// Watched objects as manifests: of each the fields that the checks read, so that there is one check
// for what was written and for what is running. What the manifest of an object leaves out may
// change without its being judged anew. Private to `audit`.
//
// Thread safety: pure functions.

#include "azexporter/base/yaml.h"
#include "azexporter/kube/cluster_state.h"

namespace azexporter::audit {

base::YamlNode ManifestOf(const kube::Workload& workload);
base::YamlNode ManifestOf(const kube::PodDisruptionBudget& budget);
base::YamlNode ManifestOf(const kube::Service& service);
base::YamlNode ManifestOf(const kube::PersistentVolumeClaim& claim);
base::YamlNode ManifestOf(const kube::PersistentVolume& volume);
base::YamlNode ManifestOf(const kube::StorageClass& storage_class);
// Of the endpoints those without a zone.
base::YamlNode ManifestOf(const kube::EndpointSlice& slice);
// Without the status. Null where the text is no object.
base::YamlNode ManifestOf(const kube::CustomObject& object);

}  // namespace azexporter::audit
