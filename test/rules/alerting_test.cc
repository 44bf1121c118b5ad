// The state machine of one alerting rule, minute by minute.

#include "alerting.h"
#include "alert_maker.h"

#include "rules/rules_fixture.h"

namespace azexporter::rules {
namespace {

Rule AlertRule(std::int64_t for_minutes, std::int64_t keep_firing_for_minutes = 0) {
  Rule rule;
  rule.name = "A";
  rule.for_ms = for_minutes * kMinuteMs;
  rule.keep_firing_for_ms = keep_firing_for_minutes * kMinuteMs;
  rule.labels = {{"severity", "warning"}};
  rule.annotations = {{"summary", "{{ $labels.zone }} is at {{ $value }}"}};
  return rule;
}

promql::QueryResult VectorOf(const std::vector<std::pair<std::string, double>>& zones) {
  promql::Vector vector;
  for (const auto& [zone, value] : zones) {
    vector.push_back({model::Labels::Of({{"__name__", "up"}, {"zone", zone}}), 0, value});
  }
  return {{}, std::move(vector)};
}

std::vector<Alert> MadeOf(const Rule& rule, const promql::QueryResult& result,
                          model::TimestampMs t) {
  auto alerts = AlertMaker(rule).Make(0, result, {ManagerOptions(), t});
  EXPECT_TRUE(alerts.has_value()) << alerts.error().message();
  return alerts ? std::move(*alerts) : std::vector<Alert>();
}

struct Case {
  std::string_view name;
  std::int64_t for_minutes;
  std::int64_t keep_firing_for_minutes;
  // A letter a minute. In: x holds, . does not. Out: - none, p pending, F firing, r resolved and
  // still known.
  std::string_view holds;
  std::string_view want;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class AlertingStateTest : public testing::TestWithParam<Case> {};

TEST_P(AlertingStateTest, Follows) {
  const Case& c = GetParam();
  const Rule rule = AlertRule(c.for_minutes, c.keep_firing_for_minutes);
  AlertingState state;
  std::string got;
  for (std::size_t minute = 0; minute < c.holds.size(); ++minute) {
    const auto t = static_cast<model::TimestampMs>(minute + 1) * kMinuteMs;
    const bool holds = c.holds[minute] == 'x';
    state.Update(rule, holds ? MadeOf(rule, VectorOf({{"a", 1}}), t) : std::vector<Alert>(), t);
    const std::vector<Alert> alerts = state.All();
    ASSERT_LE(alerts.size(), 1U);
    if (alerts.empty()) {
      got += '-';
      continue;
    }
    const AlertState now = alerts[0].state;
    got += now == AlertState::kPending ? 'p' : now == AlertState::kFiring ? 'F' : 'r';
    EXPECT_EQ(state.Active().empty(), now == AlertState::kInactive);
  }
  EXPECT_EQ(got, c.want);
}

INSTANTIATE_TEST_SUITE_P(
    All, AlertingStateTest,
    testing::Values(
        Case{"FiresAtOnceWithoutFor", 0, 0, "x", "F"},
        Case{"FiresWhenItHeldForItsFor", 3, 0, "xxxxx", "pppFF"},
        Case{"PendingIsForgotten", 3, 0, "xx.xxxx", "pp-pppF"},
        Case{"ResolvesAtOnce", 1, 0, "xx..", "pFrr"},
        Case{"BecomesPendingAgain", 1, 0, "xx.xx", "pFrpF"},
        Case{"KeepsFiring", 0, 3, "x.....", "FFFFrr"},
        Case{"KeepFiringStartsAnewAfterItHeld", 0, 2, "x.x...", "FFFFFr"},
        Case{"KeepFiringIsNotForPending", 2, 3, "x.", "p-"},
        // Kept through the 15th minute after its end, so that every Alertmanager hears of it.
        Case{"ResolvedIsKept15Minutes", 0, 0, "x.................", "Frrrrrrrrrrrrrrrr-"}),
    [](const auto& test) { return std::string(test.param.name); });

struct SendCase {
  std::string_view name;
  std::int64_t for_minutes;
  std::int64_t keep_firing_for_minutes;
  std::int64_t resend_delay_ms;
  // A letter a minute. In: x holds, . does not. Out: F sent firing, R sent resolved, . not sent.
  std::string_view holds;
  std::string_view want;
};

void PrintTo(const SendCase& c, std::ostream* out) { *out << c.name; }

class AlertsToSendTest : public testing::TestWithParam<SendCase> {};

TEST_P(AlertsToSendTest, AreSent) {
  constexpr model::TimestampMs kStart = 1'700'000'000'000;
  const SendCase& c = GetParam();
  const Rule rule = AlertRule(c.for_minutes, c.keep_firing_for_minutes);
  AlertingState state;
  std::string got;
  for (std::size_t minute = 0; minute < c.holds.size(); ++minute) {
    const auto t = kStart + static_cast<model::TimestampMs>(minute) * kMinuteMs;
    const bool holds = c.holds[minute] == 'x';
    state.Update(rule, holds ? MadeOf(rule, VectorOf({{"a", 1}}), t) : std::vector<Alert>(), t);
    const std::vector<Alert> due = state.TakeToSend(t, kMinuteMs, c.resend_delay_ms);
    EXPECT_TRUE(state.TakeToSend(t, kMinuteMs, c.resend_delay_ms).empty());
    ASSERT_LE(due.size(), 1U);
    got += due.empty() ? '.' : due[0].resolved_at == 0 ? 'F' : 'R';
    if (due.empty()) continue;
    EXPECT_EQ(due[0].last_sent_at, t);
    EXPECT_EQ(due[0].valid_until, t + 4 * std::max(kMinuteMs, c.resend_delay_ms));
  }
  EXPECT_EQ(got, c.want);
}

INSTANTIATE_TEST_SUITE_P(
    All, AlertsToSendTest,
    testing::Values(SendCase{"AtOnceAndAgain", 0, 0, 150'000, "xxxxxxx", "F..F..F"},
                    // The delay must have passed, not only be reached.
                    SendCase{"AfterMoreThanTheDelay", 0, 0, 60'000, "xxxxx", "F.F.F"},
                    SendCase{"EachTimeWithoutADelay", 0, 0, 0, "xxx", "FFF"},
                    SendCase{"NotWhilePending", 2, 0, 60'000, "xx.xxxx", ".....F."},
                    SendCase{"ResolvedAtOnce", 0, 0, 150'000, "xx.", "F.R"},
                    SendCase{"ResolvedFor15Minutes", 0, 0, 300'000, "x...................",
                             "FR.....R.....R......"},
                    SendCase{"FiringWhileKeptFiring", 0, 3, 60'000, "x.....", "F.F.R."},
                    SendCase{"AnewAfterItsEnd", 0, 0, 300'000, "x.xx.", "FRF.R"},
                    SendCase{"PendingAgainAfterItsEnd", 1, 0, 60'000, "xx.xx", ".FR.F"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(AlertingStateTest, AlertsAreSentAlsoWhenTheClockWasSteppedBack) {
  const Rule rule = AlertRule(0);
  AlertingState state;
  state.Update(rule, MadeOf(rule, VectorOf({{"a", 1}}), 60 * kMinuteMs), 60 * kMinuteMs);
  EXPECT_EQ(state.TakeToSend(60 * kMinuteMs, kMinuteMs, kMinuteMs).size(), 1U);
  EXPECT_EQ(state.TakeToSend(30 * kMinuteMs, kMinuteMs, kMinuteMs).size(), 1U);
  EXPECT_EQ(state.TakeToSend(31 * kMinuteMs, kMinuteMs, kMinuteMs).size(), 0U);
}

TEST(AlertingStateTest, TellsWhatChanged) {
  struct Step {
    std::vector<std::pair<std::string, double>> zones;
    std::string want;  // "" where nothing changed, else pending, firing, resolved
  };
  const Step steps[] = {{{{"a", 1}, {"b", 1}}, "2 0 0"},
                        {{{"a", 1}, {"b", 2}}, "0 2 0"},
                        {{{"a", 3}, {"b", 2}}, ""},
                        {{{"b", 1}, {"c", 1}}, "1 1 1"},
                        {{{"b", 1}}, "0 1 0"},
                        {{}, "0 0 1"},
                        {{}, ""}};
  const Rule rule = AlertRule(1);
  AlertingState state;
  model::TimestampMs t = 0;
  for (const Step& step : steps) {
    t += kMinuteMs;
    const AlertChanges changes = state.Update(rule, MadeOf(rule, VectorOf(step.zones), t), t);
    const std::string got = std::to_string(changes.pending) + " " + std::to_string(changes.firing) +
                            " " + std::to_string(changes.resolved);
    EXPECT_EQ(changes.any ? got : "", step.want) << "minute " << t / kMinuteMs;
  }
}

TEST(AlertingStateTest, RemembersWhenItHappened) {
  const Rule rule = AlertRule(2, 2);
  AlertingState state;
  for (int minute = 1; minute <= 6; ++minute) {
    const model::TimestampMs t = minute * kMinuteMs;
    state.Update(
        rule, minute <= 3 ? MadeOf(rule, VectorOf({{"a", minute}}), t) : std::vector<Alert>(), t);
    const Alert alert = state.All().at(0);
    EXPECT_EQ(alert.active_at, kMinuteMs);
    EXPECT_EQ(alert.fired_at, minute < 3 ? 0 : 3 * kMinuteMs);
    EXPECT_EQ(alert.keep_firing_since, minute < 4 ? 0 : 4 * kMinuteMs);
    EXPECT_EQ(alert.resolved_at, minute < 6 ? 0 : 6 * kMinuteMs);
    // Value and annotations are of the last evaluation that returned it.
    EXPECT_EQ(alert.value, std::min(minute, 3));
    EXPECT_EQ(alert.annotations.Get("summary"), "a is at " + std::to_string(std::min(minute, 3)));
  }
}

TEST(AlertingStateTest, ANewAlertBeginsAnewAfterItsEnd) {
  const Rule rule = AlertRule(0);
  AlertingState state;
  state.Update(rule, MadeOf(rule, VectorOf({{"a", 1}}), 1000), 1000);
  state.Update(rule, {}, 2000);
  state.Update(rule, MadeOf(rule, VectorOf({{"a", 1}}), 3000), 3000);
  const Alert alert = state.All().at(0);
  EXPECT_EQ(alert.active_at, 3000);
  EXPECT_EQ(alert.fired_at, 3000);
  EXPECT_EQ(alert.resolved_at, 0);
}

TEST(AlertingStateTest, EachLabelSetIsAnAlertOfItsOwn) {
  const Rule rule = AlertRule(1);
  AlertingState state;
  state.Update(rule, MadeOf(rule, VectorOf({{"b", 1}, {"a", 2}}), kMinuteMs), kMinuteMs);
  state.Update(rule, MadeOf(rule, VectorOf({{"b", 3}, {"c", 4}}), 2 * kMinuteMs), 2 * kMinuteMs);
  EXPECT_EQ(Told(state.Active()), R"(firing {alertname="A", severity="warning", zone="b"} 3; )"
                                  R"(pending {alertname="A", severity="warning", zone="c"} 4)");
}

TEST(AlertMakerTest, LabelsOfTheRuleWinAndTheMetricNameGoes) {
  Rule rule = AlertRule(0);
  rule.labels = {{"alertname", "ignored"}, {"severity", "{{ $labels.zone }}-bad"}, {"zone", ""}};
  EXPECT_EQ(Told(MadeOf(rule, VectorOf({{"a", 1}}), 0)),
            R"(pending {alertname="A", severity="a-bad"} 1)");
}

TEST(AlertMakerTest, AScalarIsAnAlertWithoutLabels) {
  const promql::QueryResult result{{}, promql::Scalar{0, 7}};
  EXPECT_EQ(Told(MadeOf(AlertRule(0), result, 0)),
            R"(pending {alertname="A", severity="warning"} 7)");
}

TEST(AlertMakerTest, AFailingTemplateSaysSoInItsPlace) {
  Rule rule = AlertRule(0);
  rule.annotations = {{"summary", "{{ humanize \"x\" }}"}};
  EXPECT_EQ(MadeOf(rule, VectorOf({{"a", 1}}), 0).at(0).annotations.Get("summary"),
            "<error expanding template: error executing template __alert_A: template: "
            "__alert_A:1:115: executing \"__alert_A\" at <humanize \"x\">: error calling humanize: "
            "strconv.ParseFloat: parsing \"x\": invalid syntax>");
}

TEST(AlertMakerTest, TemplatesSeeTheExternalLabels) {
  Rule rule = AlertRule(0);
  rule.annotations = {{"summary", "{{ $externalLabels.cluster }} {{ $externalURL }}"}};
  ManagerOptions options;
  options.external_labels = model::Labels::Of({{"cluster", "prod"}});
  options.external_url = "http://az.example";
  const auto alerts = AlertMaker(rule).Make(0, VectorOf({{"a", 1}}), {options, 0});
  ASSERT_TRUE(alerts.has_value());
  EXPECT_EQ(alerts->at(0).annotations.Get("summary"), "prod http://az.example");
}

TEST(AlertMakerTest, Refuses) {
  Rule twins = AlertRule(0);
  twins.labels = {{"zone", "all"}};
  const promql::QueryResult text{{}, promql::String{0, "x"}};
  struct Row {
    const Rule& rule;
    int limit;
    promql::QueryResult result;
    std::string want;
  };
  const Rule plain = AlertRule(0);
  for (const Row& row :
       {Row{twins, 0, VectorOf({{"a", 1}, {"b", 1}}),
            "vector contains metrics with the same labelset after applying alert labels: "
            R"({alertname="A", zone="all"})"},
        Row{plain, 1, VectorOf({{"a", 1}, {"b", 1}}), "exceeded limit of 1 with 2 alerts"},
        Row{plain, 0, text, "rule result is not a vector or scalar"}}) {
    const auto alerts = AlertMaker(row.rule).Make(row.limit, row.result, {ManagerOptions(), 0});
    ASSERT_FALSE(alerts.has_value());
    EXPECT_EQ(alerts.error().message(), row.want);
    EXPECT_EQ(alerts.error().code(), base::ErrorCode::kExecution);
  }
  const promql::QueryResult two = VectorOf({{"a", 1}, {"b", 1}});
  EXPECT_TRUE(AlertMaker(plain).Make(2, two, {ManagerOptions(), 0}).has_value());
}

}  // namespace
}  // namespace azexporter::rules
