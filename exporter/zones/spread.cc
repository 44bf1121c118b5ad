#include "azexporter/zones/spread.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "default_selectors.h"
#include "namespace_view.h"

namespace azexporter::zones {
namespace {

using kube::NodeInclusionPolicy;
using kube::TopologySpreadConstraint;

// What makes two pods' constraints one: the key of a group.
struct EffectiveConstraint {
  std::string topology_key;
  kube::WhenUnsatisfiable when_unsatisfiable = kube::WhenUnsatisfiable::kDoNotSchedule;
  std::optional<kube::LabelSelector> selector;
  std::int64_t max_skew = 1;
  std::int64_t min_domains = 1;
  bool cluster_default = false;
  bool pinned = false;
  Eligibility eligibility;

  bool operator==(const EffectiveConstraint&) const = default;
};

struct Group {
  std::uint32_t workload = 0;
  EffectiveConstraint constraint;
  std::int64_t carriers = 0;
  std::int64_t unschedulable = 0;
  bool self_match = false;
};

// How new a pod's template is. Not every field decides on its own: see RankOf.
using Rank = std::tuple<bool, std::int64_t, std::int64_t, std::string_view>;

struct Newest {
  Rank rank{false, std::numeric_limits<std::int64_t>::min(), 0, ""};
  std::optional<std::size_t> carried;  // number in carried_groups_
};

std::vector<std::string> KeysOf(const std::vector<TopologySpreadConstraint>& constraints,
                                kube::WhenUnsatisfiable when_unsatisfiable) {
  std::vector<std::string> keys;
  for (const TopologySpreadConstraint& constraint : constraints) {
    if (constraint.when_unsatisfiable == when_unsatisfiable)
      keys.push_back(constraint.topology_key);
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

EffectiveConstraint MakeEffective(const kube::Pod& pod, const TopologySpreadConstraint& constraint,
                                  std::vector<std::string> keys) {
  EffectiveConstraint effective;
  effective.topology_key = constraint.topology_key;
  effective.when_unsatisfiable = constraint.when_unsatisfiable;
  effective.max_skew = constraint.max_skew;
  effective.min_domains = constraint.min_domains.value_or(1);
  effective.eligibility.keys = std::move(keys);
  if (constraint.node_affinity_policy == NodeInclusionPolicy::kHonor) {
    effective.pinned = !pod.pinned_node.empty();
    effective.eligibility.node_selector = pod.spec->node_selector;
    effective.eligibility.node_affinity = pod.spec->required_node_affinity;
  }
  if (constraint.node_taints_policy == NodeInclusionPolicy::kHonor) {
    effective.eligibility.honor_taints = true;
    effective.eligibility.tolerations = pod.spec->tolerations;
  }
  return effective;
}

bool TemplatesMatch(const kube::Workload& replica_set, const kube::Workload& deployment) {
  auto want = deployment.template_labels.begin();
  const auto end = deployment.template_labels.end();
  for (const auto& label : replica_set.template_labels) {
    if (label.first == "pod-template-hash") continue;
    if (want == end || *want++ != label) return false;
  }
  return want == end && (replica_set.template_spec == deployment.template_spec ||
                         *replica_set.template_spec == *deployment.template_spec);
}

// Whether constraints of pods with this spec depend on their labels: default ones are for what
// selects the pod.
bool LabelsMatter(const kube::PodSpec& spec) {
  const auto& own = spec.spread_constraints;
  return own.empty() || std::any_of(own.begin(), own.end(), [](const auto& constraint) {
           return !constraint.match_label_keys.empty();
         });
}

// The last one by name of the youngest.
const SeenPod& YoungestOf(const PodRun& run) {
  const SeenPod* youngest = &run.front();
  for (const SeenPod& seen : run) {
    if (seen.created_ms >= youngest->created_ms) youngest = &seen;
  }
  return *youngest;
}

// Counts the pods of one namespace.
class SpreadCounter {
 public:
  SpreadCounter(const NamespaceView& view, const SpreadOptions& options)
      : view_(view), options_(options), nodes_(view.nodes), default_selectors_(view.cluster) {}

  SpreadReport Run() {
    Carried carried;
    for (const LabelSet& set : view_.sets.sets()) {
      for (const PodRun& run : set.runs) AddRun(run, *set.labels, carried);
    }
    std::vector<bool> is_newest(groups_.size());
    for (const Newest& newest : newest_) {
      if (!newest.carried) continue;
      for (const std::size_t group : carried_groups_[*newest.carried]) is_newest[group] = true;
    }
    report_.constraints.reserve(groups_.size());
    for (std::size_t i = 0; i < groups_.size(); ++i) {
      SpreadStatus status = StatusOf(groups_[i]);
      status.newest = is_newest[i];
      if (!groups_[i].constraint.pinned) CountDomains(groups_[i].constraint, status);
      report_.constraints.push_back(std::move(status));
    }
    return Summarise();
  }

 private:
  // Constraints that a pod carries, by number of group; the same for pods with the same spec and
  // controller, which stand together, and for some of them only with the same labels.
  struct Carried {
    const kube::PodSpec* spec = nullptr;
    const kube::Owner* controller = nullptr;
    const kube::StringMap* labels = nullptr;  // null: these do not matter
    std::uint32_t workload = WorkloadFinder::kNone;
    bool pinned = false;
    std::size_t number = 0;  // in carried_groups_
  };

  void AddRun(const PodRun& run, const kube::StringMap& labels, Carried& carried) {
    const kube::Pod& pod = *run.front().pod;
    const std::uint32_t workload = run.front().workload;
    if (workload == WorkloadFinder::kNone) return;
    const kube::Owner& controller = *kube::ControllerOf(pod.owners);
    const bool pinned = !pod.pinned_node.empty();
    if (carried.spec != pod.spec.get() || carried.workload != workload ||
        carried.pinned != pinned || (carried.labels != nullptr && carried.labels != &labels) ||
        (carried.controller != &controller && carried.controller->name != controller.name)) {
      carried = {.spec = pod.spec.get(),
                 .controller = &controller,
                 .labels = LabelsMatter(*pod.spec) ? &labels : nullptr,
                 .workload = workload,
                 .pinned = pinned,
                 .number = carried_groups_.size()};
      carried_groups_.push_back(GroupsOf(pod, workload));
    }
    for (const std::size_t number : carried_groups_[carried.number]) {
      Group& group = groups_[number];
      group.carriers += static_cast<std::int64_t>(run.size());
      for (const SeenPod& seen : run) group.unschedulable += seen.unschedulable ? 1 : 0;
      group.self_match = group.self_match || kube::Matches(group.constraint.selector, labels);
    }
    if (newest_.size() <= workload) newest_.resize(workload + 1);
    const Rank rank = RankOf(*YoungestOf(run).pod, controller, workload);
    Newest& newest = newest_[workload];
    if (newest.rank < rank) newest = {rank, carried.number};
  }

  // Pods of the current template first; of those the pods of the youngest ReplicaSet, which tells
  // ReplicaSets apart that differ in an image only; of those the youngest pod.
  Rank RankOf(const kube::Pod& pod, const kube::Owner& controller, std::uint32_t workload) {
    const kube::Workload* current = view_.finder.workload(workload);
    if (current == nullptr || current->kind != kube::WorkloadKind::kDeployment) {
      return {false, 0, pod.meta.created_ms, pod.meta.name};
    }
    if (ranked_set_name_ != controller.name || ranked_set_workload_ != workload) {
      ranked_set_name_ = controller.name;
      ranked_set_workload_ = workload;
      const kube::Workload* set =
          view_.cluster.FindWorkload(kube::WorkloadKind::kReplicaSet, pod.meta.ns, controller.name);
      ranked_set_current_ = set != nullptr && TemplatesMatch(*set, *current);
      ranked_set_created_ms_ = set == nullptr ? 0 : set->meta.created_ms;
    }
    return {ranked_set_current_, ranked_set_created_ms_, pod.meta.created_ms, pod.meta.name};
  }

  std::vector<std::size_t> GroupsOf(const kube::Pod& pod, std::uint32_t workload) {
    std::vector<std::size_t> groups;
    const auto& own = pod.spec->spread_constraints;
    for (const TopologySpreadConstraint& constraint : own) {
      EffectiveConstraint effective =
          MakeEffective(pod, constraint, KeysOf(own, constraint.when_unsatisfiable));
      effective.selector = EffectiveSelector(constraint, pod.meta.labels);
      groups.push_back(GroupOf(workload, std::move(effective)));
    }
    if (!own.empty() || options_.defaults.constraints.empty()) return groups;
    const std::optional<kube::LabelSelector> selector = default_selectors_.Of(pod);
    if (!selector) return groups;
    for (const TopologySpreadConstraint& constraint : options_.defaults.constraints) {
      EffectiveConstraint effective =
          MakeEffective(pod, constraint,
                        options_.defaults.all_keys_needed
                            ? KeysOf(options_.defaults.constraints, constraint.when_unsatisfiable)
                            : std::vector<std::string>{constraint.topology_key});
      effective.selector = selector;
      effective.cluster_default = true;
      groups.push_back(GroupOf(workload, std::move(effective)));
    }
    return groups;
  }

  std::size_t GroupOf(std::uint32_t workload, EffectiveConstraint effective) {
    if (groups_of_.size() <= workload) groups_of_.resize(workload + 1);
    for (const std::size_t number : groups_of_[workload]) {
      if (groups_[number].constraint == effective) return number;
    }
    groups_of_[workload].push_back(groups_.size());
    groups_.push_back({workload, std::move(effective), 0, 0, false});
    return groups_.size() - 1;
  }

  SpreadStatus StatusOf(const Group& group) const {
    const EffectiveConstraint& constraint = group.constraint;
    SpreadStatus status;
    status.workload = view_.finder.ref(group.workload);
    status.topology_key = constraint.topology_key;
    status.when_unsatisfiable = constraint.when_unsatisfiable;
    status.selector = kube::SelectorText(constraint.selector);
    status.max_skew = constraint.max_skew;
    status.min_domains = constraint.min_domains;
    status.cluster_default = constraint.cluster_default;
    status.self_match = group.self_match;
    status.pinned = constraint.pinned;
    status.honors_taints = constraint.eligibility.honor_taints;
    status.carriers = group.carriers;
    status.unschedulable = group.unschedulable;
    return status;
  }

  void CountDomains(const EffectiveConstraint& constraint, SpreadStatus& status) {
    Ground& ground = nodes_.GroundOf(constraint.eligibility);
    const Domains& domains = nodes_.Of(constraint.topology_key);
    std::vector<std::int64_t> counts = nodes_.EmptyCounts(ground, constraint.topology_key);
    for (const LabelSet* set : view_.sets.Matching(constraint.selector)) {
      for (const PodRun& run : set->runs) {
        for (const SeenPod& pod : run) {
          if (pod.node == NodeDomains::kNone || !ground.nodes[pod.node]) continue;
          ++counts[domains.of_node[pod.node]];
        }
      }
    }
    Judge(counts, status);
    if (status.domain_count <= static_cast<std::int64_t>(SpreadStatus::kMostDomains)) {
      KeepDomains(counts, domains, status);
    }
    if (IsZoneKey(constraint.topology_key) && !options_.expected_zones.empty()) {
      CompareWithExpected(counts, domains, ground, status);
    }
  }

  static void Judge(const std::vector<std::int64_t>& counts, SpreadStatus& status) {
    for (const std::int64_t count : counts) {
      if (count == Ground::kNotEligible) continue;
      status.least = status.domain_count == 0 ? count : std::min(status.least, count);
      status.most = std::max(status.most, count);
      ++status.domain_count;
    }
    if (status.domain_count < status.min_domains) status.least = 0;
  }

  static void KeepDomains(const std::vector<std::int64_t>& counts, const Domains& domains,
                          SpreadStatus& status) {
    status.domains.reserve(static_cast<std::size_t>(status.domain_count));
    for (std::size_t i = 0; i < counts.size(); ++i) {
      if (counts[i] == Ground::kNotEligible) continue;
      status.domains.push_back({std::string(domains.names[i]), counts[i]});
    }
    std::sort(status.domains.begin(), status.domains.end(),
              [](const DomainCount& a, const DomainCount& b) { return a.domain < b.domain; });
  }

  void CompareWithExpected(const std::vector<std::int64_t>& counts, const Domains& domains,
                           Ground& ground, SpreadStatus& status) const {
    for (const std::string& zone : options_.expected_zones) {
      const auto found = std::find(domains.names.begin(), domains.names.end(), zone);
      const auto number = static_cast<std::size_t>(found - domains.names.begin());
      const bool present = found != domains.names.end() && counts[number] != Ground::kNotEligible;
      if (!present && nodes_.MayUseZone(ground, zone)) status.absent_zones.push_back(zone);
    }
    status.expected_skew = status.absent_zones.empty() ? status.skew() : status.most;
  }

  SpreadReport Summarise() {
    auto& all = report_.constraints;
    const auto key = [](const SpreadStatus& status) {
      return std::tie(status.workload, status.topology_key, status.when_unsatisfiable);
    };
    std::stable_sort(all.begin(), all.end(), [&](const SpreadStatus& a, const SpreadStatus& b) {
      return std::tuple_cat(key(a), std::tuple(!a.newest), std::tie(a.selector)) <
             std::tuple_cat(key(b), std::tuple(!b.newest), std::tie(b.selector));
    });
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool another = i == 0 || key(all[i - 1]) != key(all[i]);
      if (another) {
        report_.summaries.push_back(
            {all[i].workload, all[i].topology_key, all[i].when_unsatisfiable, i});
      }
      Add(all[i], i, report_.summaries.back());
    }
    return std::move(report_);
  }

  static void Add(const SpreadStatus& status, std::size_t place, SpreadSummary& summary) {
    ++summary.count;
    if (status.newest && !summary.newest) summary.newest = place;
    summary.worst_skew = std::max(summary.worst_skew, status.skew());
    summary.violated = summary.violated || status.violated();
    if (status.expected_skew) {
      summary.worst_expected_skew =
          std::max(summary.worst_expected_skew.value_or(0), *status.expected_skew);
    }
  }

  const NamespaceView& view_;
  const SpreadOptions& options_;
  NodeDomains& nodes_;
  DefaultSelectors default_selectors_;
  SpreadReport report_;

  std::vector<Group> groups_;
  std::vector<std::vector<std::size_t>> groups_of_;  // by workload
  std::vector<Newest> newest_;                       // by workload
  std::vector<std::vector<std::size_t>> carried_groups_;

  // The ReplicaSet that RankOf saw last.
  std::string_view ranked_set_name_;
  std::uint32_t ranked_set_workload_ = WorkloadFinder::kNone;
  bool ranked_set_current_ = false;
  std::int64_t ranked_set_created_ms_ = 0;
};

}  // namespace

DefaultConstraints SystemDefaultConstraints() {
  TopologySpreadConstraint host;
  host.topology_key = "kubernetes.io/hostname";
  host.max_skew = 3;
  host.when_unsatisfiable = kube::WhenUnsatisfiable::kScheduleAnyway;
  TopologySpreadConstraint zone = host;
  zone.topology_key = "topology.kubernetes.io/zone";
  zone.max_skew = 5;
  return {{host, zone}, false};
}

std::int64_t SpreadStatus::PendingWithout(std::string_view domain) const {
  const bool hard = when_unsatisfiable == kube::WhenUnsatisfiable::kDoNotSchedule;
  // The minimum rises with the pods placed where the dead domain does not hold it at 0.
  const bool held_at_zero = !honors_taints || domain_count - 1 < min_domains;
  if (!hard || !self_match || !held_at_zero) return 0;
  std::int64_t displaced = 0;
  std::int64_t room = 0;
  for (const DomainCount& count : domains) {
    if (count.domain == domain) {
      displaced = count.pods;
    } else {
      room += std::max<std::int64_t>(0, max_skew - count.pods);
    }
  }
  return std::max<std::int64_t>(0, displaced - room);
}

SpreadReport SpreadIn(const NamespaceView& view, const SpreadOptions& options) {
  return SpreadCounter(view, options).Run();
}

std::optional<kube::LabelSelector> EffectiveSelector(const TopologySpreadConstraint& constraint,
                                                     const kube::StringMap& pod_labels) {
  std::optional<kube::LabelSelector> selector = constraint.selector;
  if (!selector) return selector;
  for (const std::string& key : constraint.match_label_keys) {
    const std::string* value = kube::Find(pod_labels, key);
    if (value == nullptr) continue;
    kube::Requirement demanded{key, kube::SelectorOp::kIn, {*value}};
    // Newer API servers write it into the pod's selector themselves.
    const auto& have = selector->requirements;
    if (std::find(have.begin(), have.end(), demanded) != have.end()) continue;
    selector->requirements.push_back(std::move(demanded));
  }
  return selector;
}

}  // namespace azexporter::zones
