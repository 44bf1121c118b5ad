#pragma once

// Placement read plainly from its rules: every pod asks every node, and everything is counted anew
// each time. Shares nothing with PlacementModel; for tests.

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "placement_helpers.h"

namespace azexporter::zones {

inline std::string ValueOf(const kube::StringMap& labels, const std::string& key) {
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
    Number({parts.pods.begin(), parts.pods.end()});
    std::sort(displaced_.begin(), displaced_.end(), [&](const kube::Pod& a, const kube::Pod& b) {
      return std::tuple(-a.spec->priority, -Share(a), a.meta.ns, a.meta.name) <
             std::tuple(-b.spec->priority, -Share(b), b.meta.ns, b.meta.name);
    });
  }

  // "shop/w1 topology_spread() 3; placed 4 of 7; bare 1; free 100 200 3 0, most 100 100 2 0"
  std::string Run() {
    std::map<std::string, int> unplaced;
    int placed = 0;
    for (const kube::Pod& pod : displaced_) {
      Furthest furthest;
      if (Place(pod, furthest)) {
        ++placed;
      } else {
        ++unplaced[pod.meta.ns + "/" + pod.owners.get()[0].name + " " +
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

  // The pods on nodes in order of namespace and name; those next to each other that are the same to
  // the scheduler and to their controller have one number.
  void Number(std::vector<kube::Pod> pods) {
    std::erase_if(pods, [&](const kube::Pod& pod) {
      return NodeOf(pod) == nullptr || pod.phase == kube::PodPhase::kFailed;
    });
    std::sort(pods.begin(), pods.end(), [](const kube::Pod& a, const kube::Pod& b) {
      return std::tie(a.meta.ns, a.meta.name) < std::tie(b.meta.ns, b.meta.name);
    });
    for (std::size_t i = 0; i < pods.size(); ++i) {
      if (i == 0 || !SameGroup(pods[i - 1], pods[i])) ++groups_;
      group_of_[{pods[i].meta.ns, pods[i].meta.name}] = groups_;
    }
  }

  static bool SameGroup(const kube::Pod& a, const kube::Pod& b) {
    const auto owner = [](const kube::Pod& pod) {
      return pod.owners.empty() ? std::pair<std::string, std::string>()
                                : std::pair(pod.owners.get()[0].kind, pod.owners.get()[0].name);
    };
    return a.spec == b.spec && a.meta.ns == b.meta.ns && a.meta.labels == b.meta.labels &&
           a.claims == b.claims && owner(a) == owner(b) &&
           a.meta.terminating == b.meta.terminating &&
           a.pinned_node.empty() == b.pinned_node.empty();
  }

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
    } else if (!pod.pinned_node.empty() ||
               (!pod.owners.empty() && pod.owners.get()[0].kind == "Node")) {
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

  // FNV-1a of the workload, by which it begins with a zone and a node of its own.
  static std::uint64_t TurnOf(const kube::Pod& pod) {
    const kube::Owner& owner = pod.owners.get()[0];
    std::uint64_t hash = 14'695'981'039'346'656'037U;
    for (const char c : pod.meta.ns + "/" + owner.kind + "/" + owner.name) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 1'099'511'628'211U;
    }
    return hash;
  }

  // The pods of a group take turns together.
  void BeginTurn(const kube::Pod& pod, const std::set<std::pair<std::string, std::string>>& parts) {
    const int group = group_of_.at({pod.meta.ns, pod.meta.name});
    if (std::exchange(turn_of_, group) == group) return;
    next_part_ = TurnOf(pod) % parts.size();
    std::size_t part = 0;
    for (const auto& key : parts) {
      std::vector<std::size_t> in_part;
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        if (PartOf(nodes_[i]) == key) in_part.push_back(i);
      }
      next_node_[part++] = in_part[TurnOf(pod) / parts.size() % in_part.size()];
    }
  }

  bool Place(const kube::Pod& pod, Furthest& furthest) {
    std::set<std::pair<std::string, std::string>> parts;
    for (const kube::Node& node : nodes_) parts.insert(PartOf(node));
    BeginTurn(pod, parts);
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
  std::map<std::pair<std::string, std::string>, int> group_of_;  // by pod
  int groups_ = 0;
  int turn_of_ = 0;  // the group
  std::size_t next_part_ = 0;
  std::map<std::size_t, std::size_t> next_node_;
};

}  // namespace azexporter::zones
