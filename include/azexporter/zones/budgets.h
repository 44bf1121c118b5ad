#pragma once

// What the PodDisruptionBudgets say, and what would be left of each if a zone went.
// Semantics: kubernetes.io/docs/tasks/run-application/configure-pdb. A budget keeps nobody from
// losing a zone; it says how many healthy pods its owner cannot do without.
//
// Thread safety: values.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace azexporter::zones {

struct BudgetStatus {
  std::string ns;
  std::string name;
  // As the disruption controller counted them, the families of kube-state-metrics.
  std::int64_t current_healthy = 0;
  std::int64_t desired_healthy = 0;
  std::int64_t disruptions_allowed = 0;
  std::int64_t expected_pods = 0;
  std::int64_t observed_generation = 0;
  bool outdated = false;  // the numbers are of an older generation than the budget

  std::int64_t selected_pods = 0;  // neither finished nor terminating
  // Ready ones of them by zone; "" where they have none.
  std::map<std::string, std::int64_t, std::less<>> ready_by_zone;

  bool selects_nothing() const { return selected_pods == 0; }
  // Whatever the pods' health: it wants as many healthy as there are. A drain never ends.
  bool blocks_always = false;
  // For now; it may be that only a pod is not healthy.
  bool blocks_now() const { return expected_pods > 0 && disruptions_allowed == 0; }
  // Other budgets of the namespace that select one of its pods: such a pod cannot be evicted at
  // all. Sorted.
  std::vector<std::string> overlaps;

  // Healthy pods above what is wanted if the zone went; negative: the budget would be broken.
  std::int64_t HeadroomWithout(std::string_view zone) const;

  bool operator==(const BudgetStatus&) const = default;
};

}  // namespace azexporter::zones
