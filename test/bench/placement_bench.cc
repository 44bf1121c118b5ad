// What it costs to play through the loss of each zone, in bare passes: one pass over all pods that
// counts the ready ones by zone. Not a test; run by hand:
//
//   build/ci/test/placement_bench [PODS]      (1500, 15000 and 150000 unless said otherwise)

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "azexporter/kube/cluster_state.h"
#include "azexporter/zones/placement.h"
#include "zone_cluster.h"

namespace azexporter::zones {
namespace {

using bench::BarePass;
using bench::kHostKey;
using bench::kPodsOfWorkload;
using bench::kPodsOnNode;
using bench::kWorkloadsInNamespace;
using bench::kZoneKey;
using bench::kZones;
using bench::Number;
using bench::Shortest;

struct Shape {
  const char* name;
  bool honor_taints = true;         // of the constraints over zones: else the lost zone blocks them
  std::int64_t cpu_milli = 16'000;  // of a node; its pods ask for about 9,000
  bool pools = false;               // each workload may use a hundredth of the nodes
  bool hosts = false;               // hard spread over hosts, too
  bool one_namespace = false;       // with selectors that find all its pods
  bool local_volumes = false;       // each on one node
};
constexpr Shape kShapes[] = {
    {.name = "blocked", .honor_taints = false},
    {.name = "roomy"},
    {.name = "tight", .cpu_milli = 11'000},
    {.name = "pools", .pools = true},
    {.name = "hosts", .hosts = true},
    {.name = "one namespace", .one_namespace = true},
    {.name = "local volumes", .local_volumes = true},
};

class Maker {
 public:
  Maker(int pods, const Shape& shape) : pods_(pods), nodes_(pods / kPodsOnNode), shape_(shape) {}

  kube::ClusterState Make() {
    kube::ClusterState::Parts parts;
    parts.nodes = Nodes();
    kube::Objects<kube::Pod> pods;
    for (int workload = 0; made_ < pods_; ++workload) AddWorkload(workload, pods);
    parts.pods = kube::MakeList(std::move(pods));
    parts.claims = kube::MakeList(std::move(claims_));
    parts.volumes = kube::MakeList(std::move(volumes_));
    return kube::ClusterState(std::move(parts));
  }

 private:
  kube::SharedList<kube::Node> Nodes() const {
    kube::Objects<kube::Node> nodes;
    for (int i = 0; i < nodes_; ++i) {
      kube::Node node;
      node.meta.name = NodeName(i);
      node.meta.labels = {{kHostKey, node.meta.name},
                          {"kubernetes.io/os", "linux"},
                          {"node.kubernetes.io/instance-type", "m6i.4xlarge"},
                          {"pool", Number(i / 3 % 100, 3)},
                          {kZoneKey, kZones[i % 3]}};
      node.conditions.push_back({"Ready", kube::ConditionStatus::kTrue});
      node.allocatable = {shape_.cpu_milli, std::int64_t{64} << 30, 110, {}};
      nodes.push_back(std::make_shared<const kube::Node>(std::move(node)));
    }
    return kube::MakeList(std::move(nodes));
  }

  static std::string NodeName(int number) { return "ip-10-" + Number(number, 5) + ".ec2.internal"; }

  void AddWorkload(int number, kube::Objects<kube::Pod>& pods) {
    const std::string name = "service-" + Number(number, 4);
    const bool stateful = number % 20 == 0;
    const auto spec = SpecOf(number, name);
    for (int i = 0; i < kPodsOfWorkload && made_ < pods_; ++i, ++made_) {
      kube::Pod pod;
      pod.meta.ns = shape_.one_namespace ? std::string("shop")
                                         : "team-" + Number(number / kWorkloadsInNamespace, 4);
      pod.meta.name =
          stateful ? name + "-" + std::to_string(i) : name + "-6d4cf56db6-" + Number(made_, 6);
      kube::StringMap labels = {{"app.kubernetes.io/name", name},
                                {"app.kubernetes.io/part-of", "shop"}};
      labels.emplace_back(stateful ? "apps.kubernetes.io/pod-index" : "pod-template-hash",
                          stateful ? std::to_string(i) : "6d4cf56db6");
      std::sort(labels.begin(), labels.end());
      pod.meta.labels = std::move(labels);
      pod.owners = {
          {stateful ? "StatefulSet" : "ReplicaSet", stateful ? name : name + "-6d4cf56db6", true}};
      const int node = made_ % nodes_;
      pod.node_name = NodeName(node);
      pod.spec = spec;
      pod.phase = kube::PodPhase::kRunning;
      pod.ready = kube::ConditionStatus::kTrue;
      if (stateful) AddClaim(pod, node);
      pods.push_back(std::make_shared<const kube::Pod>(std::move(pod)));
    }
  }

  // Of 10 workloads 7 are spread hard over zones, 2 keep their pods apart by host.
  std::shared_ptr<const kube::PodSpec> SpecOf(int number, const std::string& name) const {
    auto spec = std::make_shared<kube::PodSpec>();
    spec->requests = {100 + number % 5 * 100, std::int64_t{256 + number % 3 * 256} << 20, 0, {}};
    const kube::LabelSelector own{{{"app.kubernetes.io/name", name}}, {}};
    if (number % 10 < 7) {
      kube::TopologySpreadConstraint constraint;
      constraint.topology_key = kZoneKey;
      constraint.selector = own;
      if (shape_.one_namespace) {
        constraint.selector->match_labels = {{"app.kubernetes.io/part-of", "shop"}};
        constraint.max_skew = 100'000;
      }
      if (shape_.honor_taints) {
        constraint.node_taints_policy = kube::NodeInclusionPolicy::kHonor;
      }
      spec->spread_constraints.push_back(constraint);
      if (shape_.hosts) {
        constraint.topology_key = kHostKey;
        spec->spread_constraints.push_back(constraint);
      }
    } else if (number % 10 < 9) {
      kube::PodAffinityTerm term;
      term.topology_key = kHostKey;
      term.selector = own;
      spec->required_anti_affinity.push_back(term);
    }
    if (shape_.pools) spec->node_selector = {{"pool", Number(number % 100, 3)}};
    return spec;
  }

  void AddClaim(kube::Pod& pod, int node) {
    kube::PersistentVolumeClaim claim;
    claim.meta.ns = pod.meta.ns;
    claim.meta.name = "data-" + pod.meta.name;
    claim.volume_name = "pvc-" + Number(made_, 6);
    kube::PersistentVolume volume;
    volume.meta.name = claim.volume_name;
    const kube::Requirement reach =
        shape_.local_volumes
            ? kube::Requirement{kHostKey, kube::SelectorOp::kIn, {NodeName(node)}}
            : kube::Requirement{kZoneKey, kube::SelectorOp::kIn, {kZones[node % 3]}};
    volume.node_affinity = {{{{reach}, {}}}};
    pod.claims.push_back(claim.meta.name);
    claims_.push_back(std::make_shared<const kube::PersistentVolumeClaim>(std::move(claim)));
    volumes_.push_back(std::make_shared<const kube::PersistentVolume>(std::move(volume)));
  }

  const int pods_;
  const int nodes_;
  const Shape& shape_;
  int made_ = 0;
  kube::Objects<kube::PersistentVolumeClaim> claims_;
  kube::Objects<kube::PersistentVolume> volumes_;
};

void Run(int pods, const Shape& shape) {
  const kube::ClusterState cluster = Maker(pods, shape).Make();
  std::size_t zones = 0;
  const double bare = Shortest([&] { zones = BarePass(cluster); });
  const double model_ms = Shortest([&] { const PlacementModel model(cluster); });
  Placement placement;
  const auto lose_each = [&](PlacementModel& model) {
    for (const char* zone : kZones) placement = model.Without(zone, LossKind::kFailure);
  };
  const double whole_ms = Shortest([&] {
    PlacementModel model(cluster);
    lose_each(model);
  });
  PlacementModel model(cluster);
  lose_each(model);
  const double again_ms = Shortest([&] { lose_each(model); });
  std::size_t rows = 0;
  ForEachUnplaced(placement, [&](const UnplacedPods&) { ++rows; });
  std::printf(
      "%7d pods, %zu zones, %-13s bare pass %6.2f ms, model %7.2f ms, three losses %7.2f ms: "
      "%5.1f bare passes; again %6.2f ms; of %lld displaced %lld placed, %zu rows\n",
      pods, zones, shape.name, bare, model_ms, whole_ms - model_ms, whole_ms / bare, again_ms,
      static_cast<long long>(placement.displaced), static_cast<long long>(placement.placed), rows);
}

}  // namespace
}  // namespace azexporter::zones

int main(int argc, char** argv) {
  std::vector<int> sizes = {1'500, 15'000, 150'000};
  if (argc > 1) {
    const std::string_view text = argv[1];
    sizes.resize(1);
    std::from_chars(text.data(), text.data() + text.size(), sizes[0]);
  }
  for (const int pods : sizes) {
    for (const auto& shape : azexporter::zones::kShapes) azexporter::zones::Run(pods, shape);
  }
  return 0;
}
