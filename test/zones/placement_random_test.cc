// Random clusters, put through PlacementModel and through a slow version that asks every node about
// every pod, counts everything anew each time, and shares nothing with it.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "placement_helpers.h"
#include "random_parts.h"

namespace azexporter::zones {
namespace {

using test::Dice;

constexpr int kRounds = 3000;

// ---- Random clusters ----

kube::PodAffinityTerm RandomTerm(Dice& dice) {
  kube::PodAffinityTerm term;
  term.topology_key = dice.Of(test::kKeys);
  term.selector = test::RandomSelector(dice);
  if (dice.OneIn(4)) term.namespaces = {dice.Of<std::string>({"shop", "bank"})};
  if (dice.OneIn(6)) term.namespace_selector = kube::LabelSelector();
  if (dice.OneIn(4)) term.match_label_keys = {"hash"};
  if (dice.OneIn(8)) term.mismatch_label_keys = {"tier"};
  return term;
}

kube::PodSpec RandomSpec(Dice& dice) {
  kube::PodSpec spec;
  spec.priority = dice.Below(3);
  spec.requests.cpu_milli = dice.Below(4) * 80;
  spec.requests.memory_bytes = dice.Below(3) * 100;
  if (dice.OneIn(5)) spec.requests.others = {{"gpu", 1 + dice.Below(2)}};
  for (int i = dice.Below(3); i > 0; --i) {
    spec.spread_constraints.push_back(test::RandomConstraint(dice));
  }
  if (dice.OneIn(5)) spec.node_selector = {{"disk", dice.Of<std::string>({"ssd", "hdd"})}};
  if (dice.OneIn(5)) {
    spec.required_node_affinity = {
        {{{{kZoneKey,
            dice.OneIn(2) ? kube::SelectorOp::kIn : kube::SelectorOp::kNotIn,
            {dice.Of<std::string>({"a", "b", "c"})}}},
          {}}}};
  }
  const std::vector<std::string> keys = {"sick", "node.kubernetes.io/unreachable",
                                         "node.kubernetes.io/unschedulable"};
  for (const std::string& key : keys) {
    if (dice.OneIn(4)) {
      spec.tolerations.push_back(
          {key, kube::Toleration::Op::kExists, "", dice.Of<std::string>({"", "NoExecute"})});
    }
  }
  if (dice.OneIn(4)) spec.required_anti_affinity.push_back(RandomTerm(dice));
  if (dice.OneIn(6)) spec.required_affinity.push_back(RandomTerm(dice));
  if (dice.OneIn(12)) spec.required_affinity.push_back(RandomTerm(dice));
  if (dice.OneIn(6)) {
    spec.host_ports = {{80 + dice.Below(2), dice.Of<std::string>({"TCP", "UDP"}),
                        dice.Of<std::string>({"", "10.0.0.1", "0.0.0.0", "10.0.0.2"})}};
  }
  return spec;
}

void AddNodes(Dice& dice, ClusterParts& parts) {
  for (int i = dice.Below(12); i > 0; --i) {
    const std::string name = "n" + std::to_string(i);
    kube::StringMap labels = {{kHostKey, name}};
    const std::string zone = dice.Of<std::string>({"a", "b", "c"});
    if (!dice.OneIn(8)) labels.emplace_back(kZoneKey, zone);
    if (dice.OneIn(8)) labels.emplace_back("failure-domain.beta.kubernetes.io/zone", zone);
    if (!dice.OneIn(4)) labels.emplace_back("rack", dice.Of<std::string>({"r1", "r2"}));
    if (!dice.OneIn(3)) labels.emplace_back("disk", dice.Of<std::string>({"ssd", "hdd"}));
    kube::Node& node = parts.Node(name, std::move(labels));
    node.unschedulable = dice.OneIn(12);
    node.conditions.push_back(
        {"Ready", dice.OneIn(12) ? kube::ConditionStatus::kUnknown : kube::ConditionStatus::kTrue});
    if (!dice.OneIn(10)) {
      node.allocatable = {
          600 + dice.Below(5) * 400, 600 + dice.Below(4) * 300, 3 + dice.Below(8), {}};
      if (dice.OneIn(2)) node.allocatable.others = {{"gpu", 2}};
    }
    if (dice.OneIn(6)) {
      node.taints.push_back(
          {dice.Of<std::string>({"sick", "full"}), "",
           dice.Of<std::string>({"NoSchedule", "NoExecute", "PreferNoSchedule"})});
    }
  }
}

void AddPod(Dice& dice, ClusterParts& parts, const std::string& name,
            const std::shared_ptr<const kube::PodSpec>& spec, kube::StringMap labels) {
  const std::string node = dice.OneIn(15) ? "" : "n" + std::to_string(1 + dice.Below(11));
  kube::Pod& pod = parts.Pod(name, node, std::move(labels));
  pod.spec = spec;
  pod.meta.terminating = dice.OneIn(12);
  if (dice.OneIn(15)) pod.phase = kube::PodPhase::kFailed;
  if (dice.OneIn(15)) pod.pinned_node = node;
  if (dice.OneIn(15)) pod.owners = {{"Node", node, true}};
  if (dice.OneIn(15)) pod.owners.clear();
  if (dice.OneIn(10)) {
    parts.Claim(pod, "data-" + name, dice.Of<std::string>({"", "a", "b", "c", "d"}));
    parts.volumes.back().meta.labels = {{kZoneKey, dice.Of<std::string>({"a__b", "b", "c__a"})}};
    if (dice.OneIn(2)) parts.volumes.back().meta.labels.clear();
  }
}

// Workloads of like pods, so that there are groups of some size.
ClusterParts RandomCluster(Dice& dice) {
  ClusterParts parts;
  AddNodes(dice, parts);
  for (int workload = dice.Below(6); workload > 0; --workload) {
    const std::string name = "w" + std::to_string(workload);
    const auto spec = Spec(RandomSpec(dice));
    const kube::StringMap labels = test::RandomLabels(dice);
    const std::string ns = dice.Of<std::string>({"shop", "shop", "bank"});
    for (int i = dice.Below(10); i > 0; --i) {
      AddPod(dice, parts, name + "-" + std::to_string(i), spec,
             dice.OneIn(6) ? test::RandomLabels(dice) : labels);
      kube::Pod& pod = parts.pods.back();
      pod.meta.ns = ns;
      if (!pod.claims.empty()) parts.claims.back().meta.ns = ns;
      if (!pod.owners.empty() && pod.owners[0].kind == "Rollout") pod.owners[0].name = name;
    }
  }
  return parts;
}

// ---- The slow version ----

std::string ValueOf(const kube::StringMap& labels, const std::string& key) {
  for (const auto& [name, value] : labels) {
    if (name == key) return value;
  }
  return "(none)";
}

class SlowPlacement {
 public:
  SlowPlacement(const ClusterParts& parts, const std::string& zone, LossKind kind)
      : parts_(parts), zone_(zone) {
    for (const kube::Node& node : parts.nodes) nodes_.push_back(node);
    std::sort(nodes_.begin(), nodes_.end(),
              [](const auto& a, const auto& b) { return a.meta.name < b.meta.name; });
    for (kube::Node& node : nodes_) {
      if (!Lost(node)) continue;
      if (kind == LossKind::kFailure) {
        node.taints.push_back({"node.kubernetes.io/unreachable", "", "NoSchedule"});
        node.taints.push_back({"node.kubernetes.io/unreachable", "", "NoExecute"});
      } else {
        node.taints.push_back({"node.kubernetes.io/unschedulable", "", "NoSchedule"});
      }
    }
    for (const kube::Pod& pod : parts.pods) Sort(pod);
    std::sort(displaced_.begin(), displaced_.end(), [&](const kube::Pod& a, const kube::Pod& b) {
      return std::tuple(-a.spec->priority, -Share(a), a.meta.ns, a.meta.name) <
             std::tuple(-b.spec->priority, -Share(b), b.meta.ns, b.meta.name);
    });
  }

  // "w1 topology_spread() 3; placed 4 of 7; bare 1; free 100 200 3 0, most 100 100 2 0"
  std::string Run() {
    std::map<std::string, int> unplaced;
    int placed = 0;
    for (const kube::Pod& pod : displaced_) {
      Furthest furthest;
      if (Place(pod, furthest)) {
        ++placed;
      } else {
        ++unplaced[pod.meta.ns + "/" + pod.owners[0].name + " " +
                   std::string(PlacementReasonName(furthest.first)) + "(" + furthest.second + ")"];
      }
    }
    std::string text;
    for (const auto& [row, pods] : unplaced) text += row + " " + std::to_string(pods) + "; ";
    return text + "placed " + std::to_string(placed) + " of " + std::to_string(displaced_.size()) +
           "; bare " + std::to_string(bare_) + FreeText();
  }

 private:
  using Furthest = std::pair<PlacementReason, std::string>;

  bool Lost(const kube::Node& node) const { return node.zone() == zone_; }

  const kube::Node* NodeOf(const kube::Pod& pod) const {
    for (const kube::Node& node : nodes_) {
      if (node.meta.name == pod.node_name) return &node;
    }
    return nullptr;
  }

  void Sort(const kube::Pod& pod) {
    const kube::Node* node = NodeOf(pod);
    if (node == nullptr || pod.phase == kube::PodPhase::kFailed) return;
    if (!Lost(*node)) {
      present_.push_back(pod);
    } else if (pod.meta.terminating) {
      return;
    } else if (!pod.pinned_node.empty() || (!pod.owners.empty() && pod.owners[0].kind == "Node")) {
      present_.push_back(pod);
    } else if (pod.owners.empty()) {
      ++bare_;
    } else {
      displaced_.push_back(pod);
    }
  }

  double Share(const kube::Pod& pod) const {
    double share = 0;
    for (const char* resource : {"cpu", "memory", "gpu"}) {
      std::int64_t total = 0;
      for (const kube::Node& node : nodes_) total += node.allocatable.Get(resource);
      const std::int64_t asked = pod.spec->requests.Get(resource);
      if (total > 0)
        share = std::max(share, static_cast<double>(asked) / static_cast<double>(total));
    }
    return share;
  }

  std::int64_t Free(const kube::Node& node, const std::string& resource) const {
    std::int64_t free = node.allocatable.Get(resource);
    for (const kube::Pod& pod : present_) {
      if (pod.node_name != node.meta.name) continue;
      free -= resource == "pods" ? 1 : pod.spec->requests.Get(resource);
    }
    return free;
  }

  std::string FreeText() const {
    std::string free_text;
    std::string most_text;
    for (const char* resource : {"cpu", "memory", "pods", "gpu"}) {
      std::int64_t sum = 0;
      std::int64_t most = 0;
      for (const kube::Node& node : nodes_) {
        if (!Receives(node) || node.allocatable == kube::Resources()) continue;
        const std::int64_t free = std::max<std::int64_t>(0, Free(node, resource));
        sum += free;
        most = std::max(most, free);
      }
      free_text += " " + std::to_string(sum);
      most_text += " " + std::to_string(most);
    }
    return "; free" + free_text + ", most" + most_text;
  }

  bool Receives(const kube::Node& node) const {
    return !Lost(node) && !node.unschedulable && node.ready() == kube::ConditionStatus::kTrue;
  }

  bool Tolerated(const kube::Pod& pod, const kube::Node& node) const {
    return std::all_of(node.taints.begin(), node.taints.end(), [&](const kube::Taint& taint) {
      return taint.effect == "PreferNoSchedule" || kube::Tolerates(pod.spec->tolerations, taint);
    });
  }

  bool VolumesReach(const kube::Pod& pod, const kube::Node& node) const {
    for (const kube::PersistentVolumeClaim& claim : parts_.claims) {
      const bool own = claim.meta.ns == pod.meta.ns &&
                       std::count(pod.claims.begin(), pod.claims.end(), claim.meta.name) > 0;
      for (const kube::PersistentVolume& volume : parts_.volumes) {
        if (!own || volume.meta.name != claim.volume_name) continue;
        if (volume.node_affinity &&
            !volume.node_affinity->Matches(node.meta.name, node.meta.labels)) {
          return false;
        }
        const std::string zones = ValueOf(volume.meta.labels, kZoneKey);
        if (zones != "(none)" && !node.zone().empty() &&
            zones.find(node.zone()) == std::string::npos) {
          return false;
        }
      }
    }
    return true;
  }

  static bool Selects(const kube::Pod& pod, const kube::PodAffinityTerm& term,
                      const kube::Pod& other) {
    const bool every = term.namespace_selector && term.namespace_selector->empty();
    const bool own = term.namespaces.empty() && !term.namespace_selector;
    if (!every && !(own && pod.meta.ns == other.meta.ns) &&
        std::count(term.namespaces.begin(), term.namespaces.end(), other.meta.ns) == 0) {
      return false;
    }
    if (!term.selector || !term.selector->Matches(other.meta.labels)) return false;
    for (const std::string& key : term.match_label_keys) {
      const std::string value = ValueOf(pod.meta.labels, key);
      if (value != "(none)" && ValueOf(other.meta.labels, key) != value) return false;
    }
    for (const std::string& key : term.mismatch_label_keys) {
      const std::string value = ValueOf(pod.meta.labels, key);
      if (value != "(none)" && ValueOf(other.meta.labels, key) == value) return false;
    }
    return true;
  }

  static bool SameDomain(const kube::Node& a, const kube::Node& b, const std::string& key) {
    return ValueOf(a.meta.labels, key) != "(none)" &&
           ValueOf(a.meta.labels, key) == ValueOf(b.meta.labels, key);
  }

  bool AntiAffinityAllows(const kube::Pod& pod, const kube::Node& node) const {
    for (const kube::Pod& other : present_) {
      for (const auto& term : pod.spec->required_anti_affinity) {
        if (Selects(pod, term, other) && SameDomain(node, *NodeOf(other), term.topology_key)) {
          return false;
        }
      }
      for (const auto& term : other.spec->required_anti_affinity) {
        if (Selects(other, term, pod) && SameDomain(node, *NodeOf(other), term.topology_key)) {
          return false;
        }
      }
    }
    return true;
  }

  bool AffinityAllows(const kube::Pod& pod, const kube::Node& node) const {
    const auto& terms = pod.spec->required_affinity;
    const auto matches_all = [&](const kube::Pod& other) {
      return std::all_of(terms.begin(), terms.end(),
                         [&](const auto& term) { return Selects(pod, term, other); });
    };
    bool in_each = true;
    bool anywhere = false;
    for (const auto& term : terms) {
      if (ValueOf(node.meta.labels, term.topology_key) == "(none)") return false;
      bool here = false;
      for (const kube::Pod& other : present_) {
        if (!matches_all(other)) continue;
        here = here || SameDomain(node, *NodeOf(other), term.topology_key);
        anywhere = anywhere || ValueOf(NodeOf(other)->meta.labels, term.topology_key) != "(none)";
      }
      in_each = in_each && here;
    }
    return in_each || (!anywhere && matches_all(pod));
  }

  bool PortsFree(const kube::Pod& pod, const kube::Node& node) const {
    const auto all = [](const std::string& ip) { return ip.empty() || ip == "0.0.0.0"; };
    for (const kube::Pod& other : present_) {
      if (other.node_name != node.meta.name) continue;
      for (const kube::HostPort& a : pod.spec->host_ports) {
        for (const kube::HostPort& b : other.spec->host_ports) {
          if (a.port == b.port && a.protocol == b.protocol &&
              (all(a.ip) || all(b.ip) || a.ip == b.ip)) {
            return false;
          }
        }
      }
    }
    return true;
  }

  // Pods by domain, for the constraint of the pod.
  std::map<std::string, std::int64_t> Counts(
      const kube::Pod& pod, const kube::TopologySpreadConstraint& constraint) const {
    std::map<std::string, std::int64_t> counts;
    kube::PodAffinityTerm as_term;
    as_term.selector = constraint.selector;
    as_term.match_label_keys = constraint.match_label_keys;
    for (const kube::Node& node : nodes_) {
      bool eligible = true;
      for (const auto& other : pod.spec->spread_constraints) {
        eligible = eligible && (other.when_unsatisfiable != constraint.when_unsatisfiable ||
                                ValueOf(node.meta.labels, other.topology_key) != "(none)");
      }
      if (constraint.node_affinity_policy == kube::NodeInclusionPolicy::kHonor) {
        eligible = eligible && pod.spec->AdmitsNode(node.meta.name, node.meta.labels);
      }
      if (constraint.node_taints_policy == kube::NodeInclusionPolicy::kHonor) {
        eligible = eligible && Tolerated(pod, node);
      }
      if (!eligible) continue;
      std::int64_t& count = counts[ValueOf(node.meta.labels, constraint.topology_key)];
      for (const kube::Pod& other : present_) {
        if (other.node_name == node.meta.name && !other.meta.terminating &&
            Selects(pod, as_term, other)) {
          ++count;
        }
      }
    }
    return counts;
  }

  bool SpreadAllows(const kube::Pod& pod, const kube::Node& node) const {
    for (const auto& constraint : pod.spec->spread_constraints) {
      if (constraint.when_unsatisfiable == kube::WhenUnsatisfiable::kScheduleAnyway) continue;
      const std::string domain = ValueOf(node.meta.labels, constraint.topology_key);
      if (domain == "(none)") return false;
      auto counts = Counts(pod, constraint);
      std::int64_t least = counts.empty() ? 0 : counts.begin()->second;
      for (const auto& [name, count] : counts) least = std::min(least, count);
      if (static_cast<std::int64_t>(counts.size()) < constraint.min_domains.value_or(1)) least = 0;
      kube::PodAffinityTerm as_term;
      as_term.selector = constraint.selector;
      const std::int64_t self = Selects(pod, as_term, pod) ? 1 : 0;
      if (counts[domain] + self - least > constraint.max_skew) return false;
    }
    return true;
  }

  // What refuses the pod on the node; nothing where it may go there.
  std::optional<Furthest> Refusal(const kube::Pod& pod, const kube::Node& node) const {
    if (!pod.spec->AdmitsNode(node.meta.name, node.meta.labels)) {
      return Furthest(PlacementReason::kNodeAffinity, "");
    }
    if (!VolumesReach(pod, node)) return Furthest(PlacementReason::kVolumeZone, "");
    if (!Tolerated(pod, node)) return Furthest(PlacementReason::kTaints, "");
    if (node.allocatable != kube::Resources()) {
      const std::vector<std::pair<std::string, PlacementReason>> resources = {
          {"cpu", PlacementReason::kInsufficientCpu},
          {"memory", PlacementReason::kInsufficientMemory},
          {"pods", PlacementReason::kTooManyPods},
          {"gpu", PlacementReason::kInsufficientResource}};
      for (const auto& [name, reason] : resources) {
        const std::int64_t asked = name == "pods" ? 1 : pod.spec->requests.Get(name);
        if (asked > 0 && asked > Free(node, name)) return Furthest(reason, name);
      }
    }
    if (!PortsFree(pod, node)) return Furthest(PlacementReason::kHostPorts, "");
    if (!AffinityAllows(pod, node)) return Furthest(PlacementReason::kPodAffinity, "");
    if (!AntiAffinityAllows(pod, node)) return Furthest(PlacementReason::kAntiAffinity, "");
    if (!SpreadAllows(pod, node)) return Furthest(PlacementReason::kTopologySpread, "");
    return std::nullopt;
  }

  // The zone labels of a node, which make up its part.
  static std::pair<std::string, std::string> PartOf(const kube::Node& node) {
    const auto value = [&](const std::string& key) {
      const std::string found = ValueOf(node.meta.labels, key);
      return found == "(none)" ? "/" : found;
    };
    return {value(kZoneKey), value("failure-domain.beta.kubernetes.io/zone")};
  }

  std::int64_t LeadingCount(const kube::Pod& pod, const kube::Node& node) const {
    for (const auto& constraint : pod.spec->spread_constraints) {
      if (constraint.when_unsatisfiable == kube::WhenUnsatisfiable::kScheduleAnyway ||
          constraint.topology_key != kZoneKey) {
        continue;
      }
      return Counts(pod, constraint)[ValueOf(node.meta.labels, kZoneKey)];
    }
    return 0;
  }

  bool Place(const kube::Pod& pod, Furthest& furthest) {
    std::set<std::pair<std::string, std::string>> parts;
    for (const kube::Node& node : nodes_) parts.insert(PartOf(node));
    std::tuple<std::int64_t, std::size_t, std::size_t> best;
    const kube::Node* chosen = nullptr;
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      if (!Receives(nodes_[i])) continue;
      if (const auto refusal = Refusal(pod, nodes_[i])) {
        furthest = std::max(furthest, *refusal);
        continue;
      }
      const auto part =
          static_cast<std::size_t>(std::distance(parts.begin(), parts.find(PartOf(nodes_[i]))));
      const std::size_t n = nodes_.size();
      const std::tuple turn(LeadingCount(pod, nodes_[i]),
                            (part + parts.size() - next_part_ % parts.size()) % parts.size(),
                            i >= next_node_[part] ? i : i + n);
      if (chosen != nullptr && best <= turn) continue;
      best = turn;
      chosen = &nodes_[i];
    }
    if (chosen == nullptr) return false;
    kube::Pod& made = present_.emplace_back(pod);
    made.node_name = chosen->meta.name;
    const auto part =
        static_cast<std::size_t>(std::distance(parts.begin(), parts.find(PartOf(*chosen))));
    next_part_ = part + 1;
    next_node_[part] = static_cast<std::size_t>(chosen - nodes_.data()) + 1;
    return true;
  }

  const ClusterParts& parts_;
  const std::string zone_;
  std::vector<kube::Node> nodes_;
  std::vector<kube::Pod> present_;
  std::vector<kube::Pod> displaced_;
  int bare_ = 0;
  std::size_t next_part_ = 0;
  std::map<std::size_t, std::size_t> next_node_;
};

std::string FastText(const Placement& placement) {
  std::map<std::string, std::int64_t> rows;
  for (const UnplacedPods& unplaced : placement.unplaced) {
    rows[unplaced.workload.ns + "/" + unplaced.workload.name + " " +
         std::string(PlacementReasonName(unplaced.reason)) + "(" + unplaced.resource + ")"] +=
        unplaced.pods;
  }
  std::string text;
  for (const auto& [row, pods] : rows) text += row + " " + std::to_string(pods) + "; ";
  text += "placed " + std::to_string(placement.placed) + " of " +
          std::to_string(placement.displaced) + "; bare " + std::to_string(placement.bare);
  for (const kube::Resources* resources : {&placement.after.free, &placement.after.largest}) {
    text += resources == &placement.after.free ? "; free" : ", most";
    for (const char* resource : {"cpu", "memory", "pods", "gpu"}) {
      text += " " + std::to_string(resources->Get(resource));
    }
  }
  return text;
}

TEST(PlacementRandomTest, AgreesWithPodByPodPlacement) {
  Dice dice(20240301);
  std::map<PlacementReason, int> seen;
  std::int64_t placed = 0;
  for (int round = 0; round < kRounds; ++round) {
    const ClusterParts parts = RandomCluster(dice);
    const kube::ClusterState cluster = parts.Build();
    const PlacementModel model(cluster);
    for (const char* zone : {"a", "b"}) {
      for (const LossKind kind : {LossKind::kFailure, LossKind::kEvacuation}) {
        const Placement got = model.Without(zone, kind);
        ASSERT_EQ(FastText(got), SlowPlacement(parts, zone, kind).Run())
            << "round " << round << " zone " << zone << " " << LossKindName(kind);
        placed += got.placed;
        for (const UnplacedPods& unplaced : got.unplaced) ++seen[unplaced.reason];
      }
    }
  }
  // Each reason came up, and there was room for many.
  EXPECT_EQ(seen.size(), 12u);
  EXPECT_GT(placed, 5000);
}

}  // namespace
}  // namespace azexporter::zones
