// --check --url: the same verdict from what a running daemon says of itself.

#include <simdjson.h>

#include "azexporter/base/text.h"
#include "azexporter/base/time_text.h"
#include "azexporter/net/http_client.h"
#include "check_parts.h"

namespace azexporter::app {
namespace {

namespace dom = simdjson::dom;
using base::BadData;
using base::Result;

std::string Text(const dom::element& object, const char* key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

int Count(const dom::element& object, const char* key) {
  double number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? static_cast<int>(number) : 0;
}

bool Flag(const dom::element& object, const char* key) {
  bool flag = false;
  return object[key].get(flag) == simdjson::SUCCESS && flag;
}

std::optional<double> Number(const dom::element& object, const char* key) {
  double number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? std::optional(number) : std::nullopt;
}

std::optional<int> OptionalCount(const dom::element& object, const char* key) {
  const auto number = Number(object, key);
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

// The enumerator whose name is `text`; the last one of `all` where there is none.
template <class Enum>
Enum Named(std::string_view text, std::initializer_list<Enum> all,
           std::string_view (*name_of)(Enum)) {
  for (Enum value : all) {
    if (name_of(value) == text) return value;
  }
  return *(all.end() - 1);
}

zones::NodeCounts Counts(const dom::element& zone, const char* key) {
  dom::element counts;
  if (zone[key].get(counts) != simdjson::SUCCESS) return {};
  return {Count(counts, "ready"), Count(counts, "not_ready"), Count(counts, "unknown"),
          Count(counts, "cordoned"), Count(counts, "tainted")};
}

zones::SourceStatus Source(const dom::element& sources, const char* key) {
  zones::SourceStatus status;
  dom::element source;
  if (sources[key].get(source) != simdjson::SUCCESS) {
    status.error = "not in the daemon's answer";
    return status;
  }
  status.known = Flag(source, "known");
  status.failing = Flag(source, "failing");
  status.error = Text(source, "error");
  return status;
}

zones::ZoneStatus Zone(const dom::element& json) {
  using zones::EndpointHealth;
  using zones::ZoneState;
  zones::ZoneStatus zone;
  zone.zone = Text(json, "zone");
  zone.state = Named(Text(json, "state"),
                     {ZoneState::kNormal, ZoneState::kPartialDisruption, ZoneState::kFullDisruption,
                      ZoneState::kEvacuated, ZoneState::kMissing, ZoneState::kUnknown},
                     &zones::ZoneStateName);
  zone.workers = Counts(json, "workers");
  zone.control_plane = Counts(json, "control_plane");
  zone.expected_workers = OptionalCount(json, "expected_workers");
  zone.pods_ready = Count(json, "pods_ready");
  zone.pods_not_ready = Count(json, "pods_not_ready");
  zone.expected_pods = OptionalCount(json, "expected_pods");
  zone.health = Named(Text(json, "health"),
                      {EndpointHealth::kNone, EndpointHealth::kNotAUrl, EndpointHealth::kUp,
                       EndpointHealth::kDown, EndpointHealth::kNotProbed},
                      &zones::EndpointHealthName);
  zone.health_error = Text(json, "health_error");
  zone.p95_seconds = Number(json, "p95_seconds");
  const auto until = base::ParseTimeMs(Text(json, "maintenance_until"));
  if (until) zone.maintenance_until_ms = *until;
  return zone;
}

zones::DatabaseStatus Database(const dom::element& json) {
  using zones::DatabaseRole;
  zones::DatabaseStatus db;
  db.cluster = Text(json, "cluster");
  db.instance = Text(json, "instance");
  db.zone = Text(json, "zone");
  db.up = Flag(json, "up");
  db.error = Text(json, "error");
  db.role = Named(Text(json, "role"),
                  {DatabaseRole::kPrimary, DatabaseRole::kStandby, DatabaseRole::kUnknown},
                  &zones::DatabaseRoleName);
  db.lag_seconds = Number(json, "lag_seconds");
  db.lag_bytes = Number(json, "lag_bytes");
  db.lag_stale = Flag(json, "lag_stale");
  return db;
}

// What a check shows of it; the findings about it come with the others.
zones::RedisStatus Redis(const dom::element& json) {
  zones::RedisStatus redis;
  redis.cluster = Text(json, "cluster");
  redis.clustered = Flag(json, "clustered");
  redis.known = Flag(json, "known");
  redis.ok = Flag(json, "ok");
  dom::array nodes;
  if (json["nodes"].get(nodes) != simdjson::SUCCESS) return redis;
  for (const dom::element one : nodes) {
    zones::RedisNodeStatus& node = redis.nodes.emplace_back();
    node.instance = Text(one, "instance");
    node.zone = Text(one, "zone");
    node.up = Flag(one, "up");
    node.master = Flag(one, "master");
    node.failed = Flag(one, "failed");
    node.link_up = Flag(one, "link_up");
    if (const auto lag = Number(one, "lag_bytes")) {
      node.lag_bytes = static_cast<std::int64_t>(*lag);
    }
  }
  return redis;
}

zones::ZoneLoss Loss(const dom::element& json) {
  using zones::LossReason;
  using zones::Verdict;
  zones::ZoneLoss loss;
  loss.zone = Text(json, "zone");
  loss.verdict =
      Named(Text(json, "verdict"),
            {Verdict::kSurvived, Verdict::kNotSurvived, Verdict::kLostAlready, Verdict::kUnknown},
            &zones::VerdictName);
  dom::array findings;
  if (json["findings"].get(findings) != simdjson::SUCCESS) return loss;
  for (const dom::element finding : findings) {
    loss.findings.push_back({zones::LossReasonOf(Text(finding, "reason")), Flag(finding, "blocker"),
                             Text(finding, "namespace"), Text(finding, "object"),
                             Text(finding, "text")});
  }
  return loss;
}

Result<dom::element> Fetch(net::HttpClient& http, dom::parser& parser, const std::string& url,
                           std::int64_t timeout_ms) {
  AZX_ASSIGN_OR_RETURN(const net::HttpResponse response,
                       http.Fetch({.url = url, .timeout_ms = timeout_ms}));
  dom::element root;
  dom::element data;
  const bool json = parser.parse(response.body).get(root) == simdjson::SUCCESS;
  const std::string what = net::RedactUrl(url) + ": ";
  if (json && root["data"].get(data) == simdjson::SUCCESS && Text(root, "status") == "success") {
    return data;
  }
  const std::string error = json ? Text(root, "error") : "";
  return base::Fail(base::ErrorCode::kUnavailable,
                    what + "HTTP status " + std::to_string(response.status) +
                        (error.empty() ? ", not the answer of an azexporter" : ": " + error));
}

Result<zones::ZoneReport> ReadReport(const dom::element& data) {
  zones::ZoneReport report;
  dom::element sources;
  dom::array list;
  if (data["sources"].get(sources) != simdjson::SUCCESS ||
      data["zones"].get(list) != simdjson::SUCCESS) {
    return BadData("/api/v1/zones: not the zones of an azexporter");
  }
  auto time = base::ParseTimeMs(Text(data, "timestamp"));
  if (time) report.timestamp_ms = *time;
  report.nodes = Source(sources, "nodes");
  report.pods = Source(sources, "pods");
  report.expectations = Source(sources, "expectations");
  for (const dom::element zone : list) report.zones.push_back(Zone(zone));
  if (data["watched_namespaces"].get(list) == simdjson::SUCCESS) {
    for (const dom::element ns : list) {
      std::string_view name;
      if (ns.get(name) == simdjson::SUCCESS) report.watched_namespaces.emplace(name);
    }
  }
  if (data["losses"].get(list) == simdjson::SUCCESS) {
    for (const dom::element loss : list) report.losses.push_back(Loss(loss));
  }
  report.nodes_without_zone = Count(data, "nodes_without_zone");
  if (data["databases"].get(list) == simdjson::SUCCESS) {
    for (const dom::element db : list) {
      zones::DatabaseStatus status = Database(db);
      int& primaries = report.primaries[status.cluster];
      if (status.role == zones::DatabaseRole::kPrimary) ++primaries;
      report.databases.push_back(std::move(status));
    }
  }
  if (data["redis"].get(list) == simdjson::SUCCESS) {
    for (const dom::element redis : list) report.redis.push_back(Redis(redis));
  }
  return report;
}

Result<zones::Finding> ReadFinding(const dom::element& json) {
  using zones::Severity;
  const std::string topic = Text(json, "topic");
  const auto known = zones::TopicOf(topic);
  // What is not understood must not be left out of a verdict.
  if (!known)
    return BadData("/api/v1/zones: a finding about \"" + topic + "\", of another version");
  return zones::Finding{
      Named(Text(json, "severity"),
            {Severity::kNote, Severity::kUnknown, Severity::kWarning, Severity::kCritical},
            &zones::SeverityName),
      *known,
      Text(json, "zone"),
      Text(json, "namespace"),
      Text(json, "object"),
      Text(json, "text"),
      Flag(json, "unreachable")};
}

Result<void> ReadFindings(const dom::element& data, CheckResult& result) {
  dom::array findings;
  if (data["findings"].get(findings) != simdjson::SUCCESS) {
    return BadData("/api/v1/zones: no findings in the daemon's answer, it is of an older version");
  }
  for (const dom::element json : findings) {
    AZX_ASSIGN_OR_RETURN(zones::Finding finding, ReadFinding(json));
    result.findings.push_back(std::move(finding));
  }
  const auto skew = Number(data, "zone_skew");
  if (skew) result.zone_skew = static_cast<std::int64_t>(*skew);
  return {};
}

// The query that asks for what is in scope.
std::string QueryOf(const zones::Scope& scope) {
  std::string query =
      "?zone=" + base::UrlEscape(scope.zone) + "&namespace=" + base::UrlEscape(scope.ns);
  for (const zones::Topic topic : scope.only) {
    query += "&only=" + std::string(zones::TopicName(topic));
  }
  return query;
}

model::Labels LabelsOf(const dom::element& json, const char* key) {
  dom::object object;
  if (json[key].get(object) != simdjson::SUCCESS) return {};
  std::vector<model::Label> labels;
  for (const auto& [name, value] : object) {
    std::string_view text;
    if (value.get(text) == simdjson::SUCCESS) labels.push_back({name, text});
  }
  return model::Labels::Of(std::move(labels));
}

void ReadRule(const dom::element& rule, std::int64_t now_ms, CheckResult& result) {
  if (Text(rule, "type") != "alerting") return;
  ++result.rules;
  const std::string name = Text(rule, "name");
  if (Text(rule, "health") != "ok") {
    const std::string error = Text(rule, "lastError");
    result.not_judged.push_back(
        {name, error.empty() ? "not evaluated yet" : error, Status::kUnknown});
  }
  rules::TemplateMap own_labels;
  for (const model::Label label : LabelsOf(rule, "labels")) own_labels.emplace_back(label.name, "");
  dom::array alerts;
  if (rule["alerts"].get(alerts) != simdjson::SUCCESS) return;
  for (const dom::element alert : alerts) {
    const model::Labels labels = LabelsOf(alert, "labels");
    const auto active_at = base::ParseTimeMs(Text(alert, "activeAt"));
    result.alerts.push_back(
        {.name = name,
         .severity = std::string(labels.Get("severity")),
         .state = Text(alert, "state"),
         .subject = SubjectOf(labels, own_labels),
         .zone = ZoneOf(labels),
         .ns = std::string(labels.Get("namespace")),
         .summary = std::string(LabelsOf(alert, "annotations").Get("summary")),
         .for_ms = static_cast<std::int64_t>(Number(rule, "duration").value_or(0) * 1000),
         .active_for_ms = active_at ? now_ms - *active_at : 0});
  }
}

}  // namespace

Result<CheckResult> JudgeDaemon(const std::string& url, std::int64_t timeout_ms,
                                std::int64_t now_ms, const CheckOptions& options) {
  if (!net::IsHttpUrl(url)) return BadData("--url: not a http or https URL: \"" + url + "\"");
  std::string base_url = url;
  while (base_url.ends_with('/')) base_url.pop_back();
  net::HttpClient http({.user_agent = "azexporter"});
  dom::parser parser;
  CheckResult result;
  {
    AZX_ASSIGN_OR_RETURN(
        const dom::element data,
        Fetch(http, parser, base_url + "/api/v1/zones" + QueryOf(options.scope), timeout_ms));
    AZX_ASSIGN_OR_RETURN(result.report, ReadReport(data));
    AZX_RETURN_IF_ERROR(ReadFindings(data, result));
  }
  AZX_ASSIGN_OR_RETURN(const dom::element data,
                       Fetch(http, parser, base_url + "/api/v1/rules", timeout_ms));
  dom::array groups;
  if (data["groups"].get(groups) != simdjson::SUCCESS) {
    return BadData("/api/v1/rules: not the rules of an azexporter");
  }
  for (const dom::element group : groups) {
    dom::array group_rules;
    if (group["rules"].get(group_rules) != simdjson::SUCCESS) continue;
    for (const dom::element rule : group_rules) ReadRule(rule, now_ms, result);
  }
  // A daemon that stopped making rounds would go on saying what it once saw.
  constexpr std::int64_t kOldMs = 120'000;
  const std::int64_t age_ms = now_ms - result.report.timestamp_ms;
  if (age_ms > kOldMs) {
    result.findings.push_back(
        {zones::Severity::kCritical, zones::Topic::kSources, "", "", "azexporter",
         "the daemon's last round is " + std::to_string(age_ms / 1000) + "s old", true});
  }
  Conclude(options, result);
  return result;
}

}  // namespace azexporter::app
