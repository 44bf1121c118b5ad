#include "azexporter/rules/alert_store.h"

#include <bit>
#include <set>
#include <utility>
#include <vector>

#include "azexporter/model/label_codec.h"

namespace azexporter::rules {
namespace {

// An alert is known within its rule by its labels. Times are milliseconds since the epoch; a value
// is the bits of a double, since SQLite has no NaN.
constexpr char kTables[] = R"(
CREATE TABLE rule_groups (
  id INTEGER PRIMARY KEY, file TEXT NOT NULL, name TEXT NOT NULL, evaluated_at INTEGER NOT NULL,
  UNIQUE (file, name));
CREATE TABLE rules (
  id INTEGER PRIMARY KEY, rule_group INTEGER NOT NULL, name TEXT NOT NULL, labels TEXT NOT NULL,
  twin INTEGER NOT NULL, UNIQUE (rule_group, name, labels, twin));
CREATE TABLE alerts (
  rule INTEGER NOT NULL, labels TEXT NOT NULL, annotations TEXT NOT NULL, state TEXT NOT NULL,
  value INTEGER NOT NULL, active_at INTEGER NOT NULL, fired_at INTEGER NOT NULL, resolved_at INTEGER NOT NULL,
  keep_firing_since INTEGER NOT NULL, last_sent_at INTEGER NOT NULL, valid_until INTEGER NOT NULL,
  PRIMARY KEY (rule, labels)) WITHOUT ROWID;
)";

base::Result<AlertState> StateOf(std::string_view name) {
  for (const AlertState state :
       {AlertState::kInactive, AlertState::kPending, AlertState::kFiring}) {
    if (AlertStateName(state) == name) return state;
  }
  return base::BadData("no state of an alert: \"" + std::string(name) + "\"");
}

base::Result<Alert> ReadAlert(const base::Row& row, int column) {
  Alert alert;
  AZX_ASSIGN_OR_RETURN(alert.labels, model::DecodeLabels(row.Text(column++)));
  AZX_ASSIGN_OR_RETURN(alert.annotations, model::DecodeLabels(row.Text(column++)));
  AZX_ASSIGN_OR_RETURN(alert.state, StateOf(row.Text(column++)));
  alert.value = std::bit_cast<double>(row.Int(column++));
  for (model::TimestampMs* time :
       {&alert.active_at, &alert.fired_at, &alert.resolved_at, &alert.keep_firing_since,
        &alert.last_sent_at, &alert.valid_until}) {
    *time = row.Int(column++);
  }
  return alert;
}

// What writes the edits of rules, of as many as there are.
struct EditStatements {
  static base::Result<EditStatements> Prepare(base::Database& db) {
    AZX_ASSIGN_OR_RETURN(base::Statement add,
                         db.Prepare("INSERT INTO rules (rule_group, name, labels, twin) "
                                    "SELECT id, ?, ?, ? FROM rule_groups "
                                    "WHERE file = ? AND name = ? ON CONFLICT DO NOTHING"));
    AZX_ASSIGN_OR_RETURN(
        base::Statement find,
        db.Prepare("SELECT rules.id FROM rules JOIN rule_groups ON rule_groups.id = rule_group "
                   "WHERE file = ? AND rule_groups.name = ? AND rules.name = ? AND labels = ? "
                   "AND twin = ?"));
    AZX_ASSIGN_OR_RETURN(base::Statement clear, db.Prepare("DELETE FROM alerts WHERE rule = ?"));
    AZX_ASSIGN_OR_RETURN(base::Statement resent,
                         db.Prepare("UPDATE alerts SET last_sent_at = ?, valid_until = ? "
                                    "WHERE rule = ? AND last_sent_at = ?"));
    AZX_ASSIGN_OR_RETURN(base::Statement forget,
                         db.Prepare("DELETE FROM alerts WHERE rule = ? AND labels = ?"));
    AZX_ASSIGN_OR_RETURN(
        base::Statement put,
        db.Prepare("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
    return EditStatements{std::move(add),    std::move(find),   std::move(clear),
                          std::move(resent), std::move(forget), std::move(put)};
  }

  base::Result<void> Apply(const AlertEdits& edit) {
    AZX_ASSIGN_OR_RETURN(const std::int64_t rule, NumberOf(edit.rule));
    if (edit.all) AZX_RETURN_IF_ERROR(clear.Run(rule));
    for (const AlertEdits::Sent& sent : edit.sent) {
      AZX_RETURN_IF_ERROR(resent.Run(sent.at, sent.valid_until, rule, sent.before));
    }
    for (const model::Labels& labels : edit.gone) {
      AZX_RETURN_IF_ERROR(forget.Run(rule, model::EncodeLabels(labels)));
    }
    for (const Alert& alert : edit.put) {
      AZX_RETURN_IF_ERROR(
          put.Run(rule, model::EncodeLabels(alert.labels), model::EncodeLabels(alert.annotations),
                  AlertStateName(alert.state), std::bit_cast<std::int64_t>(alert.value),
                  alert.active_at, alert.fired_at, alert.resolved_at, alert.keep_firing_since,
                  alert.last_sent_at, alert.valid_until));
    }
    return {};
  }

  // The rule gets one where it has none.
  base::Result<std::int64_t> NumberOf(const RuleId& id) {
    std::int64_t number = 0;
    const auto look_up = [&] {
      return find.Each([&](const base::Row& row) { number = row.Int(0); }, id.file, id.group,
                       id.name, id.labels, id.twin);
    };
    AZX_RETURN_IF_ERROR(look_up());
    if (number != 0) return number;
    AZX_RETURN_IF_ERROR(add.Run(id.name, id.labels, id.twin, id.file, id.group));
    AZX_RETURN_IF_ERROR(look_up());
    return number;
  }

  base::Statement add, find, clear, resent, forget, put;
};

class DatabaseAlertStore final : public AlertStore {
 public:
  explicit DatabaseAlertStore(base::Database& db) : db_(db) {}

  base::Result<std::map<RuleId, SavedAlerts>> Load() override {
    std::map<RuleId, SavedAlerts> all;
    AZX_RETURN_IF_ERROR(db_.Transact([&] { return LoadInto(all); }));
    return all;
  }

  base::Result<void> Save(const std::string& file, const std::string& group,
                          model::TimestampMs evaluated_at,
                          std::span<const AlertEdits> edits) override {
    return db_.Transact([&]() -> base::Result<void> {
      AZX_ASSIGN_OR_RETURN(base::Statement note,
                           db_.Prepare("INSERT INTO rule_groups (file, name, evaluated_at) "
                                       "VALUES (?, ?, ?) ON CONFLICT (file, name) "
                                       "DO UPDATE SET evaluated_at = excluded.evaluated_at"));
      AZX_RETURN_IF_ERROR(note.Run(file, group, evaluated_at));
      if (edits.empty()) return {};
      AZX_ASSIGN_OR_RETURN(EditStatements statements, EditStatements::Prepare(db_));
      for (const AlertEdits& edit : edits) AZX_RETURN_IF_ERROR(statements.Apply(edit));
      return {};
    });
  }

  base::Result<void> Keep(std::span<const RuleId> rules) override {
    const std::set<RuleId> kept(rules.begin(), rules.end());
    return db_.Transact([&]() -> base::Result<void> {
      AZX_ASSIGN_OR_RETURN(const auto known, Rules());
      AZX_ASSIGN_OR_RETURN(base::Statement alerts,
                           db_.Prepare("DELETE FROM alerts WHERE rule = ?"));
      AZX_ASSIGN_OR_RETURN(base::Statement rule, db_.Prepare("DELETE FROM rules WHERE id = ?"));
      for (const auto& [number, id] : known) {
        if (kept.contains(id)) continue;
        AZX_RETURN_IF_ERROR(alerts.Run(number));
        AZX_RETURN_IF_ERROR(rule.Run(number));
      }
      return db_.Execute("DELETE FROM rule_groups WHERE id NOT IN (SELECT rule_group FROM rules)");
    });
  }

 private:
  base::Result<std::map<std::int64_t, RuleId>> Rules() {
    std::map<std::int64_t, RuleId> rules;
    AZX_ASSIGN_OR_RETURN(
        base::Statement ask,
        db_.Prepare("SELECT rules.id, file, rule_groups.name, rules.name, labels, twin "
                    "FROM rules JOIN rule_groups ON rule_groups.id = rule_group"));
    AZX_RETURN_IF_ERROR(ask.Each([&](const base::Row& row) {
      rules[row.Int(0)] = {.file = std::string(row.Text(1)),
                           .group = std::string(row.Text(2)),
                           .name = std::string(row.Text(3)),
                           .labels = std::string(row.Text(4)),
                           .twin = static_cast<int>(row.Int(5))};
    }));
    return rules;
  }

  base::Result<void> LoadInto(std::map<RuleId, SavedAlerts>& all) {
    AZX_ASSIGN_OR_RETURN(const auto rules, Rules());
    AZX_ASSIGN_OR_RETURN(
        base::Statement ask,
        db_.Prepare("SELECT rule, evaluated_at, alerts.labels, annotations, state, value, "
                    "active_at, fired_at, resolved_at, keep_firing_since, last_sent_at, "
                    "valid_until FROM alerts JOIN rules ON rules.id = rule "
                    "JOIN rule_groups ON rule_groups.id = rule_group"));
    base::Result<void> outcome;
    AZX_RETURN_IF_ERROR(ask.Each([&](const base::Row& row) {
      const auto rule = rules.find(row.Int(0));
      auto alert = ReadAlert(row, 2);
      if (!alert) outcome = base::Fail(alert.error());
      if (!alert || rule == rules.end()) return;
      SavedAlerts& saved = all[rule->second];
      saved.evaluated_at = row.Int(1);
      saved.alerts.push_back(std::move(*alert));
    }));
    return outcome;
  }

  base::Database& db_;
};

}  // namespace

RuleId IdOf(const RuleGroup& group, const Rule& rule) {
  std::vector<model::Label> labels;
  for (const auto& [name, text] : rule.labels) labels.push_back({name, text});
  RuleId id{.file = group.file,
            .group = group.name,
            .name = rule.name,
            .labels = model::EncodeLabels(model::Labels::Of(std::move(labels)))};
  for (const Rule& other : group.rules) {
    if (&other == &rule) break;
    if (other.kind == rule.kind && other.name == rule.name && other.labels == rule.labels) {
      ++id.twin;
    }
  }
  return id;
}

base::Result<void> CreateAlertTables(base::Database& db) { return db.Execute(kTables); }

std::unique_ptr<AlertStore> MakeAlertStore(base::Database& db) {
  return std::make_unique<DatabaseAlertStore>(db);
}

}  // namespace azexporter::rules
