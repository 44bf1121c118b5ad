#include "azexporter/app/check.h"

#include <fmt/format.h>

#include <algorithm>

#include "azexporter/app/version.h"
#include "azexporter/base/duration.h"
#include "azexporter/base/wait.h"
#include "azexporter/collect/self_metrics.h"
#include "azexporter/collect/snapshot.h"
#include "azexporter/storage/memory_store.h"
#include "check_parts.h"
#include "cluster_rules.h"
#include "datasource.h"
#include "notifications.h"
#include "rule_groups.h"

namespace azexporter::app {
namespace {

using zones::Finding;
using zones::Severity;
using zones::Topic;

int SeverityRank(const AlertLine& alert) {
  if (alert.severity == "critical") return 0;
  return alert.severity == rules::kSeverityNone ? 2 : 1;
}

}  // namespace

std::string_view StatusName(Status status) {
  switch (status) {
    case Status::kOk:
      return "OK";
    case Status::kWarning:
      return "WARNING";
    case Status::kCritical:
      return "CRITICAL";
    case Status::kUnknown:
      return "UNKNOWN";
  }
  return "UNKNOWN";
}

Status StatusOf(Severity severity) {
  switch (severity) {
    case Severity::kNote:
      return Status::kOk;
    case Severity::kUnknown:
      return Status::kUnknown;
    case Severity::kWarning:
      return Status::kWarning;
    case Severity::kCritical:
      return Status::kCritical;
  }
  return Status::kUnknown;
}

namespace {

Finding FindingOf(const AlertLine& alert) {
  const std::string subject = alert.subject.empty() ? "" : " " + alert.subject;
  return {alert.severity == "critical" ? Severity::kCritical : Severity::kWarning,
          Topic::kAlerts,
          alert.zone,
          alert.ns,
          alert.name,
          fmt::format("alert {}{}: {}{}", alert.name, subject, alert.state,
                      alert.summary.empty() ? "" : " (" + alert.summary + ")")};
}

// The finding where `value` is beyond a threshold.
std::optional<Finding> BeyondThreshold(std::string_view name, double value,
                                       const CheckOptions& options, Finding finding) {
  if (!options.scope.Covers(finding)) return std::nullopt;
  for (const auto& [severity, thresholds] : {std::pair(Severity::kCritical, &options.critical),
                                             std::pair(Severity::kWarning, &options.warning)}) {
    const auto found = thresholds->find(name);
    if (found == thresholds->end() || !found->second.IsBad(value)) continue;
    finding.severity = severity;
    finding.text +=
        fmt::format(", {} by -{} {}={}", zones::SeverityName(severity),
                    severity == Severity::kCritical ? 'c' : 'w', name, found->second.text);
    return finding;
  }
  return std::nullopt;
}

void AddBeyondThresholds(const CheckOptions& options, CheckResult& result) {
  for (const zones::DatabaseStatus& db : result.report.databases) {
    if (!db.lag_seconds) continue;
    auto finding = BeyondThreshold(
        kLagThreshold, *db.lag_seconds, options,
        {Severity::kNote, Topic::kDatabases, db.zone, "", db.instance,
         fmt::format("{} of {} lags by {:.1f} s", db.instance, db.cluster, *db.lag_seconds)});
    if (finding) result.findings.push_back(std::move(*finding));
  }
  if (!result.zone_skew) return;
  auto finding =
      BeyondThreshold(kSkewThreshold, static_cast<double>(*result.zone_skew), options,
                      {Severity::kNote, Topic::kSpread, "", options.scope.ns, "",
                       fmt::format("the largest skew over zones is {}", *result.zone_skew)});
  if (finding) result.findings.push_back(std::move(*finding));
}

// Rules that could not be judged.
void AddNotJudged(CheckResult& result) {
  const auto unjudged =
      std::count_if(result.not_judged.begin(), result.not_judged.end(),
                    [](const NotJudged& rule) { return rule.status == Status::kUnknown; });
  if (unjudged == 0) return;
  result.findings.push_back(
      {Severity::kUnknown, Topic::kAlerts, "", "", "",
       fmt::format("{} of {} alert rules could not be judged, see below", unjudged, result.rules)});
}

void KeepAlertsInScope(const zones::Scope& scope, CheckResult& result) {
  const auto outside = [&](const AlertLine& alert) { return !scope.Covers(FindingOf(alert)); };
  std::erase_if(result.alerts, outside);
  if (!scope.only.empty() && !scope.only.contains(Topic::kAlerts)) result.not_judged.clear();
}

}  // namespace

void Conclude(const CheckOptions& options, CheckResult& result) {
  AddBeyondThresholds(options, result);
  KeepAlertsInScope(options.scope, result);
  for (const AlertLine& alert : result.alerts) {
    // A Watchdog is meant to be true.
    if (alert.severity != rules::kSeverityNone) result.findings.push_back(FindingOf(alert));
  }
  AddNotJudged(result);
  zones::HeedMaintenance(result.report, result.findings);
  for (Finding& finding : result.findings) {
    if (finding.unreachable && options.unreachable_is_unknown &&
        finding.severity == Severity::kCritical) {
      finding.severity = Severity::kUnknown;
    }
  }
  zones::SortFindings(result.findings);
  std::stable_sort(
      result.alerts.begin(), result.alerts.end(),
      [](const AlertLine& a, const AlertLine& b) { return SeverityRank(a) < SeverityRank(b); });
  if (!result.findings.empty()) result.status = StatusOf(result.findings[0].severity);
}

std::string SubjectOf(const model::Labels& labels, const rules::TemplateMap& rule_labels) {
  std::string subject;
  for (const model::Label label : labels) {
    const bool of_rule = label.name == rules::kAlertName ||
                         std::any_of(rule_labels.begin(), rule_labels.end(),
                                     [&](const auto& own) { return own.first == label.name; });
    if (of_rule) continue;
    subject += (subject.empty() ? "" : ", ") + std::string(label.value);
  }
  return subject;
}

std::string ZoneOf(const model::Labels& labels) {
  const std::string_view zone = labels.Get("zone");
  return std::string(zone.empty() ? labels.Get("topology_kubernetes_io_zone") : zone);
}

CheckResult Judge(zones::ZoneReport report, const std::vector<rules::Judgement>& judgements,
                  const CheckOptions& options) {
  CheckResult result;
  result.report = std::move(report);
  result.findings = zones::FindingsOf(result.report, options.scope);
  result.zone_skew = zones::LargestZoneSkew(result.report, options.scope);
  result.rules = static_cast<int>(judgements.size());
  for (const rules::Judgement& judgement : judgements) {
    for (const rules::Alert& alert : judgement.alerts) {
      result.alerts.push_back({.name = judgement.rule->name,
                               .severity = std::string(alert.labels.Get("severity")),
                               .state = "true now",
                               .subject = SubjectOf(alert.labels, judgement.rule->labels),
                               .zone = ZoneOf(alert.labels),
                               .ns = std::string(alert.labels.Get("namespace")),
                               .summary = std::string(alert.annotations.Get("summary")),
                               .for_ms = judgement.rule->for_ms});
    }
  }
  for (const rules::Judgement& judgement : judgements) {
    switch (judgement.verdict) {
      case rules::Verdict::kTrue:
      case rules::Verdict::kFalse:
        break;
      case rules::Verdict::kNoData:
        result.not_judged.push_back({judgement.rule->name, judgement.detail, Status::kOk});
        break;
      case rules::Verdict::kTooLittleData:
      case rules::Verdict::kError:
        result.not_judged.push_back({judgement.rule->name, judgement.detail, Status::kUnknown});
        break;
    }
  }
  Conclude(options, result);
  return result;
}

CheckResult Impossible(Status status, const std::string& why) {
  CheckResult result;
  result.status = status;
  result.findings.push_back({status == Status::kCritical ? Severity::kCritical : Severity::kUnknown,
                             Topic::kSources, "", "", "", why, true});
  return result;
}

namespace {

// What rules ask: the data source, as long as there is time left for an answer, or the samples of
// the check itself.
rules::Evaluator EvaluatorOf(const std::unique_ptr<Datasource>& datasource,
                             const promql::Engine& engine, const storage::Queryable& samples,
                             const base::Clock& clock, std::int64_t deadline_ns) {
  if (!datasource) return rules::LocalEvaluator(engine, samples);
  return [&datasource, &clock, deadline_ns](
             const promql::Expr& expr, model::TimestampMs t) -> base::Result<promql::QueryResult> {
    if (clock.SteadyNs() < deadline_ns) return datasource->Evaluate(expr, t);
    return base::Fail(base::ErrorCode::kTimeout,
                      "datasource: not asked, the time of the check is over");
  };
}

}  // namespace

base::Result<CheckResult> CheckCluster(const config::Config& config, const ObserverDeps& deps,
                                       const CheckOptions& options, std::int64_t timeout_ms) {
  AZX_ASSIGN_OR_RETURN(std::vector<rules::RuleGroup> groups,
                       LoadRuleGroups(config, options.engine.parser));
  const std::int64_t start_ns = deps.clock.SteadyNs();
  config::Config quick = config;
  quick.probes.timeout_ms = std::min(quick.probes.timeout_ms, timeout_ms / 8);
  std::unique_ptr<Datasource> datasource;
  if (quick.datasource) {
    quick.datasource->timeout_ms = std::min(quick.datasource->timeout_ms, timeout_ms / 8);
    datasource = std::make_unique<Datasource>(*quick.datasource);
  }
  AZX_ASSIGN_OR_RETURN(const std::unique_ptr<Observer> observer, Observer::Create(quick, deps));
  observer->AskOnce({});
  ClusterRules of_cluster(deps.log, options.engine.parser);
  of_cluster.SetSelection(config.prometheus_rules);
  static_cast<void>(of_cluster.Update(*observer->cluster_state()));
  std::ranges::move(of_cluster.groups(), std::back_inserter(groups));

  // Rates need more than one sample: a few rounds of quick probes, half a second apart. With the
  // lists (4/10 of the timeout at most) all of it stays within the timeout even where every target
  // hangs: a round of probes takes 1/8 + 1/16 of it. A data source has samples of its own, and gets
  // the time instead.
  const int rounds = datasource ? 1 : 3;
  constexpr int kProbesARound = 4;
  constexpr std::int64_t kPauseMs = 500;
  storage::MemoryStore store;
  collect::SnapshotAppender appender(store);
  collect::SelfMetrics self(Version(), Revision());
  self.RecordReload(true, deps.clock.NowMs());
  self.RecordNotifications(NothingSent(config));
  self.RecordState({});
  if (config.prometheus_rules) self.RecordRefusedRules(of_cluster.refused());
  // A rule that cannot be evaluated is told of by its own judgement.
  const auto rule_counts = RuleCounts(rules::NotEvaluated(groups));
  collect::Round round;
  for (int i = 0; i < rounds; ++i) {
    if (i > 0) base::WaitFor(std::stop_token(), kPauseMs);
    observer->ProbeNow(kProbesARound, timeout_ms / 16);
    round = observer->MakeRound(deps.clock.NowMs());
    self.Record(round.snapshot, *observer->cluster_state());
    round.snapshot.blocks.push_back(self.ToBlock());
    round.snapshot.blocks.push_back(rule_counts);
    AZX_RETURN_IF_ERROR(appender.Append(round.snapshot));
  }
  const promql::Engine engine(options.engine, deps.clock);
  const rules::ManagerOptions manager{.default_interval_ms = config.global.evaluation_interval_ms,
                                      .external_labels = config.global.external_labels};
  const std::int64_t deadline_ns = start_ns + timeout_ms * 7 / 8 * 1'000'000;
  const auto judgements = rules::JudgeNow(
      groups, manager, engine, EvaluatorOf(datasource, engine, store, deps.clock, deadline_ns),
      round.snapshot.timestamp_ms);
  return Judge(std::move(round.report), judgements, options);
}

}  // namespace azexporter::app
