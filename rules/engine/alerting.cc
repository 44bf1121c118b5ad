#include "alerting.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "azexporter/promql/parser.h"

namespace azexporter::rules {
namespace {

// How long a resolved alert is kept: an Alertmanager that was down for a while, or a second one
// that comes late, is still told that it ended. Source: prometheus/rules/alerting.go.
constexpr std::int64_t kResolvedRetentionMs = 15 * 60'000;
// A gap in which nobody looked, as short as those that a query's look-back bridges.
constexpr std::int64_t kBridgedMs = 5 * 60'000;
// After a longer one a pending alert begins anew. As Prometheus's
// --rules.alert.for-outage-tolerance.
constexpr std::int64_t kOutageToleranceMs = 60 * 60'000;

model::Labels Expand(const TemplateMap& templates, const TemplateData& data,
                     model::LabelsBuilder builder) {
  for (const auto& [name, text] : templates) builder.Set(name, ExpandOrExplain(text, data));
  return builder.Build();
}

base::Result<promql::Vector> SamplesOf(const promql::QueryResult& result) {
  if (const auto* vector = std::get_if<promql::Vector>(&result.value)) return *vector;
  if (const auto* scalar = std::get_if<promql::Scalar>(&result.value)) {
    return promql::Vector{{model::Labels(), scalar->t, scalar->f}};
  }
  return base::Fail(base::ErrorCode::kExecution, "rule result is not a vector or scalar");
}

bool NeedsSending(const Alert& alert, model::TimestampMs t, std::int64_t resend_delay_ms) {
  if (alert.state == AlertState::kPending) return false;
  if (alert.resolved_at > alert.last_sent_at) return true;
  if (alert.last_sent_at > t) return true;  // the clock stepped back
  return alert.last_sent_at + resend_delay_ms < t;
}

}  // namespace

std::string_view AlertStateName(AlertState state) {
  switch (state) {
    case AlertState::kInactive:
      return "inactive";
    case AlertState::kPending:
      return "pending";
    case AlertState::kFiring:
      return "firing";
  }
  return "inactive";
}

std::string_view RuleHealthName(RuleHealth health) {
  switch (health) {
    case RuleHealth::kUnknown:
      return "unknown";
    case RuleHealth::kOk:
      return "ok";
    case RuleHealth::kError:
      return "err";
  }
  return "unknown";
}

TemplateQuery MakeTemplateQuery(const promql::Engine& engine, const storage::Queryable& queryable,
                                model::TimestampMs t) {
  return [&engine, &queryable, t](std::string_view query) -> base::Result<promql::Vector> {
    AZX_ASSIGN_OR_RETURN(const auto expr, promql::ParseExpr(query));
    AZX_ASSIGN_OR_RETURN(const promql::QueryResult result, engine.Instant(queryable, *expr, t));
    return SamplesOf(result);
  };
}

base::Result<std::vector<Alert>> MakeAlerts(const Rule& rule, int limit,
                                            const promql::QueryResult& result,
                                            const Evaluation& evaluation) {
  AZX_ASSIGN_OR_RETURN(const promql::Vector samples, SamplesOf(result));
  if (limit > 0 && samples.size() > static_cast<std::size_t>(limit)) {
    return base::Fail(base::ErrorCode::kExecution, "exceeded limit of " + std::to_string(limit) +
                                                       " with " + std::to_string(samples.size()) +
                                                       " alerts");
  }
  std::unordered_map<model::Labels, bool, model::LabelsHash> seen;
  std::vector<Alert> alerts;
  for (const model::Sample& sample : samples) {
    const TemplateData data{.alert = rule.name,
                            .labels = sample.labels,
                            .external_labels = evaluation.options.external_labels,
                            .external_url = evaluation.options.external_url,
                            .value = sample.f,
                            .now = evaluation.t,
                            .query = evaluation.query};
    model::LabelsBuilder labels(sample.labels);
    labels.Remove(model::kMetricName);
    Alert& alert = alerts.emplace_back();
    alert.labels = model::LabelsBuilder(Expand(rule.labels, data, std::move(labels)))
                       .Set(kAlertName, rule.name)
                       .Build();
    alert.annotations = Expand(rule.annotations, data, model::LabelsBuilder());
    alert.value = sample.f;
    alert.active_at = evaluation.t;
    alert.state = AlertState::kPending;
    if (!seen.emplace(alert.labels, true).second) {
      return base::Fail(base::ErrorCode::kExecution,
                        "vector contains metrics with the same labelset after applying alert "
                        "labels: " +
                            alert.labels.ToString());
    }
  }
  return alerts;
}

void AlertingState::Restore(const SavedAlerts& saved, model::TimestampMs t) {
  const std::int64_t gap_ms = std::max<std::int64_t>(0, t - saved.evaluated_at);
  for (Alert alert : saved.alerts) {
    if (alert.state == AlertState::kPending) {
      if (gap_ms > kOutageToleranceMs) continue;
      if (gap_ms > kBridgedMs) alert.active_at += gap_ms;
    }
    alert.last_sent_at = 0;
    const bool restored = alert.state != AlertState::kInactive;
    alerts_.insert_or_assign(alert.labels, Kept{alert, restored, false});
  }
}

bool AlertingState::has_restored() const {
  return std::any_of(alerts_.begin(), alerts_.end(),
                     [](const auto& entry) { return entry.second.restored; });
}

void AlertingState::Take(Alert alert) {
  Kept& kept = alerts_[alert.labels];
  kept.restored = false;
  if (kept.alert.state == AlertState::kInactive) {
    kept.alert = std::move(alert);
    kept.saved = false;
    return;
  }
  kept.alert.value = alert.value;
  kept.alert.annotations = std::move(alert.annotations);
  if (kept.alert.keep_firing_since != 0) kept.saved = false;
  kept.alert.keep_firing_since = 0;
}

bool AlertingState::GoesOn(const Rule& rule, model::TimestampMs t, Alert& alert) {
  switch (alert.state) {
    case AlertState::kPending:
      return false;
    case AlertState::kInactive:
      return t - alert.resolved_at <= kResolvedRetentionMs;
    case AlertState::kFiring:
      break;
  }
  if (rule.keep_firing_for_ms > 0) {
    if (alert.keep_firing_since == 0) alert.keep_firing_since = t;
    if (t - alert.keep_firing_since < rule.keep_firing_for_ms) return true;
  }
  alert.state = AlertState::kInactive;
  alert.resolved_at = t;
  return true;
}

AlertChanges AlertingState::Update(const Rule& rule, std::vector<Alert> alerts,
                                   model::TimestampMs t, Restored restored) {
  AlertChanges changes;
  std::unordered_set<model::Labels, model::LabelsHash> holds;
  for (Alert& alert : alerts) {
    holds.insert(alert.labels);
    const auto known = alerts_.find(alert.labels);
    changes.any =
        changes.any || known == alerts_.end() || known->second.alert.state == AlertState::kInactive;
    Take(std::move(alert));
  }
  for (auto it = alerts_.begin(); it != alerts_.end();) {
    auto& [labels, kept] = *it;
    Alert& alert = kept.alert;
    const AlertState before = alert.state;
    const model::TimestampMs kept_firing = alert.keep_firing_since;
    if (holds.contains(labels)) {
      if (before == AlertState::kPending && t - alert.active_at >= rule.for_ms) {
        alert.state = AlertState::kFiring;
        alert.fired_at = t;
      }
    } else if (!kept.restored || restored == Restored::kMayEnd) {
      kept.restored = false;
      if (!GoesOn(rule, t, alert)) {
        changes.any = changes.any || before == AlertState::kPending;
        gone_.push_back(labels);
        it = alerts_.erase(it);
        continue;
      }
    }
    if (alert.state != before || alert.keep_firing_since != kept_firing) kept.saved = false;
    changes.any = changes.any || alert.state != before;
    changes.resolved += before == AlertState::kFiring && alert.state == AlertState::kInactive;
    changes.pending += alert.state == AlertState::kPending ? 1 : 0;
    changes.firing += alert.state == AlertState::kFiring ? 1 : 0;
    ++it;
  }
  return changes;
}

std::vector<Alert> AlertingState::TakeToSend(model::TimestampMs t, std::int64_t interval_ms,
                                             std::int64_t resend_delay_ms) {
  std::vector<Alert> due;
  for (auto& [labels, kept] : alerts_) {
    Alert& alert = kept.alert;
    if (!NeedsSending(alert, t, resend_delay_ms)) continue;
    alert.last_sent_at = t;
    alert.valid_until = t + 4 * std::max(interval_ms, resend_delay_ms);
    kept.saved = false;
    due.push_back(alert);
  }
  std::sort(due.begin(), due.end(),
            [](const Alert& a, const Alert& b) { return a.labels < b.labels; });
  return due;
}

std::vector<Alert> AlertingState::All() const {
  std::vector<Alert> alerts;
  for (const auto& [labels, kept] : alerts_) alerts.push_back(kept.alert);
  std::sort(alerts.begin(), alerts.end(),
            [](const Alert& a, const Alert& b) { return a.labels < b.labels; });
  return alerts;
}

std::vector<Alert> AlertingState::Active() const {
  std::vector<Alert> alerts = All();
  std::erase_if(alerts, [](const Alert& alert) { return alert.state == AlertState::kInactive; });
  return alerts;
}

AlertEdits AlertingState::Unsaved(RuleId rule) const {
  AlertEdits edits{.rule = std::move(rule), .all = !saved_, .put = {}, .gone = {}};
  for (const auto& [labels, kept] : alerts_) {
    if (!saved_ || !kept.saved) edits.put.push_back(kept.alert);
  }
  if (saved_) edits.gone = gone_;
  return edits;
}

void AlertingState::MarkSaved() {
  for (auto& [labels, kept] : alerts_) kept.saved = true;
  gone_.clear();
  saved_ = true;
}

}  // namespace azexporter::rules
