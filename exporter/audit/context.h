#pragma once

// What the checks read: the manifests, and what is worked out from all of them once. Private to
// `audit`.
//
// Thread safety: immutable once made.

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/audit/audit.h"
#include "fields.h"
#include "nodes.h"

namespace azexporter::audit {

// API groups.
constexpr std::string_view kCore = "";
constexpr std::string_view kApps = "apps";
constexpr std::string_view kPolicy = "policy";
constexpr std::string_view kStorage = "storage.k8s.io";
constexpr std::string_view kIstio = "networking.istio.io";
constexpr std::string_view kCnpg = "postgresql.cnpg.io";
constexpr std::string_view kOpsTree = "redis.redis.opstreelabs.in";
constexpr std::string_view kAwsBalancer = "elbv2.k8s.aws";

constexpr std::string_view kZoneKey = "topology.kubernetes.io/zone";
constexpr std::string_view kHostKey = "kubernetes.io/hostname";

// What runs pods by a template: Deployments, StatefulSets, DaemonSets.
struct Workload {
  const Object* object = nullptr;
  const base::YamlNode* pod_spec = nullptr;  // never null
  // Pods that it always has: those of the autoscaler's minimum, where there is one. None: a
  // DaemonSet, or not told.
  std::optional<std::int64_t> replicas;
  // Of its pods. Where an excerpt gives none, those that its own spread constraints select.
  kube::StringMap labels;
  std::vector<const Object*> services;  // that send to its pods
  // It lacks the selector that the API demands: a patch or an excerpt. From what it does not say
  // nothing follows.
  bool is_fragment = false;

  // "spec.replicas", or the name where there is none.
  const base::YamlNode& ReplicasPlace() const;
};

struct Context {
  const Manifests& manifests;  // must outlive this
  std::vector<Workload> workloads;
  // Of a namespace, and there by "KEY=VALUE" of a label.
  struct NamespaceWorkloads {
    std::vector<const Workload*> all;
    std::map<std::string, std::vector<const Workload*>> by_label;
  };
  std::map<std::string, NamespaceWorkloads> workloads_by_namespace;
  std::shared_ptr<const Nodes> nodes;  // null: not known
  std::set<std::string> zone_names;    // that nodes carry or workloads ask for
  std::int64_t zones = 0;  // of the cluster; below 2 none can be lost and others be left
  std::optional<std::int64_t> node_count;
  // Options::zonal_classes.
  std::map<std::string, std::string, std::less<>> zonal_classes;

  const std::vector<const Object*>& Of(std::string_view group, std::string_view kind) const {
    return manifests.Of(group, kind);
  }
  // By what the manifests say, and by how AWS and Google Cloud name zones.
  bool IsZone(std::string_view name) const;
  // The workloads of the namespace that the selector matches.
  std::vector<const Workload*> Selected(const std::string& ns,
                                        const std::optional<kube::LabelSelector>& selector) const;
  // Those whose pods a Service sends to; none for one without a selector.
  std::vector<const Workload*> Behind(const Object& service) const;
  // How many values of a node label there are on nodes that its pods may use; none where that is
  // not known.
  std::optional<std::int64_t> Domains(const Workload& workload,
                                      std::string_view topology_key) const;
};
Context MakeContext(const Manifests& manifests, const Options& options);

Problem ProblemAt(const Object& object, const base::YamlNode& place, std::string message);
// At the object's name: of what is missing.
Problem ProblemOf(const Object& object, std::string message);

// The workload's spread constraints over a node label.
std::vector<const base::YamlNode*> SpreadsOver(const Workload& workload, std::string_view key);
// Its terms of anti-affinity over a node label that match its own pods.
enum class Force { kRequired, kPreferred };
std::vector<const base::YamlNode*> OwnAntiAffinity(const Workload& workload, std::string_view key,
                                                   Force force);
// A spread constraint or anti-affinity keeps its pods in different zones, required or preferred.
bool IsOverZones(const Workload& workload);
// How many zones it may use.
std::int64_t ZonesOf(const Context& context, const Workload& workload);
// Pods that a disruption budget wants healthy out of `replicas`.
std::int64_t DesiredHealthy(const Object& budget, std::int64_t replicas);
// Its spread constraint over zones that places nothing in the other zones while one is down but its
// nodes are still there; nullptr where there is none.
const base::YamlNode* HoldingBack(const Context& context, const Workload& workload);
// The values of node labels that it is bound to with `In` or a node selector; empty where none.
std::set<std::string> BoundTo(const base::YamlNode& pod_spec, std::string_view key);

}  // namespace azexporter::audit
