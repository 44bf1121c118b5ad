// How a check is printed for programs and monitoring systems.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "azexporter/base/json_writer.h"
#include "azexporter/base/xml_text.h"
#include "check_print.h"

namespace azexporter::app {
namespace {

using base::JsonWriter;
using zones::Severity;

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

void WriteLoss(JsonWriter& json, const zones::ZoneLoss& loss) {
  json.BeginObject().Key("zone").String(loss.zone);
  json.Key("verdict").String(zones::VerdictName(loss.verdict));
  json.Key("blockers").BeginArray();
  for (const zones::LossFinding& finding : loss.findings) {
    if (finding.blocker) json.String(zones::TextOf(finding));
  }
  json.EndArray().EndObject();
}

void WriteFinding(JsonWriter& json, const zones::Finding& finding) {
  json.BeginObject().Key("status").String(StatusName(StatusOf(finding.severity)));
  json.Key("topic").String(zones::TopicName(finding.topic));
  if (!finding.zone.empty()) json.Key("zone").String(finding.zone);
  if (!finding.ns.empty()) json.Key("namespace").String(finding.ns);
  if (!finding.object.empty()) json.Key("object").String(finding.object);
  json.Key("text").String(finding.text).EndObject();
}

// '|' begins the performance data, so it may not stand in the text before.
std::string WithoutBars(std::string text) {
  std::replace(text.begin(), text.end(), '|', '/');
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// 'label'=value;warn;crit, blanks between. A quote in a label is written twice.
class PerformanceData {
 public:
  void Add(const std::string& label, const std::string& value, const std::string& warning = "",
           const std::string& critical = "") {
    std::string quoted;
    for (const char c : label) {
      if (c == '=') continue;
      quoted += c == '\'' ? "''" : std::string(1, c);
    }
    text_ += fmt::format("{}'{}'={}", text_.empty() ? "" : " ", quoted, value);
    if (!warning.empty() || !critical.empty()) text_ += ";" + warning + ";" + critical;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

std::string SecondsOr(const std::optional<double>& seconds, int digits) {
  return seconds ? fmt::format("{:.{}f}s", *seconds, digits) : "U";
}

std::string PerformanceDataOf(const CheckResult& result, const CheckPrint& print) {
  int nodes = 0;
  int ready = 0;
  for (const zones::ZoneStatus& zone : result.report.zones) {
    nodes += zone.nodes_total();
    ready += zone.nodes_ready();
  }
  PerformanceData data;
  data.Add("zones", std::to_string(result.report.zones.size()));
  data.Add("nodes", std::to_string(nodes));
  data.Add("nodes_ready", std::to_string(ready));
  data.Add("alerts", std::to_string(CountTrue(result)));
  const auto limit = [&](const Thresholds& thresholds, std::string_view name) {
    return ThresholdText(thresholds, name);
  };
  for (const zones::ZoneStatus& zone : result.report.zones) {
    data.Add("p95_" + zone.zone, SecondsOr(zone.p95_seconds, 6));
  }
  for (const zones::ZoneLoss& loss : result.report.losses) {
    data.Add("loss_blockers_" + loss.zone, std::to_string(loss.blockers()));
  }
  if (result.zone_skew) {
    data.Add("skew", std::to_string(*result.zone_skew), limit(print.warning, kSkewThreshold),
             limit(print.critical, kSkewThreshold));
  }
  for (const zones::DatabaseStatus& db : result.report.databases) {
    if (db.role != zones::DatabaseRole::kStandby) continue;
    data.Add("lag_" + db.instance, SecondsOr(db.lag_seconds, 3),
             limit(print.warning, kLagThreshold), limit(print.critical, kLagThreshold));
  }
  return data.text();
}

std::string JunitCase(std::string_view topic, const std::string& name, std::string_view outcome) {
  return fmt::format("    <testcase classname=\"azexporter.{}\" name=\"{}\"{}\n", topic,
                     base::EscapeXml(name), outcome);
}

}  // namespace

std::string FormatJson(const CheckResult& result) {
  JsonWriter json;
  json.BeginObject().Key("status").String(StatusName(result.status));
  json.Key("exit_code").Int(static_cast<int>(result.status));
  json.Key("summary").String(Headline(result)).Key("findings").BeginArray();
  for (const zones::Finding& finding : result.findings) WriteFinding(json, finding);
  json.EndArray().Key("zones").BeginArray();
  for (const zones::ZoneStatus& zone : result.report.zones) WriteZone(json, zone);
  json.EndArray().Key("losses").BeginArray();
  for (const zones::ZoneLoss& loss : result.report.losses) WriteLoss(json, loss);
  json.EndArray().Key("databases").BeginArray();
  for (const zones::DatabaseStatus& db : result.report.databases) WriteDatabase(json, db);
  json.EndArray();
  if (result.zone_skew) json.Key("zone_skew").Int(*result.zone_skew);
  json.Key("alerts").BeginArray();
  for (const AlertLine& alert : result.alerts) WriteAlert(json, alert);
  json.EndArray().Key("rules").Int(result.rules).Key("not_judged").BeginArray();
  for (const NotJudged& rule : result.not_judged) {
    json.BeginObject().Key("name").String(rule.name).Key("why").String(rule.why).EndObject();
  }
  json.EndArray().EndObject();
  return json.Take() + "\n";
}

std::string FormatNagios(const CheckResult& result, const CheckPrint& print) {
  std::string out = fmt::format("AZ {}: {} | {}\n", StatusName(result.status),
                                WithoutBars(Headline(result)), PerformanceDataOf(result, print));
  for (const zones::Finding& finding : result.findings) {
    if (print.verbosity == 0 && finding.severity == Severity::kNote) continue;
    out += LabelOf(finding) + ": " + WithoutBars(finding.text) + "\n";
  }
  for (const NotJudged& rule : result.not_judged) {
    out += "not judged: " + WithoutBars(rule.name + ": " + rule.why) + "\n";
  }
  return out;
}

std::string FormatJunit(const CheckResult& result) {
  int tests = 0;
  int failures = 0;
  int errors = 0;
  std::string cases;
  for (const zones::Topic topic : zones::AllTopics()) {
    const std::string_view name = zones::TopicName(topic);
    bool clean = true;
    for (const zones::Finding& finding : result.findings) {
      if (finding.topic != topic || finding.severity == Severity::kNote) continue;
      clean = false;
      ++tests;
      const bool error = finding.severity == Severity::kUnknown;
      ++(error ? errors : failures);
      const std::string_view tag = error ? "error" : "failure";
      cases += JunitCase(
          name, finding.text,
          fmt::format("><{} type=\"{}\" message=\"{}\"/></testcase>", tag,
                      StatusName(StatusOf(finding.severity)), base::EscapeXml(finding.text)));
    }
    if (!clean) continue;
    ++tests;
    cases += JunitCase(name, std::string(name), "/>");
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite "
      "name=\"azexporter --check\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n{}  "
      "</testsuite>\n</testsuites>\n",
      tests, failures, errors, cases);
}

std::string FormatPrometheus(const CheckResult& result) {
  std::map<std::pair<zones::Topic, Severity>, int> counts;
  for (const zones::Finding& finding : result.findings) {
    ++counts[{finding.topic, finding.severity}];
  }
  std::string out = fmt::format(
      "# HELP azexporter_check_status Verdict of --check: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n"
      "# TYPE azexporter_check_status gauge\nazexporter_check_status {}\n"
      "# HELP azexporter_check_findings Findings of --check by topic and severity.\n"
      "# TYPE azexporter_check_findings gauge\n",
      static_cast<int>(result.status));
  for (const zones::Topic topic : zones::AllTopics()) {
    for (const Severity severity :
         {Severity::kCritical, Severity::kWarning, Severity::kUnknown, Severity::kNote}) {
      out += fmt::format("azexporter_check_findings{{topic=\"{}\",severity=\"{}\"}} {}\n",
                         zones::TopicName(topic), zones::SeverityName(severity),
                         counts[{topic, severity}]);
    }
  }
  return out;
}

}  // namespace azexporter::app
