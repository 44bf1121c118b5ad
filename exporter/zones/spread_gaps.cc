#include "azexporter/zones/spread_gaps.h"

#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "affinity_terms.h"
#include "default_selectors.h"
#include "namespace_view.h"

namespace azexporter::zones {
namespace {

bool LooksInto(const kube::PodAffinityTerm& term, const std::string& own) {
  if (EveryNamespace(term)) return true;
  const auto namespaces = NamespacesOf(term, own);
  return std::find(namespaces.begin(), namespaces.end(), own) != namespaces.end();
}

struct Rules {
  bool any = false;    // over zones
  bool binds = false;  // one of them counts the workload's own pods
};

// Template labels may lack what the controller adds, such as pod-template-hash; matchLabelKeys of
// those bind, since pods of one template have them alike.
Rules RulesOf(const kube::PodSpec& spec, const kube::StringMap& labels, const std::string& ns) {
  Rules rules;
  for (const kube::TopologySpreadConstraint& constraint : spec.spread_constraints) {
    if (!IsZoneKey(constraint.topology_key)) continue;
    rules.any = true;
    rules.binds = rules.binds || kube::Matches(constraint.selector, labels);
  }
  for (const auto* terms : {&spec.required_anti_affinity, &spec.preferred_anti_affinity}) {
    for (const kube::PodAffinityTerm& term : *terms) {
      if (!IsZoneKey(term.topology_key)) continue;
      rules.any = true;
      rules.binds = rules.binds ||
                    (LooksInto(term, ns) && kube::Matches(EffectiveSelector(term, labels), labels));
    }
  }
  return rules;
}

const kube::Pod* YoungestOf(const WorkloadPods& group) {
  const SeenPod* youngest = nullptr;
  for (const PodRun& run : group.runs) {
    for (const SeenPod& seen : run) {
      if (youngest == nullptr || seen.created_ms > youngest->created_ms) youngest = &seen;
    }
  }
  return youngest == nullptr ? nullptr : youngest->pod;
}

std::int64_t ReplicasOf(const WorkloadPods& group) {
  if (group.workload != nullptr) return group.workload->finished ? 0 : group.workload->desired;
  return std::accumulate(group.runs.begin(), group.runs.end(), std::int64_t{0},
                         [](std::int64_t sum, const PodRun& run) {
                           return sum + static_cast<std::int64_t>(run.size());
                         });
}

bool HasZoneKey(const DefaultConstraints& defaults) {
  return std::any_of(defaults.constraints.begin(), defaults.constraints.end(),
                     [](const auto& constraint) { return IsZoneKey(constraint.topology_key); });
}

}  // namespace

std::string_view SpreadGapName(SpreadGap gap) {
  switch (gap) {
    case SpreadGap::kNoRule:
      return "no_rule";
    case SpreadGap::kNeverBinds:
      return "never_binds";
  }
  return "no_rule";
}

std::vector<UnspreadWorkload> UnspreadIn(const NamespaceView& view,
                                         const DefaultConstraints& defaults) {
  const bool zone_default = HasZoneKey(defaults);
  DefaultSelectors selectors(view.cluster);
  std::vector<UnspreadWorkload> found;
  for (const WorkloadPods& group : view.workloads) {
    if (group.ref.kind == "DaemonSet") continue;
    const std::int64_t replicas = ReplicasOf(group);
    if (replicas <= 1) continue;
    const kube::Pod* youngest = YoungestOf(group);
    const kube::PodSpec& spec =
        group.workload != nullptr ? *group.workload->template_spec : *youngest->spec;
    const kube::StringMap& labels =
        group.workload != nullptr ? group.workload->template_labels : youngest->meta.labels.get();
    const Rules rules = RulesOf(spec, labels, group.ref.ns);
    if (rules.binds) continue;
    const bool default_applies = zone_default && spec.spread_constraints.empty() &&
                                 youngest != nullptr && selectors.Of(*youngest);
    found.push_back({group.ref, rules.any ? SpreadGap::kNeverBinds : SpreadGap::kNoRule, replicas,
                     default_applies});
  }
  return found;
}

namespace {

using Selector = std::optional<kube::LabelSelector>;

// Pods of one workload with one term, which is the same one for all of them.
struct Carriers {
  const kube::PodAffinityTerm* term = nullptr;
  Selector selector;
  std::vector<PodRun> runs;
};

struct OtherNamespace {
  explicit OtherNamespace(std::vector<SeenPod> seen) : pods(std::move(seen)), sets(RunsOf(pods)) {}
  const std::vector<SeenPod> pods;
  const LabelSets sets;
};

class AntiAffinityChecker {
 public:
  explicit AntiAffinityChecker(const NamespaceView& view) : view_(view), cluster_(view.cluster) {}

  void Check(const WorkloadPods& group) {
    std::vector<Carriers> all;
    for (const PodRun& run : group.runs) {
      const kube::Pod& pod = *run.front().pod;
      for (const kube::PodAffinityTerm& term : pod.spec->required_anti_affinity) {
        if (IsZoneKey(term.topology_key)) CarriersOf(all, term, pod).runs.push_back(run);
      }
    }
    for (const Carriers& carriers : all) Judge(group.ref, carriers);
  }

  std::vector<AntiAffinityViolation> Take() { return std::move(violations_); }

 private:
  struct Zone {
    std::int64_t carriers = 0;
    std::int64_t matching = 0;
    std::int64_t both = 0;
    // A pod conflicts with every other one that it forbids, never with itself.
    std::int64_t together() const { return carriers + matching - both; }
    bool violated() const { return carriers > 0 && matching > 0 && together() > 1; }
  };

  static Carriers& CarriersOf(std::vector<Carriers>& all, const kube::PodAffinityTerm& term,
                              const kube::Pod& pod) {
    Selector selector = EffectiveSelector(term, pod.meta.labels);
    for (Carriers& carriers : all) {
      if (*carriers.term == term && carriers.selector == selector) return carriers;
    }
    return all.emplace_back(Carriers{&term, std::move(selector), {}});
  }

  static std::string_view DomainOf(const SeenPod& pod, const Domains& domains) {
    if (pod.node == NodeDomains::kNone) return {};
    const std::uint32_t domain = domains.of_node[pod.node];
    return domain == Domains::kNone ? std::string_view() : domains.names[domain];
  }

  void Judge(const WorkloadRef& workload, const Carriers& carriers) {
    const std::string& key = carriers.term->topology_key;
    const Domains& domains = view_.nodes.Of(key);
    std::map<std::string_view, Zone> zones;
    const bool into_own = LooksInto(*carriers.term, workload.ns);
    for (const PodRun& run : carriers.runs) {
      const bool matches =
          into_own && kube::Matches(carriers.selector, run.front().pod->meta.labels);
      for (const SeenPod& seen : run) {
        Zone& zone = zones[DomainOf(seen, domains)];
        ++zone.carriers;
        if (matches) ++zone.both;
      }
    }
    for (const LabelSets* sets : NamespacesIn(*carriers.term, workload.ns)) {
      for (const LabelSet* set : sets->Matching(carriers.selector)) {
        for (const PodRun& run : set->runs) {
          for (const SeenPod& seen : run) ++zones[DomainOf(seen, domains)].matching;
        }
      }
    }
    for (const auto& [name, zone] : zones) {
      if (name.empty() || !zone.violated()) continue;
      violations_.push_back({workload, key, std::string(name), zone.together()});
    }
  }

  std::vector<const LabelSets*> NamespacesIn(const kube::PodAffinityTerm& term,
                                             const std::string& own) {
    std::vector<const LabelSets*> found;
    if (!EveryNamespace(term)) {
      for (const std::string& ns : NamespacesOf(term, own)) found.push_back(&SetsOf(ns));
      return found;
    }
    const auto& pods = cluster_.pods();
    for (std::size_t i = 0; i < pods.size(); i += cluster_.PodsIn(pods[i]->meta.ns).size()) {
      found.push_back(&SetsOf(pods[i]->meta.ns));
    }
    return found;
  }

  const LabelSets& SetsOf(const std::string& ns) {
    if (ns == view_.ns) return view_.sets;
    std::unique_ptr<const OtherNamespace>& other = others_[ns];
    if (!other) other = std::make_unique<const OtherNamespace>(SeePods(cluster_, ns, view_.nodes));
    return other->sets;
  }

  const NamespaceView& view_;
  const kube::ClusterState& cluster_;
  std::map<std::string, std::unique_ptr<const OtherNamespace>> others_;
  std::vector<AntiAffinityViolation> violations_;
};

}  // namespace

std::vector<AntiAffinityViolation> AntiAffinityIn(const NamespaceView& view) {
  AntiAffinityChecker checker(view);
  for (const WorkloadPods& group : view.workloads) checker.Check(group);
  return checker.Take();
}

}  // namespace azexporter::zones
