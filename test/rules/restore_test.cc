// What becomes of alerts when the process ends and another one takes over.

#include <filesystem>
#include <memory>

#include "rules/rules_fixture.h"
#include "support/faulty_disk.h"
#include "support/temp_folder.h"
#include "support/test_database.h"

namespace azexporter::rules {
namespace {

constexpr std::int64_t kStepMs = 15'000;

class RestoreTest : public RulesFixture {
 protected:
  // Ends the one process, as by a kill, and starts the next.
  void Start(std::string_view yaml, const ManagerOptions& options = {}) {
    rules_.reset();
    alerts_.reset();
    db_.reset();
    db_ = test::OpenDatabase((folder_ / "alerts.db").string(), &CreateAlertTables, disk_.name());
    ASSERT_NE(db_, nullptr);
    alerts_ = MakeAlertStore(*db_);
    rules_ = std::make_unique<Manager>(
        ManagerOptions{}, ManagerDeps{.engine = engine_,
                                      .queryable = store_,
                                      .appendable = store_,
                                      .clock = clock_,
                                      .log = base::Logger::Silent(),
                                      .notify =
                                          [this](const Rule&, const std::vector<Alert>& alerts) {
                                            for (const Alert& alert : alerts) Note(alert);
                                          },
                                      .alerts = alerts_.get(),
                                      .sources_answered = [this] { return answered_; }});
    rules_->SetGroups(Groups(yaml), options);
    const auto restored = rules_->Restore();
    ASSERT_TRUE(restored.has_value()) << restored.error().message();
  }

  void Note(const Alert& alert) {
    sent_ += std::string(alert.resolved_at == 0 ? "firing" : "resolved") + " " +
             std::string(alert.labels.Get("zone")) + " from " + Since(alert.fired_at) + "; ";
  }
  static std::string Since(model::TimestampMs t) { return std::to_string((t - kStart) / 1000); }

  // Puts a sample and evaluates, after `ms`. What was sent: "firing a from 30; "
  std::string After(std::int64_t ms, const std::vector<std::string>& lines) {
    clock_.Advance(ms);
    Put(clock_.NowMs(), lines);
    sent_.clear();
    rules_->EvaluateAll(clock_.NowMs());
    return sent_;
  }

  // "pending since 15", "firing since 15 from 30": the alerts that there are.
  std::string State() const {
    std::string text;
    for (const auto& group : rules_->Groups()) {
      for (const RuleView& rule : group->rules) {
        for (const Alert& alert : rule.alerts) {
          text += (text.empty() ? "" : "; ") + std::string(AlertStateName(alert.state)) +
                  " since " + Since(alert.active_at);
          if (alert.fired_at != 0) text += " from " + Since(alert.fired_at);
        }
      }
    }
    return text;
  }

  static std::string Yaml(const std::string& wait, const std::string& keep = "0s",
                          const std::string& expr = "up > 0") {
    return "groups: [{name: g, rules: [{alert: A, expr: '" + expr + "', for: " + wait +
           ", keep_firing_for: " + keep + "}]}]";
  }

  const std::vector<std::string> kHolds = {"up{zone=\"a\"} 1"};
  const std::vector<std::string> kDoesNot = {"up{zone=\"a\"} 0"};
  const test::TempFolder folder_;
  test::FaultyDisk disk_;
  std::unique_ptr<base::Database> db_;
  std::unique_ptr<AlertStore> alerts_;
  std::unique_ptr<Manager> rules_;
  bool answered_ = true;
  std::string sent_;
};

struct PendingCase {
  const char* wait;
  const char* states[3];  // of three evaluations, each in a process of its own
};

void PrintTo(const PendingCase& c, std::ostream* out) { *out << c.wait; }

class PendingTest : public RestoreTest, public testing::WithParamInterface<PendingCase> {};

TEST_P(PendingTest, GoesOnWhereItWas) {
  for (const char* want : GetParam().states) {
    Start(Yaml(GetParam().wait));
    After(kStepMs, kHolds);
    EXPECT_EQ(State(), want);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Waits, PendingTest,
    testing::Values(
        PendingCase{"10s",
                    {"pending since 15", "firing since 15 from 30", "firing since 15 from 30"}},
        PendingCase{"30s", {"pending since 15", "pending since 15", "firing since 15 from 45"}},
        PendingCase{"10m", {"pending since 15", "pending since 15", "pending since 15"}}));

TEST_F(RestoreTest, AFiringAlertFiresOnAndIsSentAtOnce) {
  Start(Yaml("15s"));
  After(kStepMs, kHolds);
  EXPECT_EQ(After(kStepMs, kHolds), "firing a from 30; ");
  Start(Yaml("15s"));
  EXPECT_EQ(State(), "firing since 15 from 30");
  EXPECT_EQ(After(1'000, kHolds), "firing a from 30; ");
  EXPECT_EQ(After(1'000, kHolds), "") << "and then as always";
  Start(Yaml("15s"));
  EXPECT_EQ(After(kStepMs, kDoesNot), "resolved a from 30; ");
  Start(Yaml("15s"));
  EXPECT_EQ(State(), "");
  EXPECT_EQ(After(kStepMs, kDoesNot), "resolved a from 30; ") << "until it was told long enough";
  Start(Yaml("15s"));
  EXPECT_EQ(After(16 * kMinuteMs, kDoesNot), "");
}

TEST_F(RestoreTest, KeepFiringForGoesOn) {
  Start(Yaml("0s", "1m"));
  EXPECT_EQ(After(kStepMs, kHolds), "firing a from 15; ");
  EXPECT_EQ(After(kStepMs, kDoesNot), "");
  Start(Yaml("0s", "1m"));
  After(30'000, kDoesNot);
  EXPECT_EQ(State(), "firing since 15 from 15");
  EXPECT_EQ(After(30'000, kDoesNot), "resolved a from 15; ");
}

TEST_F(RestoreTest, ALongGapDoesNotCountForPendingAlertsAndFiringWins) {
  struct Case {
    std::int64_t gap_ms;
    const char* pending;
  };
  for (const Case& c : {Case{4 * kMinuteMs, "pending since 15"},
                        Case{20 * kMinuteMs, "pending since 1215"}, Case{61 * kMinuteMs, ""}}) {
    clock_.StepWall(kStart - clock_.NowMs());
    std::filesystem::remove(folder_ / "alerts.db");
    std::filesystem::remove(folder_ / "alerts.db-wal");
    Start("groups: [{name: g, rules: [{alert: A, expr: 'vector(1)', for: 30m}]}]");
    clock_.Advance(kStepMs);
    rules_->EvaluateAll(clock_.NowMs());
    clock_.Advance(c.gap_ms);
    Start("groups: [{name: g, rules: [{alert: A, expr: 'vector(1)', for: 30m}]}]");
    EXPECT_EQ(State(), c.pending) << c.gap_ms;
  }
  Start(Yaml("0s"));
  After(kStepMs, kHolds);
  const std::string firing = State();
  clock_.Advance(24 * 60 * kMinuteMs);
  Start(Yaml("0s"));
  EXPECT_EQ(State(), firing);
}

TEST_F(RestoreTest, SourcesNotYetAskedResolveNothing) {
  Start(Yaml("0s"));
  After(kStepMs, kHolds);
  const std::string firing = State();
  answered_ = false;
  Start(Yaml("0s"));
  clock_.Advance(10 * kMinuteMs);  // its series are too old to be found
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(After(kStepMs, {"other 1"}).find("resolved"), std::string::npos);
    EXPECT_EQ(State(), firing);
  }
  answered_ = true;
  EXPECT_EQ(After(kStepMs, kDoesNot), "resolved a from 15; ");
}

TEST_F(RestoreTest, ARangeWithoutTwoSamplesResolvesNothing) {
  const std::string yaml = Yaml("0s", "0s", "rate(up[1m]) > 0");
  Start(yaml);
  After(kStepMs, {"up{zone=\"a\"} 1"});
  After(kStepMs, {"up{zone=\"a\"} 2"});
  const std::string firing = State();
  EXPECT_NE(firing, "");
  clock_.Advance(10 * kMinuteMs);
  Start(yaml);
  EXPECT_EQ(After(kStepMs, {"up{zone=\"a\"} 3"}).find("resolved"), std::string::npos);
  EXPECT_EQ(State(), firing);
  EXPECT_EQ(After(kStepMs, {"up{zone=\"a\"} 3"}), "resolved a from 30; ") << "now it is known";
}

TEST_F(RestoreTest, ARuleIsKnownWhateverElseOfItChanged) {
  Start(Yaml("0s"));
  After(kStepMs, kHolds);
  Start(Yaml("5m", "1m", "up == 1"));
  EXPECT_EQ(State(), "firing since 15 from 15");
  Start("groups: [{name: g, rules: [{alert: B, expr: up}]}]");
  EXPECT_EQ(State(), "");
  Start(Yaml("0s"));
  EXPECT_EQ(State(), "") << "it was gone for a while";
}

TEST_F(RestoreTest, RulesThatComeLaterTakeOverTheirs) {
  Start(Yaml("30s"));
  After(kStepMs, kHolds);
  Start("groups: []", {.more_to_come = true});
  After(kStepMs, kHolds);
  EXPECT_EQ(State(), "");
  rules_->SetGroups(Groups(Yaml("30s")), {});
  EXPECT_EQ(State(), "pending since 15");
  After(kStepMs, kHolds);
  EXPECT_EQ(State(), "firing since 15 from 45");
  // Those that did not come by the end are forgotten.
  Start("groups: []", {.more_to_come = true});
  rules_->SetGroups({}, {});
  rules_->SetGroups(Groups(Yaml("30s")), {});
  EXPECT_EQ(State(), "");
}

TEST_F(RestoreTest, AReloadIsSavedToo) {
  const std::string twins =
      "groups: [{name: g, rules: [{alert: A, expr: 'up > 1'}, {alert: A, expr: 'up > 0'}]}]";
  Start(twins);
  After(kStepMs, kHolds);
  EXPECT_EQ(State(), "firing since 15 from 15");
  // The second twin is the only one now, and known by another number.
  rules_->SetGroups(Groups(Yaml("0s")), {});
  After(kStepMs, kHolds);
  Start(Yaml("0s"));
  EXPECT_EQ(State(), "firing since 15 from 15");
}

TEST_F(RestoreTest, AFullDiskStopsNothing) {
  Start(Yaml("15s"));
  After(kStepMs, kHolds);
  disk_.full = true;
  EXPECT_EQ(After(kStepMs, kHolds), "firing a from 30; ");
  EXPECT_EQ(After(2 * kMinuteMs, kHolds), "firing a from 30; ");
  disk_.full = false;
  EXPECT_EQ(After(kStepMs, kHolds), "");
  Start(Yaml("15s"));
  EXPECT_EQ(State(), "firing since 15 from 30") << "written once there was room again";
}

}  // namespace
}  // namespace azexporter::rules
