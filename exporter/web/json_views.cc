#include "json_views.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "azexporter/base/float_format.h"
#include "azexporter/base/time_text.h"
#include "azexporter/promql/printer.h"

namespace azexporter::web {
namespace {

using base::JsonWriter;

// When something last happened; as Go writes a time that never was.
std::string TimeText(model::TimestampMs t) {
  return t == 0 ? "0001-01-01T00:00:00Z" : base::FormatRfc3339(t);
}

// Go's FormatFloat(v, 'e', -1, 64): how the API writes the value of an alert.
std::string ExponentText(double value) {
  if (!std::isfinite(value)) return base::FormatFloatG(value);
  std::array<char, 32> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 std::chars_format::scientific);
  return std::string(buffer.data(), end.ptr);
}

void WriteAlert(JsonWriter& json, const rules::Alert& alert) {
  json.BeginObject().Key("labels");
  WriteLabels(json, alert.labels);
  json.Key("annotations");
  WriteLabels(json, alert.annotations);
  json.Key("state").String(rules::AlertStateName(alert.state));
  json.Key("activeAt").String(base::FormatRfc3339(alert.active_at));
  if (alert.keep_firing_since != 0) {
    json.Key("keepFiringSince").String(base::FormatRfc3339(alert.keep_firing_since));
  }
  json.Key("value").String(ExponentText(alert.value)).EndObject();
}

void WriteTemplates(JsonWriter& json, const rules::TemplateMap& templates) {
  json.BeginObject();
  for (const auto& [name, text] : templates) json.Key(name).String(text);
  json.EndObject();
}

// Of an alerting rule: that of its worst alert. Without one a rule is inactive only when it was
// evaluated.
std::string_view StateOf(const rules::RuleView& rule) {
  if (rule.alerts.empty() && rule.last().t == 0) return "unknown";
  auto state = rules::AlertState::kInactive;
  for (const rules::Alert& alert : rule.alerts) {
    state = std::max(state, alert.state);
  }
  return rules::AlertStateName(state);
}

// The newest first.
void WriteHistory(JsonWriter& json, const rules::RuleView& view) {
  const std::vector<rules::RuleEvaluation> history = view.Evaluations();
  json.Key("history").BeginArray();
  for (auto one = history.rbegin(); one != history.rend(); ++one) {
    json.BeginObject().Key("time").String(TimeText(one->t));
    json.Key("evaluationTime").Double(one->seconds);
    json.Key("health").String(rules::RuleHealthName(one->health));
    if (!one->error.empty()) json.Key("lastError").String(one->error);
    json.Key("samples").Int(static_cast<std::int64_t>(one->samples));
    if (view.rule->kind == rules::RuleKind::kAlerting) {
      json.Key("pending").Int(static_cast<std::int64_t>(one->pending));
      json.Key("firing").Int(static_cast<std::int64_t>(one->firing));
    }
    json.EndObject();
  }
  json.EndArray();
}

void WriteRule(JsonWriter& json, const rules::RuleView& view, const RulesShown& shown) {
  const rules::Rule& rule = *view.rule;
  const rules::RuleEvaluation& last = view.last();
  const bool alerting = rule.kind == rules::RuleKind::kAlerting;
  json.BeginObject();
  if (alerting) json.Key("state").String(StateOf(view));
  json.Key("name").String(rule.name).Key("query").String(promql::Print(*rule.expr));
  if (alerting) {
    json.Key("duration").Double(static_cast<double>(rule.for_ms) / 1000);
    json.Key("keepFiringFor").Double(static_cast<double>(rule.keep_firing_for_ms) / 1000);
  }
  json.Key("labels");
  WriteTemplates(json, rule.labels);
  if (alerting) {
    json.Key("annotations");
    WriteTemplates(json, rule.annotations);
    json.Key("alerts");
    if (shown.alerts) {
      json.BeginArray();
      for (const rules::Alert& alert : view.alerts) WriteAlert(json, alert);
      json.EndArray();
    } else {
      json.Null();
    }
  }
  json.Key("health").String(rules::RuleHealthName(last.health));
  if (!last.error.empty()) json.Key("lastError").String(last.error);
  json.Key("evaluationTime").Double(last.seconds);
  json.Key("lastEvaluation").String(TimeText(last.t));
  json.Key("type").String(alerting ? "alerting" : "recording");
  if (shown.history) WriteHistory(json, view);
  json.EndObject();
}

void WriteCounts(JsonWriter& json, const zones::NodeCounts& counts) {
  json.BeginObject();
  json.Key("ready").Int(counts.ready).Key("not_ready").Int(counts.not_ready);
  json.Key("unknown").Int(counts.unknown).Key("cordoned").Int(counts.cordoned);
  json.Key("tainted").Int(counts.tainted);
  json.EndObject();
}

template <class T>
void WriteOptional(JsonWriter& json, std::string_view key, const std::optional<T>& value) {
  if (value) json.Key(key).Double(static_cast<double>(*value));
}

void WriteText(JsonWriter& json, std::string_view key, const std::string& text) {
  if (!text.empty()) json.Key(key).String(text);
}

void WriteResources(JsonWriter& json, std::string_view key, const kube::Resources& resources) {
  json.Key(key).BeginObject();
  json.Key("cpu").Double(static_cast<double>(resources.cpu_milli) / 1000);
  json.Key("memory").Int(resources.memory_bytes).Key("pods").Int(resources.pods);
  for (const auto& [name, amount] : resources.others) json.Key(name).Int(amount);
  json.EndObject();
}

void WriteZone(JsonWriter& json, const zones::ZoneStatus& zone) {
  json.BeginObject();
  json.Key("zone").String(zone.zone).Key("state").String(zones::ZoneStateName(zone.state));
  json.Key("workers");
  WriteCounts(json, zone.workers);
  json.Key("control_plane");
  WriteCounts(json, zone.control_plane);
  WriteOptional(json, "expected_workers", zone.expected_workers);
  json.Key("pods_ready").Int(zone.pods_ready).Key("pods_not_ready").Int(zone.pods_not_ready);
  WriteOptional(json, "expected_pods", zone.expected_pods);
  json.Key("health").String(zones::EndpointHealthName(zone.health));
  WriteText(json, "health_error", zone.health_error);
  WriteOptional(json, "p95_seconds", zone.p95_seconds);
  json.Key("pods").Int(zone.pods.total);
  WriteResources(json, "allocatable", zone.allocatable);
  if (zone.requested) WriteResources(json, "requested", *zone.requested);
  if (zone.maintenance_until_ms) {
    json.Key("maintenance_until").String(base::FormatRfc3339(*zone.maintenance_until_ms));
  }
  json.EndObject();
}

void WriteLoss(JsonWriter& json, const zones::ZoneLoss& loss) {
  json.BeginObject().Key("zone").String(loss.zone);
  json.Key("verdict").String(zones::VerdictName(loss.verdict));
  json.Key("blockers").Int(loss.blockers());
  json.Key("control_plane_visible").Bool(loss.control_plane_visible).Key("not_known").BeginArray();
  for (const std::string& what : loss.not_known) json.String(what);
  json.EndArray().Key("findings").BeginArray();
  for (const zones::LossFinding& finding : loss.findings) {
    json.BeginObject().Key("reason").String(zones::LossReasonName(finding.reason));
    json.Key("blocker").Bool(finding.blocker);
    WriteText(json, "namespace", finding.ns);
    json.Key("object").String(finding.object).Key("text").String(finding.text).EndObject();
  }
  json.EndArray().EndObject();
}

void WriteFinding(JsonWriter& json, const zones::Finding& finding) {
  json.BeginObject().Key("severity").String(zones::SeverityName(finding.severity));
  json.Key("topic").String(zones::TopicName(finding.topic));
  WriteText(json, "zone", finding.zone);
  WriteText(json, "namespace", finding.ns);
  WriteText(json, "object", finding.object);
  json.Key("text").String(finding.text);
  if (finding.unreachable) json.Key("unreachable").Bool(true);
  json.EndObject();
}

void WriteDatabase(JsonWriter& json, const zones::DatabaseStatus& db) {
  json.BeginObject();
  json.Key("cluster").String(db.cluster).Key("instance").String(db.instance);
  json.Key("zone").String(db.zone).Key("up").Bool(db.up);
  WriteText(json, "error", db.error);
  json.Key("role").String(zones::DatabaseRoleName(db.role));
  WriteOptional(json, "lag_seconds", db.lag_seconds);
  WriteOptional(json, "lag_bytes", db.lag_bytes);
  json.Key("lag_stale").Bool(db.lag_stale).EndObject();
}

void WriteRedis(JsonWriter& json, const zones::RedisStatus& redis) {
  json.BeginObject().Key("cluster").String(redis.cluster);
  json.Key("clustered").Bool(redis.clustered).Key("known").Bool(redis.known);
  json.Key("ok").Bool(redis.ok).Key("views").Int(redis.views);
  json.Key("slots_uncovered").Int(redis.slots_uncovered).Key("nodes").BeginArray();
  for (const zones::RedisNodeStatus& node : redis.nodes) {
    json.BeginObject().Key("instance").String(node.instance).Key("zone").String(node.zone);
    json.Key("up").Bool(node.up).Key("master").Bool(node.master).Key("failed").Bool(node.failed);
    json.Key("link_up").Bool(node.link_up).Key("slots").Int(node.slots);
    WriteText(json, "error", node.error);
    if (node.lag_bytes) json.Key("lag_bytes").Int(*node.lag_bytes);
    json.EndObject();
  }
  json.EndArray().EndObject();
}

void WriteSource(JsonWriter& json, std::string_view key, const zones::SourceStatus& source) {
  json.Key(key).BeginObject().Key("known").Bool(source.known);
  json.Key("failing").Bool(source.failing);
  if (source.absent) json.Key("absent").Bool(true);
  WriteText(json, "error", source.error);
  if (source.last_contact_ms != 0) {
    json.Key("last_contact").String(base::FormatRfc3339(source.last_contact_ms));
  }
  json.EndObject();
}

}  // namespace

void WriteLabels(JsonWriter& json, const model::Labels& labels) {
  json.BeginObject();
  for (const model::Label label : labels) json.Key(label.name).String(label.value);
  json.EndObject();
}

void WriteRules(JsonWriter& json, const rules::GroupViews& groups, const RulesShown& shown) {
  json.BeginObject().Key("groups").BeginArray();
  for (const auto& group : groups) {
    json.BeginObject().Key("name").String(group->group->name);
    json.Key("file").String(group->group->file).Key("rules").BeginArray();
    for (const rules::RuleView& rule : group->rules) WriteRule(json, rule, shown);
    json.EndArray();
    json.Key("interval").Double(static_cast<double>(group->interval_ms) / 1000);
    json.Key("limit").Int(group->group->limit);
    json.Key("evaluationTime").Double(group->evaluation_seconds);
    json.Key("lastEvaluation").String(TimeText(group->last_evaluation)).EndObject();
  }
  json.EndArray();
  if (!shown.next_token.empty()) json.Key("groupNextToken").String(shown.next_token);
  json.EndObject();
}

void WriteAlerts(JsonWriter& json, const rules::GroupViews& groups) {
  json.BeginObject().Key("alerts").BeginArray();
  for (const auto& group : groups) {
    for (const rules::RuleView& rule : group->rules) {
      for (const rules::Alert& alert : rule.alerts) WriteAlert(json, alert);
    }
  }
  json.EndArray().EndObject();
}

void WriteZones(JsonWriter& json, const zones::ZoneReport& report, const zones::Scope& scope) {
  json.BeginObject().Key("timestamp").String(base::FormatRfc3339(report.timestamp_ms));
  json.Key("sources").BeginObject();
  WriteSource(json, "nodes", report.nodes);
  WriteSource(json, "pods", report.pods);
  WriteSource(json, "expectations", report.expectations);
  WriteSource(json, "workloads", report.workloads);
  WriteSource(json, "budgets", report.budgets);
  WriteSource(json, "services", report.services);
  WriteSource(json, "volumes", report.volumes);
  if (report.node_leases) WriteSource(json, "node_leases", *report.node_leases);
  json.EndObject();
  if (!report.watched_namespaces.empty()) {
    json.Key("watched_namespaces").BeginArray();
    for (const std::string& ns : report.watched_namespaces) json.String(ns);
    json.EndArray();
  }
  json.Key("zones").BeginArray();
  for (const zones::ZoneStatus& zone : report.zones) WriteZone(json, zone);
  json.EndArray().Key("nodes_without_zone").Int(report.nodes_without_zone);
  json.Key("databases").BeginArray();
  for (const zones::DatabaseStatus& db : report.databases) WriteDatabase(json, db);
  json.EndArray().Key("redis").BeginArray();
  for (const zones::RedisStatus& redis : report.redis) WriteRedis(json, redis);
  json.EndArray().Key("losses").BeginArray();
  for (const zones::ZoneLoss& loss : report.losses) WriteLoss(json, loss);
  json.EndArray().Key("evacuations").BeginArray();
  for (const zones::ZoneLoss& loss : report.evacuations) WriteLoss(json, loss);
  json.EndArray();
  const auto skew = zones::LargestZoneSkew(report, scope);
  if (skew) json.Key("zone_skew").Int(*skew);
  json.Key("findings").BeginArray();
  for (const zones::Finding& finding : zones::FindingsOf(report, scope))
    WriteFinding(json, finding);
  json.EndArray().EndObject();
}

}  // namespace azexporter::web
