#include "azexporter/zones/workload_pods.h"

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
};

WorkloadFinder::WorkloadFinder(const kube::ClusterState& cluster)
    : impl_(new Impl{cluster, {}, {}, {}}) {}
WorkloadFinder::~WorkloadFinder() = default;

std::uint32_t WorkloadFinder::Of(const kube::Pod& pod) {
  const kube::Owner* owner = kube::ControllerOf(pod.owners);
  if (owner == nullptr || owner->kind == "Node") return kNone;
  const OwnerKey controller{pod.meta.ns, owner->kind, owner->name};
  const auto found = impl_->by_controller.find(controller);
  if (found != impl_->by_controller.end()) return found->second;
  const kube::Workload* workload = impl_->cluster.WorkloadOf(pod);
  const std::uint32_t number =
      workload == nullptr ? impl_->Add(controller, nullptr) : Of(*workload);
  impl_->by_controller.emplace(controller, number);
  return number;
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
