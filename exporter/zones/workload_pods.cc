#include "azexporter/zones/workload_pods.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <unordered_map>

#include "azexporter/base/hash_index.h"

namespace azexporter::zones {
namespace {

struct OwnerKey {
  std::string_view ns, kind, name;
  bool operator==(const OwnerKey&) const = default;
};

struct OwnerKeyHash {
  std::size_t operator()(const OwnerKey& key) const {
    const std::hash<std::string_view> hash;
    return base::MixHash(base::MixHash(hash(key.ns), hash(key.kind)), hash(key.name));
  }
};

}  // namespace

// The keys are views into the cluster's objects.
struct WorkloadFinder::Impl {
  struct Entry {
    WorkloadRef ref;
    const kube::Workload* workload;
  };

  std::uint32_t Add(const OwnerKey& key, const kube::Workload* workload) {
    const auto [found, added] = by_owner.emplace(key, static_cast<std::uint32_t>(entries.size()));
    if (added) {
      entries.push_back(
          {{std::string(key.ns), std::string(key.kind), std::string(key.name)}, workload});
    }
    return found->second;
  }

  const kube::ClusterState& cluster;
  std::vector<Entry> entries;
  std::unordered_map<OwnerKey, std::uint32_t, OwnerKeyHash> by_owner;
  std::unordered_map<OwnerKey, std::uint32_t, OwnerKeyHash> by_controller;
  OwnerKey last_controller;
  std::uint32_t last = kNone;
};

WorkloadFinder::WorkloadFinder(const kube::ClusterState& cluster)
    : impl_(new Impl{cluster, {}, {}, {}, {}}) {}
WorkloadFinder::~WorkloadFinder() = default;

std::uint32_t WorkloadFinder::Of(const kube::Pod& pod) {
  const kube::Owner* owner = kube::ControllerOf(pod.owners);
  if (owner == nullptr || owner->kind == "Node") return kNone;
  const OwnerKey controller{pod.meta.ns, owner->kind, owner->name};
  // In order of names, pods of one controller stand together.
  if (impl_->last != kNone && controller == impl_->last_controller) return impl_->last;
  const auto found = impl_->by_controller.find(controller);
  if (found != impl_->by_controller.end()) {
    impl_->last = found->second;
  } else {
    const kube::Workload* workload = impl_->cluster.WorkloadOf(pod);
    impl_->last = workload == nullptr ? impl_->Add(controller, nullptr) : Of(*workload);
    impl_->by_controller.emplace(controller, impl_->last);
  }
  impl_->last_controller = controller;
  return impl_->last;
}

std::uint32_t WorkloadFinder::Of(const kube::Workload& workload) {
  return impl_->Add({workload.meta.ns, kube::WorkloadKindName(workload.kind), workload.meta.name},
                    &workload);
}

const WorkloadRef& WorkloadFinder::ref(std::uint32_t number) const {
  return impl_->entries[number].ref;
}
const kube::Workload* WorkloadFinder::workload(std::uint32_t number) const {
  return impl_->entries[number].workload;
}
std::size_t WorkloadFinder::size() const { return impl_->entries.size(); }

namespace {

bool BelongsToAnother(const kube::ClusterState& cluster, const kube::Workload& workload) {
  const kube::Owner* owner = kube::ControllerOf(workload.owners);
  const auto kind = owner == nullptr ? std::nullopt : kube::WorkloadKindOf(owner->kind);
  return kind && cluster.FindWorkload(*kind, workload.meta.ns, owner->name) != nullptr;
}

template <class T>
void AddAll(const kube::ClusterState& cluster, std::string_view ns, const kube::ObjectList<T>& list,
            WorkloadFinder& finder) {
  for (const auto& workload : kube::ObjectsIn(list, ns)) {
    const bool old_replica_set =
        workload->kind == kube::WorkloadKind::kReplicaSet && workload->desired == 0;
    if (!old_replica_set && !BelongsToAnother(cluster, *workload)) finder.Of(*workload);
  }
}

}  // namespace

std::vector<WorkloadPods> GroupPods(const kube::ClusterState& cluster, std::string_view ns) {
  WorkloadFinder finder(cluster);
  AddAll(cluster, ns, cluster.deployments(), finder);
  AddAll(cluster, ns, cluster.replica_sets(), finder);
  AddAll(cluster, ns, cluster.stateful_sets(), finder);
  AddAll(cluster, ns, cluster.daemon_sets(), finder);
  AddAll(cluster, ns, cluster.jobs(), finder);
  std::vector<WorkloadPods> groups(finder.size());
  for (const auto& pod : cluster.PodsIn(ns)) {
    const std::uint32_t number = finder.Of(*pod);
    if (number == WorkloadFinder::kNone) continue;
    if (number >= groups.size()) groups.resize(number + 1);
    groups[number].pods.push_back(pod.get());
  }
  for (std::uint32_t i = 0; i < groups.size(); ++i) {
    groups[i].ref = finder.ref(i);
    groups[i].workload = finder.workload(i);
  }
  std::sort(groups.begin(), groups.end(),
            [](const WorkloadPods& a, const WorkloadPods& b) { return a.ref < b.ref; });
  return groups;
}

std::string ShortName(const WorkloadRef& ref) { return ref.kind + " " + ref.name; }
std::string FullName(const WorkloadRef& ref) { return ref.kind + " " + ref.ns + "/" + ref.name; }

bool IsCounted(const kube::Pod& pod) { return pod.is_active() && !pod.meta.terminating; }

bool IsZoneKey(std::string_view topology_key) {
  return topology_key == "topology.kubernetes.io/zone" ||
         topology_key == "failure-domain.beta.kubernetes.io/zone";
}

}  // namespace azexporter::zones
