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

namespace azexporter::rules {

// The alerts that a result makes of a rule, before any state: labels, annotations, value.
// kExecution when two samples come to the same labels, or there are more than the limit.
base::Result<std::vector<Alert>> MakeAlerts(const Rule& rule, int limit,
                                            const promql::QueryResult& result,
                                            const ManagerOptions& options, model::TimestampMs t);

class AlertingState {
 public:
  // Takes the alerts that hold at `t` into account. `alerts` come from MakeAlerts.
  void Update(const Rule& rule, std::vector<Alert> alerts, model::TimestampMs t);

  // Every alert kept, resolved ones included.
  std::vector<Alert> All() const;
  // Pending and firing ones, sorted by labels.
  std::vector<Alert> Active() const;

 private:
  std::unordered_map<model::Labels, Alert, model::LabelsHash> alerts_;
};

}  // namespace azexporter::rules
