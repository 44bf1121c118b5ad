#include "azexporter/rules/manager.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <unordered_set>

#include "alerting.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/wait.h"

namespace azexporter::rules {
namespace {

using LabelsSet = std::unordered_set<model::Labels, model::LabelsHash>;

// A rule with what it remembers between evaluations.
struct RuleRun {
  const Rule* rule = nullptr;
  RuleStatus status;
  AlertingState alerting;
  LabelsSet written;  // series of the last evaluation, to end those that are gone
};

// A group with its runs. Evaluated by one thread at a time.
struct GroupRun {
  std::shared_ptr<const RuleGroup> group;
  std::int64_t interval_ms = 0;
  model::TimestampMs next_evaluation = 0;  // 0: not planned yet
  model::TimestampMs last_evaluation = 0;
  double evaluation_seconds = 0;
  std::vector<RuleRun> rules;
};

// A rule is known by its name and labels: those make the identity of its alerts. A better
// expression, duration or annotation goes on with the alerts there are.
bool SameIdentity(const Rule& a, const Rule& b) {
  return a.kind == b.kind && a.name == b.name && a.labels == b.labels;
}
bool SameRule(const Rule& a, const Rule& b) {
  return SameIdentity(a, b) && a.expr_text == b.expr_text;
}

// Moves the memory of rules over, to the same rule before a changed one. Each old rule serves once,
// so that twins keep their own; what was taken has no rule any more.
void KeepState(GroupRun& from, GroupRun& to) {
  std::vector<bool> settled(to.rules.size());
  for (bool (*same)(const Rule&, const Rule&) : {&SameRule, &SameIdentity}) {
    for (std::size_t i = 0; i < to.rules.size(); ++i) {
      if (settled[i]) continue;
      RuleRun& run = to.rules[i];
      const auto old = std::find_if(from.rules.begin(), from.rules.end(), [&](const RuleRun& r) {
        return r.rule != nullptr && same(*r.rule, *run.rule);
      });
      if (old == from.rules.end()) continue;
      settled[i] = true;
      const Rule* rule = run.rule;
      run = std::move(*old);
      run.rule = rule;
      old->rule = nullptr;
      old->written.clear();
    }
  }
  to.last_evaluation = from.last_evaluation;
  to.evaluation_seconds = from.evaluation_seconds;
}

// Alerts to hand over once no lock is held.
struct Outgoing {
  std::shared_ptr<const RuleGroup> group;  // owns `rule`
  const Rule* rule = nullptr;
  std::vector<Alert> alerts;
};

struct WrittenSample {
  model::Labels labels;
  double value;
};

// ALERTS and ALERTS_FOR_STATE of an alert. Source: prometheus/rules/alerting.go.
void AddAlertSamples(const Alert& alert, std::vector<WrittenSample>& out) {
  out.push_back({model::LabelsBuilder(alert.labels)
                     .Set(model::kMetricName, "ALERTS")
                     .Set("alertstate", AlertStateName(alert.state))
                     .Build(),
                 1});
  out.push_back(
      {model::LabelsBuilder(alert.labels).Set(model::kMetricName, "ALERTS_FOR_STATE").Build(),
       static_cast<double>(alert.active_at / 1000)});
}

base::Result<std::vector<WrittenSample>> RecordedSamples(const Rule& rule, int limit,
                                                         const promql::QueryResult& result) {
  std::vector<WrittenSample> samples;
  const auto add = [&](const model::Labels& labels, double value) {
    model::LabelsBuilder builder(labels);
    builder.Set(model::kMetricName, rule.name);
    for (const auto& [name, text] : rule.labels) builder.Set(name, text);
    samples.push_back({builder.Build(), value});
  };
  if (const auto* vector = std::get_if<promql::Vector>(&result.value)) {
    for (const model::Sample& sample : *vector) add(sample.labels, sample.f);
  } else if (const auto* scalar = std::get_if<promql::Scalar>(&result.value)) {
    add(model::Labels(), scalar->f);
  } else {
    return base::Fail(base::ErrorCode::kExecution, "rule result is not a vector or scalar");
  }
  if (limit > 0 && samples.size() > static_cast<std::size_t>(limit)) {
    return base::Fail(base::ErrorCode::kExecution, "exceeded limit of " + std::to_string(limit) +
                                                       " with " + std::to_string(samples.size()) +
                                                       " series");
  }
  LabelsSet seen;
  for (const WrittenSample& sample : samples) {
    if (seen.insert(sample.labels).second) continue;
    return base::Fail(base::ErrorCode::kExecution,
                      "vector contains metrics with the same labelset after applying rule labels");
  }
  return samples;
}

}  // namespace

struct Manager::Impl {
  Impl(ManagerOptions options_in, ManagerDeps deps_in)
      : deps(std::move(deps_in)), options(std::move(options_in)) {}

  GroupRun MakeRun(RuleGroup group) const AZX_REQUIRES(evaluation_mu);
  void EvaluateGroup(GroupRun& run, model::TimestampMs t) AZX_REQUIRES(evaluation_mu);
  void EvaluateRule(const GroupRun& group, RuleRun& run, model::TimestampMs t)
      AZX_REQUIRES(evaluation_mu);
  base::Result<void> TryRule(const GroupRun& group, RuleRun& run, model::TimestampMs t)
      AZX_REQUIRES(evaluation_mu);
  base::Result<void> Write(RuleRun& run, const std::vector<WrittenSample>& samples,
                           model::TimestampMs t) AZX_REQUIRES(evaluation_mu);
  void EndSeries(const std::vector<GroupRun>& gone) AZX_REQUIRES(evaluation_mu);
  void Publish() AZX_REQUIRES(evaluation_mu);
  // Where that was asked for, adds every alert that is told of to `outgoing`.
  void AddAllToOutgoing(model::TimestampMs now) AZX_REQUIRES(evaluation_mu);
  void HandOver(const std::vector<Outgoing>& due) const AZX_EXCLUDES(evaluation_mu);
  model::TimestampMs NextSlot(const GroupRun& run, model::TimestampMs now) const;

  // constant after construction
  const ManagerDeps deps;
  // held through an evaluation; never by a reader
  base::Mutex evaluation_mu;
  ManagerOptions options AZX_GUARDED_BY(evaluation_mu);
  std::vector<GroupRun> groups AZX_GUARDED_BY(evaluation_mu);
  std::vector<Outgoing> outgoing AZX_GUARDED_BY(evaluation_mu);
  std::atomic<bool> notify_all = false;
  // what readers see
  mutable base::Mutex view_mu;
  std::vector<GroupView> views AZX_GUARDED_BY(view_mu);
};

GroupRun Manager::Impl::MakeRun(RuleGroup group) const {
  GroupRun run;
  run.interval_ms = group.interval_ms > 0 ? group.interval_ms : options.default_interval_ms;
  run.group = std::make_shared<const RuleGroup>(std::move(group));
  for (const Rule& rule : run.group->rules) run.rules.emplace_back().rule = &rule;
  return run;
}

// One sample that the store refuses does not keep the others from being written.
base::Result<void> Manager::Impl::Write(RuleRun& run, const std::vector<WrittenSample>& samples,
                                        model::TimestampMs t) {
  const auto appender = deps.appendable.NewAppender();
  base::Result<void> outcome;
  LabelsSet written;
  for (const WrittenSample& sample : samples) {
    run.written.erase(sample.labels);
    written.insert(sample.labels);
    auto appended =
        storage::AsResult(appender->Append(sample.labels, t, sample.value), sample.labels, t);
    if (!appended && outcome) outcome = std::move(appended);
  }
  // Where another rule writes the same series its sample stands, and the marker is refused.
  for (const model::Labels& gone : run.written) {
    static_cast<void>(appender->Append(gone, t, model::StaleNaN()));
  }
  run.written = std::move(written);
  AZX_ASSIGN_OR_RETURN(const storage::LeftOut left_out, appender->Commit());
  AZX_RETURN_IF_ERROR(outcome);
  return storage::AsResult(left_out);
}

// Ends the series that rules wrote which are no longer there.
void Manager::Impl::EndSeries(const std::vector<GroupRun>& gone) {
  const auto appender = deps.appendable.NewAppender();
  for (const GroupRun& group : gone) {
    // Later than their last samples, were the clock stepped back.
    const model::TimestampMs t = std::max(deps.clock.NowMs(), group.last_evaluation + 1);
    for (const RuleRun& rule : group.rules) {
      for (const model::Labels& series : rule.written) {
        static_cast<void>(appender->Append(series, t, model::StaleNaN()));
      }
    }
  }
  if (auto ended = appender->Commit(); !ended) {
    deps.log.Warn("series of removed rules not ended", {{"error", ended.error().message()}});
  }
}

base::Result<void> Manager::Impl::TryRule(const GroupRun& group, RuleRun& run,
                                          model::TimestampMs t) {
  const Rule& rule = *run.rule;
  // An offset moves what is asked and what is written; the state of alerts knows only the time.
  const model::TimestampMs asked_at = t - group.group->query_offset_ms;
  AZX_ASSIGN_OR_RETURN(promql::QueryResult result,
                       deps.engine.Instant(deps.queryable, *rule.expr, asked_at));
  run.status.warnings = result.warnings;
  std::vector<WrittenSample> samples;
  if (rule.kind == RuleKind::kAlerting) {
    const Evaluation evaluation = {options, t, MakeTemplateQuery(deps.engine, deps.queryable, t)};
    AZX_ASSIGN_OR_RETURN(std::vector<Alert> alerts,
                         MakeAlerts(rule, group.group->limit, result, evaluation));
    const AlertChanges changes = run.alerting.Update(rule, std::move(alerts), t);
    if (changes.any) {
      deps.log.Info("alerts changed", {{"alert", rule.name},
                                       {"pending", std::to_string(changes.pending)},
                                       {"firing", std::to_string(changes.firing)},
                                       {"resolved", std::to_string(changes.resolved)}});
    }
    auto due = run.alerting.TakeToSend(t, group.interval_ms, options.resend_delay_ms);
    if (!due.empty()) outgoing.push_back({group.group, &rule, std::move(due)});
    for (const Alert& alert : run.alerting.Active()) AddAlertSamples(alert, samples);
  } else {
    AZX_ASSIGN_OR_RETURN(samples, RecordedSamples(rule, group.group->limit, result));
  }
  return Write(run, samples, asked_at);
}

void Manager::Impl::EvaluateRule(const GroupRun& group, RuleRun& run, model::TimestampMs t) {
  const std::int64_t start_ns = deps.clock.SteadyNs();
  const auto evaluated = TryRule(group, run, t);
  run.status.last_evaluation = t;
  run.status.evaluation_seconds = static_cast<double>(deps.clock.SteadyNs() - start_ns) / 1e9;
  if (evaluated) {
    run.status.health = RuleHealth::kOk;
    run.status.last_error.clear();
    return;
  }
  // An alert keeps its state when its rule cannot be evaluated: nothing resolves by a fault.
  const std::string& error = evaluated.error().message();
  if (run.status.last_error != error) {
    deps.log.Warn("rule failed", {{"group", group.group->name},
                                  {"rule", run.rule->name},
                                  {"file", group.group->file},
                                  {"error", error}});
  }
  run.status.health = RuleHealth::kError;
  run.status.last_error = error;
}

void Manager::Impl::EvaluateGroup(GroupRun& run, model::TimestampMs t) {
  const std::int64_t start_ns = deps.clock.SteadyNs();
  for (RuleRun& rule : run.rules) EvaluateRule(run, rule, t);
  run.last_evaluation = t;
  run.evaluation_seconds = static_cast<double>(deps.clock.SteadyNs() - start_ns) / 1e9;
}

void Manager::Impl::Publish() {
  std::vector<GroupView> fresh;
  for (const GroupRun& run : groups) {
    GroupView& group = fresh.emplace_back();
    group.group = run.group;
    group.interval_ms = run.interval_ms;
    group.last_evaluation = run.last_evaluation;
    group.evaluation_seconds = run.evaluation_seconds;
    for (const RuleRun& rule : run.rules) {
      group.rules.push_back({run.group, rule.rule, rule.status, rule.alerting.Active()});
    }
  }
  base::MutexLock lock(view_mu);
  views = std::move(fresh);
}

// Groups are spread over their interval by their names, so that they do not all run at once; the
// slot of a group is the same after a restart.
model::TimestampMs Manager::Impl::NextSlot(const GroupRun& run, model::TimestampMs now) const {
  const auto interval = run.interval_ms;
  const auto hash = std::hash<std::string>()(run.group->file + ";" + run.group->name);
  const auto offset = static_cast<std::int64_t>(hash % static_cast<std::size_t>(interval));
  const std::int64_t since = (now - offset) % interval;
  return now - (since < 0 ? since + interval : since) + interval;
}

void Manager::Impl::AddAllToOutgoing(model::TimestampMs now) {
  if (!notify_all.exchange(false)) return;
  outgoing.clear();  // what is in it is among all
  for (GroupRun& group : groups) {
    for (RuleRun& run : group.rules) {
      run.alerting.ForgetSent();
      auto due = run.alerting.TakeToSend(now, group.interval_ms, options.resend_delay_ms);
      if (!due.empty()) outgoing.push_back({group.group, run.rule, std::move(due)});
    }
  }
}

void Manager::Impl::HandOver(const std::vector<Outgoing>& due) const {
  if (!deps.notify) return;
  for (const Outgoing& of_rule : due) deps.notify(*of_rule.rule, of_rule.alerts);
}

Manager::Manager(ManagerOptions options, ManagerDeps deps)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(deps))) {}

Manager::~Manager() = default;

void Manager::SetGroups(std::vector<RuleGroup> groups, ManagerOptions options) {
  base::MutexLock lock(impl_->evaluation_mu);
  impl_->options = std::move(options);
  std::vector<GroupRun> before = std::move(impl_->groups);
  impl_->groups.clear();
  for (RuleGroup& group : groups) {
    GroupRun run = impl_->MakeRun(std::move(group));
    for (GroupRun& old : before) {
      if (old.group->name == run.group->name && old.group->file == run.group->file) {
        KeepState(old, run);
      }
    }
    impl_->groups.push_back(std::move(run));
  }
  impl_->EndSeries(before);
  impl_->Publish();
}

void Manager::EvaluateAll(model::TimestampMs t) {
  std::vector<Outgoing> outgoing;
  {
    base::MutexLock lock(impl_->evaluation_mu);
    for (GroupRun& run : impl_->groups) impl_->EvaluateGroup(run, t);
    impl_->Publish();
    impl_->AddAllToOutgoing(t);
    outgoing.swap(impl_->outgoing);
  }
  impl_->HandOver(outgoing);
}

void Manager::Run(std::stop_token stop) {
  // Short enough to notice new groups and a stepped clock soon.
  constexpr std::int64_t kMaxWaitMs = 1'000;
  while (!stop.stop_requested()) {
    std::int64_t wait_ms = kMaxWaitMs;
    std::vector<Outgoing> outgoing;
    {
      base::MutexLock lock(impl_->evaluation_mu);
      const model::TimestampMs now = impl_->deps.clock.NowMs();
      bool evaluated = false;
      for (GroupRun& run : impl_->groups) {
        const bool stepped_back = run.next_evaluation > now + run.interval_ms;
        if (run.next_evaluation == 0 || stepped_back) {
          // A group that was never evaluated does not wait for its slot: until then nobody can say
          // how its rules stand.
          run.next_evaluation = run.last_evaluation == 0 ? now : impl_->NextSlot(run, now);
        }
        if (run.next_evaluation <= now) {
          impl_->EvaluateGroup(run, run.next_evaluation);
          run.next_evaluation = impl_->NextSlot(run, now);
          evaluated = true;
        }
        wait_ms = std::min(wait_ms, run.next_evaluation - now);
      }
      if (evaluated) impl_->Publish();
      impl_->AddAllToOutgoing(now);
      outgoing.swap(impl_->outgoing);
    }
    impl_->HandOver(outgoing);
    base::WaitFor(stop, std::max<std::int64_t>(wait_ms, 1));
  }
}

void Manager::NotifyAll() { impl_->notify_all = true; }

std::vector<GroupView> Manager::Groups() const {
  base::MutexLock lock(impl_->view_mu);
  return impl_->views;
}

}  // namespace azexporter::rules
