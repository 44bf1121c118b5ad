#pragma once

// The rule manager evaluates rule groups over the store or another source, each at its interval,
// keeps the state of alerts between evaluations, and writes recorded series, ALERTS and
// ALERTS_FOR_STATE back. Semantics: prometheus/rules/{group,alerting,recording}.go.
//
// Thread safety: thread-safe. Views do not change; asking for them never waits for an evaluation
// under way.

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/logger.h"
#include "azexporter/promql/engine.h"
#include "azexporter/rules/alert.h"
#include "azexporter/rules/alert_store.h"
#include "azexporter/rules/rule_file.h"
#include "azexporter/storage/storage.h"

namespace azexporter::rules {

struct ManagerOptions {
  std::int64_t default_interval_ms = 15'000;
  model::Labels external_labels;  // for templates
  std::string external_url;       // for templates
  // How long after it was sent an alert is sent again. Default 1m, as Prometheus.
  std::int64_t resend_delay_ms = 60'000;
  // Rules are still to come, of a source that has not answered yet: what was saved of rules that
  // are not known is kept for them.
  bool more_to_come = false;
};

// Takes alerts of one rule that are to be sent on: firing ones, and resolved ones (resolved_at is
// set). Called on the evaluating thread, never under a lock.
using NotifyFunc = std::function<void(const Rule& rule, const std::vector<Alert>& alerts)>;

// Answers an expression for a time. Called on the evaluating thread, one call at a time.
using Evaluator = std::function<base::Result<promql::QueryResult>(const promql::Expr& expr,
                                                                  model::TimestampMs t)>;
// By the engine over the store; both must outlive it.
Evaluator LocalEvaluator(const promql::Engine& engine, const storage::Queryable& queryable);

// All of them must outlive the manager.
struct ManagerDeps {
  const promql::Engine& engine;
  const storage::Queryable& queryable;
  storage::Appendable& appendable;
  const base::Clock& clock;
  base::Logger log;
  NotifyFunc notify = {};        // empty: nobody is told
  AlertStore* alerts = nullptr;  // null: alerts are forgotten at a restart
  // Whether every source has answered since the start. Until then, and while a rule finds nothing
  // to judge, restored alerts do not end. Empty: yes.
  std::function<bool()> sources_answered = {};
  // What rules and their templates ask in the place of the engine and the store. What it answers
  // empty counts as judged: a server of its own has a past. Empty: LocalEvaluator.
  Evaluator evaluate = {};
};

class Manager {
 public:
  Manager(ManagerOptions options, ManagerDeps deps);
  ~Manager();
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // Puts `groups` in the place of the present ones. A rule of the same group, name and labels keeps
  // its alerts, whatever else of it changed; the series of a rule that is gone end.
  void SetGroups(std::vector<RuleGroup> groups, ManagerOptions options);

  // Takes over the alerts that were saved; how many. What cannot be read is the error, and the
  // rules begin anew. Once, after SetGroups and before the first evaluation. Rules that come later
  // (ManagerOptions::more_to_come) take over theirs as they come.
  base::Result<std::size_t> Restore();

  // Evaluates every group once, at `t`, whatever its interval.
  void EvaluateAll(model::TimestampMs t);
  // Evaluates each group at its interval until `stop` is requested.
  void Run(std::stop_token stop);

  // Has every alert that fires, and every one that ended in the last 15 minutes, handed over within
  // a second, whenever that was done last. Waits for nothing.
  void NotifyAll();

  GroupViews Groups() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Groups as they are before their first evaluation.
GroupViews NotEvaluated(const std::vector<RuleGroup>& groups);

// How an alerting rule stands in the moment, with no `for:` and no memory: what a one-shot check
// can know. Empty is not fine: the verdict tells "false" from "there was nothing to judge".
enum class Verdict {
  kTrue,           // it holds now; it fires once it held for its `for`
  kFalse,          // its series are there and it does not hold
  kNoData,         // a selector of it matches no series
  kTooLittleData,  // a range of it has no two points to compare yet
  kError,
};
std::string_view VerdictName(Verdict verdict);

struct Judgement {
  std::shared_ptr<const RuleGroup> group;  // owns `rule`
  const Rule* rule = nullptr;
  Verdict verdict = Verdict::kError;
  std::string detail;         // why, where it is not plain true or false
  std::vector<Alert> alerts;  // of kTrue: pending, as they stand at `t`
};

// Judges the alerting rules of `groups` at `t`, in order. `engine` reads what templates ask.
std::vector<Judgement> JudgeNow(const std::vector<RuleGroup>& groups, const ManagerOptions& options,
                                const promql::Engine& engine, const Evaluator& evaluate,
                                model::TimestampMs t);

}  // namespace azexporter::rules
