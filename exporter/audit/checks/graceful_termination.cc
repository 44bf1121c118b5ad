#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

constexpr std::int64_t kDefaultGraceSeconds = 30;

// How long the preStop hook sleeps; 0 where that cannot be told.
std::int64_t SleepSeconds(const YamlNode& container) {
  if (const auto seconds = IntAt(container, {"lifecycle", "preStop", "sleep", "seconds"})) {
    return *seconds;
  }
  std::vector<std::string> command;
  for (const YamlNode& word : ItemsAt(container, {"lifecycle", "preStop", "exec", "command"})) {
    command.push_back(word.scalar());
  }
  return kube::SleepSeconds(command);
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    const Field grace = FieldAt(*workload.pod_spec, {"terminationGracePeriodSeconds"});
    const std::int64_t seconds =
        IntAt(*workload.pod_spec, {"terminationGracePeriodSeconds"}).value_or(kDefaultGraceSeconds);
    if (grace && seconds == 0) {
      problems.push_back(
          ProblemAt(*workload.object, *grace.key, "pods are killed without a warning"));
      continue;
    }
    for (const YamlNode& container : ItemsAt(*workload.pod_spec, {"containers"})) {
      const std::int64_t sleep = SleepSeconds(container);
      if (sleep < seconds) continue;
      problems.push_back(ProblemAt(*workload.object, *FieldAt(container, {"lifecycle"}).key,
                                   "preStop sleeps " + std::to_string(sleep) + " s of the " +
                                       std::to_string(seconds) + " s until the pod is killed"));
    }
  }
  return problems;
}

}  // namespace

Check GracefulTermination() {
  return {
      .name = "graceful-termination",
      .severity = Severity::kWarning,
      .title = "pods have no time to finish when they are told to stop",
      .explanation =
          "The drain of a zone stops pods while load balancers still send to them. Without time "
          "after SIGTERM, which comes when preStop has ended, requests are cut off.",
      .fix =
          "Let terminationGracePeriodSeconds exceed the preStop hook by what the longest "
          "request takes.",
      .source =
          "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/"
          "#pod-termination",
      .run = &Run};
}

}  // namespace azexporter::audit
