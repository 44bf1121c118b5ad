// What the policy audit found in the cluster.

#include "azexporter/audit/audit.h"
#include "handlers.h"

namespace azexporter::web {

// GET /api/v1/policy: severity (the least), namespace, check. What `azexporter audit --output json`
// writes, of the latest round.
base::Result<ApiData> Policy(const Context& context, const Request& request) {
  audit::Severity least = audit::Severity::kInfo;
  if (const std::string name = request.Param("severity"); !name.empty()) {
    const auto severity = audit::ParseSeverity(name);
    if (!severity) return InvalidParam("severity", severity.error().message());
    least = *severity;
  }
  const std::string ns = request.Param("namespace");
  const std::string check = request.Param("check");
  const auto round = context.deps.latest.Get();
  if (!round) return base::Fail(base::ErrorCode::kUnavailable, "no round is finished yet");
  if (!round->policy) {
    return base::Fail(base::ErrorCode::kNotFound, "the collector \"policy\" is switched off");
  }
  audit::Report report = *round->policy;
  for (const collect::CollectorRun& run : round->snapshot.runs) {
    if (run.collector != "policy" || run.success || !report.faults.empty()) continue;
    report.faults.emplace_back(base::ErrorCode::kUnavailable, run.error);  // what was not listed
  }
  std::erase_if(report.findings, [&](const audit::Finding& finding) {
    return finding.check->severity < least || (!ns.empty() && finding.ns != ns) ||
           (!check.empty() && finding.check->name != check);
  });
  std::string json = audit::ToJson(report);
  json.pop_back();  // the end of its line
  return ApiData{std::move(json)};
}

}  // namespace azexporter::web
