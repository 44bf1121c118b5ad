#include "zone_cluster.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

namespace azexporter::bench {
namespace {

template <class T>
void Give(kube::Objects<T>& list, T object) {
  list.push_back(std::make_shared<const T>(std::move(object)));
}

template <class T>
void AddHealth(kube::ClusterState::Parts& parts) {
  kube::ResourceHealth& health = parts.health.emplace_back();
  health.resource = T::kResource;
  health.synced = true;
  health.last_contact_ms = kNowMs;
}

class Maker {
 public:
  explicit Maker(int pods) : pods_wanted_(pods), node_count_(pods / kPodsOnNode) {}

  ZoneCluster Make() {
    for (int i = 0; i < node_count_; ++i) AddNode(i);
    for (int i = 0; made_ < pods_wanted_; ++i) AddWorkload(i);
    ZoneCluster cluster;
    kube::ClusterState::Parts& parts = cluster.parts;
    parts.nodes = kube::MakeList(std::move(nodes_));
    parts.pods = kube::MakeList(std::move(pods_));
    parts.deployments = kube::MakeList(std::move(deployments_));
    parts.replica_sets = kube::MakeList(std::move(replica_sets_));
    parts.stateful_sets = kube::MakeList(std::move(stateful_sets_));
    parts.budgets = kube::MakeList(std::move(budgets_));
    parts.services = kube::MakeList(std::move(services_));
    parts.endpoint_slices = kube::MakeList(std::move(slices_));
    parts.claims = kube::MakeList(std::move(claims_));
    parts.volumes = kube::MakeList(std::move(volumes_));
    AddHealth<kube::Node>(parts);
    AddHealth<kube::Pod>(parts);
    AddHealth<kube::Deployment>(parts);
    AddHealth<kube::ReplicaSet>(parts);
    AddHealth<kube::StatefulSet>(parts);
    AddHealth<kube::DaemonSet>(parts);
    AddHealth<kube::Job>(parts);
    AddHealth<kube::PodDisruptionBudget>(parts);
    AddHealth<kube::Service>(parts);
    AddHealth<kube::EndpointSlice>(parts);
    AddHealth<kube::PersistentVolume>(parts);
    AddHealth<kube::PersistentVolumeClaim>(parts);
    return cluster;
  }

 private:
  static constexpr char kHash[] = "6d4cf56db6";

  static std::string NodeName(int number) { return "ip-10-" + Number(number, 5) + ".ec2.internal"; }

  void AddNode(int number) {
    kube::Node node;
    node.meta.name = NodeName(number);
    node.meta.labels = {{kHostKey, node.meta.name},
                        {"kubernetes.io/os", "linux"},
                        {"node.kubernetes.io/instance-type", "m6i.4xlarge"},
                        {kZoneKey, kZones[number % 3]}};
    node.conditions.push_back({"Ready", kube::ConditionStatus::kTrue});
    node.allocatable = {16'000, std::int64_t{64} << 30, 110, {}};
    Give(nodes_, std::move(node));
  }

  // What the objects of one workload have in common.
  struct Workload {
    int number;
    std::string ns, name;
    kube::LabelSelector selector;
    kube::StringMap labels;
    // Of its pods, all alike but the index of a StatefulSet's.
    kube::Shared<kube::StringMap> pod_labels;
    kube::Shared<std::vector<kube::Owner>> pod_owners;
    std::shared_ptr<const kube::PodSpec> spec;
    bool stateful() const { return number % 20 == 0; }
  };

  void AddWorkload(int number) {
    Workload workload;
    workload.number = number;
    workload.ns = "team-" + Number(number / kWorkloadsInNamespace, 4);
    workload.name = "service-" + Number(number, 4);
    workload.selector.match_labels = {{"app.kubernetes.io/name", workload.name}};
    workload.labels = {{"app.kubernetes.io/name", workload.name},
                       {"app.kubernetes.io/part-of", "shop"}};
    kube::StringMap pod_labels = workload.labels;
    if (workload.stateful()) {
      workload.pod_owners = {{"StatefulSet", workload.name, true}};
    } else {
      pod_labels.emplace_back("pod-template-hash", kHash);
      workload.pod_owners = {{"ReplicaSet", workload.name + "-" + kHash, true}};
    }
    workload.pod_labels = std::move(pod_labels);
    workload.spec = SpecOf(workload);
    AddOwner(workload);
    kube::EndpointSlice slice;
    slice.meta.ns = workload.ns;
    slice.meta.name = workload.name + "-abcde";
    slice.service = workload.name;
    slice.address_type = "IPv4";
    const int first = made_;
    for (int i = 0; i < kPodsOfWorkload && made_ < pods_wanted_; ++i) AddPod(workload, i, slice);
    AddBudget(workload, made_ - first);
    kube::Service service;
    service.meta.ns = workload.ns;
    service.meta.name = workload.name;
    service.type = "ClusterIP";
    service.selector = workload.selector.match_labels;
    Give(services_, std::move(service));
    Give(slices_, std::move(slice));
  }

  static std::shared_ptr<const kube::PodSpec> SpecOf(const Workload& workload) {
    kube::PodSpec spec;
    const int number = workload.number;
    spec.requests = {100 + number % 5 * 100, std::int64_t{256 + number % 3 * 256} << 20, 0, {}};
    if (number % 10 < 7) {
      kube::TopologySpreadConstraint constraint;
      constraint.topology_key = kZoneKey;
      constraint.selector = workload.selector;
      spec.spread_constraints.push_back(std::move(constraint));
    } else if (number % 10 < 9) {
      kube::PodAffinityTerm term;
      term.topology_key = kHostKey;
      term.selector = workload.selector;
      spec.required_anti_affinity.push_back(std::move(term));
    }
    return std::make_shared<const kube::PodSpec>(std::move(spec));
  }

  template <class T>
  static T OwnerOf(const Workload& workload, const std::string& name) {
    T owner;
    owner.meta.ns = workload.ns;
    owner.meta.name = name;
    owner.desired = kPodsOfWorkload;
    owner.selector = workload.selector;
    owner.template_labels = workload.labels;
    owner.template_spec = workload.spec;
    return owner;
  }

  void AddOwner(const Workload& workload) {
    if (workload.stateful()) {
      auto set = OwnerOf<kube::StatefulSet>(workload, workload.name);
      set.claim_templates = {"data"};
      Give(stateful_sets_, std::move(set));
      return;
    }
    Give(deployments_, OwnerOf<kube::Deployment>(workload, workload.name));
    auto set = OwnerOf<kube::ReplicaSet>(workload, workload.name + "-" + kHash);
    set.owners.push_back({"Deployment", workload.name, true});
    Give(replica_sets_, std::move(set));
  }

  void AddPod(const Workload& workload, int index, kube::EndpointSlice& slice) {
    kube::Pod pod;
    pod.meta.ns = workload.ns;
    pod.meta.labels = workload.pod_labels;
    pod.owners = workload.pod_owners;
    if (workload.stateful()) {
      pod.meta.name = workload.name + "-" + std::to_string(index);
      kube::StringMap& labels = pod.meta.labels.Edit();
      labels.insert(labels.begin() + 1, {"apps.kubernetes.io/pod-index", std::to_string(index)});
    } else {
      pod.meta.name = workload.name + "-" + kHash + "-" + Number(made_, 6);
    }
    const int node = made_ % node_count_;
    pod.node_name = NodeName(node);
    pod.spec = workload.spec;
    pod.phase = kube::PodPhase::kRunning;
    pod.ready = kube::ConditionStatus::kTrue;
    if (workload.stateful()) AddClaim(pod, node);
    kube::Endpoint& endpoint = slice.endpoints.emplace_back();
    endpoint.node_name = pod.node_name;
    endpoint.zone = kZones[node % 3];
    endpoint.target_pod = pod.meta.name;
    Give(pods_, std::move(pod));
    ++made_;
  }

  void AddClaim(kube::Pod& pod, int node) {
    kube::PersistentVolumeClaim claim;
    claim.meta.ns = pod.meta.ns;
    claim.meta.name = "data-" + pod.meta.name;
    claim.volume_name = "pvc-" + Number(made_, 6);
    claim.phase = "Bound";
    kube::PersistentVolume volume;
    volume.meta.name = claim.volume_name;
    volume.claim_ns = claim.meta.ns;
    volume.claim_name = claim.meta.name;
    volume.node_affinity = {{{{{kZoneKey, kube::SelectorOp::kIn, {kZones[node % 3]}}}, {}}}};
    pod.claims.push_back(claim.meta.name);
    Give(claims_, std::move(claim));
    Give(volumes_, std::move(volume));
  }

  void AddBudget(const Workload& workload, int pods) {
    kube::PodDisruptionBudget budget;
    budget.meta.ns = workload.ns;
    budget.meta.name = workload.name;
    budget.selector = workload.selector;
    budget.current_healthy = budget.expected_pods = pods;
    budget.desired_healthy = pods / 2;
    budget.disruptions_allowed = pods - pods / 2;
    Give(budgets_, std::move(budget));
  }

  const int pods_wanted_;
  const int node_count_;
  int made_ = 0;
  kube::Objects<kube::Node> nodes_;
  kube::Objects<kube::Pod> pods_;
  kube::Objects<kube::Deployment> deployments_;
  kube::Objects<kube::ReplicaSet> replica_sets_;
  kube::Objects<kube::StatefulSet> stateful_sets_;
  kube::Objects<kube::PodDisruptionBudget> budgets_;
  kube::Objects<kube::Service> services_;
  kube::Objects<kube::EndpointSlice> slices_;
  kube::Objects<kube::PersistentVolumeClaim> claims_;
  kube::Objects<kube::PersistentVolume> volumes_;
};

}  // namespace

std::string Number(int number, std::size_t digits) {
  std::string text = std::to_string(number);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

std::size_t BarePass(const kube::ClusterState& cluster) {
  std::map<std::string_view, std::size_t> ready;
  for (const auto& pod : cluster.pods()) {
    if (pod->is_ready()) ++ready[cluster.ZoneOf(*pod)];
  }
  return ready.size();
}

double Shortest(const std::function<void()>& work) {
  constexpr int kRuns = 7;
  double shortest = std::numeric_limits<double>::infinity();
  for (int i = 0; i < kRuns; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    shortest = std::min(shortest, took.count());
  }
  return shortest;
}

ZoneCluster MakeZoneCluster(int pods) { return Maker(pods).Make(); }

}  // namespace azexporter::bench
