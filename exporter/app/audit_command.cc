// azexporter audit: what is wrong with manifests, before a zone tells.

#include <fmt/format.h>

#include <cstdio>

#include "azexporter/app/commands.h"
#include "azexporter/app/version.h"

namespace azexporter::app {
namespace {

constexpr int kBad = 1;
constexpr int kFound = 3;

}  // namespace

int RunAudit(const Flags& flags) {
  const audit::Manifests manifests = audit::ReadManifests(flags.files);
  audit::Report report = audit::Audit(manifests, flags.audit.options);
  std::erase_if(report.findings, [&](const audit::Finding& finding) {
    return finding.check->severity < flags.audit.severity;
  });
  switch (flags.audit.output) {
    case AuditOutput::kText:
      fmt::print("{}", audit::ToText(report));
      break;
    case AuditOutput::kJson:
      fmt::print("{}", audit::ToJson(report));
      break;
    case AuditOutput::kSarif:
      fmt::print("{}", audit::ToSarif(report, Version()));
      break;
  }
  for (const base::Error& fault : report.faults) {
    fmt::print(stderr, "azexporter: {}\n", fault.message());
  }
  if (!report.faults.empty()) return kBad;
  return report.findings.empty() ? 0 : kFound;
}

}  // namespace azexporter::app
