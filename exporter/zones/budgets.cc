#include "azexporter/zones/budgets.h"

#include <algorithm>
#include <set>
#include <unordered_map>

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
    status.selected_pods += static_cast<std::int64_t>(set->pods.size());
    for (const SeenPod* pod : set->pods) ready[pod->zone] += pod->ready ? 1 : 0;
  }
  status.ready_by_zone = ready.ToMap();
}

}  // namespace

std::int64_t BudgetStatus::HeadroomWithout(std::string_view zone) const {
  const auto found = ready_by_zone.find(zone);
  const std::int64_t lost = found == ready_by_zone.end() ? 0 : found->second;
  return current_healthy - lost - desired_healthy;
}

std::vector<BudgetStatus> BudgetsIn(const NamespaceView& view) {
  std::vector<BudgetStatus> all;
  std::unordered_map<const LabelSet*, std::vector<std::size_t>> selected_by;
  for (const auto& budget : view.cluster.budgets().In(view.ns)) {
    const auto selected = view.sets.Matching(budget->selector);
    for (const LabelSet* set : selected) selected_by[set].push_back(all.size());
    BudgetStatus& status = all.emplace_back(StatusOf(*budget));
    CountPods(view, selected, status);
    status.blocks_always = BlocksAlways(*budget);
  }
  std::vector<std::set<std::string>> overlaps(all.size());
  for (const auto& [set, by] : selected_by) {
    for (const std::size_t one : by) {
      for (const std::size_t other : by) {
        if (one != other) overlaps[one].insert(all[other].name);
      }
    }
  }
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].overlaps.assign(overlaps[i].begin(), overlaps[i].end());
  }
  return all;
}

}  // namespace azexporter::zones
