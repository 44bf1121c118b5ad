#include "azexporter/zones/workload_pods.h"

#include <functional>
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
  // The pod asked about last, and the answer.
  const kube::Pod* last_pod = nullptr;
  std::uint32_t last = kNone;
};

WorkloadFinder::WorkloadFinder(const kube::ClusterState& cluster)
    : impl_(new Impl{cluster, {}, {}, {}, {}}) {}
WorkloadFinder::~WorkloadFinder() = default;

std::uint32_t WorkloadFinder::Of(const kube::Pod& pod) {
  // In order of names, pods of one controller stand together.
  const kube::Pod* before = std::exchange(impl_->last_pod, &pod);
  if (before != nullptr && impl_->last != kNone && &before->owners.get() == &pod.owners.get() &&
      before->meta.ns == pod.meta.ns) {
    return impl_->last;
  }
  impl_->last = kNone;
  const kube::Owner* owner = kube::ControllerOf(pod.owners);
  if (owner == nullptr || owner->kind == "Node") return kNone;
  const OwnerKey controller{pod.meta.ns, owner->kind, owner->name};
  const auto found = impl_->by_controller.find(controller);
  if (found != impl_->by_controller.end()) {
    impl_->last = found->second;
  } else {
    const kube::Workload* workload = impl_->cluster.WorkloadOf(pod);
    impl_->last = workload == nullptr ? impl_->Add(controller, nullptr) : Of(*workload);
    impl_->by_controller.emplace(controller, impl_->last);
  }
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

std::string ShortName(const WorkloadRef& ref) { return ref.kind + " " + ref.name; }
std::string FullName(const WorkloadRef& ref) { return ref.kind + " " + ref.ns + "/" + ref.name; }

bool IsCounted(const kube::Pod& pod) { return pod.is_active() && !pod.meta.terminating; }

bool IsZoneKey(std::string_view topology_key) {
  return topology_key == "topology.kubernetes.io/zone" ||
         topology_key == "failure-domain.beta.kubernetes.io/zone";
}

}  // namespace azexporter::zones
