// The report as text, JSON and SARIF, and the description of the checks.

#include <fmt/format.h>

#include <algorithm>

#include "azexporter/audit/audit.h"
#include "azexporter/base/count_text.h"
#include "azexporter/base/json_writer.h"
#include "azexporter/base/text.h"

namespace azexporter::audit {
namespace {

std::int64_t Count(const Report& report, Severity severity) {
  return std::ranges::count_if(report.findings,
                               [&](const Finding& f) { return f.check->severity == severity; });
}

// SARIF has no "info".
std::string_view SarifLevel(Severity severity) {
  return severity == Severity::kInfo ? "note" : SeverityName(severity);
}

// A file's path as a URI: relative as it stands, other bytes escaped.
std::string FileUri(std::string_view path) {
  std::string uri;
  for (;;) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    uri += base::UrlEscape(path.substr(0, slash));
    if (slash == path.size()) return uri;
    uri += '/';
    path.remove_prefix(slash + 1);
  }
}

void WriteText(base::JsonWriter& json, std::string_view key, std::string_view text) {
  json.Key(key).BeginObject().Key("text").String(text).EndObject();
}

void WriteRule(base::JsonWriter& json, const Check& check) {
  json.BeginObject().Key("id").String(check.name);
  WriteText(json, "shortDescription", check.title);
  WriteText(json, "fullDescription", check.explanation);
  WriteText(json, "help", check.fix);
  json.Key("helpUri").String(check.source).Key("defaultConfiguration").BeginObject();
  json.Key("level").String(SarifLevel(check.severity)).EndObject().EndObject();
}

void WritePlace(base::JsonWriter& json, const Finding& finding) {
  json.Key("physicalLocation").BeginObject();
  json.Key("artifactLocation").BeginObject().Key("uri").String(FileUri(finding.file)).EndObject();
  json.Key("region").BeginObject().Key("startLine").Int(finding.line);
  json.Key("startColumn").Int(finding.column).EndObject().EndObject();
}

void WriteResult(base::JsonWriter& json, const Finding& finding) {
  const std::string object = finding.Object();
  json.BeginObject().Key("ruleId").String(finding.check->name);
  json.Key("ruleIndex").Int(finding.check - Checks().data());
  json.Key("level").String(SarifLevel(finding.check->severity));
  WriteText(json, "message",
            object + ": " + finding.message + ". " + std::string(finding.check->fix));
  json.Key("locations").BeginArray().BeginObject();
  if (!finding.file.empty()) WritePlace(json, finding);
  json.Key("logicalLocations").BeginArray().BeginObject();
  json.Key("fullyQualifiedName").String(object).Key("kind").String("resource");
  json.EndObject().EndArray().EndObject().EndArray().EndObject();
}

}  // namespace

std::string ToText(const Report& report) {
  std::string text;
  for (const Finding& finding : report.findings) {
    if (!finding.file.empty()) {
      text += fmt::format("{}:{}:{}: ", finding.file, finding.line, finding.column);
    }
    text += fmt::format("{}: {}: {}: {}\n    fix: {}\n", SeverityName(finding.check->severity),
                        finding.check->name, finding.Object(), finding.message, finding.check->fix);
  }
  if (!text.empty()) text += "\n";
  text += fmt::format("{} audited: {}, {}, {} info",
                      base::CountText(static_cast<std::int64_t>(report.objects), "object"),
                      base::CountText(Count(report, Severity::kError), "error"),
                      base::CountText(Count(report, Severity::kWarning), "warning"),
                      Count(report, Severity::kInfo));
  if (report.ignored > 0) text += fmt::format("; {} ignored by annotation", report.ignored);
  return text + "\n";
}

std::string ToJson(const Report& report) {
  base::JsonWriter json;
  json.BeginObject().Key("findings").BeginArray();
  for (const Finding& finding : report.findings) {
    json.BeginObject().Key("check").String(finding.check->name);
    json.Key("severity").String(SeverityName(finding.check->severity));
    json.Key("kind").String(finding.kind).Key("namespace").String(finding.ns);
    json.Key("name").String(finding.name).Key("file").String(finding.file);
    json.Key("line").Int(finding.line).Key("column").Int(finding.column);
    json.Key("message").String(finding.message);
    json.Key("explanation").String(finding.check->explanation);
    json.Key("fix").String(finding.check->fix);
    json.Key("source").String(finding.check->source).EndObject();
  }
  json.EndArray().Key("faults").BeginArray();
  for (const base::Error& fault : report.faults) json.String(fault.message());
  json.EndArray().Key("objects").Int(static_cast<std::int64_t>(report.objects));
  json.Key("ignored").Int(static_cast<std::int64_t>(report.ignored)).EndObject();
  return json.Take() + "\n";
}

std::string ToSarif(const Report& report, std::string_view version) {
  base::JsonWriter json;
  json.BeginObject().Key("$schema").String("https://json.schemastore.org/sarif-2.1.0.json");
  json.Key("version").String("2.1.0").Key("runs").BeginArray().BeginObject();
  json.Key("tool").BeginObject().Key("driver").BeginObject();
  json.Key("name").String("azexporter audit").Key("version").String(version);
  json.Key("rules").BeginArray();
  for (const Check& check : Checks()) WriteRule(json, check);
  json.EndArray().EndObject().EndObject().Key("results").BeginArray();
  for (const Finding& finding : report.findings) WriteResult(json, finding);
  json.EndArray().Key("invocations").BeginArray().BeginObject();
  json.Key("executionSuccessful").Bool(report.faults.empty());
  json.Key("toolExecutionNotifications").BeginArray();
  for (const base::Error& fault : report.faults) {
    json.BeginObject().Key("level").String("error");
    WriteText(json, "message", fault.message());
    json.EndObject();
  }
  json.EndArray().EndObject().EndArray().EndObject().EndArray().EndObject();
  return json.Take() + "\n";
}

std::string DescribeChecks() {
  std::string text =
      "# What `azexporter audit` looks for\n\n"
      "Written out from the table of checks (`checks.h`); the test `audit_test` compares the two, "
      "and\n"
      "rewrites this page with `AZX_UPDATE_GOLDEN=1`. An error is refused, without effect, or the "
      "opposite\n"
      "of what it says; with a warning a zone lost or drained hurts more than it has to; an info "
      "works as\n"
      "written and may surprise. `azexporter.io/audit-ignore: NAME,NAME` as an annotation of the "
      "object\n"
      "silences checks there, in a running cluster, too. \"Live\" says whether the daemon runs the "
      "check on\n"
      "what it watches.\n";
  for (const Check& check : Checks()) {
    const std::string live =
        check.offline_only.empty() ? "yes" : "no, " + std::string(check.offline_only);
    text += fmt::format("\n## {}\n\n{}: {}.\n\n{}\n\nFix: {}\n\nLive: {}.\n\nSource: <{}>\n",
                        check.name, SeverityName(check.severity), check.title, check.explanation,
                        check.fix, live, check.source);
  }
  return text;
}

}  // namespace azexporter::audit
