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
// Thread safety: one thread at a time.

#include <unordered_map>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/promql/value.h"
#include "azexporter/rules/alert.h"
#include "azexporter/rules/manager.h"
#include "azexporter/rules/template.h"

namespace azexporter::rules {

// What the templates of a rule ask in an evaluation at `t`; both must outlive the answer's use. As
// in Prometheus a scalar is a sample without labels, and the query offset of a group moves nothing.
TemplateQuery MakeTemplateQuery(const promql::Engine& engine, const storage::Queryable& queryable,
                                model::TimestampMs t);

// What alerts are made with.
struct Evaluation {
  const ManagerOptions& options;
  model::TimestampMs t = 0;
  TemplateQuery query = {};
};

// The alerts that a result makes of a rule, before any state: labels, annotations, value.
// kExecution when two samples come to the same labels, or there are more than the limit.
base::Result<std::vector<Alert>> MakeAlerts(const Rule& rule, int limit,
                                            const promql::QueryResult& result,
                                            const Evaluation& evaluation);

// What an evaluation came to.
struct AlertChanges {
  bool any = false;  // an alert came, went or changed its state
  int pending = 0;   // that are pending now
  int firing = 0;    // that are firing now
  int resolved = 0;  // that ended by this evaluation, having fired
};

class AlertingState {
 public:
  // Takes the alerts that hold at `t` into account. `alerts` come from MakeAlerts.
  AlertChanges Update(const Rule& rule, std::vector<Alert> alerts, model::TimestampMs t);

  // The alerts that are to be sent at `t`, sorted by labels; they count as sent from then on. A
  // firing alert is sent at once and again after every `resend_delay_ms`; so is one that resolved,
  // as long as it is kept. valid_until leaves room for two evaluations or sendings that fail.
  std::vector<Alert> TakeToSend(model::TimestampMs t, std::int64_t interval_ms,
                                std::int64_t resend_delay_ms);

  // Whatever was sent is due again.
  void ForgetSent();

  // Every alert kept, resolved ones included.
  std::vector<Alert> All() const;
  // Pending and firing ones, sorted by labels.
  std::vector<Alert> Active() const;

 private:
  std::unordered_map<model::Labels, Alert, model::LabelsHash> alerts_;
};

}  // namespace azexporter::rules
