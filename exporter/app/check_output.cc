// How a check is printed for people.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "azexporter/base/duration.h"
#include "check_print.h"
#include "text_table.h"

namespace azexporter::app {
namespace {

std::string OfExpected(int found, const std::optional<int>& expected) {
  return expected ? fmt::format("{}/{}", found, *expected) : std::to_string(found);
}

std::string Milliseconds(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.1f} ms", *seconds * 1000) : "-";
}

std::string Bytes(double bytes) {
  constexpr std::string_view kUnits[] = {"B", "KB", "MB", "GB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(kUnits); ++unit) bytes /= 1024;
  return fmt::format("{:.0f} {}", bytes, kUnits[unit]);
}

std::string LagText(const zones::DatabaseStatus& db) {
  if (db.role != zones::DatabaseRole::kStandby) return "-";
  if (!db.lag_seconds) return "not known";
  std::string text = fmt::format("{}{:.1f} s", db.lag_stale ? ">= " : "", *db.lag_seconds);
  if (db.lag_bytes) text += ", " + Bytes(*db.lag_bytes);
  return text;
}

std::string RedisRoleText(const zones::RedisNodeStatus& node) {
  const std::string role = !node.up ? "not known" : node.master ? "master" : "replica";
  return node.failed ? role + ", failed" : role;
}

std::string RedisLagText(const zones::RedisNodeStatus& node) {
  if (!node.up || node.master) return "-";
  if (!node.link_up) return "link down";
  return node.lag_bytes ? Bytes(static_cast<double>(*node.lag_bytes)) : "not known";
}

// "3 zones normal", "1 of 3 zones normal".
std::string ZonesSummary(const zones::ZoneReport& report) {
  const auto normal = std::count_if(report.zones.begin(), report.zones.end(), [](const auto& zone) {
    return zone.state == zones::ZoneState::kNormal;
  });
  const std::size_t total = report.zones.size();
  const std::string noun = total == 1 ? "zone" : "zones";
  if (static_cast<std::size_t>(normal) == total) return fmt::format("{} {} normal", total, noun);
  return fmt::format("{} of {} {} normal", normal, total, noun);
}

std::string LossText(const zones::ZoneReport& report, std::size_t zone) {
  if (zone >= report.losses.size()) return "?";
  const zones::ZoneLoss& loss = report.losses[zone];
  switch (loss.verdict) {
    case zones::Verdict::kSurvived:
      return "survived";
    case zones::Verdict::kNotSurvived:
      return "not survived: " + zones::BlockersText(loss);
    case zones::Verdict::kUnknown:
      return "not known";
    case zones::Verdict::kLostAlready:
      return "(lost)";
  }
  return "?";
}

std::string ZonesTable(const zones::ZoneReport& report, const zones::Scope& scope) {
  TextTable table({"ZONE", "STATE", "WORKERS", "CONTROL PLANE", "CORDONED", "PODS", "HEALTH", "p95",
                   "IF LOST NOW"});
  for (std::size_t i = 0; i < report.zones.size(); ++i) {
    const zones::ZoneStatus& zone = report.zones[i];
    if (!scope.zone.empty() && zone.zone != scope.zone) continue;
    if (!report.nodes.known) {
      table.Add({zone.zone, "unknown", "?", "?", "?", "?",
                 std::string(zones::EndpointHealthName(zone.health)),
                 Milliseconds(zone.p95_seconds), "?"});
      continue;
    }
    const int cordoned = zone.workers.cordoned + zone.control_plane.cordoned;
    table.Add({zone.zone, std::string(zones::ZoneStateName(zone.state)),
               OfExpected(zone.workers.ready, zone.expected_workers
                                                  ? zone.expected_workers
                                                  : std::optional(zone.workers.total())),
               fmt::format("{}/{}", zone.control_plane.ready, zone.control_plane.total()),
               std::to_string(cordoned),
               report.pods.known ? OfExpected(zone.pods_ready, zone.expected_pods) : "?",
               std::string(zones::EndpointHealthName(zone.health)), Milliseconds(zone.p95_seconds),
               LossText(report, i)});
  }
  return table.ToString();
}

std::string DatabasesTable(const zones::ZoneReport& report) {
  TextTable table({"DATABASE", "INSTANCE", "ZONE", "ROLE", "LAG"});
  for (const zones::DatabaseStatus& db : report.databases) {
    table.Add({db.cluster, db.instance, db.zone.empty() ? "-" : db.zone,
               db.up ? std::string(zones::DatabaseRoleName(db.role)) : "not known", LagText(db)});
  }
  for (const zones::RedisStatus& redis : report.redis) {
    for (const zones::RedisNodeStatus& node : redis.nodes) {
      table.Add({redis.cluster, node.instance, node.zone.empty() ? "-" : node.zone,
                 RedisRoleText(node), RedisLagText(node)});
    }
  }
  return table.ToString();
}

std::string When(const AlertLine& alert) {
  if (alert.state == "true now") {
    return alert.for_ms > 0 ? "true now, fires after " + base::FormatDurationMs(alert.for_ms)
                            : "true now";
  }
  return fmt::format("{} for {}", alert.state,
                     base::FormatDurationMs(alert.active_for_ms / 1000 * 1000));
}

std::string AlertsTable(const CheckResult& result) {
  TextTable table({"SEVERITY", "ALERT", "OF", "STATE", "SUMMARY"});
  for (const AlertLine& alert : result.alerts) {
    table.Add({alert.severity.empty() ? "-" : alert.severity, alert.name,
               alert.subject.empty() ? "-" : alert.subject, When(alert), alert.summary});
  }
  return table.ToString();
}

// A zone is lost, and none of those that are left could go, too.
bool NoFurtherZone(const zones::ZoneReport& report) {
  std::size_t lost = 0;
  std::size_t needed = 0;
  for (const zones::ZoneLoss& loss : report.losses) {
    if (loss.verdict == zones::Verdict::kLostAlready) ++lost;
    if (loss.verdict == zones::Verdict::kNotSurvived) ++needed;
  }
  return lost > 0 && needed > 0 && lost + needed == report.losses.size();
}

// Rules without data are many where little is watched; a few are named, many are counted.
std::string NotJudgedText(const CheckResult& result, int verbosity) {
  constexpr std::ptrdiff_t kFew = 6;
  const auto without_data =
      std::count_if(result.not_judged.begin(), result.not_judged.end(),
                    [](const NotJudged& rule) { return rule.status == Status::kOk; });
  const bool count = verbosity == 0 && without_data > kFew;
  std::string out;
  for (const NotJudged& rule : result.not_judged) {
    if (rule.status == Status::kOk && count) continue;
    out += fmt::format("{:<8}  {}: {}\n", rule.status == Status::kOk ? "no data" : "UNKNOWN",
                       rule.name, rule.why);
  }
  if (count) {
    out += fmt::format("no data   {} rules ask for series that nobody here makes, -v names them\n",
                       without_data);
  }
  return out;
}

// Of a kind the first few, unless all are asked for. Alerts have a table of their own.
std::string FindingsText(const CheckResult& result, int verbosity) {
  constexpr int kFew = 5;
  std::map<std::pair<zones::Severity, zones::Topic>, int> told;
  std::string out;
  int left_out = 0;
  for (const zones::Finding& finding : result.findings) {
    if (finding.topic == zones::Topic::kAlerts && !finding.object.empty()) continue;
    if (verbosity == 0 && ++told[{finding.severity, finding.topic}] > kFew) {
      ++left_out;
      continue;
    }
    out += fmt::format("{:<8}  {}\n", LabelOf(finding), finding.text);
  }
  if (left_out > 0) out += fmt::format("          and {} more, which -v shows\n", left_out);
  return out;
}

}  // namespace

std::string Headline(const CheckResult& result) {
  const std::size_t alerts = CountTrue(result);
  if (result.status == Status::kOk) {
    std::string text = fmt::format("{}, {} of {} alert rules true", ZonesSummary(result.report),
                                   alerts, result.rules);
    const std::set<std::string>& watched = result.report.watched_namespaces;
    return watched.empty() ? text : text + "; " + zones::OnlyWatchedText(watched);
  }
  std::string text = result.findings[0].text;
  if (NoFurtherZone(result.report)) text += "; no further zone could be lost";
  std::size_t others = 0;
  std::size_t of_alerts = 0;
  for (const zones::Finding& finding : result.findings) {
    if (&finding == &result.findings[0] || finding.severity == zones::Severity::kNote) continue;
    ++(finding.topic == zones::Topic::kAlerts ? of_alerts : others);
  }
  if (others > 0) text += fmt::format("; {} more {}", others, others == 1 ? "finding" : "findings");
  if (of_alerts > 0) text += fmt::format("; {} {}", of_alerts, of_alerts == 1 ? "alert" : "alerts");
  return text;
}

std::string LabelOf(const zones::Finding& finding) {
  if (finding.severity == zones::Severity::kNote) return "note";
  return std::string(StatusName(StatusOf(finding.severity)));
}

std::size_t CountTrue(const CheckResult& result) {
  return static_cast<std::size_t>(
      std::count_if(result.alerts.begin(), result.alerts.end(),
                    [](const AlertLine& alert) { return alert.severity != rules::kSeverityNone; }));
}

std::string FormatTable(const CheckResult& result, const CheckPrint& print) {
  std::string out = fmt::format("AZ {}  {}\n", StatusName(result.status), Headline(result));
  if (!result.report.zones.empty()) out += "\n" + ZonesTable(result.report, print.scope);
  if (!result.report.databases.empty() || !result.report.redis.empty())
    out += "\n" + DatabasesTable(result.report);
  if (!result.alerts.empty()) out += "\n" + AlertsTable(result);
  // A single finding is the headline already.
  const bool told = result.findings.size() == 1 && result.status != Status::kOk;
  const std::string findings = told ? "" : FindingsText(result, print.verbosity);
  if (!findings.empty()) out += "\nFINDINGS\n" + findings;
  if (!result.not_judged.empty()) out += "\nNOT JUDGED\n" + NotJudgedText(result, print.verbosity);
  return out;
}

std::string Format(const CheckResult& result, const CheckPrint& print) {
  switch (print.output) {
    case CheckOutput::kTable:
      return FormatTable(result, print);
    case CheckOutput::kJson:
      return FormatJson(result);
    case CheckOutput::kNagios:
      return FormatNagios(result, print);
    case CheckOutput::kJunit:
      return FormatJunit(result);
    case CheckOutput::kPrometheus:
      return FormatPrometheus(result);
  }
  return FormatTable(result, print);
}

}  // namespace azexporter::app
