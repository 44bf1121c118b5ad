#include "azexporter/zones/workload_pods.h"

#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/base/hash_index.h"

namespace azexporter::zones {
namespace {

struct OwnerKey {
  std::string_view ns, kind, name;
  bool operator==(const OwnerKey&) const = default;
};

struct OwnerKeyHash {
  std::size_t operator()(const OwnerKey& key) const {
    return base::MixHash(base::MixHash(base::HashText(key.ns), base::HashText(key.kind)),
                         base::HashText(key.name));
  }
};

OwnerKey OwnerKeyOf(const kube::Workload& workload) {
  return {workload.meta.ns, kube::WorkloadKindName(workload.kind), workload.meta.name};
}

}  // namespace

// The keys are views into the cluster's objects.
struct WorkloadFinder::Impl {
  struct Entry {
    WorkloadRef ref;
    const kube::Workload* workload;
  };

  std::uint32_t Add(const OwnerKey& key, const kube::Workload* workload) {
    const auto [found, added] = numbers.emplace(key, static_cast<std::uint32_t>(entries.size()));
    if (added) {
      entries.push_back(
          {{std::string(key.ns), std::string(key.kind), std::string(key.name)}, workload});
    }
    return found->second;
  }

  // All but those that belong to another, whose number pods then find under their controller.
  // Owners come first: those need not be looked up in the cluster.
  template <class T>
  void AddAll(const kube::ObjectList<T>& list, std::string_view ns) {
    for (const auto& workload : list.In(ns)) {
      if (T::kKind == kube::WorkloadKind::kReplicaSet && workload->desired == 0) continue;
      const OwnerKey key = OwnerKeyOf(*workload);
      const kube::Owner* owner = kube::ControllerOf(workload->owners);
      const auto kind = owner == nullptr ? std::nullopt : kube::WorkloadKindOf(owner->kind);
      if (!kind) {
        Add(key, workload.get());
      } else if (const auto above = numbers.find({ns, owner->kind, owner->name});
                 above != numbers.end()) {
        numbers.emplace(key, above->second);
      } else if (cluster.FindWorkload(*kind, ns, owner->name) == nullptr) {
        Add(key, workload.get());
      }
    }
  }

  const kube::ClusterState& cluster;
  std::vector<Entry> entries;
  std::unordered_map<OwnerKey, std::uint32_t, OwnerKeyHash> numbers;  // of what it belongs to
};

WorkloadFinder::WorkloadFinder(const kube::ClusterState& cluster)
    : impl_(new Impl{cluster, {}, {}}) {}

WorkloadFinder::WorkloadFinder(const kube::ClusterState& cluster, std::string_view ns)
    : WorkloadFinder(cluster) {
  impl_->AddAll(cluster.daemon_sets(), ns);
  impl_->AddAll(cluster.deployments(), ns);
  impl_->AddAll(cluster.jobs(), ns);
  impl_->AddAll(cluster.replica_sets(), ns);
  impl_->AddAll(cluster.stateful_sets(), ns);
}

WorkloadFinder::~WorkloadFinder() = default;

std::uint32_t WorkloadFinder::Of(const kube::Pod& pod) {
  const kube::Owner* owner = kube::ControllerOf(pod.owners);
  if (owner == nullptr || owner->kind == "Node") return kNone;
  const OwnerKey controller{pod.meta.ns, owner->kind, owner->name};
  const auto found = impl_->numbers.find(controller);
  if (found != impl_->numbers.end()) return found->second;
  const kube::Workload* workload = impl_->cluster.WorkloadOf(pod);
  const std::uint32_t number =
      impl_->Add(workload == nullptr ? controller : OwnerKeyOf(*workload), workload);
  impl_->numbers.emplace(controller, number);
  return number;
}

const WorkloadRef& WorkloadFinder::ref(std::uint32_t number) const {
  return impl_->entries[number].ref;
}
const kube::Workload* WorkloadFinder::workload(std::uint32_t number) const {
  return impl_->entries[number].workload;
}
std::size_t WorkloadFinder::size() const { return impl_->entries.size(); }

std::string ShortName(const WorkloadRef& ref) { return ref.kind + " " + ref.name; }
std::string FullName(const WorkloadRef& ref) { return ref.kind + " " + ref.ns + "/" + ref.name; }

bool IsCounted(const kube::Pod& pod) { return pod.is_active() && !pod.meta.terminating; }

bool IsZoneKey(std::string_view topology_key) {
  return topology_key == "topology.kubernetes.io/zone" ||
         topology_key == "failure-domain.beta.kubernetes.io/zone";
}

}  // namespace azexporter::zones
