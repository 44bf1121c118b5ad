#pragma once

// --check: what is known, judged once and told in one verdict.
//
// The verdict is that of the worst finding, CRITICAL > WARNING > UNKNOWN > OK. What the report
// comes to stands in zones/findings.h; here join: an alert of severity critical that is true,
// CRITICAL; any other that is true, WARNING, but for those of severity "none" (a Watchdog); a rule
// that fails or has too few samples, UNKNOWN; a number beyond its threshold. What could not be
// asked is CRITICAL, or UNKNOWN with --check.unreachable unknown. Notes leave it OK.
//
// Thread safety: values; the functions may be called from any thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/app/flags.h"
#include "azexporter/app/observer.h"
#include "azexporter/app/thresholds.h"
#include "azexporter/base/result.h"
#include "azexporter/promql/engine.h"
#include "azexporter/rules/manager.h"
#include "azexporter/zones/findings.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::app {

// The exit codes of monitoring plugins.
enum class Status { kOk = 0, kWarning = 1, kCritical = 2, kUnknown = 3 };
std::string_view StatusName(Status status);
Status StatusOf(zones::Severity severity);

// An alert as a check shows it: true now (one-shot), or pending or firing (of a daemon).
struct AlertLine {
  std::string name;
  std::string severity;
  std::string state;    // "true now", "pending", "firing"
  std::string subject;  // the labels that tell which one: "us-east-1a"
  std::string zone;     // of its labels
  std::string ns;
  std::string summary;
  std::int64_t for_ms = 0;
  std::int64_t active_for_ms = 0;  // of a daemon's alerts
};

// A rule that could not be judged.
struct NotJudged {
  std::string name;
  std::string why;
  // kUnknown: it should have been. kOk: it asks for series that nobody here makes.
  Status status = Status::kUnknown;
};

struct CheckResult {
  Status status = Status::kOk;
  std::vector<zones::Finding> findings;  // worst first
  zones::ZoneReport report;
  std::optional<std::int64_t> zone_skew;  // the largest of any workload
  std::vector<AlertLine> alerts;          // worst first
  std::vector<NotJudged> not_judged;      // worst first
  int rules = 0;                          // alerting rules asked in all
};

struct CheckOptions {
  bool unreachable_is_unknown = false;
  zones::Scope scope = {};
  Thresholds warning = {};
  Thresholds critical = {};
  promql::EngineOptions engine = {};  // that the rules are asked of
};

// Judges a report and the alerting rules over it.
CheckResult Judge(zones::ZoneReport report, const std::vector<rules::Judgement>& judgements,
                  const CheckOptions& options);
// The same of what a daemon at `url` says (/api/v1/zones and /api/v1/rules). `now_ms` is for ages.
base::Result<CheckResult> JudgeDaemon(const std::string& url, std::int64_t timeout_ms,
                                      std::int64_t now_ms, const CheckOptions& options);

// Asks the sources of `config` and judges them.
base::Result<CheckResult> CheckCluster(const config::Config& config, const ObserverDeps& deps,
                                       const CheckOptions& options, std::int64_t timeout_ms);

// How the result is printed. `verbosity`: 0 tells the first few findings of a kind, 1 all of them.
struct CheckPrint {
  CheckOutput output = CheckOutput::kTable;
  int verbosity = 0;
  zones::Scope scope = {};
  Thresholds warning = {};
  Thresholds critical = {};
};
std::string Format(const CheckResult& result, const CheckPrint& print);

// A check that could not even begin: bad configuration, no cluster. Prints as `output` asks.
CheckResult Impossible(Status status, const std::string& why);

}  // namespace azexporter::app
