#pragma once

// Alerts and how rules fare: what the rule engine shows of itself.
//
// Thread safety: values; thread-compatible, but for RuleHistory.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/mutex.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::rules {

inline constexpr std::string_view kAlertName = "alertname";
// The severity of an alert that is meant to be true, a Watchdog: it is shown, but nothing is wrong.
inline constexpr std::string_view kSeverityNone = "none";

// Inactive: resolved, and kept a while so that its end can be told.
enum class AlertState { kInactive, kPending, kFiring };
std::string_view AlertStateName(AlertState state);

// One alert of a rule. Times are milliseconds since the epoch; 0 where it did not happen.
struct Alert {
  AlertState state = AlertState::kInactive;
  model::Labels labels;       // with alertname and the rule's labels
  model::Labels annotations;  // expanded
  double value = 0;           // at the last evaluation that returned it
  model::TimestampMs active_at = 0;
  model::TimestampMs fired_at = 0;
  model::TimestampMs resolved_at = 0;
  model::TimestampMs keep_firing_since = 0;
  model::TimestampMs last_sent_at = 0;
  // Until when it counts as firing for those it was sent to, should they hear no more of it.
  model::TimestampMs valid_until = 0;
};

enum class RuleHealth { kUnknown, kOk, kError };
std::string_view RuleHealthName(RuleHealth health);

// How a rule fared in its last evaluation.
struct RuleStatus {
  RuleHealth health = RuleHealth::kUnknown;
  std::string last_error;
  model::TimestampMs last_evaluation = 0;
  double evaluation_seconds = 0;
  std::size_t samples = 0;            // that its expression came to; 0 where it failed
  std::vector<std::string> warnings;  // annotations of PromQL
};

// How one evaluation of a rule ended.
struct PastEvaluation {
  model::TimestampMs t = 0;
  double seconds = 0;  // how long it took
  RuleHealth health = RuleHealth::kUnknown;
  std::string error;
  std::size_t samples = 0;  // that the expression came to
  std::size_t pending = 0;  // alerts, as they stood afterwards
  std::size_t firing = 0;
};

// The last evaluations of a rule, which goes on with it.
//
// Thread safety: thread-safe.
class RuleHistory {
 public:
  static constexpr std::size_t kLength = 20;

  void Add(PastEvaluation evaluation);
  // The last kLength, oldest first.
  std::vector<PastEvaluation> Evaluations() const;

 private:
  mutable base::Mutex mu_;
  // A ring once it is full: the oldest stands at `oldest_`.
  std::vector<PastEvaluation> evaluations_ AZX_GUARDED_BY(mu_);
  std::size_t oldest_ AZX_GUARDED_BY(mu_) = 0;
};

struct RuleView {
  std::shared_ptr<const RuleGroup> group;  // owns `rule`
  const Rule* rule = nullptr;
  RuleStatus status;
  std::vector<Alert> alerts;                   // pending and firing ones, sorted by labels
  std::shared_ptr<const RuleHistory> history;  // never null
};

struct GroupView {
  std::shared_ptr<const RuleGroup> group;
  std::int64_t interval_ms = 0;  // the group's own or the global one
  model::TimestampMs last_evaluation = 0;
  double evaluation_seconds = 0;
  std::uint64_t iterations = 0;  // since the rules were loaded
  std::uint64_t missed = 0;      // that fell out, because others took too long or the clock stepped
  std::vector<RuleView> rules;
};

}  // namespace azexporter::rules
