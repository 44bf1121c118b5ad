#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

constexpr std::int64_t kHighest = 1'000'000'000;  // above are the classes of the system

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  const auto classes = context.Of("scheduling.k8s.io", "PriorityClass");
  const Object* first_default = nullptr;
  for (const Object* priority : classes) {
    if (IntAt(priority->root, {"value"}).value_or(0) > kHighest &&
        !priority->name.starts_with("system-")) {
      problems.push_back(
          ProblemAt(*priority, *FieldAt(priority->root, {"value"}).key,
                    "value " + TextAt(priority->root, {"value"}) + " is above 1000000000"));
    }
    if (BoolAt(priority->root, {"globalDefault"}) != true) continue;
    if (first_default != nullptr && !first_default->IsSameAs(*priority)) {
      problems.push_back(ProblemAt(
          *priority, *FieldAt(priority->root, {"globalDefault"}).key,
          first_default->name + PlaceText(first_default->root) + " is the default already"));
    }
    first_default = priority;
  }
  if (classes.empty()) return problems;
  for (const Workload& workload : context.workloads) {
    const Field name = FieldAt(*workload.pod_spec, {"priorityClassName"});
    if (!name || name.value->scalar().starts_with("system-")) continue;
    bool found = false;
    for (const Object* priority : classes) {
      found = found || priority->name == name.value->scalar();
    }
    if (found) continue;
    problems.push_back(ProblemAt(
        *workload.object, *name.key,
        "PriorityClass " + name.value->scalar() + " is not among those of the manifests"));
  }
  return problems;
}

}  // namespace

Check PriorityClassRefused() {
  return {
      .name = "priority-class-refused",
      .severity = Severity::kError,
      .title = "a priority that the API server refuses",
      .explanation =
          "One class may be the default; values above a billion are the system's; and pods of a "
          "class that does not exist are refused, which is noticed when a lost zone's pods "
          "are to be made anew.",
      .fix = "Name an existing class, keep one default, and stay below a billion.",
      .source =
          "https://kubernetes.io/docs/concepts/scheduling-eviction/"
          "pod-priority-preemption/#priorityclass",
      .offline_only =
          "priority classes are not watched, and the API server refuses what is wrong with them",
      .run = &Run};
}

}  // namespace azexporter::audit
