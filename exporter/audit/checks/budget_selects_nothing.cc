#include "../checks.h"

#include <algorithm>
#include "../context.h"

namespace azexporter::audit {
namespace {

// Whether pods may come from it that the audit does not see.
bool MayMakeOtherPods(const Object& object) {
  for (std::string_view kind : {"Pod", "Job", "CronJob", "ReplicaSet", "ReplicationController"}) {
    if (object.kind == kind) return true;
  }
  const std::string& group = object.group;
  return group.find('.') != std::string::npos && !group.ends_with(".k8s.io") &&
         !group.ends_with(".istio.io") && group != kAwsBalancer && group != "monitoring.coreos.com";
}

// The manifests hold workloads of the namespace, and nothing whose pods they do not show.
bool ShowsPodsOf(const Context& context, const std::string& ns) {
  return std::ranges::any_of(context.workloads,
                             [&](const Workload& workload) { return workload.object->ns == ns; }) &&
         std::ranges::none_of(context.manifests.objects(), [&](const Object& object) {
           return object.ns == ns && MayMakeOtherPods(object);
         });
}

// What the disruption controller counted, where there is a cluster to ask; else what the manifests
// tell.
bool CoversNothing(const Context& context, const Object& budget) {
  const auto expected = IntAt(budget.root, {"status", "expectedPods"});
  if (!expected) return ShowsPodsOf(context, budget.ns);
  const auto observed = IntAt(budget.root, {"status", "observedGeneration"});
  const auto generation = IntAt(budget.root, {"metadata", "generation"});
  return *expected == 0 && observed == generation;
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Object* budget : context.Of(kPolicy, "PodDisruptionBudget")) {
    const auto selector = SelectorAt(budget->root, {"spec", "selector"});
    if (!selector) {
      problems.push_back(ProblemOf(*budget, "without a selector it covers no pod"));
    } else if (context.Selected(budget->ns, selector).empty() && CoversNothing(context, *budget)) {
      problems.push_back(
          ProblemAt(*budget, *FieldAt(budget->root, {"spec", "selector"}).key,
                    "no workload of the namespace has the labels " + kube::SelectorText(selector)));
    }
  }
  return problems;
}

}  // namespace

Check BudgetSelectsNothing() {
  return {.name = "budget-selects-nothing",
          .severity = Severity::kWarning,
          .title = "a disruption budget covers no pod",
          .explanation = "A drain takes all pods of the workload at once that it meant to keep.",
          .fix = "Select the labels of the pod template.",
          .source =
              "https://kubernetes.io/docs/tasks/run-application/configure-pdb/"
              "#specifying-a-poddisruptionbudget",
          .run = &Run};
}

}  // namespace azexporter::audit
