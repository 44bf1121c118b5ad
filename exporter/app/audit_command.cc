// azexporter audit: what is wrong with manifests, or with what runs, before a zone tells.

#include <fmt/format.h>

#include <cstdio>

#include "audit_sources.h"
#include "azexporter/app/commands.h"
#include "azexporter/app/version.h"

namespace azexporter::app {
namespace {

constexpr int kBad = 1;
constexpr int kFound = 3;

base::Result<audit::Report> ReportOf(const Flags& flags, const Surroundings& surroundings) {
  if (!flags.files.empty()) {
    return audit::Audit(audit::ReadManifests(flags.files), flags.audit.options);
  }
  if (!flags.audit.url.empty()) return AuditOfDaemon(flags.audit.url, flags.audit.timeout_ms);
  const base::SystemClock clock;
  AZX_ASSIGN_OR_RETURN(config::Config config, flags.MakeConfig());
  return AuditOfCluster(std::move(config), {.clock = clock,
                                            .log = base::Logger::Silent(),
                                            .surroundings = surroundings,
                                            .list_timeout_ms = flags.audit.timeout_ms});
}

}  // namespace

int RunAudit(const Flags& flags, const Surroundings& surroundings) {
  auto made = ReportOf(flags, surroundings);
  if (!made) {
    fmt::print(stderr, "azexporter: {}\n", made.error().message());
    return kBad;
  }
  audit::Report& report = *made;
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
