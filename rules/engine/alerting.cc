#include "alerting.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "alert_maker.h"
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

Evaluator LocalEvaluator(const promql::Engine& engine, const storage::Queryable& queryable) {
  return [&engine, &queryable](const promql::Expr& expr, model::TimestampMs t) {
    return engine.Instant(queryable, expr, t);
  };
}

TemplateQuery MakeTemplateQuery(const Evaluator& evaluate, const promql::Engine& engine,
                                model::TimestampMs t) {
  return [&evaluate, &engine, t](std::string_view query) -> base::Result<promql::Vector> {
    AZX_ASSIGN_OR_RETURN(const auto expr, engine.Parse(query));
    AZX_ASSIGN_OR_RETURN(const promql::QueryResult result, evaluate(*expr, t));
    return SamplesOf(result);
  };
}

void AlertingState::Restore(const SavedAlerts& saved, model::TimestampMs t) {
  const std::int64_t gap_ms = std::max<std::int64_t>(0, t - saved.evaluated_at);
  for (Alert alert : saved.alerts) {
    if (alert.state == AlertState::kPending) {
      if (gap_ms > kOutageToleranceMs) continue;
      if (gap_ms > kBridgedMs) alert.active_at += gap_ms;
    }
    alert.last_sent_at = 0;
    Kept& kept = alerts_[alert.labels];
    kept.restored = alert.state != AlertState::kInactive;
    kept.alert = std::move(alert);
  }
  restored_ = true;
  changed_ = true;
  sorted_.clear();
}

bool AlertingState::has_restored() const {
  restored_ = restored_ && std::any_of(alerts_.begin(), alerts_.end(),
                                       [](const auto& entry) { return entry.second.restored; });
  return restored_;
}

void AlertingState::MarkChanged(Kept& kept) {
  kept.saved = false;
  changed_ = true;
}

void AlertingState::EndSeries(Kept& kept, bool all) {
  if (!kept.alerts_series.empty()) ended_.push_back(std::exchange(kept.alerts_series, {}));
  if (all && !kept.for_state_series.empty()) {
    ended_.push_back(std::exchange(kept.for_state_series, {}));
  }
}

void AlertingState::Take(Alert alert, AlertChanges& changes) {
  const auto [found, added] = alerts_.try_emplace(alert.labels);
  Kept& kept = found->second;
  kept.restored = false;
  kept.held = updates_;
  if (added) sorted_.clear();
  if (added || kept.alert.state == AlertState::kInactive) {
    kept.alert = std::move(alert);
    MarkChanged(kept);
    changes.any = true;
    return;
  }
  kept.alert.value = alert.value;
  kept.alert.annotations = std::move(alert.annotations);
  if (kept.alert.keep_firing_since == 0) return;
  kept.alert.keep_firing_since = 0;
  MarkChanged(kept);
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

AlertingState::Alerts::iterator AlertingState::Follow(const Rule& rule, model::TimestampMs t,
                                                      Restored restored, Alerts::iterator it,
                                                      AlertChanges& changes) {
  Kept& kept = it->second;
  Alert& alert = kept.alert;
  const AlertState before = alert.state;
  const model::TimestampMs kept_firing = alert.keep_firing_since;
  if (kept.held == updates_) {
    if (before == AlertState::kPending && t - alert.active_at >= rule.for_ms) {
      alert.state = AlertState::kFiring;
      alert.fired_at = t;
    }
  } else if (!kept.restored || restored == Restored::kMayEnd) {
    kept.restored = false;
    if (!GoesOn(rule, t, alert)) {
      changes.any = changes.any || before == AlertState::kPending;
      gone_.push_back(it->first);
      changed_ = true;
      sorted_.clear();
      EndSeries(kept, true);
      return alerts_.erase(it);
    }
  }
  if (alert.keep_firing_since != kept_firing) MarkChanged(kept);
  if (alert.state != before) {
    MarkChanged(kept);
    EndSeries(kept, alert.state == AlertState::kInactive);
    changes.any = true;
    if (alert.state == AlertState::kInactive) ++changes.resolved;
  }
  changes.pending += alert.state == AlertState::kPending ? 1 : 0;
  changes.firing += alert.state == AlertState::kFiring ? 1 : 0;
  return std::next(it);
}

AlertChanges AlertingState::Update(const Rule& rule, std::vector<Alert> alerts,
                                   model::TimestampMs t, Restored restored) {
  AlertChanges changes;
  ++updates_;
  for (Alert& alert : alerts) Take(std::move(alert), changes);
  for (auto it = alerts_.begin(); it != alerts_.end();) it = Follow(rule, t, restored, it, changes);
  return changes;
}

std::vector<Alert> AlertingState::TakeToSend(model::TimestampMs t, std::int64_t interval_ms,
                                             std::int64_t resend_delay_ms) {
  const model::TimestampMs valid_until = t + 4 * std::max(interval_ms, resend_delay_ms);
  std::vector<Alert> due;
  if (!changed_ && oldest_sent_ <= t && t <= oldest_sent_ + resend_delay_ms) return due;
  oldest_sent_ = t;
  for (auto& [labels, kept] : alerts_) {
    Alert& alert = kept.alert;
    if (!NeedsSending(alert, t, resend_delay_ms)) {
      if (alert.state != AlertState::kPending) {
        oldest_sent_ = std::min(oldest_sent_, alert.last_sent_at);
      }
      continue;
    }
    // Those that were sent together are sent together again.
    const AlertEdits::Sent sent{alert.last_sent_at, t, valid_until};
    if (alert.last_sent_at == 0 || alert.resolved_at == t) {
      MarkChanged(kept);
    } else if (kept.saved && std::find(sent_.begin(), sent_.end(), sent) == sent_.end()) {
      sent_.push_back(sent);
    }
    alert.last_sent_at = t;
    alert.valid_until = valid_until;
    due.push_back(alert);
  }
  std::sort(due.begin(), due.end(),
            [](const Alert& a, const Alert& b) { return a.labels < b.labels; });
  return due;
}

void AlertingState::ForgetSent() {
  for (auto& [labels, kept] : alerts_) kept.alert.last_sent_at = 0;
  oldest_sent_ = 0;
}

void AlertingState::AddSamples(std::vector<WrittenSample>& out) {
  out.reserve(out.size() + 2 * alerts_.size());
  for (auto& [labels, kept] : alerts_) {
    if (kept.alert.state == AlertState::kInactive) continue;
    if (kept.alerts_series.empty()) {
      kept.alerts_series = model::LabelsBuilder(labels)
                               .Set(model::kMetricName, "ALERTS")
                               .Set("alertstate", AlertStateName(kept.alert.state))
                               .Build();
    }
    if (kept.for_state_series.empty()) {
      kept.for_state_series =
          model::LabelsBuilder(labels).Set(model::kMetricName, "ALERTS_FOR_STATE").Build();
    }
    out.push_back({kept.alerts_series, 1});
    out.push_back({kept.for_state_series, static_cast<double>(kept.alert.active_at / 1000)});
  }
}

std::vector<model::Labels> AlertingState::TakeEnded() { return std::exchange(ended_, {}); }

std::vector<model::Labels> AlertingState::Series() const {
  std::vector<model::Labels> series;
  for (const auto& [labels, kept] : alerts_) {
    if (!kept.alerts_series.empty()) series.push_back(kept.alerts_series);
    if (!kept.for_state_series.empty()) series.push_back(kept.for_state_series);
  }
  return series;
}

const std::vector<const AlertingState::Kept*>& AlertingState::Sorted() const {
  if (sorted_.empty()) {
    for (const auto& [labels, kept] : alerts_) sorted_.push_back(&kept);
    std::sort(sorted_.begin(), sorted_.end(),
              [](const Kept* a, const Kept* b) { return a->alert.labels < b->alert.labels; });
  }
  return sorted_;
}

std::vector<Alert> AlertingState::All() const {
  std::vector<Alert> alerts;
  alerts.reserve(alerts_.size());
  for (const Kept* kept : Sorted()) alerts.push_back(kept->alert);
  return alerts;
}

std::vector<Alert> AlertingState::Active() const {
  std::vector<Alert> alerts;
  alerts.reserve(alerts_.size());
  for (const Kept* kept : Sorted()) {
    if (kept->alert.state != AlertState::kInactive) alerts.push_back(kept->alert);
  }
  return alerts;
}

AlertEdits AlertingState::Unsaved(RuleId rule) const {
  AlertEdits edits{.rule = std::move(rule), .all = !saved_, .sent = {}, .put = {}, .gone = {}};
  for (const Kept* kept : Sorted()) {
    if (!saved_ || !kept->saved) edits.put.push_back(kept->alert);
  }
  if (!saved_) return edits;
  edits.sent = sent_;
  edits.gone = gone_;
  return edits;
}

void AlertingState::MarkSaved() {
  if (changed_ || !saved_) {
    for (auto& [labels, kept] : alerts_) kept.saved = true;
  }
  changed_ = false;
  gone_.clear();
  sent_.clear();
  saved_ = true;
}

}  // namespace azexporter::rules
