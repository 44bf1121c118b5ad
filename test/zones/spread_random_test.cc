// Random clusters, counted by MakeSpreadReport and by a slow version that follows the definition
// pod by pod and shares nothing with it.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "azexporter/zones/spread.h"
#include "cluster_parts.h"
#include "random_parts.h"
#include "reports.h"

namespace azexporter::zones {
namespace {

using kube::SelectorOp;
using test::ClusterParts;
using test::Dice;

constexpr int kRounds = 600;

kube::PodSpec RandomSpec(Dice& dice) {
  kube::PodSpec spec;
  for (int i = dice.Below(4); i > 0; --i)
    spec.spread_constraints.push_back(test::RandomConstraint(dice));
  if (dice.OneIn(3)) spec.node_selector = {{"disk", dice.Of<std::string>({"ssd", "hdd"})}};
  if (dice.OneIn(3)) {
    const SelectorOp op = dice.Of<SelectorOp>({SelectorOp::kIn, SelectorOp::kNotIn});
    spec.required_node_affinity = {
        {{{{"topology.kubernetes.io/zone", op, {dice.Of<std::string>({"a", "b", "c"})}}}, {}}}};
  }
  if (dice.OneIn(3)) {
    spec.tolerations.push_back({"sick", kube::Toleration::Op::kExists, "", "NoExecute"});
  }
  return spec;
}

void AddNodes(Dice& dice, ClusterParts& parts) {
  for (int i = dice.Below(9); i > 0; --i) {
    const std::string name = "n" + std::to_string(i);
    kube::StringMap labels = {{"kubernetes.io/hostname", name}};
    if (!dice.OneIn(6)) {
      labels.emplace_back("topology.kubernetes.io/zone", dice.Of<std::string>({"a", "b", "c"}));
    }
    if (!dice.OneIn(4)) labels.emplace_back("rack", dice.Of<std::string>({"r1", "r2"}));
    if (!dice.OneIn(3)) labels.emplace_back("disk", dice.Of<std::string>({"ssd", "hdd"}));
    kube::Node& node = parts.Node(name, std::move(labels));
    if (dice.OneIn(4)) {
      node.taints.push_back(
          {dice.Of<std::string>({"sick", "full"}), "",
           dice.Of<std::string>({"NoSchedule", "NoExecute", "PreferNoSchedule"})});
    }
  }
}

ClusterParts RandomCluster(Dice& dice) {
  ClusterParts parts;
  AddNodes(dice, parts);
  std::vector<std::shared_ptr<const kube::PodSpec>> specs;
  for (int i = 0; i < 4; ++i) specs.push_back(test::Spec(RandomSpec(dice)));
  for (int i = dice.Below(30); i > 0; --i) {
    const std::string node = dice.OneIn(8) ? "" : "n" + std::to_string(1 + dice.Below(9));
    kube::Pod& pod = parts.Pod("p" + std::to_string(i), node, test::RandomLabels(dice));
    pod.meta.ns = dice.Of<std::string>({"shop", "shop", "bank"});
    pod.meta.created_ms = dice.Below(5);
    pod.meta.terminating = dice.OneIn(8);
    if (dice.OneIn(8)) pod.phase = kube::PodPhase::kSucceeded;
    pod.owners = {{"Rollout", dice.Of<std::string>({"one", "two"}), true}};
    if (dice.OneIn(10)) pod.owners = {};
    pod.spec = dice.Of(specs);
  }
  return parts;
}

// ---- The slow version ----

bool Counts(const kube::Pod& pod) {
  return !pod.meta.terminating && pod.phase != kube::PodPhase::kSucceeded &&
         pod.phase != kube::PodPhase::kFailed;
}

std::string ValueOf(const kube::StringMap& labels, const std::string& key) {
  for (const auto& [name, value] : labels) {
    if (name == key) return value;
  }
  return "(none)";
}

bool SlowEligible(const kube::Node& node, const kube::Pod& pod,
                  const kube::TopologySpreadConstraint& constraint) {
  for (const auto& other : pod.spec->spread_constraints) {
    if (other.when_unsatisfiable == constraint.when_unsatisfiable &&
        ValueOf(node.meta.labels, other.topology_key) == "(none)") {
      return false;
    }
  }
  if (constraint.node_affinity_policy == kube::NodeInclusionPolicy::kHonor &&
      !pod.spec->AdmitsNode(node.meta.name, node.meta.labels)) {
    return false;
  }
  if (constraint.node_taints_policy == kube::NodeInclusionPolicy::kIgnore) return true;
  for (const kube::Taint& taint : node.taints) {
    if (taint.effect == "PreferNoSchedule") continue;
    bool tolerated = false;
    for (const auto& toleration : pod.spec->tolerations) {
      tolerated = tolerated || kube::Tolerates(toleration, taint);
    }
    if (!tolerated) return false;
  }
  return true;
}

bool SlowSelects(const kube::Pod& pod, const kube::TopologySpreadConstraint& constraint,
                 const kube::Pod& other) {
  if (!constraint.selector || pod.meta.ns != other.meta.ns) return false;
  for (const std::string& key : constraint.match_label_keys) {
    const std::string own = ValueOf(pod.meta.labels, key);
    if (own != "(none)" && ValueOf(other.meta.labels, key) != own) return false;
  }
  return constraint.selector->Matches(other.meta.labels);
}

// The zones that are expected and not counted, although affinity would let the pod go there. Of
// zone "d" there is never a node: one with either disk could come.
std::string SlowAbsent(const ClusterParts& parts, const kube::Pod& pod,
                       const kube::TopologySpreadConstraint& constraint,
                       const std::map<std::string, std::int64_t>& counts) {
  std::string absent;
  if (constraint.topology_key != test::kZoneKey) return absent;
  for (const char* zone : {"a", "b", "c", "d"}) {
    if (counts.contains(zone)) continue;
    std::vector<kube::Node> nodes;
    for (const kube::Node& node : parts.nodes) {
      if (node.zone() == zone) nodes.push_back(node);
    }
    if (nodes.empty()) {
      for (const char* disk : {"hdd", "ssd"}) {
        nodes.emplace_back().meta.labels = {{"disk", disk}, {test::kZoneKey, zone}};
      }
    }
    bool admitted = constraint.node_affinity_policy == kube::NodeInclusionPolicy::kIgnore;
    for (const kube::Node& node : nodes) {
      admitted = admitted || pod.spec->AdmitsNode(node.meta.name, node.meta.labels);
    }
    if (admitted) absent += zone;
  }
  return absent;
}

// "Rollout one zone hard max 2: a=1 b=0 skew 1 absent cd 1", of one pod's constraint.
std::string SlowLine(const ClusterParts& parts, const kube::Pod& pod,
                     const kube::TopologySpreadConstraint& constraint) {
  std::map<std::string, std::int64_t> counts;
  for (const kube::Node& node : parts.nodes) {
    if (!SlowEligible(node, pod, constraint)) continue;
    std::int64_t& count = counts[ValueOf(node.meta.labels, constraint.topology_key)];
    for (const kube::Pod& other : parts.pods) {
      if (other.node_name == node.meta.name && Counts(other) &&
          SlowSelects(pod, constraint, other)) {
        ++count;
      }
    }
  }
  std::int64_t most = 0;
  std::int64_t least = 1'000'000;
  std::string text;
  for (const auto& [domain, count] : counts) {
    most = std::max(most, count);
    least = std::min(least, count);
    text += " " + domain + "=" + std::to_string(count);
  }
  const std::string absent = SlowAbsent(parts, pod, constraint, counts);
  const auto domains = static_cast<std::int64_t>(counts.size());
  if (domains == 0 || domains < constraint.min_domains.value_or(1)) least = 0;
  return pod.meta.ns + "/" + pod.owners.get()[0].name + " " + constraint.topology_key + " " +
         std::to_string(static_cast<int>(constraint.when_unsatisfiable)) + " max " +
         std::to_string(constraint.max_skew) + ":" + text + " skew " +
         std::to_string(most - least) + (most - least > constraint.max_skew ? " violated" : "") +
         " absent " + absent + " " +
         (constraint.topology_key != test::kZoneKey
              ? "-"
              : std::to_string(absent.empty() ? most - least : most));
}

std::string FastLine(const SpreadStatus& status) {
  std::string text;
  std::string absent;
  for (const std::string& zone : status.absent_zones) absent += zone;
  for (const DomainCount& domain : status.domains) {
    text += " " + domain.domain + "=" + std::to_string(domain.pods);
  }
  return status.workload.ns + "/" + status.workload.name + " " + status.topology_key + " " +
         std::to_string(static_cast<int>(status.when_unsatisfiable)) + " max " +
         std::to_string(status.max_skew) + ":" + text + " skew " + std::to_string(status.skew()) +
         (status.violated() ? " violated" : "") + " absent " + absent + " " +
         (status.expected_skew ? std::to_string(*status.expected_skew) : "-");
}

TEST(SpreadRandomTest, AgreesWithTheDefinition) {
  Dice dice(20240229);
  SpreadOptions options;
  options.expected_zones = {"a", "b", "c", "d"};
  std::size_t compared = 0;
  for (int round = 0; round < kRounds; ++round) {
    const ClusterParts parts = RandomCluster(dice);
    std::set<std::string> want;
    std::size_t carried = 0;  // a pair of pod and constraint each
    for (const kube::Pod& pod : parts.pods) {
      if (!Counts(pod) || pod.owners.empty()) continue;
      carried += pod.spec->spread_constraints.size();
      for (const auto& constraint : pod.spec->spread_constraints) {
        want.insert(SlowLine(parts, pod, constraint));
      }
    }
    std::set<std::string> got;
    std::int64_t carriers = 0;
    for (const SpreadStatus& status : MakeSpreadReport(parts.Build(), options).constraints) {
      got.insert(FastLine(status));
      carriers += status.carriers;
    }
    ASSERT_EQ(got, want) << "round " << round;
    ASSERT_EQ(carriers, static_cast<std::int64_t>(carried)) << "round " << round;
    compared += want.size();
  }
  EXPECT_GT(compared, 5000u);
}

}  // namespace
}  // namespace azexporter::zones
