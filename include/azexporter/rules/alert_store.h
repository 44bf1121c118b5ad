#pragma once

// Keeps the alerts of rules on disk, so that a kill at any moment loses none: pending ones go on
// where they were, firing ones are firing still, those that ended are told of to the end.
//
// What an evaluation did to the alerts of a group is written before anyone is told of it, in the
// API or in a notification. Whatever was seen from outside is therefore there after a restart.
//
// Thread safety: an AlertStore is used by one thread at a time.

#include <compare>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "azexporter/base/database.h"
#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"
#include "azexporter/rules/alert.h"
#include "azexporter/rules/rule_file.h"

namespace azexporter::rules {

// By what a rule is known from one start to the next: its group, its name and its labels, which
// make the identity of its alerts.
struct RuleId {
  std::string file;
  std::string group;
  std::string name;
  std::string labels;  // of the rule, encoded
  int twin = 0;        // of several that are alike in all this, the how-manieth; from 0

  auto operator<=>(const RuleId&) const = default;
};
// REQUIRES: `rule` is of the group.
RuleId IdOf(const RuleGroup& group, const Rule& rule);

struct SavedAlerts {
  model::TimestampMs evaluated_at = 0;  // when its group was evaluated last
  std::vector<Alert> alerts;
};

// What an evaluation changed of a rule's alerts.
struct AlertEdits {
  RuleId rule;
  bool all = false;  // `put` is all there are: what is stored else goes
  // Alerts that were sent again, all those that were sent together before; in this order, and
  // before `put`.
  struct Sent {
    model::TimestampMs before = 0;  // the old last_sent_at
    model::TimestampMs at = 0;
    model::TimestampMs valid_until = 0;

    bool operator==(const Sent&) const = default;
  };
  std::vector<Sent> sent;
  std::vector<Alert> put;           // new ones, and changed ones
  std::vector<model::Labels> gone;  // of those that are forgotten
};

class AlertStore {
 public:
  virtual ~AlertStore() = default;

  virtual base::Result<std::map<RuleId, SavedAlerts>> Load() = 0;
  // All of it or nothing. Edits are of rules of one group; those without edits may be left out.
  virtual base::Result<void> Save(const std::string& file, const std::string& group,
                                  model::TimestampMs evaluated_at,
                                  std::span<const AlertEdits> edits) = 0;
  // Forgets the alerts of all other rules.
  virtual base::Result<void> Keep(std::span<const RuleId> rules) = 0;
};

// In tables of `db`, which must outlive it.
std::unique_ptr<AlertStore> MakeAlertStore(base::Database& db);
// Makes the tables. REQUIRES: within a transaction.
base::Result<void> CreateAlertTables(base::Database& db);

}  // namespace azexporter::rules
