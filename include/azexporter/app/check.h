#pragma once

// --check: what is known, judged once and told in one verdict.
//
// The verdict, worst first CRITICAL > WARNING > UNKNOWN > OK. CRITICAL: a zone in full disruption
// or missing, a database that is down, split or without a primary, an alert of severity critical
// that is true, and what could not be asked (UNKNOWN with --check.unreachable unknown). WARNING: a
// zone in partial disruption, a health endpoint that is down or no URL, a lag that is only a lower
// bound, any other alert that is true. UNKNOWN: a rule that fails or has too few samples. An
// evacuated zone and alerts of severity "none" (a Watchdog) are notes.
//
// Thread safety: values; the functions may be called from any thread.

#include <cstdint>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/app/flags.h"
#include "azexporter/app/observer.h"
#include "azexporter/base/result.h"
#include "azexporter/rules/manager.h"
#include "azexporter/zones/zone_report.h"

namespace azexporter::app {

// The exit codes of monitoring plugins.
enum class Status { kOk = 0, kWarning = 1, kCritical = 2, kUnknown = 3 };
std::string_view StatusName(Status status);
// The worse of both, in the order CRITICAL, WARNING, UNKNOWN, OK.
Status Worse(Status a, Status b);

struct Finding {
  Status status = Status::kOk;  // kOk: a note
  std::string text;
};

// An alert as a check shows it: true now (one-shot), or pending or firing (of a daemon).
struct AlertLine {
  std::string name;
  std::string severity;
  std::string state;    // "true now", "pending", "firing"
  std::string subject;  // the labels that tell which one: "us-east-1a"
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
  std::vector<Finding> findings;  // worst first
  zones::ZoneReport report;
  std::vector<AlertLine> alerts;      // worst first
  std::vector<NotJudged> not_judged;  // worst first
  int rules = 0;                      // alerting rules asked in all
};

struct CheckOptions {
  bool unreachable_is_unknown = false;
};

// Judges a report and the alerting rules over it.
CheckResult Judge(zones::ZoneReport report, const std::vector<rules::Judgement>& judgements,
                  const CheckOptions& options);
// The same of what a daemon at `url` says (/api/v1/zones and /api/v1/rules). `now_ms` is for ages.
base::Result<CheckResult> JudgeDaemon(const std::string& url, std::int64_t timeout_ms,
                                      std::int64_t now_ms, const CheckOptions& options);

// Asks the sources of `config` and judges them.
base::Result<CheckResult> CheckCluster(const config::Config& config, const ObserverDeps& deps,
                                       const CheckFlags& flags);

std::string FormatTable(const CheckResult& result);
std::string FormatJson(const CheckResult& result);
// The monitoring-plugins form: a line with performance data, then the findings.
std::string FormatNagios(const CheckResult& result);
std::string Format(const CheckResult& result, CheckOutput output);

// A check that could not even begin: bad configuration, no cluster. Prints as `output` asks.
CheckResult Impossible(Status status, const std::string& why);

}  // namespace azexporter::app
