#include "azexporter/audit/audit.h"

#include <algorithm>
#include <tuple>

#include "checks.h"
#include "context.h"

namespace azexporter::audit {
namespace {

Finding MakeFinding(const Check& check, Problem problem) {
  return {.check = &check,
          .kind = problem.object->kind,
          .ns = problem.object->ns,
          .name = problem.object->name,
          .file = problem.place->file(),
          .line = problem.place->line(),
          .column = problem.place->column(),
          .message = std::move(problem.message)};
}

auto Order(const Finding& finding) {
  return std::tie(finding.file, finding.line, finding.column, finding.check->name, finding.message);
}

}  // namespace

std::string_view SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kError:
      return "error";
  }
  return "";
}

base::Result<Severity> ParseSeverity(std::string_view name) {
  for (Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kError}) {
    if (SeverityName(severity) == name) return severity;
  }
  return base::BadData("must be info, warning or error, got \"" + std::string(name) + "\"");
}

std::string Finding::Object() const { return kind + " " + (ns.empty() ? "" : ns + "/") + name; }

Report Audit(const Manifests& manifests, const Options& options) {
  const Context context = MakeContext(manifests, options);
  Report report{.faults = manifests.faults(), .objects = manifests.objects().size()};
  for (const Check& check : Checks()) {
    for (Problem& problem : check.run(context)) {
      if (problem.object->Ignores(check.name)) {
        ++report.ignored;
      } else {
        report.findings.push_back(MakeFinding(check, std::move(problem)));
      }
    }
  }
  std::ranges::sort(report.findings,
                    [](const Finding& a, const Finding& b) { return Order(a) < Order(b); });
  return report;
}

}  // namespace azexporter::audit
