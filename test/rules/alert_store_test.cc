// Alerts on disk: what is saved is loaded, of the rules that are still there.

#include "azexporter/rules/alert_store.h"

#include <cmath>
#include <limits>

#include "rules/rules_fixture.h"
#include "support/temp_folder.h"
#include "support/test_database.h"

namespace azexporter::rules {
namespace {

class AlertStoreTest : public testing::Test {
 protected:
  AlertStoreTest() { Reopen(); }

  void Reopen() {
    store_.reset();
    db_.reset();
    db_ = test::OpenDatabase((folder_ / "alerts.db").string(), &CreateAlertTables);
    ASSERT_NE(db_, nullptr);
    store_ = MakeAlertStore(*db_);
  }

  void Save(std::vector<AlertEdits> edits, model::TimestampMs t = 100) {
    const auto saved = store_->Save("f", "g", t, edits);
    ASSERT_TRUE(saved.has_value()) << saved.error().message();
  }

  // "NAME#TWIN@TIME firing {...} 1; ...", a line a rule.
  std::string Loaded() {
    Reopen();
    const auto all = store_->Load();
    if (!all) return all.error().message();
    std::string text;
    for (const auto& [rule, saved] : *all) {
      std::vector<Alert> alerts = saved.alerts;
      std::sort(alerts.begin(), alerts.end(),
                [](const Alert& a, const Alert& b) { return a.labels < b.labels; });
      text += rule.name + "#" + std::to_string(rule.twin) + "@" +
              std::to_string(saved.evaluated_at) + " " + Told(alerts) + "\n";
    }
    return text;
  }

  static RuleId Rule(const std::string& name, int twin = 0) { return {"f", "g", name, "", twin}; }
  static Alert In(const std::string& zone, AlertState state, double value = 1) {
    Alert alert;
    alert.labels = model::Labels::Of({{"zone", zone}});
    alert.state = state;
    alert.value = value;
    return alert;
  }

  const test::TempFolder folder_;
  std::unique_ptr<base::Database> db_;
  std::unique_ptr<AlertStore> store_;
};

TEST_F(AlertStoreTest, LoadsEveryFieldAsItWasSaved) {
  Alert alert;
  alert.state = AlertState::kFiring;
  alert.labels = model::Labels::Of({{"alertname", "A"}, {"zone", "a\n\"1:x\""}});
  alert.annotations = model::Labels::Of({{"summary", "Ärger in 3:a"}});
  alert.value = -std::numeric_limits<double>::infinity();
  alert.active_at = 1;
  alert.fired_at = 2;
  alert.resolved_at = 3;
  alert.keep_firing_since = 4;
  alert.last_sent_at = 5;
  alert.valid_until = 6;
  Save({{.rule = Rule("A"), .put = {alert, In("nan", AlertState::kPending, std::nan(""))}}}, 123);
  Reopen();
  const auto all = store_->Load();
  ASSERT_TRUE(all.has_value()) << all.error().message();
  ASSERT_EQ(all->size(), 1U);
  EXPECT_EQ(all->begin()->first, Rule("A"));
  const SavedAlerts& saved = all->begin()->second;
  EXPECT_EQ(saved.evaluated_at, 123);
  ASSERT_EQ(saved.alerts.size(), 2U);
  const bool first = saved.alerts[0].labels == alert.labels;
  const Alert& loaded = saved.alerts[first ? 0 : 1];
  EXPECT_EQ(loaded.state, alert.state);
  EXPECT_EQ(loaded.labels, alert.labels);
  EXPECT_EQ(loaded.annotations, alert.annotations);
  EXPECT_EQ(loaded.value, alert.value);
  EXPECT_EQ(std::tie(loaded.active_at, loaded.fired_at, loaded.resolved_at,
                     loaded.keep_firing_since, loaded.last_sent_at, loaded.valid_until),
            std::tuple(1, 2, 3, 4, 5, 6));
  EXPECT_TRUE(std::isnan(saved.alerts[first ? 1 : 0].value));
}

TEST_F(AlertStoreTest, FollowsTheEdits) {
  Save({{.rule = Rule("A"), .put = {In("a", AlertState::kPending), In("b", AlertState::kPending)}},
        {.rule = Rule("A", 1), .put = {In("a", AlertState::kPending)}}});
  EXPECT_EQ(Loaded(),
            "A#0@100 pending {zone=\"a\"} 1; pending {zone=\"b\"} 1\n"
            "A#1@100 pending {zone=\"a\"} 1\n");
  Save({{.rule = Rule("A"),
         .put = {In("b", AlertState::kFiring, 2)},
         .gone = {model::Labels::Of({{"zone", "a"}})}}},
       200);
  EXPECT_EQ(Loaded(),
            "A#0@200 firing {zone=\"b\"} 2\n"
            "A#1@200 pending {zone=\"a\"} 1\n");
  Save({{.rule = Rule("A"), .all = true, .put = {In("c", AlertState::kFiring)}},
        {.rule = Rule("A", 1), .all = true}});
  EXPECT_EQ(Loaded(), "A#0@100 firing {zone=\"c\"} 1\n");
}

TEST_F(AlertStoreTest, ForgetsTheRulesThatAreGone) {
  Save({{.rule = Rule("A"), .put = {In("a", AlertState::kFiring)}},
        {.rule = Rule("B"), .put = {In("b", AlertState::kFiring)}}});
  const RuleId kept[] = {Rule("B"), Rule("C")};
  ASSERT_TRUE(store_->Keep(kept).has_value());
  EXPECT_EQ(Loaded(), "B#0@100 firing {zone=\"b\"} 1\n");
  ASSERT_TRUE(store_->Keep({}).has_value());
  EXPECT_EQ(Loaded(), "");
}

TEST_F(AlertStoreTest, KnowsRulesByGroupNameLabelsAndNumberAmongTwins) {
  const auto groups = Groups(R"(
groups:
- name: g
  rules:
  - {alert: A, expr: up}
  - {alert: A, expr: down, labels: {severity: page}}
  - {alert: A, expr: other}
  - {record: A, expr: other}
)");
  std::vector<std::string> ids;
  for (const auto& rule : groups[0].rules) {
    const RuleId id = IdOf(groups[0], rule);
    ids.push_back(id.file + "/" + id.group + "/" + id.name + "{" + id.labels + "}" +
                  std::to_string(id.twin));
  }
  EXPECT_EQ(ids, (std::vector<std::string>{"test.yaml/g/A{}0", "test.yaml/g/A{8:severity4:page}0",
                                           "test.yaml/g/A{}1", "test.yaml/g/A{}0"}));
}

}  // namespace
}  // namespace azexporter::rules
