#include "azexporter/zones/budgets.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "by_zone.h"
#include "namespace_view.h"

namespace azexporter::zones {
namespace {

BudgetStatus StatusOf(const kube::PodDisruptionBudget& budget) {
  BudgetStatus status;
  status.ns = budget.meta.ns;
  status.name = budget.meta.name;
  status.current_healthy = budget.current_healthy;
  status.desired_healthy = budget.desired_healthy;
  status.disruptions_allowed = budget.disruptions_allowed;
  status.expected_pods = budget.expected_pods;
  status.observed_generation = budget.observed_generation;
  status.outdated = budget.observed_generation < budget.generation;
  return status;
}

// A percentage of maxUnavailable is rounded up, hence only 0 % of pods is none.
bool BlocksAlways(const kube::PodDisruptionBudget& budget) {
  if (budget.expected_pods == 0) return false;
  if (budget.max_unavailable) return budget.max_unavailable->Of(budget.expected_pods) <= 0;
  return budget.min_available &&
         budget.min_available->Of(budget.expected_pods) >= budget.expected_pods;
}

void CountPods(const NamespaceView& view, const std::vector<const LabelSet*>& selected,
               BudgetStatus& status) {
  ByZone<std::int64_t> ready(view.nodes.zones());
  for (const LabelSet* set : selected) {
    for (const PodRun& run : set->runs) {
      status.selected_pods += static_cast<std::int64_t>(run.size());
      for (const SeenPod& pod : run) ready[pod.zone] += pod.ready ? 1 : 0;
    }
  }
  status.ready_by_zone = ready.ToMap();
}

// Of pods by a budget, which is told by its number.
using Selection = std::pair<const LabelSet*, std::size_t>;

void AddOverlaps(std::vector<Selection> selections, std::vector<BudgetStatus>& all) {
  std::vector<std::set<std::string>> overlaps(all.size());
  std::sort(selections.begin(), selections.end());
  for (auto first = selections.begin(); first != selections.end();) {
    const auto end = std::find_if(first, selections.end(), [&](const auto& selection) {
      return selection.first != first->first;
    });
    for (auto one = first; one != end; ++one) {
      for (auto other = first; other != end; ++other) {
        if (one != other) overlaps[one->second].insert(all[other->second].name);
      }
    }
    first = end;
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].overlaps.assign(overlaps[i].begin(), overlaps[i].end());
  }
}

}  // namespace

std::int64_t BudgetStatus::HeadroomWithout(std::string_view zone) const {
  const auto found = ready_by_zone.find(zone);
  const std::int64_t lost = found == ready_by_zone.end() ? 0 : found->second;
  return current_healthy - lost - desired_healthy;
}

std::vector<BudgetStatus> BudgetsIn(const NamespaceView& view) {
  const auto budgets = view.cluster.budgets().In(view.ns);
  std::vector<BudgetStatus> all;
  all.reserve(budgets.size());
  std::vector<Selection> selections;
  for (const auto& budget : budgets) {
    const auto selected = view.sets.Matching(budget->selector);
    for (const LabelSet* set : selected) selections.emplace_back(set, all.size());
    BudgetStatus& status = all.emplace_back(StatusOf(*budget));
    CountPods(view, selected, status);
    status.blocks_always = BlocksAlways(*budget);
  }
  AddOverlaps(std::move(selections), all);
  return all;
}

}  // namespace azexporter::zones
