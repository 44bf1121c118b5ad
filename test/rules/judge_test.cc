// What a one-shot check can know of an alerting rule.

#include "rules/rules_fixture.h"

namespace azexporter::rules {
namespace {

class JudgeTest : public RulesFixture {
 protected:
  // "true: pending {...} 1", "no_data: no series up".
  std::string Judged(const std::string& expr) {
    const auto groups = Groups("groups: [{name: g, rules: [{alert: A, for: 5m, expr: '" + expr +
                               "'}, {record: r, expr: '1'}]}]");
    const auto judgements = JudgeNow(groups, {}, engine_, evaluate_, kStart);
    if (judgements.size() != 1) return "not one judgement";
    const Judgement& judgement = judgements[0];
    EXPECT_EQ(judgement.rule->name, "A");
    EXPECT_EQ(judgement.group->name, "g");
    const std::string& said = judgement.alerts.empty() ? judgement.detail : Told(judgement.alerts);
    return std::string(VerdictName(judgement.verdict)) + (said.empty() ? "" : ": " + said);
  }

  const Evaluator evaluate_ = LocalEvaluator(engine_, store_);
};

TEST_F(JudgeTest, TellsTrueFromFalseFromUnknown) {
  Put(kStart - 60'000, {"ended 1", "late_total 1"});
  Put(kStart - 30'000, {R"(c_total{zone="a"} 0)", "ended stale"});
  Put(kStart, {R"(up{zone="b"} 0)", R"(up{zone="a"} 0)", R"(up{zone="c"} 1)",
               R"(c_total{zone="a"} 60)", "late_total 5", R"(one_total{zone="a"} 5)"});
  const std::pair<std::string, std::string> rows[] = {
      {"up == 0",
       R"(true: pending {alertname="A", zone="a"} 0; pending {alertname="A", zone="b"} 0)"},
      {"up > 1", "false"},
      {"vector(1)", R"(true: pending {alertname="A"} 1)"},
      {"vector(1) > 1", "false"},
      {"nothing == 0", "no_data: no series nothing"},
      {R"(up{zone="x"} == 0)", R"(no_data: no series up{zone="x"})"},
      {"up > 1 and on (zone) nothing", "no_data: no series nothing"},
      {"up > 1 unless on (zone) nothing == 1", "false"},
      {"nothing unless on (zone) up", "no_data: no series nothing"},
      {"ended == 0", "no_data: no series ended"},
      {"late_total offset 30s > 1", "false"},
      {"late_total offset 2m > 1", "false"},
      {"{zone=~\".*\", __name__!=\"\"} > 100", "false"},
      {"absent(nothing)", R"(true: pending {alertname="A"} 1)"},
      {"absent(up)", "false"},
      {"rate(c_total[5m]) > 0.1", R"(true: pending {alertname="A", zone="a"} 0.2)"},
      {"rate(c_total[5m]) > 100", "false"},
      {"rate(one_total[5m]) > 0", "too_little_data: too few samples of one_total"},
      {"rate(nothing_total[5m]) > 0", "no_data: no series nothing_total"},
  };
  for (const auto& [expr, want] : rows) EXPECT_EQ(Judged(expr), want) << expr;
}

TEST_F(JudgeTest, AnErrorIsNoAnswer) {
  Put(kStart, {R"(up{zone="a", node="1"} 1)", R"(up{zone="a", node="2"} 1)", R"(z{zone="a"} 1)"});
  EXPECT_TRUE(Judged("z + on (zone) up").starts_with("error: ")) << Judged("z + on (zone) up");
}

TEST_F(JudgeTest, TemplatesAskTheSameSamples) {
  Put(kStart, {R"(up{zone="a"} 0)", R"(up{zone="b"} 1)"});
  const auto groups = Groups(R"yaml(groups:
- name: g
  rules:
  - alert: A
    expr: up == 0
    annotations: {summary: '{{ with query "sum(up)" }}{{ . | first | value }} of {{ end }}2'}
)yaml");
  const auto judgements = JudgeNow(groups, {}, engine_, evaluate_, kStart);
  ASSERT_EQ(judgements.at(0).alerts.size(), 1u);
  EXPECT_EQ(judgements[0].alerts[0].annotations.Get("summary"), "1 of 2");
}

TEST_F(JudgeTest, TheOffsetOfTheGroupCounts) {
  Put(kStart - 60'000, {"up 0"});
  Put(kStart, {"up 1"});
  const auto groups =
      Groups("groups: [{name: g, query_offset: 30s, rules: [{alert: A, expr: up == 0}]}]");
  EXPECT_EQ(JudgeNow(groups, {}, engine_, evaluate_, kStart).at(0).verdict, Verdict::kTrue);
}

}  // namespace
}  // namespace azexporter::rules
