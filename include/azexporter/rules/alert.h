#pragma once

// Alerts and how rules fare: what the rule engine shows of itself.
//
// Thread safety: values; thread-compatible.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

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

// How one evaluation of a rule ended.
struct RuleEvaluation {
  model::TimestampMs t = 0;  // 0: the rule was not evaluated
  double seconds = 0;        // how long it took
  RuleHealth health = RuleHealth::kUnknown;
  std::string error;
  std::size_t samples = 0;  // that the expression came to; 0 where it failed
  std::size_t pending = 0;  // alerts, as they stood afterwards
  std::size_t firing = 0;
};

// The last evaluations of a group, oldest first: of each its rules, in their order.
using GroupHistory = std::vector<std::shared_ptr<const std::vector<RuleEvaluation>>>;
inline constexpr std::size_t kHistoryLength = 20;

// A rule as it stands, valid as long as its GroupView.
struct RuleView {
  const Rule* rule = nullptr;
  std::vector<Alert> alerts;  // pending and firing ones, sorted by labels
  const GroupHistory* history = nullptr;
  std::size_t number = 0;  // of the rule in its group

  // The newest; of a rule that was never evaluated one at no time.
  const RuleEvaluation& last() const;
  // The last kHistoryLength, oldest first.
  std::vector<RuleEvaluation> Evaluations() const;
};

struct GroupView {
  std::shared_ptr<const RuleGroup> group;
  std::int64_t interval_ms = 0;  // the group's own or the global one
  model::TimestampMs last_evaluation = 0;
  double evaluation_seconds = 0;
  std::uint64_t iterations = 0;  // since the rules were loaded
  std::uint64_t missed = 0;      // that fell out, because others took too long or the clock stepped
  std::shared_ptr<const GroupHistory> history;
  std::vector<RuleView> rules;
};
using GroupViews = std::vector<std::shared_ptr<const GroupView>>;

}  // namespace azexporter::rules
