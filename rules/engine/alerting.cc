#include "alerting.h"

#include <algorithm>

#include "azexporter/promql/parser.h"

namespace azexporter::rules {
namespace {

// How long a resolved alert is kept: an Alertmanager that was down for a while, or a second one
// that comes late, is still told that it ended. Source: prometheus/rules/alerting.go.
constexpr std::int64_t kResolvedRetentionMs = 15 * 60'000;

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

AlertChanges AlertingState::Update(const Rule& rule, std::vector<Alert> alerts,
                                   model::TimestampMs t) {
  AlertChanges changes;
  std::unordered_map<model::Labels, bool, model::LabelsHash> holds;
  for (Alert& alert : alerts) {
    holds.emplace(alert.labels, true);
    const auto found = alerts_.find(alert.labels);
    if (found != alerts_.end() && found->second.state != AlertState::kInactive) {
      found->second.value = alert.value;
      found->second.annotations = std::move(alert.annotations);
    } else {
      alerts_.insert_or_assign(alert.labels, std::move(alert));
      changes.any = true;
    }
  }
  for (auto it = alerts_.begin(); it != alerts_.end();) {
    Alert& alert = it->second;
    if (!holds.contains(it->first)) {
      bool keep_firing = false;
      if (alert.state == AlertState::kFiring && rule.keep_firing_for_ms > 0) {
        if (alert.keep_firing_since == 0) alert.keep_firing_since = t;
        keep_firing = t - alert.keep_firing_since < rule.keep_firing_for_ms;
      }
      const bool told_long_enough =
          alert.resolved_at != 0 && t - alert.resolved_at > kResolvedRetentionMs;
      if (alert.state == AlertState::kPending || told_long_enough) {
        changes.any = changes.any || alert.state == AlertState::kPending;
        it = alerts_.erase(it);
        continue;
      }
      if (alert.state != AlertState::kInactive && !keep_firing) {
        alert.state = AlertState::kInactive;
        alert.resolved_at = t;
        changes.any = true;
        ++changes.resolved;
      }
    } else {
      alert.keep_firing_since = 0;
    }
    if (alert.state == AlertState::kPending && t - alert.active_at >= rule.for_ms) {
      alert.state = AlertState::kFiring;
      alert.fired_at = t;
      changes.any = true;
    }
    changes.pending += alert.state == AlertState::kPending ? 1 : 0;
    changes.firing += alert.state == AlertState::kFiring ? 1 : 0;
    ++it;
  }
  return changes;
}

void AlertingState::ForgetSent() {
  for (auto& [labels, alert] : alerts_) alert.last_sent_at = 0;
}

std::vector<Alert> AlertingState::TakeToSend(model::TimestampMs t, std::int64_t interval_ms,
                                             std::int64_t resend_delay_ms) {
  std::vector<Alert> due;
  for (auto& [labels, alert] : alerts_) {
    if (!NeedsSending(alert, t, resend_delay_ms)) continue;
    alert.last_sent_at = t;
    alert.valid_until = t + 4 * std::max(interval_ms, resend_delay_ms);
    due.push_back(alert);
  }
  std::sort(due.begin(), due.end(),
            [](const Alert& a, const Alert& b) { return a.labels < b.labels; });
  return due;
}

std::vector<Alert> AlertingState::All() const {
  std::vector<Alert> alerts;
  for (const auto& [labels, alert] : alerts_) alerts.push_back(alert);
  std::sort(alerts.begin(), alerts.end(),
            [](const Alert& a, const Alert& b) { return a.labels < b.labels; });
  return alerts;
}

std::vector<Alert> AlertingState::Active() const {
  std::vector<Alert> alerts = All();
  std::erase_if(alerts, [](const Alert& alert) { return alert.state == AlertState::kInactive; });
  return alerts;
}

}  // namespace azexporter::rules
