// kube_poddisruptionbudget_*: the budgets, named as kube-state-metrics names them; az_pdb_*: what
// would be left of each without a zone, and what is wrong with it.

#include <array>

#include "../collectors.h"
#include "../family_builder.h"

namespace azexporter::collect {
namespace {

constexpr std::array<std::string_view, 2> kBudget = {"namespace", "poddisruptionbudget"};
constexpr std::array<std::string_view, 3> kBudgetZone = {"namespace", "poddisruptionbudget",
                                                         "zone"};
constexpr std::array<std::string_view, 3> kBudgetReason = {"namespace", "poddisruptionbudget",
                                                           "reason"};

constexpr std::string_view kProblemsValues[] = {"selects_nothing", "overlaps", "blocks_always"};
constexpr model::LabelValues kProblems[] = {{"reason", kProblemsValues}};

constexpr model::MetricDesc kFamilies[] = {
    {"az_pdb_problem",
     "Whether the budget has the problem: it selects no pod (selects_nothing), it shares pods with "
     "another one, which the API then never evicts (overlaps), it wants as many healthy pods as "
     "there are (blocks_always).",
     model::MetricType::kGauge, kBudgetReason, model::kFlag, kProblems},
    {"az_pdb_zone_headroom",
     "Healthy pods above what the budget wants if the zone were lost; negative where the budget "
     "would then be broken.",
     model::MetricType::kGauge, kBudgetZone},
    {"kube_poddisruptionbudget_status_current_healthy", "Current number of healthy pods.",
     model::MetricType::kGauge, kBudget, model::kNumber},
    {"kube_poddisruptionbudget_status_desired_healthy", "Minimum desired number of healthy pods.",
     model::MetricType::kGauge, kBudget, model::kNumber},
    {"kube_poddisruptionbudget_status_expected_pods",
     "Total number of pods counted by this disruption budget.", model::MetricType::kGauge, kBudget,
     model::kNumber},
    {"kube_poddisruptionbudget_status_observed_generation",
     "Most recent generation observed when updating this PDB status.", model::MetricType::kGauge,
     kBudget, model::kNumber},
    {"kube_poddisruptionbudget_status_pod_disruptions_allowed",
     "Number of pod disruptions that are currently allowed.", model::MetricType::kGauge, kBudget,
     model::kNumber},
};

enum Family {
  kProblem,
  kHeadroom,
  kCurrentHealthy,
  kDesiredHealthy,
  kExpectedPods,
  kObservedGeneration,
  kDisruptionsAllowed
};
using Families = std::vector<FamilyBuilder>;

void AddBudget(Families& families, const zones::BudgetStatus& budget,
               const zones::ZoneReport& report) {
  const auto add = [&](Family family, std::int64_t value) {
    families[family].Add({budget.ns, budget.name}, static_cast<double>(value));
  };
  add(kCurrentHealthy, budget.current_healthy);
  add(kDesiredHealthy, budget.desired_healthy);
  add(kExpectedPods, budget.expected_pods);
  add(kObservedGeneration, budget.observed_generation);
  add(kDisruptionsAllowed, budget.disruptions_allowed);
  for (const auto& [reason, holds] : {std::pair("selects_nothing", budget.selects_nothing()),
                                      std::pair("overlaps", !budget.overlaps.empty()),
                                      std::pair("blocks_always", budget.blocks_always)}) {
    families[kProblem].Add({budget.ns, budget.name, reason}, holds ? 1 : 0);
  }
  for (const zones::ZoneStatus& zone : report.zones) {
    families[kHeadroom].Add({budget.ns, budget.name, zone.zone},
                            static_cast<double>(budget.HeadroomWithout(zone.zone)));
  }
}

Collected Collect(const CollectorInputs& inputs) {
  const zones::ZoneReport& report = inputs.report;
  Collected collected;
  const Ground ground = GroundOf(report, report.budgets);
  collected.fault = ground.fault;
  if (!ground.known) return collected;
  Families families;
  for (const model::MetricDesc& desc : kFamilies) families.emplace_back(desc);
  for (const auto& ns : report.namespaces) {
    for (const zones::BudgetStatus& budget : ns->budgets) AddBudget(families, budget, report);
  }
  for (FamilyBuilder& family : families) collected.families.push_back(family.Take());
  return collected;
}

}  // namespace

const Collector& BudgetsCollector() {
  static constexpr Collector kRow = {
      "budgets", "Disruption budgets, and what a zone leaves of them.", kFamilies, &Collect};
  return kRow;
}

}  // namespace azexporter::collect
