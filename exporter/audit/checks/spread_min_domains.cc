#include "../checks.h"
#include "../context.h"

namespace azexporter::audit {
namespace {

using base::YamlNode;

// What is wrong with it; "" where nothing is.
std::string Judge(const Context& context, const Workload& workload, const YamlNode& spread,
                  std::int64_t min_domains) {
  if (TextAt(spread, {"whenUnsatisfiable"}) == "ScheduleAnyway") {
    return "minDomains with ScheduleAnyway, which the API server refuses";
  }
  const auto domains = context.Domains(workload, TextAt(spread, {"topologyKey"}));
  const std::int64_t room = domains.value_or(0) * IntAt(spread, {"maxSkew"}).value_or(1);
  if (!domains || min_domains <= *domains || workload.replicas.value_or(0) <= room) return "";
  return "minDomains " + std::to_string(min_domains) + " where there are " +
         std::to_string(*domains) + ": only " + std::to_string(room) + " of " +
         std::to_string(*workload.replicas) + " pods find a place";
}

std::vector<Problem> Run(const Context& context) {
  std::vector<Problem> problems;
  for (const Workload& workload : context.workloads) {
    for (const YamlNode& spread : ItemsAt(*workload.pod_spec, {"topologySpreadConstraints"})) {
      const auto min_domains = IntAt(spread, {"minDomains"});
      if (!min_domains) continue;
      const std::string wrong = Judge(context, workload, spread, *min_domains);
      if (wrong.empty()) continue;
      problems.push_back(ProblemAt(*workload.object, *FieldAt(spread, {"minDomains"}).key, wrong));
    }
  }
  return problems;
}

}  // namespace

Check SpreadMinDomains() {
  return {
      .name = "spread-min-domains",
      .severity = Severity::kError,
      .title = "minDomains that cannot be had",
      .explanation =
          "minDomains goes with DoNotSchedule alone. While there are fewer domains than it asks "
          "for, the emptiest counts as 0, so that each domain takes maxSkew pods and no more.",
      .fix = "Ask for no more domains than the cluster has, with DoNotSchedule.",
      .source =
          "https://kubernetes.io/docs/concepts/scheduling-eviction/"
          "topology-spread-constraints/#spread-constraint-definition",
      .run = &Run};
}

}  // namespace azexporter::audit
