#pragma once

// How the platform's pods and volumes look, from their making to their running. Used to build the
// region as it has long been, and by the controllers afterwards.

#include <cstdint>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"
#include "simulator/store.h"

namespace azexporter::platform {

// Letters and digits as Kubernetes ends generated names with; the same for the same seed.
std::string NameSuffix(std::string_view seed, int length);
// metadata.ownerReferences with this one controller.
simulator::Json OwnerOf(const simulator::Json& owner);
// kind, apiVersion, name, namespace (where it has one) and creationTimestamp.
simulator::Json NewObject(std::string_view api_version, std::string_view kind,
                          const std::string& name, std::int64_t created_ms);

// The ReplicaSet that a Deployment makes for its present template.
simulator::Json NewReplicaSet(const simulator::Json& deployment, std::int64_t now_ms);
// A pod as its controller creates it: pending, on no node.
simulator::Json ReplicaSetPod(const simulator::Json& replica_set, const std::string& name,
                              std::int64_t now_ms);
simulator::Json StatefulSetPod(const simulator::Json& stateful_set, std::int64_t ordinal,
                               std::int64_t now_ms);
// An instance of a CloudNativePG Cluster, labelled as the operator does.
simulator::Json PostgresPod(const simulator::Json& cluster, const std::string& instance,
                            bool primary, std::int64_t now_ms);
// The specification of a container with one port and what it requests.
simulator::Json DatabaseSpec(const std::string& container, const std::string& image, int port,
                             const char* memory);

// What the scheduler and the kubelet make of it. `serial` makes its address unique.
void BindPod(simulator::Json& pod, const std::string& node, std::int64_t now_ms);
void StartPod(simulator::Json& pod, const simulator::Json& node, int serial, std::int64_t now_ms);

// The claim that a pod mounts; empty: none.
std::string ClaimOf(const simulator::Json& pod);
// A bound claim and its volume, which lives in one zone as all EBS volumes do.
base::Result<void> AddClaim(simulator::Store& store, const std::string& name,
                            const std::string& zone, const std::string& size,
                            simulator::Json labels, std::int64_t now_ms);

}  // namespace azexporter::platform
