// az_topology_spread_*: how evenly the pods of each workload are spread, as kube-scheduler counts,
// and what is spread by no rule or against one.

#include <algorithm>
#include <array>
#include <map>

#include "../collectors.h"
#include "../family_builder.h"
#include "azexporter/zones/held_back.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 5> kConstraint = {"namespace", "workload_kind", "workload",
                                                         "topology_key", "when_unsatisfiable"};
constexpr std::array<std::string_view, 4> kHard = {"namespace", "workload_kind", "workload",
                                                   "topology_key"};
constexpr std::array<std::string_view, 4> kReason = {"namespace", "workload_kind", "workload",
                                                     "reason"};
constexpr std::array<std::string_view, 4> kZone = {"namespace", "workload_kind", "workload",
                                                   "zone"};

constexpr std::string_view kGapsValues[] = {"no_rule", "never_binds"};
constexpr model::LabelValues kGaps[] = {{"reason", kGapsValues}};
constexpr std::string_view kWhenValues[] = {"DoNotSchedule", "ScheduleAnyway"};
constexpr model::LabelValues kWhen[] = {{"when_unsatisfiable", kWhenValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"az_anti_affinity_violations",
     "Pods that stand together in the zone though required anti-affinity of the workload forbids "
     "it "
     "now.",
     model::MetricType::kGauge, kZone, model::kNumber},
    {"az_topology_spread_constraint_missing",
     "1 for a workload that wants more than one replica and that no rule of its own spreads over "
     "zones: it has none (no_rule), or they miss its own pods (never_binds).",
     model::MetricType::kGauge, kReason, model::kAlwaysOne, kGaps},
    {"az_topology_spread_domains",
     "Domains of the constraint with a node that its pods may run on, for the newest template.",
     model::MetricType::kGauge, kConstraint, model::kNumber, kWhen},
    {"az_topology_spread_held_back_pods",
     "Pods without a node that a hard constraint over zones keeps from all others, because a zone "
     "that takes no pods still counts with 0.",
     model::MetricType::kGauge, kHard, model::kNumber},
    {"az_topology_spread_max_skew", "The maxSkew of the constraint, for the newest template.",
     model::MetricType::kGauge, kConstraint, model::kNumber, kWhen},
    {"az_topology_spread_skew",
     "Pods of the fullest domain minus the scheduler's global minimum; of templates that differ "
     "the "
     "largest.",
     model::MetricType::kGauge, kConstraint, model::kAnyValue, kWhen},
    {"az_topology_spread_skew_expected_zones",
     "The skew over zones if every expected zone counted, with 0 pods where the scheduler does not "
     "see it.",
     model::MetricType::kGauge, kConstraint, model::kAnyValue, kWhen},
    {"az_topology_spread_violated",
     "Whether the skew is above maxSkew, for any template; the scheduler looks only when it places "
     "a pod.",
     model::MetricType::kGauge, kConstraint, model::kFlag, kWhen},
};

enum Family {
  kAntiAffinity,
  kMissing,
  kDomains,
  kHeldBack,
  kMaxSkew,
  kSkew,
  kSkewExpected,
  kViolated
};
using Families = std::vector<FamilyBuilder>;

std::int64_t HeldBackPods(const zones::ZoneReport& report, const zones::SpreadReport& spread,
                          const zones::SpreadSummary& summary) {
  std::int64_t pods = 0;
  for (std::size_t i = summary.first; i < summary.first + summary.count; ++i) {
    const zones::SpreadStatus& status = spread.constraints[i];
    if (!zones::HoldingBack(report, status).empty()) pods += status.unschedulable;
  }
  return pods;
}

void AddSummary(Families& families, const zones::ZoneReport& report,
                const zones::SpreadReport& spread, const zones::SpreadSummary& summary) {
  const bool hard = summary.when_unsatisfiable == kube::WhenUnsatisfiable::kDoNotSchedule;
  const zones::WorkloadRef& ref = summary.workload;
  const auto add = [&](Family family, std::int64_t value) {
    families[family].Add({ref.ns, ref.kind, ref.name, summary.topology_key,
                          hard ? "DoNotSchedule" : "ScheduleAnyway"},
                         static_cast<double>(value));
  };
  const zones::SpreadStatus& newest = spread.constraints[summary.newest.value_or(summary.first)];
  add(kDomains, newest.domain_count);
  add(kMaxSkew, newest.max_skew);
  add(kSkew, summary.worst_skew);
  add(kViolated, summary.violated ? 1 : 0);
  if (summary.worst_expected_skew) add(kSkewExpected, *summary.worst_expected_skew);
  if (hard && zones::IsZoneKey(summary.topology_key)) {
    families[kHeldBack].Add({ref.ns, ref.kind, ref.name, summary.topology_key},
                            static_cast<double>(HeldBackPods(report, spread, summary)));
  }
}

// Several terms may forbid it in one zone: the most pods are told.
void AddAntiAffinity(FamilyBuilder& family, const zones::NamespaceReport& ns) {
  std::map<std::pair<zones::WorkloadRef, std::string>, std::int64_t> most;
  for (const zones::AntiAffinityViolation& violation : ns.anti_affinity) {
    std::int64_t& pods = most[{violation.workload, violation.zone}];
    pods = std::max(pods, violation.pods);
  }
  for (const auto& [key, pods] : most) {
    const auto& [ref, zone] = key;
    family.Add({ref.ns, ref.kind, ref.name, zone}, static_cast<double>(pods));
  }
}

Collected Collect(const CollectorInputs& inputs) {
  const zones::ZoneReport& report = inputs.report;
  Collected collected;
  const Ground ground = GroundOf(report, report.workloads);
  collected.fault = ground.fault;
  if (!ground.known) return collected;
  Families families;
  for (const model::MetricDesc& desc : kFamilies) families.emplace_back(desc);
  for (const auto& ns : report.namespaces) {
    for (const zones::SpreadSummary& summary : ns->spread.summaries) {
      AddSummary(families, report, ns->spread, summary);
    }
    for (const zones::UnspreadWorkload& unspread : ns->unspread) {
      const zones::WorkloadRef& ref = unspread.workload;
      families[kMissing].Add({ref.ns, ref.kind, ref.name, zones::SpreadGapName(unspread.gap)}, 1);
    }
    AddAntiAffinity(families[kAntiAffinity], *ns);
  }
  for (FamilyBuilder& family : families) collected.families.push_back(family.Take());
  return collected;
}

}  // namespace

const Collector& SpreadCollector() {
  static constexpr Collector kRow = {"spread", "How evenly the pods of each workload are spread.",
                                     kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
