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
#include "notifications.h"
#include "rule_groups.h"

namespace azexporter::app {
namespace {

using zones::ZoneState;

int Rank(Status status) {
  switch (status) {
    case Status::kCritical:
      return 3;
    case Status::kWarning:
      return 2;
    case Status::kUnknown:
      return 1;
    case Status::kOk:
      return 0;
  }
  return 0;
}

// Collects findings into a result.
class FindingCollector {
 public:
  FindingCollector(CheckResult& result, const CheckOptions& options)
      : result_(result), options_(options) {}

  void Add(Status status, std::string text) {
    result_.status = Worse(result_.status, status);
    result_.findings.push_back({status, std::move(text)});
  }

  void Source(std::string_view what, const zones::SourceStatus& source) {
    if (source.known && !source.failing) return;
    const Status unreachable =
        options_.unreachable_is_unknown ? Status::kUnknown : Status::kCritical;
    Add(unreachable, fmt::format("{} {}: {}", what,
                                 source.known ? "could not be asked again" : "could not be asked",
                                 source.error));
  }

  void Zone(const zones::ZoneStatus& zone) {
    switch (zone.state) {
      case ZoneState::kFullDisruption:
        Add(Status::kCritical, fmt::format("{} is down: none of its {} nodes is ready", zone.zone,
                                           zone.nodes_total()));
        break;
      case ZoneState::kMissing:
        Add(Status::kCritical, zone.zone + " is missing: it has no nodes");
        break;
      case ZoneState::kPartialDisruption:
        Add(Status::kWarning, fmt::format("{} is partly down: {} of {} nodes are ready", zone.zone,
                                          zone.nodes_ready(), zone.nodes_total()));
        break;
      case ZoneState::kEvacuated:
        Add(Status::kOk, zone.zone + " is evacuated: all of its nodes are cordoned");
        break;
      case ZoneState::kNormal:
      case ZoneState::kUnknown:  // told by its source
        break;
    }
    if (zone.health == zones::EndpointHealth::kDown) {
      Add(Status::kWarning,
          fmt::format("health endpoint of {} is down: {}", zone.zone, zone.health_error));
    } else if (zone.health == zones::EndpointHealth::kNotAUrl) {
      Add(Status::kWarning, "health endpoint of " + zone.zone + " is not a http or https URL");
    }
  }

  void Databases(const zones::ZoneReport& report) {
    std::set<std::string> with_silent_instances;
    for (const zones::DatabaseStatus& db : report.databases) {
      if (!db.up) {
        with_silent_instances.insert(db.cluster);
        const Status unreachable =
            options_.unreachable_is_unknown ? Status::kUnknown : Status::kCritical;
        Add(unreachable,
            fmt::format("{} of {} could not be asked: {}", db.instance, db.cluster, db.error));
      } else if (db.lag_stale) {
        const std::string lag =
            db.lag_seconds ? fmt::format("at least {:.0f}s", *db.lag_seconds) : "not known";
        Add(Status::kWarning, fmt::format("{} of {} is cut from its upstream, its lag is {}",
                                          db.instance, db.cluster, lag));
      }
    }
    for (const auto& [cluster, count] : report.primaries) {
      if (count > 1) {
        Add(Status::kCritical,
            fmt::format("{} is split: {} instances are writable", cluster, count));
      } else if (count == 0 && !with_silent_instances.contains(cluster)) {
        Add(Status::kCritical, cluster + " has no writable instance");
      }
    }
  }

  void Alert(const AlertLine& alert) {
    const std::string subject = alert.subject.empty() ? "" : " " + alert.subject;
    const std::string text = fmt::format("alert {}{}: {}{}", alert.name, subject, alert.state,
                                         alert.summary.empty() ? "" : " (" + alert.summary + ")");
    if (alert.severity == rules::kSeverityNone) return;  // a Watchdog: it is meant to be true
    Add(alert.severity == "critical" ? Status::kCritical : Status::kWarning, text);
  }

 private:
  CheckResult& result_;
  const CheckOptions options_;
};

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

Status Worse(Status a, Status b) { return Rank(a) >= Rank(b) ? a : b; }

void JudgeReport(CheckResult& result, const CheckOptions& options) {
  FindingCollector judge(result, options);
  judge.Source("nodes", result.report.nodes);
  judge.Source("pods", result.report.pods);
  judge.Source("zone expectations", result.report.expectations);
  if (result.report.nodes.known && result.report.zones.empty()) {
    judge.Add(Status::kUnknown, "no zone is known: no node carries a zone label, none is expected");
  }
  for (const zones::ZoneStatus& zone : result.report.zones) judge.Zone(zone);
  if (result.report.nodes_without_zone > 0) {
    judge.Add(Status::kOk, fmt::format("{} nodes carry no zone label and count for no zone",
                                       result.report.nodes_without_zone));
  }
  judge.Databases(result.report);
  for (const AlertLine& alert : result.alerts) judge.Alert(alert);
  const auto unjudged =
      std::count_if(result.not_judged.begin(), result.not_judged.end(),
                    [](const NotJudged& rule) { return rule.status == Status::kUnknown; });
  if (unjudged > 0) {
    judge.Add(Status::kUnknown, fmt::format("{} of {} alert rules could not be judged, see below",
                                            unjudged, result.rules));
  }
}

void SortByBadness(CheckResult& result) {
  std::stable_sort(
      result.findings.begin(), result.findings.end(),
      [](const Finding& a, const Finding& b) { return Rank(a.status) > Rank(b.status); });
  std::stable_sort(
      result.alerts.begin(), result.alerts.end(),
      [](const AlertLine& a, const AlertLine& b) { return SeverityRank(a) < SeverityRank(b); });
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

CheckResult Judge(zones::ZoneReport report, const std::vector<rules::Judgement>& judgements,
                  const CheckOptions& options) {
  CheckResult result;
  result.report = std::move(report);
  result.rules = static_cast<int>(judgements.size());
  for (const rules::Judgement& judgement : judgements) {
    for (const rules::Alert& alert : judgement.alerts) {
      result.alerts.push_back({.name = judgement.rule->name,
                               .severity = std::string(alert.labels.Get("severity")),
                               .state = "true now",
                               .subject = SubjectOf(alert.labels, judgement.rule->labels),
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
  JudgeReport(result, options);
  SortByBadness(result);
  return result;
}

CheckResult Impossible(Status status, const std::string& why) {
  CheckResult result;
  result.status = status;
  result.findings.push_back({status, why});
  return result;
}

base::Result<CheckResult> CheckCluster(const config::Config& config, const ObserverDeps& deps,
                                       const CheckFlags& flags) {
  AZX_ASSIGN_OR_RETURN(const std::vector<rules::RuleGroup> groups, LoadRuleGroups(config));
  config::Config quick = config;
  quick.probes.timeout_ms = std::min(quick.probes.timeout_ms, flags.timeout_ms / 8);
  AZX_ASSIGN_OR_RETURN(const std::unique_ptr<Observer> observer, Observer::Create(quick, deps));
  observer->AskOnce({});

  // Rates need more than one sample: a few rounds of quick probes, half a second apart. With the
  // lists (4/10 of the timeout at most) all of it stays within the timeout even where every target
  // hangs: a round of probes takes 1/8 + 1/16 of it.
  constexpr int kRounds = 3;
  constexpr int kProbesARound = 4;
  constexpr std::int64_t kPauseMs = 500;
  storage::MemoryStore store;
  collect::SnapshotAppender appender(store);
  collect::SelfMetrics self(Version(), Revision());
  self.RecordReload(true, deps.clock.NowMs());
  self.RecordNotifications(NothingSent(config));
  collect::Round round;
  for (int i = 0; i < kRounds; ++i) {
    if (i > 0) base::WaitFor(std::stop_token(), kPauseMs);
    observer->ProbeNow(kProbesARound, flags.timeout_ms / 16);
    round = observer->MakeRound(deps.clock.NowMs());
    self.Record(round.snapshot, *observer->cluster_state());
    round.snapshot.blocks.push_back(self.ToBlock());
    AZX_RETURN_IF_ERROR(appender.Append(round.snapshot));
  }
  const promql::Engine engine(promql::EngineOptions{}, deps.clock);
  const rules::ManagerOptions options{.default_interval_ms = config.global.evaluation_interval_ms,
                                      .external_labels = config.global.external_labels};
  const auto judgements =
      rules::JudgeNow(groups, options, engine, store, round.snapshot.timestamp_ms);
  return Judge(std::move(round.report), judgements,
               {.unreachable_is_unknown = flags.unreachable_is_unknown});
}

}  // namespace azexporter::app
