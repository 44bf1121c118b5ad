#include "simulator/eviction.h"

#include <fmt/format.h>

#include <vector>

namespace azexporter::simulator {
namespace {

std::vector<ObjectPtr> BudgetsOf(const Store& store, const Json& pod, const std::string& ns) {
  std::vector<ObjectPtr> budgets =
      store.List(*FindKind("policy/v1", "PodDisruptionBudget"), ns).items;
  std::erase_if(budgets, [&](const ObjectPtr& budget) {
    const LabelSelector selector = LabelSelector::FromObject(Find(*budget, {"spec", "selector"}));
    return !selector.Matches(Find(pod, {"metadata", "labels"}));
  });
  return budgets;
}

ApiError WouldViolate(const Json& budget) {
  Json cause = {{"reason", "DisruptionBudget"},
                {"message", fmt::format("The disruption budget {} needs {} healthy pods and has {} "
                                        "currently",
                                        StringAt(budget, {"metadata", "name"}),
                                        IntAt(budget, {"status", "desiredHealthy"}),
                                        IntAt(budget, {"status", "currentHealthy"}))}};
  Json details = Json::object();
  details["causes"] = Json::array();
  details["causes"].push_back(std::move(cause));
  return {429, "TooManyRequests",
          "Cannot evict pod as it would violate the pod's disruption budget.", std::move(details)};
}

}  // namespace

ApiResult<void> Evict(Store& store, const ResourcePath& path, bool dry_run) {
  const ObjectPtr pod = store.Get(path.Key());
  if (pod == nullptr) return tl::unexpected(ObjectNotFound(*path.type, path.name));
  const std::vector<ObjectPtr> budgets = BudgetsOf(store, *pod, path.ns);
  if (budgets.size() > 1) {
    return tl::unexpected(
        Internal("This pod has more than one PodDisruptionBudget, which the eviction subresource "
                 "does not support."));
  }
  if (!budgets.empty()) {
    const Json& budget = *budgets.front();
    if (IntAt(budget, {"status", "disruptionsAllowed"}) <= 0) {
      return tl::unexpected(WouldViolate(budget));
    }
    // Spent at once, so that a second eviction does not use what the first one used; the
    // controller's next look sets it right.
    Json spent = budget;
    spent["status"]["disruptionsAllowed"] = IntAt(budget, {"status", "disruptionsAllowed"}) - 1;
    const std::string version = StringAt(budget, {"metadata", "resourceVersion"});
    if (!dry_run && !store.Replace(std::move(spent), version)) {
      // Another eviction came first; kubectl tries again.
      return tl::unexpected(WouldViolate(budget));
    }
  }
  if (!dry_run) (void)store.Delete(path.Key());
  return {};
}

}  // namespace azexporter::simulator
