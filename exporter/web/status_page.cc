// The page at "/": a verdict, zones, databases, alerts and where to go from here. Plain HTML, drawn
// on the server, with nothing to load.

#include <fmt/format.h>

#include <algorithm>

#include "azexporter/base/count_text.h"
#include "azexporter/base/duration.h"
#include "azexporter/base/time_text.h"
#include "azexporter/base/xml_text.h"
#include "azexporter/zones/findings.h"
#include "handlers.h"

namespace azexporter::web {
namespace {

using base::CountText;

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="15">
)";

// On a narrow screen each row becomes a block of its own, with the header beside each cell.
constexpr std::string_view kStyle = R"(<style>
:root { color-scheme: light dark; --line: #8884; --good: #1a7f37; --warn: #b35900; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --good: #4ac26b; --warn: #e3a03c; --bad: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
nav > * { margin-right: 1rem; } .dim, small { opacity: .7; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem 1rem .35rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th, td:first-child { white-space: nowrap; } th { font-weight: 600; }
small { display: block; max-width: 24rem; color: CanvasText; font-weight: 400; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.good, .warn, .bad { overflow-wrap: normal; } p.bad { overflow-wrap: anywhere; } .bad, .warn { font-weight: 600; } .verdict { font-size: 1.1rem; margin: 1rem 0 0; }
@media (max-width: 45rem) {
  thead { display: none; } table, tbody { display: block; }
  tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { display: flex; gap: 1rem; padding: .1rem 0; border: 0; }
  td::before { content: attr(data-label); flex: 0 0 8rem; opacity: .7; color: CanvasText;
    font-weight: 400; }
}
</style></head><body>
)";

struct Cell {
  std::string text;
  std::string_view css = "";
  std::string note = "";  // a second, smaller line
};
using Row = std::vector<Cell>;

std::string RenderTable(std::span<const std::string_view> headers, const std::vector<Row>& rows) {
  std::string out = "<table><thead><tr>";
  for (const std::string_view header : headers) out += fmt::format("<th>{}</th>", header);
  out += "</tr></thead><tbody>\n";
  for (const Row& row : rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const Cell& cell = row[i];
      out += fmt::format("<td data-label=\"{}\"{}><span>{}", headers[i],
                         cell.css.empty() ? "" : fmt::format(" class=\"{}\"", cell.css),
                         base::EscapeXml(cell.text));
      if (!cell.note.empty()) out += "<small>" + base::EscapeXml(cell.note) + "</small>";
      out += "</span></td>";
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table>\n";
}

std::string Paragraph(std::string_view css, std::string_view text) {
  return fmt::format("<p class=\"{}\">{}</p>\n", css, base::EscapeXml(text));
}

// "full_disruption" for people.
std::string Words(std::string_view name) {
  std::string words(name);
  std::replace(words.begin(), words.end(), '_', ' ');
  return words;
}

std::string DurationText(double seconds) {
  return seconds < 1 ? fmt::format("{:.1f} ms", seconds * 1000) : fmt::format("{:.1f} s", seconds);
}

// Whole seconds: a page that is loaded again every 15 s has no use for less.
std::string Elapsed(std::int64_t ms) {
  return base::FormatDurationMs(std::max<std::int64_t>(0, ms) / 1000 * 1000);
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

// --- the first line ------------------------------------------------------------------------------

struct Verdict {
  std::string text;
  std::string_view css = "good";

  // The worst of all sentences gives the colour.
  void Add(std::string_view sentence, std::string_view sentence_css) {
    text += (text.empty() ? "" : " ") + std::string(sentence);
    if (sentence_css == "bad" || css == "good") css = sentence_css;
  }
};

void JudgeZones(const zones::ZoneReport& report, Verdict& verdict) {
  if (!report.nodes.known) return verdict.Add("The zones are not known.", "bad");
  if (report.zones.empty()) return verdict.Add("There is no zone.", "bad");
  std::string others;
  std::size_t count = 0;
  std::string_view css = "warn";
  for (const zones::ZoneStatus& zone : report.zones) {
    const std::string_view zone_css = StateClass(zone.state);
    if (zone_css == "good") continue;
    if (zone_css == "bad") css = zone_css;
    others += fmt::format("{}{} {}", count++ == 0 ? "" : ", ", zone.zone,
                          Words(zones::ZoneStateName(zone.state)));
  }
  const std::string zones = CountText(std::ssize(report.zones), "zone");
  if (count == 0) return verdict.Add(zones + " normal.", "good");
  verdict.Add(fmt::format("{} of {} not normal: {}.", count, zones, others), css);
}

std::string_view SeverityClass(zones::Severity severity) {
  switch (severity) {
    case zones::Severity::kNote:
      return "";
    case zones::Severity::kUnknown:
    case zones::Severity::kWarning:
      return "warn";
    case zones::Severity::kCritical:
      return "bad";
  }
  return "";
}

// What is found beside the state of the zones, which has a sentence of its own.
void JudgeFindings(const std::vector<zones::Finding>& findings, Verdict& verdict) {
  std::size_t count = 0;
  const zones::Finding* worst = nullptr;
  for (const zones::Finding& finding : findings) {
    if (finding.severity == zones::Severity::kNote || finding.topic == zones::Topic::kZones)
      continue;
    if (worst == nullptr) worst = &finding;
    ++count;
  }
  if (worst == nullptr) return;
  verdict.Add(
      count == 1 ? worst->text + "."
                 : fmt::format("{}: {}, and others.",
                               CountText(static_cast<std::int64_t>(count), "finding"), worst->text),
      SeverityClass(worst->severity));
}

void JudgeAlerts(const rules::GroupViews& groups, Verdict& verdict) {
  std::size_t rules = 0;
  std::size_t firing = 0;
  std::size_t pending = 0;
  for (const auto& group : groups) {
    rules += group->rules.size();
    for (const rules::RuleView& rule : group->rules) {
      for (const rules::Alert& alert : rule.alerts) {
        if (alert.labels.Get("severity") == rules::kSeverityNone) continue;
        ++(alert.state == rules::AlertState::kFiring ? firing : pending);
      }
    }
  }
  if (rules == 0) return;  // the section below says so
  if (firing + pending == 0) return verdict.Add("No alert.", "good");
  if (firing == 0)
    return verdict.Add(CountText(static_cast<std::int64_t>(pending), "alert") + " pending.",
                       "warn");
  verdict.Add(CountText(static_cast<std::int64_t>(firing), "alert") + " firing" +
                  (pending == 0 ? "." : fmt::format(", {} pending.", pending)),
              "bad");
}

// --- zones ---------------------------------------------------------------------------------------

Cell OfExpected(int found, const std::optional<int>& expected) {
  if (!expected) return {std::to_string(found)};
  return {fmt::format("{} of {}", found, *expected), found < *expected ? "warn" : ""};
}

Cell HealthCell(const zones::ZoneStatus& zone) {
  switch (zone.health) {
    case zones::EndpointHealth::kNone:
      return {"–"};
    case zones::EndpointHealth::kNotAUrl:
      return {"not a URL", "warn"};
    case zones::EndpointHealth::kNotProbed:
      return {"not probed yet", "dim"};
    case zones::EndpointHealth::kUp:
      return {"up", "good"};
    case zones::EndpointHealth::kDown:
      return {"down", "bad", zone.health_error};
  }
  return {"–"};
}

Cell LossCell(const zones::ZoneLoss& loss) {
  switch (loss.verdict) {
    case zones::Verdict::kSurvived:
      return {"survived", "good"};
    case zones::Verdict::kNotSurvived:
      return {"not survived", "warn", zones::BlockersText(loss)};
    case zones::Verdict::kUnknown:
      return {"not known", "warn"};
    case zones::Verdict::kLostAlready:
      return {"is lost", "dim"};
  }
  return {"not known", "warn"};
}

// Counts whose source is not known are 0, which must not be taken for a finding.
Row ZoneRow(const zones::ZoneStatus& zone, const zones::ZoneLoss& loss,
            const zones::ZoneReport& report) {
  const Cell not_known = {"not known", "warn"};
  const bool nodes = report.nodes.known;
  return {{zone.zone},
          {Words(zones::ZoneStateName(zone.state)), StateClass(zone.state)},
          nodes ? OfExpected(zone.workers.ready, zone.expected_workers) : not_known,
          nodes ? OfExpected(zone.control_plane.ready, zone.control_plane.total()) : not_known,
          nodes && report.pods.known ? OfExpected(zone.pods_ready, zone.expected_pods) : not_known,
          HealthCell(zone),
          {zone.p95_seconds ? DurationText(*zone.p95_seconds) : "–"},
          LossCell(loss)};
}

std::string SourceLine(std::string_view name, const zones::SourceStatus& source) {
  if (source.known && !source.failing) return "";
  return Paragraph(
      source.known ? "warn" : "bad",
      fmt::format("{} {}: {}", name,
                  source.known ? "cannot be read now, old data is shown" : "are not known",
                  source.error));
}

std::string ZonesSection(const zones::ZoneReport& report) {
  constexpr std::string_view kHeaders[] = {"Zone",          "State",      "Workers ready",
                                           "Control plane", "Pods ready", "Health endpoint",
                                           "p95",           "If lost now"};
  std::vector<Row> rows;
  for (std::size_t i = 0; i < report.zones.size(); ++i) {
    const bool judged = i < report.losses.size();
    rows.push_back(ZoneRow(report.zones[i], judged ? report.losses[i] : zones::ZoneLoss(), report));
  }
  std::string out = "<h2>Zones</h2>\n";
  out += SourceLine("Nodes", report.nodes) + SourceLine("Pods", report.pods) +
         SourceLine("Expectations", report.expectations);
  if (!rows.empty()) out += RenderTable(kHeaders, rows);
  return out;
}

// --- findings ------------------------------------------------------------------------------------

std::string FindingsSection(const std::vector<zones::Finding>& findings) {
  if (findings.empty()) return "";
  constexpr std::string_view kHeaders[] = {"Severity", "Finding"};
  constexpr std::size_t kMost = 30;
  std::vector<Row> rows;
  for (const zones::Finding& finding : findings) {
    if (rows.size() == kMost) break;
    rows.push_back(
        {{std::string(zones::SeverityName(finding.severity)), SeverityClass(finding.severity)},
         {finding.text}});
  }
  std::string out = "<h2>Findings</h2>\n" + RenderTable(kHeaders, rows);
  if (findings.size() > kMost) {
    out += fmt::format("<p>And {} more in <a href=\"/api/v1/zones\">/api/v1/zones</a>.</p>\n",
                       findings.size() - kMost);
  }
  return out;
}

// --- databases -----------------------------------------------------------------------------------

Cell LagCell(const zones::DatabaseStatus& db) {
  if (db.role != zones::DatabaseRole::kStandby) return {"–"};
  if (!db.lag_seconds) return {"not known", "warn"};
  if (!db.lag_stale) return {DurationText(*db.lag_seconds)};
  return {"at least " + DurationText(*db.lag_seconds), "warn"};
}

Row RedisRow(const zones::RedisStatus& redis, const zones::RedisNodeStatus& node) {
  Cell role = {node.master ? "master" : "replica"};
  if (!node.up) role = {"down", "bad", node.error};
  if (node.up && node.failed) role = {role.text + ", failed to its peers", "warn"};
  Cell lag = {"–"};
  if (node.up && !node.master) {
    lag = {node.lag_bytes ? fmt::format("{} bytes", *node.lag_bytes) : "not known"};
    if (!node.link_up) lag = {"link down", "warn"};
  }
  return {{redis.cluster}, {node.instance}, {node.zone}, role, lag};
}

std::string DatabasesSection(const zones::ZoneReport& report) {
  if (report.databases.empty() && report.redis.empty()) return "";
  constexpr std::string_view kHeaders[] = {"Cluster", "Instance", "Zone", "Role", "Lag"};
  std::string out = "<h2>Databases</h2>\n";
  std::vector<Row> rows;
  for (const zones::DatabaseStatus& db : report.databases) {
    const Cell role =
        db.up ? Cell{std::string(zones::DatabaseRoleName(db.role))} : Cell{"down", "bad", db.error};
    rows.push_back({{db.cluster}, {db.instance}, {db.zone}, role, LagCell(db)});
  }
  for (const zones::RedisStatus& redis : report.redis) {
    for (const zones::RedisNodeStatus& node : redis.nodes) rows.push_back(RedisRow(redis, node));
  }
  return out + RenderTable(kHeaders, rows);
}

// --- alerts --------------------------------------------------------------------------------------

// The last evaluations of a rule, a sign each, oldest first.
std::string HistoryText(const rules::RuleView& view) {
  std::string text;
  for (const rules::RuleEvaluation& one : view.Evaluations()) {
    text += one.health == rules::RuleHealth::kError ? "×"
            : one.firing > 0                        ? "●"
            : one.pending > 0                       ? "○"
                                                    : "·";
  }
  return text;
}
constexpr std::string_view kHistoryLegend =
    "Below the time, the last evaluations of the rule, newest on the right: ● firing, ○ pending, "
    "· neither, × failed.";

Row AlertRow(const rules::Alert& alert, const rules::RuleView& view, std::int64_t now_ms) {
  const rules::Rule& rule = *view.rule;
  const bool firing = alert.state == rules::AlertState::kFiring;
  const std::string_view severity = alert.labels.Get("severity");
  const char* css = severity == rules::kSeverityNone ? "" : firing ? "bad" : "warn";
  std::string labels;
  for (const model::Label label : alert.labels) {
    if (label.name == rules::kAlertName || label.name == "severity") continue;
    labels += fmt::format("{}{}={}", labels.empty() ? "" : ", ", label.name, label.value);
  }
  std::string active = Elapsed(now_ms - alert.active_at);
  if (!firing) active += ", fires after " + base::FormatDurationMs(rule.for_ms);
  return {{std::string(rules::AlertStateName(alert.state)), css},
          {std::string(alert.labels.Get(rules::kAlertName)), "", std::move(labels)},
          {std::string(severity)},
          {std::string(alert.annotations.Get("summary"))},
          {std::move(active), "", HistoryText(view)}};
}

std::string AlertsSection(const rules::GroupViews& groups, std::int64_t now_ms) {
  constexpr std::string_view kHeaders[] = {"State", "Alert", "Severity", "Summary", "Active for"};
  std::vector<Row> rows;
  std::string errors;
  std::size_t rules = 0;
  for (const auto& group : groups) {
    for (const rules::RuleView& rule : group->rules) {
      ++rules;
      for (const rules::Alert& alert : rule.alerts) {
        rows.push_back(AlertRow(alert, rule, now_ms));
      }
      if (rule.last().health != rules::RuleHealth::kError) continue;
      errors +=
          Paragraph("bad", fmt::format("Rule {} failed: {}", rule.rule->name, rule.last().error));
    }
  }
  // What fires comes first, what is meant to fire last.
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    const auto rank = [](const Row& row) {
      return row.front().css == "bad" ? 0 : row.front().css == "warn" ? 1 : 2;
    };
    return rank(a) < rank(b);
  });
  std::string out = "<h2>Alerts</h2>\n" + errors;
  if (!rows.empty()) {
    return out + RenderTable(kHeaders, rows) + Paragraph("dim", kHistoryLegend);
  }
  if (rules == 0) return out + "<p>No rules are loaded.</p>\n";
  return out + fmt::format("<p>None of {} is pending or firing.</p>\n",
                           CountText(static_cast<std::int64_t>(rules), "rule"));
}

}  // namespace

std::string RenderStatusPage(const ServerDeps& deps, const ServerOptions& options) {
  const auto round = deps.latest.Get();
  const rules::GroupViews groups = deps.rules.Groups();
  const std::vector<zones::Finding> findings =
      round ? zones::FindingsOf(round->report) : std::vector<zones::Finding>();
  Verdict verdict;
  if (round) {
    JudgeZones(round->report, verdict);
    JudgeFindings(findings, verdict);
    JudgeAlerts(groups, verdict);
  } else {
    verdict.Add("The first round is not finished yet.", "dim");
  }
  std::string page =
      fmt::format(kHead, fmt::arg("title", base::EscapeXml("azexporter: " + verdict.text)));
  page += kStyle;
  page += fmt::format("<h1>azexporter <span class=\"dim\">{}</span></h1>\n",
                      base::EscapeXml(options.version));
  page += fmt::format(
      "<nav><a href=\"{}\">Metrics</a><span class=\"dim\">JSON:</span><a "
      "href=\"/api/v1/zones\">zones</a><a href=\"/api/v1/alerts\">alerts</a><a "
      "href=\"/api/v1/rules\">rules</a></nav>\n",
      base::EscapeXml(options.telemetry_path));
  page +=
      fmt::format("<p class=\"verdict {}\">{}</p>\n", verdict.css, base::EscapeXml(verdict.text));
  if (!round) return page + "</body></html>\n";
  const std::int64_t now_ms = deps.clock.NowMs();
  page += ZonesSection(round->report) + FindingsSection(findings) +
          DatabasesSection(round->report) + AlertsSection(groups, now_ms);
  page += fmt::format(
      "<p class=\"dim\">As of {}, {} ago. This page loads itself again every 15 s.</p>\n",
      base::FormatRfc3339(round->report.timestamp_ms / 1000 * 1000),
      Elapsed(now_ms - round->report.timestamp_ms));
  return page + "</body></html>\n";
}

}  // namespace azexporter::web
