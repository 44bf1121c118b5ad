// Rule groups over a real store and engine, at times the tests choose.

#include "azexporter/rules/manager.h"

#include <thread>

#include "azexporter/promql/printer.h"
#include "rules/rules_fixture.h"
#include "support/eventually.h"

namespace azexporter::rules {
namespace {

class ManagerTest : public RulesFixture {
 protected:
  void Load(std::string_view yaml) { manager_.SetGroups(Groups(yaml), options_); }
  // Evaluates every group `minutes` after the start.
  model::TimestampMs Evaluate(int minutes) {
    const model::TimestampMs t = kStart + minutes * kMinuteMs;
    clock_.Advance(t - clock_.NowMs());
    manager_.EvaluateAll(t);
    return t;
  }
  RuleView RuleAt(std::size_t group, std::size_t rule) const {
    return manager_.Groups().at(group)->rules.at(rule);
  }

  const ManagerOptions options_{};
  Manager manager_{options_, {engine_, store_, store_, clock_, base::Logger::Silent()}};
};

constexpr std::string_view kDown = R"(
groups:
- name: zones
  rules:
  - {alert: Down, expr: up == 0, for: 2m, annotations: {summary: "{{ $labels.zone }}"}}
)";

TEST_F(ManagerTest, ARecordedSeriesIsSeenByTheNextRule) {
  Load(R"(
groups:
- name: g
  rules:
  - {record: "zone:up:sum", expr: sum by (zone) (up), labels: {source: rule}}
  - {alert: ZoneDown, expr: 'zone:up:sum == 0'}
  - {record: one, expr: '1'}
)");
  Put(kStart, {R"(up{zone="a"} 0)", R"(up{zone="b"} 1)"});
  const auto t = Evaluate(0);
  EXPECT_EQ(Ask(t, "zone:up:sum"), R"(zone:up:sum{source="rule", zone="a"} 0; )"
                                   R"(zone:up:sum{source="rule", zone="b"} 1)");
  EXPECT_EQ(Ask(t, "one"), "one 1");
  EXPECT_EQ(Told(RuleAt(0, 1).alerts),
            R"(firing {alertname="ZoneDown", source="rule", zone="a"} 0)");
}

TEST_F(ManagerTest, ARecordedSeriesEndsWithItsSource) {
  Load("groups: [{name: g, rules: [{record: down, expr: up == 0}]}]");
  Put(kStart, {R"(up{zone="a"} 0)"});
  EXPECT_EQ(Ask(Evaluate(0), "down"), R"(down{zone="a"} 0)");
  Put(kStart + kMinuteMs, {R"(up{zone="a"} 1)"});
  EXPECT_EQ(Ask(Evaluate(1), "down"), "");
}

TEST_F(ManagerTest, AlertsAreWrittenAndEnd) {
  Load(kDown);
  const std::string alert = R"({alertname="Down", alertstate=")";
  const std::string since = R"(ALERTS_FOR_STATE{alertname="Down", zone="a"} 1700000000)";
  for (int minute = 0; minute <= 5; ++minute) {
    Put(kStart + minute * kMinuteMs, {minute < 4 ? R"(up{zone="a"} 0)" : R"(up{zone="a"} 1)"});
    const auto t = Evaluate(minute);
    const std::string state = minute < 2 ? "pending" : "firing";
    EXPECT_EQ(Ask(t, "ALERTS"), minute < 4 ? "ALERTS" + alert + state + R"(", zone="a"} 1)" : "");
    EXPECT_EQ(Ask(t, "ALERTS_FOR_STATE"), minute < 4 ? since : "");
    EXPECT_EQ(RuleAt(0, 0).last().health, RuleHealth::kOk);
    EXPECT_EQ(RuleAt(0, 0).last().t, t);
  }
}

// "ok 1/0/1": health, samples, pending and firing alerts.
std::string HistoryOf(const RuleView& rule) {
  std::string text;
  for (const RuleEvaluation& one : rule.Evaluations()) {
    text += (text.empty() ? "" : "; ") + std::string(RuleHealthName(one.health)) + " " +
            std::to_string(one.samples) + "/" + std::to_string(one.pending) + "/" +
            std::to_string(one.firing);
  }
  return text;
}

TEST_F(ManagerTest, TheLastEvaluationsAreKept) {
  Load(R"(
groups:
- name: g
  rules:
  - {alert: Down, expr: up == 0, for: 1m}
  - {record: all, expr: up + on() group_left() up}
)");
  EXPECT_EQ(HistoryOf(RuleAt(0, 0)), "");
  Evaluate(0);
  for (int minute = 1; minute <= 3; ++minute) {
    Put(kStart + minute * kMinuteMs, {R"(up{zone="a"} 0)", R"(up{zone="b"} 1)"});
    Evaluate(minute);
  }
  EXPECT_EQ(HistoryOf(RuleAt(0, 0)), "ok 0/0/0; ok 1/1/0; ok 1/0/1; ok 1/0/1");
  EXPECT_EQ(HistoryOf(RuleAt(0, 1)), "ok 0/0/0; err 0/0/0; err 0/0/0; err 0/0/0");
  const RuleEvaluation last = RuleAt(0, 1).last();
  EXPECT_EQ(last.t, kStart + 3 * kMinuteMs);
  EXPECT_NE(last.error.find("many-to-many"), std::string::npos) << last.error;
  // It goes on with its rule, wherever in the group that stands.
  Load(R"(
groups:
- name: g
  rules:
  - {record: other, expr: "1"}
  - {record: all, expr: up + on() group_left() up}
  - {alert: Down, expr: up == 0, for: 1m}
)");
  EXPECT_EQ(HistoryOf(RuleAt(0, 0)), "");
  EXPECT_EQ(HistoryOf(RuleAt(0, 1)), "ok 0/0/0; err 0/0/0; err 0/0/0; err 0/0/0");
  EXPECT_EQ(HistoryOf(RuleAt(0, 2)), "ok 0/0/0; ok 1/1/0; ok 1/0/1; ok 1/0/1");
  for (int minute = 4; minute < 40; ++minute) Evaluate(minute);
  const std::vector<RuleEvaluation> all = RuleAt(0, 0).Evaluations();
  ASSERT_EQ(all.size(), kHistoryLength);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].t, kStart + static_cast<std::int64_t>(20 + i) * kMinuteMs);
  }
}

// A source in the place of the store, which answers what the test says and notes what it was asked.
class OtherSourceTest : public RulesFixture {
 protected:
  base::Result<promql::QueryResult> Answer(const promql::Expr& expr, model::TimestampMs t) {
    asked_ += promql::Print(expr) + " at " + std::to_string(t - kStart) + ";";
    if (fault_) return base::Fail(*fault_);
    promql::QueryResult result;
    result.value = promql::Vector{{model::Labels::Of({{"zone", "a"}}), t, 7}};
    return result;
  }

  std::string asked_;
  std::optional<base::Error> fault_;
  Manager manager_{{},
                   {.engine = engine_,
                    .queryable = store_,
                    .appendable = store_,
                    .clock = clock_,
                    .log = base::Logger::Silent(),
                    .evaluate = [this](const promql::Expr& expr, model::TimestampMs t) {
                      return Answer(expr, t);
                    }}};
};

TEST_F(OtherSourceTest, RulesAndTemplatesAskItAndTheStoreTakesWhatTheyMake) {
  manager_.SetGroups(Groups(R"(
groups:
- name: g
  query_offset: 1s
  rules:
  - {record: r, expr: 'rate(x[5m])'}
  - {alert: A, expr: x > 1, for: 1m, annotations: {s: '{{ query "y" | first | value }}'}}
)"),
                     {});
  manager_.EvaluateAll(kStart);
  EXPECT_EQ(asked_, "rate(x[5m]) at -1000;x > 1 at -1000;y at 0;");
  EXPECT_EQ(Ask(kStart, "r"), R"(r{zone="a"} 7)");
  manager_.EvaluateAll(kStart + kMinuteMs);
  const RuleView rule = manager_.Groups().at(0)->rules.at(1);
  EXPECT_EQ(Told(rule.alerts), R"(firing {alertname="A", zone="a"} 7)");
  EXPECT_EQ(rule.alerts.at(0).annotations.Get("s"), "7");
  EXPECT_EQ(Ask(kStart + kMinuteMs, "ALERTS"),
            R"(ALERTS{alertname="A", alertstate="firing", zone="a"} 1)");
  // A fault of it is the rule's, and ends no alert.
  fault_ = base::Error(base::ErrorCode::kUnavailable, "away");
  manager_.EvaluateAll(kStart + 2 * kMinuteMs);
  const RuleView failed = manager_.Groups().at(0)->rules.at(1);
  EXPECT_EQ(failed.last().error, "away");
  EXPECT_EQ(Told(failed.alerts), R"(firing {alertname="A", zone="a"} 7)");
}

// What is handed over by whom: rule, state, labels, and when it ends or how long it is valid.
class NotifyingManagerTest : public RulesFixture {
 protected:
  std::string Evaluate(int minutes, std::string_view up) {
    const model::TimestampMs t = kStart + minutes * kMinuteMs;
    clock_.Advance(t - clock_.NowMs());
    Put(t, {R"(up{zone="a"} )" + std::string(up)});
    manager_.EvaluateAll(t);
    return std::exchange(told_, "");
  }

  std::string told_;
  Manager manager_{{},
                   {engine_, store_, store_, clock_, base::Logger::Silent(),
                    [this](const Rule& rule, const std::vector<Alert>& alerts) {
                      EXPECT_FALSE(manager_.Groups().empty());  // no lock is held
                      for (const Alert& alert : alerts) {
                        const bool resolved = alert.resolved_at != 0;
                        const auto end = resolved ? alert.resolved_at : alert.valid_until;
                        told_ += rule.name + (resolved ? " resolved " : " firing ") +
                                 std::string(alert.labels.Get("zone")) + " from " +
                                 std::to_string((alert.fired_at - kStart) / kMinuteMs) + " to " +
                                 std::to_string((end - kStart) / kMinuteMs) + ";";
                      }
                    }}};
};

TEST_F(NotifyingManagerTest, HandsOverWhatIsToBeSent) {
  const ManagerOptions options{.resend_delay_ms = 2 * kMinuteMs};
  manager_.SetGroups(Groups(kDown), options);
  EXPECT_EQ(Evaluate(0, "0"), "");
  EXPECT_EQ(Evaluate(1, "0"), "");
  EXPECT_EQ(Evaluate(2, "0"), "Down firing a from 2 to 10;");
  EXPECT_EQ(Evaluate(3, "0"), "");
  // A reload neither forgets what was sent nor sends it again.
  manager_.SetGroups(Groups(kDown), options);
  EXPECT_EQ(Evaluate(4, "0"), "");
  EXPECT_EQ(Evaluate(5, "0"), "Down firing a from 2 to 13;");
  EXPECT_EQ(Evaluate(6, "1"), "Down resolved a from 2 to 6;");
  EXPECT_EQ(Evaluate(7, "1"), "");
  EXPECT_EQ(Evaluate(9, "1"), "Down resolved a from 2 to 6;");
}

TEST_F(NotifyingManagerTest, HandsAllOverAnewWhenAsked) {
  manager_.SetGroups(Groups(kDown), {.resend_delay_ms = 60 * kMinuteMs});
  manager_.NotifyAll();
  EXPECT_EQ(Evaluate(0, "0"), "");
  EXPECT_EQ(Evaluate(1, "0"), "");  // a pending one is told to nobody
  EXPECT_EQ(Evaluate(2, "0"), "Down firing a from 2 to 242;");
  EXPECT_EQ(Evaluate(3, "0"), "");
  manager_.NotifyAll();
  EXPECT_EQ(Evaluate(4, "0"), "Down firing a from 2 to 244;");
  EXPECT_EQ(Evaluate(5, "0"), "");
  EXPECT_EQ(Evaluate(6, "1"), "Down resolved a from 2 to 6;");
  manager_.NotifyAll();
  EXPECT_EQ(Evaluate(21, "1"), "Down resolved a from 2 to 6;");
  manager_.NotifyAll();
  EXPECT_EQ(Evaluate(22, "1"), "");  // longer ago than an end is told
}

TEST_F(NotifyingManagerTest, AnIntervalLongerThanTheDelayCountsForHowLongItIsValid) {
  manager_.SetGroups(
      Groups("groups: [{name: g, interval: 5m, rules: [{alert: Down, expr: up == 0}]}]"), {});
  EXPECT_EQ(Evaluate(0, "0"), "Down firing a from 0 to 20;");
}

TEST_F(ManagerTest, ViewsTellOfTheGroups) {
  EXPECT_TRUE(manager_.Groups().empty());
  Load("groups: [{name: a}, {name: b, interval: 1m, rules: [{alert: A, expr: up}]}]");
  auto groups = manager_.Groups();
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_EQ(groups[0]->interval_ms, 15'000);
  EXPECT_EQ(groups[1]->interval_ms, 60'000);
  EXPECT_EQ(groups[1]->last_evaluation, 0);
  EXPECT_EQ(RuleAt(1, 0).last().health, RuleHealth::kUnknown);
  const auto t = Evaluate(1);
  EXPECT_EQ(manager_.Groups()[1]->last_evaluation, t);
}

TEST_F(ManagerTest, OfSeveralTimesThatPassedOnlyTheLastIsMadeUpFor) {
  Load("groups: [{name: g, interval: 10s, rules: [{record: one, expr: '1'}]}]");
  std::jthread running([this](std::stop_token stop) { manager_.Run(stop); });
  const auto iterations = [this] { return manager_.Groups().at(0)->iterations; };
  ASSERT_TRUE(test::Eventually([&] { return iterations() == 1; }, 10'000));
  EXPECT_EQ(manager_.Groups().at(0)->last_evaluation, kStart) << "at once";
  EXPECT_EQ(manager_.Groups().at(0)->missed, 0U);
  clock_.Advance(45'000);
  ASSERT_TRUE(test::Eventually([&] { return iterations() == 2; }, 10'000));
  const GroupView group = *manager_.Groups().at(0);
  EXPECT_GE(group.missed, 3U);
  EXPECT_LE(group.missed, 4U);
  EXPECT_GT(group.last_evaluation, clock_.NowMs() - 10'000);
}

TEST_F(ManagerTest, NewGroupsKeepTheAlertsOfTheirRules) {
  Load(kDown);
  for (int minute = 0; minute < 3; ++minute) {
    Put(kStart + minute * kMinuteMs, {R"(up{zone="a"} 0)"});
    Evaluate(minute);
  }
  const Alert before = RuleAt(0, 0).alerts.at(0);
  EXPECT_EQ(before.state, AlertState::kFiring);
  // Another rule before it, a better text, another duration and expression: the same alert.
  Load(R"(
groups:
- name: zones
  rules:
  - {alert: Other, expr: up == 0, for: 2m}
  - {alert: Down, expr: up < 1, for: 10m, annotations: {summary: "zone {{ $labels.zone }}"}}
)");
  EXPECT_EQ(Told(RuleAt(0, 1).alerts), R"(firing {alertname="Down", zone="a"} 0)");
  Put(kStart + 3 * kMinuteMs, {R"(up{zone="a"} 0)"});
  Evaluate(3);
  const Alert after = RuleAt(0, 1).alerts.at(0);
  EXPECT_EQ(after.active_at, before.active_at);
  EXPECT_EQ(after.fired_at, before.fired_at);
  EXPECT_EQ(after.annotations.Get("summary"), "zone a");
  EXPECT_EQ(Told(RuleAt(0, 0).alerts), R"(pending {alertname="Other", zone="a"} 0)");
}

TEST_F(ManagerTest, TwinsKeepTheirOwnAlerts) {
  Load(R"(
groups:
- name: g
  rules:
  - {alert: A, expr: up > 5}
  - {alert: A, expr: up > 1}
)");
  Put(kStart, {R"(up{zone="a"} 2)"});
  Evaluate(0);
  EXPECT_EQ(RuleAt(0, 0).alerts.size(), 0U);
  EXPECT_EQ(RuleAt(0, 1).alerts.size(), 1U);
  Load("groups: [{name: g, rules: [{alert: A, expr: up > 1}]}]");
  EXPECT_EQ(RuleAt(0, 0).alerts.size(), 1U);
}

struct Removal {
  std::string_view name;
  std::string_view groups;
};

TEST_F(ManagerTest, TheSeriesOfARemovedRuleEnd) {
  constexpr Removal kRemovals[] = {
      {"rule", "groups: [{name: g, rules: [{record: kept, expr: up}]}]"},
      {"label",
       "groups: [{name: g, rules: [{record: kept, expr: up}, {alert: A, expr: up, labels: "
       "{a: b}}, {record: r, expr: up, labels: {a: b}}]}]"},
      {"group", "groups: [{name: other, rules: [{alert: A, expr: up}]}]"},
      {"everything", "groups: []"}};
  int minute = 0;
  for (const Removal& removal : kRemovals) {
    Load(
        "groups: [{name: g, rules: [{record: kept, expr: up}, {alert: A, expr: up}, "
        "{record: r, expr: up}]}]");
    Put(kStart + ++minute * kMinuteMs, {"up 1"});
    auto t = Evaluate(minute);
    EXPECT_EQ(Ask(t, "r or ALERTS or ALERTS_FOR_STATE == bool 0"),
              R"(ALERTS{alertname="A", alertstate="firing"} 1; r 1; {alertname="A"} 0)");
    clock_.Advance(1000);
    Load(removal.groups);
    t = clock_.NowMs();
    EXPECT_EQ(Ask(t, "r or ALERTS or ALERTS_FOR_STATE"), "") << removal.name;
    const bool keeps = removal.name == "rule" || removal.name == "label";
    EXPECT_EQ(Ask(t, "kept"), keeps ? "kept 1" : "") << removal.name;
  }
}

TEST_F(ManagerTest, SeriesEndAlsoWhenTheClockWasSteppedBack) {
  Load("groups: [{name: g, rules: [{record: r, expr: up}]}]");
  Put(kStart + 60 * kMinuteMs, {"up 1"});
  const auto t = Evaluate(60);
  clock_.StepWall(-30 * kMinuteMs);
  Load("groups: []");
  EXPECT_EQ(Ask(t + 1, "r"), "");
}

TEST_F(ManagerTest, AFailingRuleKeepsItsAlerts) {
  Load(R"(
groups:
- name: g
  rules:
  - {alert: A, expr: up == 0 and on (zone) (z * on (zone) group_left () (up == bool 0))}
)");
  Put(kStart, {R"(up{zone="a"} 0)", R"(z{zone="a", n="1"} 1)"});
  Evaluate(0);
  EXPECT_EQ(Told(RuleAt(0, 0).alerts), R"(firing {alertname="A", zone="a"} 0)");
  // A second series of the zone: the join is many-to-many.
  Put(kStart + kMinuteMs,
      {R"(up{zone="a"} 0)", R"(up{zone="a", m="2"} 1)", R"(z{zone="a", n="1"} 1)"});
  Evaluate(1);
  RuleView view = RuleAt(0, 0);
  EXPECT_EQ(view.last().health, RuleHealth::kError);
  EXPECT_NE(view.last().error, "");
  EXPECT_EQ(Told(view.alerts), R"(firing {alertname="A", zone="a"} 0)");
  // Six minutes later the second series is out of sight, and the first one is well.
  Put(kStart + 7 * kMinuteMs, {R"(up{zone="a"} 1)", R"(z{zone="a", n="1"} 1)"});
  Evaluate(7);
  view = RuleAt(0, 0);
  EXPECT_EQ(view.last().health, RuleHealth::kOk);
  EXPECT_EQ(view.last().error, "");
  EXPECT_EQ(Told(view.alerts), "");
}

TEST_F(ManagerTest, MoreThanTheLimitIsAnErrorAndChangesNothing) {
  Load(R"(
groups:
- name: g
  limit: 1
  rules:
  - {alert: A, expr: up == 0}
  - {record: r, expr: up}
)");
  Put(kStart, {R"(up{zone="a"} 0)"});
  Evaluate(0);
  Put(kStart + kMinuteMs, {R"(up{zone="a"} 0)", R"(up{zone="b"} 0)"});
  Evaluate(1);
  EXPECT_EQ(RuleAt(0, 0).last().error, "exceeded limit of 1 with 2 alerts");
  EXPECT_EQ(RuleAt(0, 1).last().error, "exceeded limit of 1 with 2 series");
  EXPECT_EQ(Told(RuleAt(0, 0).alerts), R"(firing {alertname="A", zone="a"} 0)");
}

TEST_F(ManagerTest, OneRefusedSampleDoesNotKeepTheOthersOut) {
  Load(R"(
groups:
- name: g
  rules:
  - {record: r, expr: 'up{zone="a"}'}
  - {record: r, expr: up + 10}
)");
  Put(kStart, {R"(up{zone="a"} 1)", R"(up{zone="b"} 2)"});
  const auto t = Evaluate(0);
  EXPECT_EQ(Ask(t, "r"), R"(r{zone="a"} 1; r{zone="b"} 12)");
  EXPECT_EQ(RuleAt(0, 0).last().health, RuleHealth::kOk);
  EXPECT_EQ(RuleAt(0, 1).last().health, RuleHealth::kError);
}

TEST_F(ManagerTest, DuplicatesAfterRuleLabelsAreAnError) {
  Load("groups: [{name: g, rules: [{record: r, expr: up, labels: {zone: all}}]}]");
  Put(kStart, {R"(up{zone="a"} 1)", R"(up{zone="b"} 2)"});
  const auto t = Evaluate(0);
  EXPECT_EQ(RuleAt(0, 0).last().error,
            "vector contains metrics with the same labelset after applying rule labels");
  EXPECT_EQ(Ask(t, "r"), "");
}

TEST_F(ManagerTest, TheQueryOffsetMovesWhatIsAskedAndWritten) {
  Load(R"(
groups:
- name: g
  query_offset: 1m
  rules:
  - {record: r, expr: up}
  - {alert: A, expr: up == 1}
)");
  Put(kStart, {"up 1"});
  Put(kStart + kMinuteMs, {"up 2"});
  const auto t = Evaluate(1);
  EXPECT_EQ(Ask(t - kMinuteMs, "timestamp(r) - timestamp(up)"), "{} 0");
  EXPECT_EQ(Ask(t - kMinuteMs, "r"), "r 1");
  EXPECT_EQ(RuleAt(0, 1).alerts.at(0).active_at, t);
}

// A zone goes down. Of the four documented alerts the first fires although four of five nodes are
// well, the second never does.
TEST_F(ManagerTest, TemplatesAskTheStoreAtTheTimeOfTheEvaluation) {
  Put(kStart, {R"(up{zone="a"} 0)", R"(up{zone="b"} 0)"});
  Put(kStart + kMinuteMs, {R"(up{zone="a"} 1)"});
  manager_.SetGroups(Groups(R"yaml(groups:
- name: g
  query_offset: 1m
  rules:
  - alert: A
    expr: up{zone="a"} == 0
    labels: {others: '{{ range query "up == 0" }}{{ .Labels.zone }} {{ end }}'}
    annotations:
      scalar: '{{ query "time()" | first | value | humanizeTimestamp }}'
      now: '{{ now | humanizeTimestamp }}'
      bad: '{{ query "up[5m]" }}'
      text: '{{ query "(" }}'
)yaml"),
                     {});
  manager_.EvaluateAll(kStart + kMinuteMs);
  const GroupViews groups = manager_.Groups();
  const std::vector<Alert>& alerts = groups.at(0)->rules.at(0).alerts;
  ASSERT_EQ(alerts.size(), 1u);
  // What holds is asked a minute ago; what the templates ask is not.
  EXPECT_EQ(alerts[0].labels.Get("others"), "b ");
  EXPECT_EQ(alerts[0].annotations.Get("scalar"), "2023-11-14 22:14:20 +0000 UTC");
  EXPECT_EQ(alerts[0].annotations.Get("now"), "2023-11-14 22:14:20 +0000 UTC");
  const auto error = [&](std::string_view name) {
    const std::string text(alerts[0].annotations.Get(name));
    return text.substr(std::min(text.find("error calling"), text.size()));
  };
  EXPECT_EQ(error("bad"), "error calling query: rule result is not a vector or scalar>");
  EXPECT_EQ(error("text"), "error calling query: 1:2: parse error: unclosed left parenthesis>");
}

TEST_F(ManagerTest, TheDocumentedPackDoesWhatItSays) {
  manager_.SetGroups(*ParseRuleFile(DocumentedPack(), "documented.yaml"), options_);
  std::string fired;
  for (int minute = 0; minute <= 15; ++minute) {
    const std::string n = std::to_string(minute);
    const std::string ready = R"(kube_node_status_condition{condition="Ready",status="true",)"
                              R"(topology_kubernetes_io_zone=)";
    const std::string bucket = R"(http_request_duration_seconds_bucket{cross_zone="true",le=)";
    Put(kStart + minute * kMinuteMs,
        {ready + R"("a",node="a1"} )" + (minute == 0 ? "1" : "0"), ready + R"("a",node="a2"} 1)",
         ready + R"("b",node="b1"} 1)",
         R"(kube_pod_info{pod="1",topology_kubernetes_io_zone="b"} 1)",
         R"(kube_pod_info{pod="2",topology_kubernetes_io_zone="b"} 1)",
         R"(kube_pod_info{pod="3",topology_kubernetes_io_zone="b"} 1)",
         R"(kube_pod_info{pod="4",topology_kubernetes_io_zone="b"} 1)",
         R"(kube_pod_info{pod="5",topology_kubernetes_io_zone="a"} 1)", bucket + R"("0.5"} 0)",
         bucket + R"("2"} 0)", bucket + R"("+Inf"} )" + n,
         R"(pg_replication_lag_seconds{db_instance="2"} 45)"});
    Evaluate(minute);
    const GroupViews groups = manager_.Groups();
    for (const RuleView& rule : groups.at(0)->rules) {
      EXPECT_EQ(rule.last().health, RuleHealth::kOk) << rule.last().error;
      for (const Alert& alert : rule.alerts) {
        if (alert.state == AlertState::kFiring && alert.fired_at == kStart + minute * kMinuteMs) {
          fired += n + " " + rule.rule->name + ": " +
                   std::string(alert.annotations.Get("summary")) + "\n";
        }
      }
    }
  }
  EXPECT_EQ(fired,
            "5 DatabaseReplicationLag: Database replication lag: 45s\n"
            "6 ZoneUnavailable: Zone a is unavailable\n"
            "6 CrossZoneLatencyHigh: High cross-zone latency detected: 2s\n");
}

}  // namespace
}  // namespace azexporter::rules
