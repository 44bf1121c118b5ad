// The page at "/": zones, databases, alerts and where to go from here. Plain HTML, drawn on the
// server, with nothing to load.

#include <fmt/format.h>

#include "azexporter/base/time_text.h"
#include "handlers.h"

namespace azexporter::web {
namespace {

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>azexporter</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="15">
<style>
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --warn: #b35900; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --warn: #e3a03c; --bad: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
nav a { margin-right: 1rem; } .dim { opacity: .7; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; } td.n, th.n { text-align: right; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.bad, .warn { font-weight: 600; }
</style></head><body>
)";

std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string Cell(std::string_view text, std::string_view css = "") {
  return fmt::format("<td{}>{}</td>", css.empty() ? "" : fmt::format(" class=\"{}\"", css),
                     Escape(text));
}

std::string_view StateClass(zones::ZoneState state) {
  switch (state) {
    case zones::ZoneState::kNormal:
      return "good";
    case zones::ZoneState::kPartialDisruption:
    case zones::ZoneState::kEvacuated:
    case zones::ZoneState::kUnknown:
      return "warn";
    case zones::ZoneState::kFullDisruption:
    case zones::ZoneState::kMissing:
      return "bad";
  }
  return "warn";
}

std::string OfExpected(int found, const std::optional<int>& expected) {
  return expected ? fmt::format("{} of {}", found, *expected) : std::to_string(found);
}

std::string Milliseconds(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.1f} ms", *seconds * 1000) : "–";
}

std::string ZoneRow(const zones::ZoneStatus& zone) {
  const bool up = zone.health == zones::EndpointHealth::kUp;
  const bool short_of_nodes = zone.expected_workers && zone.workers.ready < *zone.expected_workers;
  const bool short_of_pods = zone.expected_pods && zone.pods_ready < *zone.expected_pods;
  const std::string control =
      fmt::format("{} of {}", zone.control_plane.ready, zone.control_plane.total());
  return "<tr>" + Cell(zone.zone) + Cell(zones::ZoneStateName(zone.state), StateClass(zone.state)) +
         Cell(OfExpected(zone.workers.ready, zone.expected_workers), short_of_nodes ? "warn" : "") +
         Cell(control) +
         Cell(OfExpected(zone.pods_ready, zone.expected_pods), short_of_pods ? "warn" : "") +
         Cell(zones::EndpointHealthName(zone.health), up ? "good" : "warn") +
         Cell(Milliseconds(zone.p95_seconds), "n") + "</tr>\n";
}

std::string SourceLine(std::string_view name, const zones::SourceStatus& source) {
  if (source.known && !source.failing) return "";
  return fmt::format("<p class=\"{}\">{} {}: {}</p>\n", source.known ? "warn" : "bad", name,
                     source.known ? "is failing, old data is shown" : "is not known",
                     Escape(source.error));
}

std::string ZonesSection(const zones::ZoneReport& report) {
  std::string out = "<h2>Zones</h2>\n";
  out += SourceLine("nodes", report.nodes) + SourceLine("pods", report.pods) +
         SourceLine("expectations", report.expectations);
  out +=
      "<table><tr><th>Zone</th><th>State</th><th>Workers ready</th><th>Control plane ready</th>"
      "<th>Pods ready</th><th>Health endpoint</th><th class=\"n\">p95</th></tr>\n";
  for (const zones::ZoneStatus& zone : report.zones) out += ZoneRow(zone);
  out += "</table>\n";
  if (report.nodes_without_zone > 0) {
    out +=
        fmt::format("<p class=\"warn\">{} nodes carry no zone label and count for no zone.</p>\n",
                    report.nodes_without_zone);
  }
  return out;
}

std::string LagText(const zones::DatabaseStatus& db) {
  if (db.role != zones::DatabaseRole::kStandby) return "–";
  if (!db.lag_seconds) return "not known";
  return fmt::format("{}{:.1f} s", db.lag_stale ? "at least " : "", *db.lag_seconds);
}

std::string DatabasesSection(const zones::ZoneReport& report) {
  if (report.databases.empty()) return "";
  std::string out =
      "<h2>Databases</h2>\n<table><tr><th>Cluster</th><th>Instance</th><th>Zone</th><th>Role</th>"
      "<th>Lag</th><th></th></tr>\n";
  for (const zones::DatabaseStatus& db : report.databases) {
    out += "<tr>" + Cell(db.cluster) + Cell(db.instance) + Cell(db.zone) +
           Cell(db.up ? zones::DatabaseRoleName(db.role) : "down", db.up ? "" : "bad") +
           Cell(LagText(db), db.lag_stale ? "warn" : "") + Cell(db.error) + "</tr>\n";
  }
  return out + "</table>\n";
}

std::string AlertRow(const rules::Alert& alert, std::int64_t now_ms) {
  const bool firing = alert.state == rules::AlertState::kFiring;
  std::string labels;
  for (const model::Label label : alert.labels) {
    if (label.name == rules::kAlertName || label.name == "severity") continue;
    labels +=
        (labels.empty() ? "" : ", ") + std::string(label.name) + "=" + std::string(label.value);
  }
  return "<tr>" + Cell(rules::AlertStateName(alert.state), firing ? "bad" : "warn") +
         Cell(alert.labels.Get(rules::kAlertName)) + Cell(alert.labels.Get("severity")) +
         Cell(labels) + Cell(alert.annotations.Get("summary")) +
         Cell(fmt::format("{} s", (now_ms - alert.active_at) / 1000), "n") + "</tr>\n";
}

std::string AlertsSection(const std::vector<rules::GroupView>& groups, std::int64_t now_ms) {
  std::string rows;
  std::string errors;
  std::size_t rules = 0;
  for (const rules::GroupView& group : groups) {
    for (const rules::RuleView& rule : group.rules) {
      ++rules;
      for (const rules::Alert& alert : rule.alerts) rows += AlertRow(alert, now_ms);
      if (rule.status.health != rules::RuleHealth::kError) continue;
      errors += fmt::format("<p class=\"bad\">rule {} failed: {}</p>\n", Escape(rule.rule->name),
                            Escape(rule.status.last_error));
    }
  }
  std::string out = "<h2>Alerts</h2>\n" + errors;
  if (rows.empty())
    return out + fmt::format("<p>None of {} rules is pending or firing.</p>\n", rules);
  return out +
         "<table><tr><th>State</th><th>Alert</th><th>Severity</th><th>Labels</th><th>Summary</th>"
         "<th class=\"n\">Active for</th></tr>\n" +
         rows + "</table>\n";
}

}  // namespace

std::string RenderStatusPage(const ServerDeps& deps, const ServerOptions& options) {
  std::string page(kHead);
  page +=
      fmt::format("<h1>azexporter <span class=\"dim\">{}</span></h1>\n", Escape(options.version));
  page += fmt::format(
      "<nav><a href=\"{}\">Metrics</a><a href=\"/api/v1/zones\">Zones</a>"
      "<a href=\"/api/v1/alerts\">Alerts</a><a href=\"/api/v1/rules\">Rules</a>"
      "<a href=\"/-/healthy\">Healthy</a><a href=\"/-/ready\">Ready</a></nav>\n",
      Escape(options.telemetry_path));
  const auto round = deps.latest.Get();
  if (!round) return page + "<p>The first round is not finished yet.</p></body></html>\n";
  page += ZonesSection(round->report) + DatabasesSection(round->report) +
          AlertsSection(deps.rules.Groups(), deps.clock.NowMs());
  page += fmt::format("<p class=\"dim\">As of {}. This page loads itself again every 15 s.</p>",
                      base::FormatRfc3339(round->report.timestamp_ms));
  return page + "</body></html>\n";
}

}  // namespace azexporter::web
