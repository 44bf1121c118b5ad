#include "azexporter/rules/manager.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include "alert_maker.h"
#include "alerting.h"
#include "azexporter/base/mutex.h"
#include "azexporter/base/wait.h"
#include "rule_history.h"

namespace azexporter::rules {
namespace {

using LabelsSet = std::unordered_set<model::Labels, model::LabelsHash>;

// A rule with what it remembers between evaluations.
struct RuleRun {
  const Rule* rule = nullptr;
  RuleId id;
  AlertingState alerting;
  // Until when restored alerts of it wait for something to judge.
  model::TimestampMs hold_until = 0;
  std::unique_ptr<AlertMaker> maker;  // of an alerting rule
  // Of a recording rule, the series of the last evaluation, and the last one that wrote each: to
  // end those that are gone.
  std::unordered_map<model::Labels, std::uint64_t, model::LabelsHash> written;
  std::uint64_t writes = 0;
};

// A group with its runs. Evaluated by one thread at a time.
struct GroupRun {
  std::shared_ptr<const RuleGroup> group;
  std::int64_t interval_ms = 0;
  model::TimestampMs next_evaluation = 0;  // 0: not planned yet
  model::TimestampMs last_evaluation = 0;
  std::uint64_t iterations = 0;
  std::uint64_t missed = 0;
  model::TimestampMs saved_at = 0;  // as of this evaluation; 0: not, or not well
  double evaluation_seconds = 0;
  std::vector<RuleRun> rules;
  std::shared_ptr<const GroupHistory> history = std::make_shared<const GroupHistory>();
  std::shared_ptr<const GroupView> view;  // as it was after the last evaluation
};

// Where no alert changed, that they were looked at is written so often.
constexpr std::int64_t kQuietSaveMs = 60'000;

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
  std::vector<std::optional<std::size_t>> before(to.rules.size());
  for (bool (*same)(const Rule&, const Rule&) : {&SameRule, &SameIdentity}) {
    for (std::size_t i = 0; i < to.rules.size(); ++i) {
      if (before[i]) continue;
      RuleRun& run = to.rules[i];
      const auto old = std::find_if(from.rules.begin(), from.rules.end(), [&](const RuleRun& r) {
        return r.rule != nullptr && same(*r.rule, *run.rule);
      });
      if (old == from.rules.end()) continue;
      before[i] = static_cast<std::size_t>(old - from.rules.begin());
      const Rule* rule = run.rule;
      RuleId id = std::move(run.id);
      auto maker = std::move(run.maker);
      run = std::move(*old);
      run.maker = std::move(maker);
      run.rule = rule;
      // Its number among twins may be another one.
      if (run.id != id) run.alerting.MarkUnsaved();
      run.id = std::move(id);
      old->rule = nullptr;
      old->written.clear();
    }
  }
  to.last_evaluation = from.last_evaluation;
  to.saved_at = from.saved_at;
  to.iterations = from.iterations;
  to.missed = from.missed;
  to.evaluation_seconds = from.evaluation_seconds;
  to.history = Rearranged(*from.history, before);
}

std::shared_ptr<const GroupView> ViewOf(const GroupRun& run) {
  auto view = std::make_shared<GroupView>(GroupView{.group = run.group,
                                                    .interval_ms = run.interval_ms,
                                                    .last_evaluation = run.last_evaluation,
                                                    .evaluation_seconds = run.evaluation_seconds,
                                                    .iterations = run.iterations,
                                                    .missed = run.missed,
                                                    .history = run.history,
                                                    .rules = {}});
  view->rules.reserve(run.rules.size());
  for (const RuleRun& rule : run.rules) {
    view->rules.push_back({.rule = rule.rule,
                           .alerts = rule.alerting.Active(),
                           .history = view->history.get(),
                           .number = view->rules.size()});
  }
  return view;
}

// How far back the rule looks, at most.
std::int64_t LongestReach(const Rule& rule) {
  std::int64_t reach_ms = 0;
  for (const promql::Selection& selection : promql::Selections(*rule.expr)) {
    reach_ms = std::max(reach_ms, selection.reach_ms);
  }
  return reach_ms;
}

// Alerts to hand over once no lock is held.
struct Outgoing {
  std::shared_ptr<const RuleGroup> group;  // owns `rule`
  const Rule* rule = nullptr;
  std::vector<Alert> alerts;
};

base::Result<std::vector<WrittenSample>> RecordedSamples(const Rule& rule, int limit,
                                                         const promql::QueryResult& result) {
  std::vector<WrittenSample> samples;
  const auto add = [&](const model::Labels& labels, double value, model::HistogramPtr histogram) {
    model::LabelsBuilder builder(labels);
    builder.Set(model::kMetricName, rule.name);
    for (const auto& [name, text] : rule.labels) builder.Set(name, text);
    samples.push_back({builder.Build(), value, std::move(histogram)});
  };
  if (const auto* vector = std::get_if<promql::Vector>(&result.value)) {
    for (const model::Sample& sample : *vector) add(sample.labels, sample.f, sample.h);
  } else if (const auto* scalar = std::get_if<promql::Scalar>(&result.value)) {
    add(model::Labels(), scalar->f, nullptr);
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
      : deps(std::move(deps_in)),
        evaluate(deps.evaluate ? deps.evaluate : LocalEvaluator(deps.engine, deps.queryable)),
        options(std::move(options_in)) {}

  GroupRun MakeRun(RuleGroup group) const AZX_REQUIRES(evaluation_mu);
  void EvaluateGroup(GroupRun& run, model::TimestampMs t) AZX_REQUIRES(evaluation_mu);
  RuleEvaluation EvaluateRule(GroupRun& group, std::size_t number, const Evaluation& evaluation)
      AZX_REQUIRES(evaluation_mu);
  // Notes in `ended` what came of it.
  base::Result<void> TryRule(const GroupRun& group, RuleRun& run, const Evaluation& evaluation,
                             RuleEvaluation& ended) AZX_REQUIRES(evaluation_mu);
  Restored MayEnd(const RuleRun& run, const RuleGroup& group, model::TimestampMs t) const;
  void Save(GroupRun& run) AZX_REQUIRES(evaluation_mu);
  base::Result<void> Write(RuleRun& run, const std::vector<WrittenSample>& samples,
                           model::TimestampMs t) AZX_REQUIRES(evaluation_mu);
  void EndSeries(const std::vector<GroupRun>& gone) AZX_REQUIRES(evaluation_mu);
  // Hands out what was saved of the rules that are known by now, and makes all views; how many
  // alerts.
  std::size_t Claim() AZX_REQUIRES(evaluation_mu);
  void Forget() AZX_REQUIRES(evaluation_mu);
  void Publish() AZX_REQUIRES(evaluation_mu);
  // Where that was asked for, adds every alert that is told of to `outgoing`.
  void AddAllToOutgoing(model::TimestampMs now) AZX_REQUIRES(evaluation_mu);
  void HandOver(const std::vector<Outgoing>& due) const AZX_EXCLUDES(evaluation_mu);
  model::TimestampMs NextSlot(const GroupRun& run, model::TimestampMs now) const;

  // constant after construction
  const ManagerDeps deps;
  const Evaluator evaluate;
  // held through an evaluation; never by a reader
  base::Mutex evaluation_mu;
  ManagerOptions options AZX_GUARDED_BY(evaluation_mu);
  std::vector<GroupRun> groups AZX_GUARDED_BY(evaluation_mu);
  std::vector<Outgoing> outgoing AZX_GUARDED_BY(evaluation_mu);
  bool restored AZX_GUARDED_BY(evaluation_mu) = false;
  // What was saved of rules that are not known yet.
  std::map<RuleId, SavedAlerts> unclaimed AZX_GUARDED_BY(evaluation_mu);
  std::atomic<bool> notify_all = false;
  // what readers see
  mutable base::Mutex view_mu;
  GroupViews views AZX_GUARDED_BY(view_mu);
};

GroupRun Manager::Impl::MakeRun(RuleGroup group) const {
  GroupRun run;
  run.interval_ms = group.interval_ms > 0 ? group.interval_ms : options.default_interval_ms;
  run.group = std::make_shared<const RuleGroup>(std::move(group));
  for (const Rule& rule : run.group->rules) {
    RuleRun& of_rule = run.rules.emplace_back();
    of_rule.rule = &rule;
    of_rule.id = IdOf(*run.group, rule);
    if (rule.kind == RuleKind::kAlerting) of_rule.maker = std::make_unique<AlertMaker>(rule);
  }
  return run;
}

// One sample that the store refuses does not keep the others from being written.
base::Result<void> Manager::Impl::Write(RuleRun& run, const std::vector<WrittenSample>& samples,
                                        model::TimestampMs t) {
  const std::vector<model::Labels> ended = run.alerting.TakeEnded();
  if (samples.empty() && ended.empty() && run.written.empty()) return {};
  const auto appender = deps.appendable.NewAppender();
  base::Result<void> outcome;
  const bool recording = run.rule->kind == RuleKind::kRecording;
  ++run.writes;
  for (const WrittenSample& sample : samples) {
    if (recording) run.written[sample.labels] = run.writes;
    const storage::AppendOutcome appended =
        appender->AppendDetailed(sample.labels, t, sample.value, {sample.histogram});
    if (appended == storage::AppendOutcome::kAppended || !outcome) continue;
    outcome = storage::AsResult(appended, sample.labels, t);
  }
  // Where another rule writes the same series its sample stands, and the marker is refused.
  for (const model::Labels& series : ended) {
    static_cast<void>(appender->Append(series, t, model::StaleNaN()));
  }
  if (recording && run.written.size() > samples.size()) {
    std::erase_if(run.written, [&](const auto& series) {
      if (series.second == run.writes) return false;
      static_cast<void>(appender->Append(series.first, t, model::StaleNaN()));
      return true;
    });
  }
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
      std::vector<model::Labels> ended = rule.alerting.Series();
      for (const auto& [series, write] : rule.written) ended.push_back(series);
      for (const model::Labels& series : ended) {
        static_cast<void>(appender->Append(series, t, model::StaleNaN()));
      }
    }
  }
  if (auto ended = appender->Commit(); !ended) {
    deps.log.Warn("series of removed rules not ended", {{"error", ended.error().message()}});
  }
}

std::size_t Manager::Impl::Claim() {
  std::size_t active = 0;
  const model::TimestampMs now = deps.clock.NowMs();
  for (GroupRun& group : groups) {
    for (RuleRun& run : group.rules) {
      const auto saved = unclaimed.extract(run.id);
      if (!saved) continue;
      run.alerting.Restore(saved.mapped(), now);
      run.hold_until = now + LongestReach(*run.rule);
      active += run.alerting.Active().size();
    }
    group.view = ViewOf(group);
  }
  return active;
}

// The saved alerts of rules that are gone. Not before they were taken over.
void Manager::Impl::Forget() {
  if (deps.alerts == nullptr || !restored || options.more_to_come) return;
  unclaimed.clear();
  std::vector<RuleId> rules;
  for (const GroupRun& group : groups) {
    for (const RuleRun& rule : group.rules) rules.push_back(rule.id);
  }
  if (auto kept = deps.alerts->Keep(rules); !kept) {
    deps.log.Warn("alerts of removed rules not forgotten", {{"error", kept.error().message()}});
  }
}

base::Result<void> Manager::Impl::TryRule(const GroupRun& group, RuleRun& run,
                                          const Evaluation& evaluation, RuleEvaluation& ended) {
  const Rule& rule = *run.rule;
  const model::TimestampMs t = evaluation.t;
  // An offset moves what is asked and what is written; the state of alerts knows only the time.
  const model::TimestampMs asked_at = t - group.group->query_offset_ms;
  AZX_ASSIGN_OR_RETURN(promql::QueryResult result, evaluate(*rule.expr, asked_at));
  ended.samples = SampleCount(result);
  if (rule.kind == RuleKind::kAlerting && ended.samples == 0 && run.alerting.empty()) {
    ended.pending = ended.firing = 0;  // mostly so, and then nothing else is looked at
    return {};
  }
  std::vector<WrittenSample> samples;
  if (rule.kind == RuleKind::kAlerting) {
    AZX_ASSIGN_OR_RETURN(std::vector<Alert> alerts,
                         run.maker->Make(group.group->limit, std::move(result), evaluation));
    const Restored may_end = MayEnd(run, *group.group, t);
    const AlertChanges changes = run.alerting.Update(rule, std::move(alerts), t, may_end);
    ended.pending = static_cast<std::size_t>(changes.pending);
    ended.firing = static_cast<std::size_t>(changes.firing);
    if (changes.any) {
      deps.log.Info("alerts changed", {{"alert", rule.name},
                                       {"pending", std::to_string(changes.pending)},
                                       {"firing", std::to_string(changes.firing)},
                                       {"resolved", std::to_string(changes.resolved)}});
    }
    auto due = run.alerting.TakeToSend(t, group.interval_ms, options.resend_delay_ms);
    if (!due.empty()) outgoing.push_back({group.group, &rule, std::move(due)});
    run.alerting.AddSamples(samples);
  } else {
    AZX_ASSIGN_OR_RETURN(samples, RecordedSamples(rule, group.group->limit, result));
  }
  return Write(run, samples, asked_at);
}

// An empty answer ends a restored alert only where there was something to judge: after a long
// outage a rate has no two samples yet, and a source that is asked late no series.
Restored Manager::Impl::MayEnd(const RuleRun& run, const RuleGroup& group,
                               model::TimestampMs t) const {
  if (deps.evaluate || !run.alerting.has_restored()) return Restored::kMayEnd;
  if (deps.sources_answered && !deps.sources_answered()) return Restored::kStay;
  if (t >= run.hold_until) return Restored::kMayEnd;
  const auto empty = JudgeEmpty(*run.rule, evaluate, t - group.query_offset_ms);
  return empty && empty->verdict == Verdict::kFalse ? Restored::kMayEnd : Restored::kStay;
}

// Before anyone is told. What cannot be written is written with the next evaluation.
void Manager::Impl::Save(GroupRun& run) {
  if (deps.alerts == nullptr) return;
  std::vector<AlertEdits> edits;
  for (const RuleRun& rule : run.rules) {
    if (rule.rule->kind != RuleKind::kAlerting || !rule.alerting.has_unsaved()) continue;
    edits.push_back(rule.alerting.Unsaved(rule.id));
  }
  // When it was looked at matters to alerts only.
  const bool none = std::all_of(run.rules.begin(), run.rules.end(),
                                [](const RuleRun& rule) { return rule.alerting.empty(); });
  const bool recent =
      run.saved_at <= run.last_evaluation && run.last_evaluation < run.saved_at + kQuietSaveMs;
  if (edits.empty() && (none || recent)) return;
  const bool saved =
      deps.alerts->Save(run.group->file, run.group->name, run.last_evaluation, edits).has_value();
  run.saved_at = saved ? run.last_evaluation : 0;
  for (RuleRun& rule : run.rules) {
    if (saved) {
      rule.alerting.MarkSaved();
    } else {
      rule.alerting.MarkUnsaved();
    }
  }
}

RuleEvaluation Manager::Impl::EvaluateRule(GroupRun& group, std::size_t number,
                                           const Evaluation& evaluation) {
  const std::int64_t start_ns = deps.clock.SteadyNs();
  const RuleEvaluation& before = LastOf(*group.history, number);
  // An alert keeps its state when its rule cannot be evaluated: nothing resolves by a fault.
  RuleEvaluation ended = {.t = evaluation.t, .pending = before.pending, .firing = before.firing};
  RuleRun& run = group.rules[number];
  const auto evaluated = TryRule(group, run, evaluation, ended);
  ended.seconds = static_cast<double>(deps.clock.SteadyNs() - start_ns) / 1e9;
  ended.health = evaluated ? RuleHealth::kOk : RuleHealth::kError;
  if (evaluated) return ended;
  ended.error = evaluated.error().message();
  if (ended.error != before.error) {
    deps.log.Warn("rule failed", {{"group", group.group->name},
                                  {"rule", run.rule->name},
                                  {"file", group.group->file},
                                  {"error", ended.error}});
  }
  return ended;
}

void Manager::Impl::EvaluateGroup(GroupRun& run, model::TimestampMs t) {
  const std::int64_t start_ns = deps.clock.SteadyNs();
  const Evaluation evaluation = {options, t, MakeTemplateQuery(evaluate, deps.engine, t)};
  std::vector<RuleEvaluation> ended;
  ended.reserve(run.rules.size());
  for (std::size_t i = 0; i < run.rules.size(); ++i) {
    ended.push_back(EvaluateRule(run, i, evaluation));
  }
  run.history = Extended(*run.history, std::move(ended));
  run.last_evaluation = t;
  ++run.iterations;
  Save(run);
  run.evaluation_seconds = static_cast<double>(deps.clock.SteadyNs() - start_ns) / 1e9;
  run.view = ViewOf(run);
}

void Manager::Impl::Publish() {
  GroupViews fresh;
  for (const GroupRun& run : groups) fresh.push_back(run.view);
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
  impl_->Claim();
  impl_->Forget();
  impl_->Publish();
}

base::Result<std::size_t> Manager::Restore() {
  base::MutexLock lock(impl_->evaluation_mu);
  if (impl_->deps.alerts == nullptr) return 0;
  AZX_ASSIGN_OR_RETURN(impl_->unclaimed, impl_->deps.alerts->Load());
  const std::size_t active = impl_->Claim();
  impl_->restored = true;
  impl_->Forget();
  impl_->Publish();
  return active;
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
          // Of several times that passed only the last is made up for.
          const std::int64_t missed = (now - run.next_evaluation) / run.interval_ms;
          run.missed += static_cast<std::uint64_t>(missed);
          impl_->EvaluateGroup(run, run.next_evaluation + missed * run.interval_ms);
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

GroupViews Manager::Groups() const {
  base::MutexLock lock(impl_->view_mu);
  return impl_->views;
}

}  // namespace azexporter::rules
