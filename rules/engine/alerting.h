#pragma once

// The state machine of one alerting rule. Private to `rules`.
//
//              in the result                         in the result for `for`
//   (none) ─────────────────────> pending ─────────────────────────────────> firing
//              not in the result: dropped │                                     │ not in the result
//                                                                               │ (and past
//                                                                               v keep_firing_for)
//                                              in the result again: pending <─ inactive, kept 15 m
//
// An alert that was restored after a restart and does not hold stays as it is while nobody can know
// whether it ended.
//
// Thread safety: one thread at a time.

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/promql/value.h"
#include "azexporter/rules/alert.h"
#include "azexporter/rules/alert_store.h"
#include "azexporter/rules/manager.h"
#include "azexporter/rules/template.h"

namespace azexporter::rules {

// What the templates of a rule ask in an evaluation at `t`; `evaluate` must outlive the answer. As
// in Prometheus a scalar is a sample without labels, and the query offset of a group moves nothing.
TemplateQuery MakeTemplateQuery(const Evaluator& evaluate, const promql::Engine& engine,
                                model::TimestampMs t);

// What an empty answer of an alerting rule means: false, or that there was nothing to judge.
struct EmptyVerdict {
  Verdict verdict = Verdict::kFalse;
  std::string detail;
};
base::Result<EmptyVerdict> JudgeEmpty(const Rule& rule, const Evaluator& evaluate,
                                      model::TimestampMs t);

// What an evaluation came to.
struct AlertChanges {
  bool any = false;  // an alert came, went or changed its state
  int pending = 0;   // that are pending now
  int firing = 0;    // that are firing now
  int resolved = 0;  // that ended by this evaluation, having fired
};

struct WrittenSample {
  model::Labels labels;
  double value = 0;
  model::HistogramPtr histogram = nullptr;  // the value, where it is one
};

// Whether alerts that were restored and do not hold now may end: not while their sources have not
// answered since the start.
enum class Restored { kMayEnd, kStay };

class AlertingState {
 public:
  // Takes over what was saved, at `t`. Firing alerts fire on, however long nobody looked; pending
  // ones go on where they were: a gap that a query's look-back bridges counts for `for:`, a longer
  // one does not, and after an hour they begin anew. What is taken over is sent again at once.
  void Restore(const SavedAlerts& saved, model::TimestampMs t);
  // Of the alerts taken over, some have neither held since nor ended.
  bool has_restored() const;

  // Takes the alerts that hold at `t` into account. `alerts` come from an AlertMaker.
  AlertChanges Update(const Rule& rule, std::vector<Alert> alerts, model::TimestampMs t,
                      Restored restored = Restored::kMayEnd);

  // The alerts that are to be sent at `t`, sorted by labels; they count as sent from then on. A
  // firing alert is sent at once and again after every `resend_delay_ms`; so is one that resolved,
  // as long as it is kept. valid_until leaves room for two evaluations or sendings that fail.
  std::vector<Alert> TakeToSend(model::TimestampMs t, std::int64_t interval_ms,
                                std::int64_t resend_delay_ms);

  // Whatever was sent is due again.
  void ForgetSent();

  // The samples of ALERTS and ALERTS_FOR_STATE, of pending and firing alerts.
  // Source: prometheus/rules/alerting.go.
  void AddSamples(std::vector<WrittenSample>& out);
  // The series that AddSamples made and makes no more, since this was asked last.
  std::vector<model::Labels> TakeEnded();
  // Those it makes now.
  std::vector<model::Labels> Series() const;

  bool empty() const { return alerts_.empty(); }
  // Every alert kept, resolved ones included; sorted by labels.
  std::vector<Alert> All() const;
  // Pending and firing ones, sorted by labels.
  std::vector<Alert> Active() const;

  // What is to be saved: what changed since MarkSaved but for values and annotations alone, or all.
  bool has_unsaved() const { return !saved_ || changed_ || !sent_.empty(); }
  AlertEdits Unsaved(RuleId rule) const;
  void MarkSaved();
  // All is to be saved again, as of a rule that was never saved, or could not be.
  void MarkUnsaved() { saved_ = false; }

 private:
  struct Kept {
    Alert alert;
    bool restored = false;        // neither held since, nor ended
    bool saved = false;           // as it is
    std::uint64_t held = 0;       // the last update in which it held
    model::Labels alerts_series;  // of its state; made when first asked for
    model::Labels for_state_series;
  };
  using Alerts = std::unordered_map<model::Labels, Kept, model::LabelsHash>;

  // Of an alert that does not hold; false when it is to be forgotten.
  static bool GoesOn(const Rule& rule, model::TimestampMs t, Alert& alert);
  void Take(Alert alert, AlertChanges& changes);
  // One that was there before.
  Alerts::iterator Follow(const Rule& rule, model::TimestampMs t, Restored restored,
                          Alerts::iterator it, AlertChanges& changes);
  // By labels.
  const std::vector<const Kept*>& Sorted() const;
  void MarkChanged(Kept& kept);
  // Ends the series of a state that is over, and of the alert where that is.
  void EndSeries(Kept& kept, bool all);

  Alerts alerts_;
  mutable std::vector<const Kept*> sorted_;  // empty: to be sorted anew
  std::uint64_t updates_ = 0;
  std::vector<model::Labels> gone_;     // since MarkSaved
  std::vector<AlertEdits::Sent> sent_;  // since MarkSaved, in their order
  std::vector<model::Labels> ended_;    // since TakeEnded
  bool saved_ = false;                  // the store knows this rule's alerts
  bool changed_ = false;                // some of it is not saved as it is
  mutable bool restored_ = false;       // some may be restored
  model::TimestampMs oldest_sent_ = 0;  // no alert to be sent was sent before
};

}  // namespace azexporter::rules
