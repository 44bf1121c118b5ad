// How a check is printed: for people, for programs, for monitoring systems.

#include <fmt/format.h>

#include <algorithm>

#include "azexporter/app/check.h"
#include "azexporter/base/duration.h"
#include "azexporter/base/json_writer.h"

namespace azexporter::app {
namespace {

using base::JsonWriter;

// Rows of text, padded into columns.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { Add(std::move(header)); }

  void Add(std::vector<std::string> cells) { rows_.push_back(std::move(cells)); }

  std::string ToString() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
      widths.resize(std::max(widths.size(), row.size()));
      for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows_) {
      std::string line;
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) line += "  ";
        line += row[i] + std::string(widths[i] - row[i].size(), ' ');
      }
      out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
  }

 private:
  std::vector<std::vector<std::string>> rows_;
};

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

std::size_t CountTrue(const CheckResult& result) {
  return static_cast<std::size_t>(
      std::count_if(result.alerts.begin(), result.alerts.end(),
                    [](const AlertLine& alert) { return alert.severity != rules::kSeverityNone; }));
}

// The worst finding, or what is well.
std::string Headline(const CheckResult& result) {
  if (!result.findings.empty() && result.findings[0].status != Status::kOk) {
    const std::size_t more = static_cast<std::size_t>(
        std::count_if(result.findings.begin() + 1, result.findings.end(),
                      [](const Finding& f) { return f.status != Status::kOk; }));
    return result.findings[0].text + (more > 0 ? fmt::format(" (and {} more)", more) : "");
  }
  const std::size_t alerts = CountTrue(result);
  return fmt::format("{}, {} of {} alert rules true", ZonesSummary(result.report), alerts,
                     result.rules);
}

std::string Label(Status status) {
  return status == Status::kOk ? "note" : std::string(StatusName(status));
}

std::string ZonesTable(const zones::ZoneReport& report) {
  Table table({"ZONE", "STATE", "WORKERS", "CONTROL PLANE", "CORDONED", "PODS", "HEALTH", "p95"});
  for (const zones::ZoneStatus& zone : report.zones) {
    if (!report.nodes.known) {
      table.Add({zone.zone, "unknown", "?", "?", "?", "?",
                 std::string(zones::EndpointHealthName(zone.health)),
                 Milliseconds(zone.p95_seconds)});
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
               std::string(zones::EndpointHealthName(zone.health)),
               Milliseconds(zone.p95_seconds)});
  }
  return table.ToString();
}

std::string DatabasesTable(const zones::ZoneReport& report) {
  Table table({"DATABASE", "INSTANCE", "ZONE", "ROLE", "LAG"});
  for (const zones::DatabaseStatus& db : report.databases) {
    table.Add({db.cluster, db.instance, db.zone.empty() ? "-" : db.zone,
               db.up ? std::string(zones::DatabaseRoleName(db.role)) : "not known", LagText(db)});
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
  Table table({"SEVERITY", "ALERT", "OF", "STATE", "SUMMARY"});
  for (const AlertLine& alert : result.alerts) {
    table.Add({alert.severity.empty() ? "-" : alert.severity, alert.name,
               alert.subject.empty() ? "-" : alert.subject, When(alert), alert.summary});
  }
  return table.ToString();
}

void WriteAlert(JsonWriter& json, const AlertLine& alert) {
  json.BeginObject().Key("name").String(alert.name).Key("severity").String(alert.severity);
  json.Key("subject").String(alert.subject).Key("state").String(alert.state);
  json.Key("for_seconds").Double(static_cast<double>(alert.for_ms) / 1000);
  json.Key("active_seconds").Double(static_cast<double>(alert.active_for_ms) / 1000);
  json.Key("summary").String(alert.summary).EndObject();
}

void WriteZone(JsonWriter& json, const zones::ZoneStatus& zone) {
  json.BeginObject().Key("zone").String(zone.zone);
  json.Key("state").String(zones::ZoneStateName(zone.state));
  json.Key("nodes_ready").Int(zone.nodes_ready()).Key("nodes").Int(zone.nodes_total());
  if (zone.expected_workers) json.Key("expected_workers").Int(*zone.expected_workers);
  json.Key("pods_ready").Int(zone.pods_ready);
  if (zone.expected_pods) json.Key("expected_pods").Int(*zone.expected_pods);
  json.Key("health").String(zones::EndpointHealthName(zone.health));
  if (zone.p95_seconds) json.Key("p95_seconds").Double(*zone.p95_seconds);
  json.EndObject();
}

void WriteDatabase(JsonWriter& json, const zones::DatabaseStatus& db) {
  json.BeginObject().Key("cluster").String(db.cluster).Key("instance").String(db.instance);
  json.Key("zone").String(db.zone).Key("up").Bool(db.up);
  json.Key("role").String(zones::DatabaseRoleName(db.role));
  if (db.lag_seconds) json.Key("lag_seconds").Double(*db.lag_seconds);
  if (db.lag_bytes) json.Key("lag_bytes").Double(*db.lag_bytes);
  json.Key("lag_stale").Bool(db.lag_stale).EndObject();
}

// '|' begins the performance data, so it may not stand in the text before.
std::string WithoutBars(std::string text) {
  std::replace(text.begin(), text.end(), '|', '/');
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

std::string PerformanceData(const CheckResult& result) {
  int nodes = 0;
  int ready = 0;
  for (const zones::ZoneStatus& zone : result.report.zones) {
    nodes += zone.nodes_total();
    ready += zone.nodes_ready();
  }
  std::string data = fmt::format("zones={} nodes={} nodes_ready={} alerts={}",
                                 result.report.zones.size(), nodes, ready, CountTrue(result));
  for (const zones::ZoneStatus& zone : result.report.zones) {
    data += fmt::format(" 'p95_{}'=", zone.zone);
    data += zone.p95_seconds ? fmt::format("{:.6f}s", *zone.p95_seconds) : "U";
  }
  for (const zones::DatabaseStatus& db : result.report.databases) {
    if (db.role != zones::DatabaseRole::kStandby) continue;
    data += fmt::format(" 'lag_{}'=", db.instance);
    data += db.lag_seconds ? fmt::format("{:.3f}s", *db.lag_seconds) : "U";
  }
  return data;
}

}  // namespace

std::string FormatTable(const CheckResult& result) {
  std::string out = fmt::format("AZ {}  {}\n", StatusName(result.status), Headline(result));
  if (!result.report.zones.empty()) out += "\n" + ZonesTable(result.report);
  if (!result.report.databases.empty()) out += "\n" + DatabasesTable(result.report);
  if (!result.alerts.empty()) out += "\n" + AlertsTable(result);
  // A single finding is the headline already.
  const bool told = result.findings.size() == 1 && result.status != Status::kOk;
  if (!result.findings.empty() && !told) {
    out += "\nFINDINGS\n";
    for (const Finding& finding : result.findings) {
      out += fmt::format("{:<8}  {}\n", Label(finding.status), finding.text);
    }
  }
  if (!result.not_judged.empty()) {
    out += "\nNOT JUDGED\n";
    for (const NotJudged& rule : result.not_judged) {
      out += fmt::format("{:<8}  {}: {}\n", rule.status == Status::kOk ? "no data" : "UNKNOWN",
                         rule.name, rule.why);
    }
  }
  return out;
}

std::string FormatJson(const CheckResult& result) {
  JsonWriter json;
  json.BeginObject().Key("status").String(StatusName(result.status));
  json.Key("exit_code").Int(static_cast<int>(result.status));
  json.Key("summary").String(Headline(result)).Key("findings").BeginArray();
  for (const Finding& finding : result.findings) {
    json.BeginObject().Key("status").String(StatusName(finding.status));
    json.Key("text").String(finding.text).EndObject();
  }
  json.EndArray().Key("zones").BeginArray();
  for (const zones::ZoneStatus& zone : result.report.zones) WriteZone(json, zone);
  json.EndArray().Key("databases").BeginArray();
  for (const zones::DatabaseStatus& db : result.report.databases) WriteDatabase(json, db);
  json.EndArray().Key("alerts").BeginArray();
  for (const AlertLine& alert : result.alerts) WriteAlert(json, alert);
  json.EndArray().Key("rules").Int(result.rules).Key("not_judged").BeginArray();
  for (const NotJudged& rule : result.not_judged) {
    json.BeginObject().Key("name").String(rule.name).Key("why").String(rule.why).EndObject();
  }
  json.EndArray().EndObject();
  return json.Take() + "\n";
}

std::string FormatNagios(const CheckResult& result) {
  std::string out = fmt::format("AZ {}: {} | {}\n", StatusName(result.status),
                                WithoutBars(Headline(result)), PerformanceData(result));
  for (const Finding& finding : result.findings) {
    out += Label(finding.status) + ": " + WithoutBars(finding.text) + "\n";
  }
  for (const NotJudged& rule : result.not_judged) {
    out += "not judged: " + WithoutBars(rule.name + ": " + rule.why) + "\n";
  }
  return out;
}

std::string Format(const CheckResult& result, CheckOutput output) {
  switch (output) {
    case CheckOutput::kTable:
      return FormatTable(result);
    case CheckOutput::kJson:
      return FormatJson(result);
    case CheckOutput::kNagios:
      return FormatNagios(result);
  }
  return FormatTable(result);
}

}  // namespace azexporter::app
