// The one-shot judgement of alerting rules: what holds now, and whether there was data to say so.

#include <algorithm>
#include <utility>

#include "alert_maker.h"
#include "alerting.h"
#include "azexporter/base/duration.h"
#include "azexporter/promql/parser.h"
#include "azexporter/rules/manager.h"

namespace azexporter::rules {
namespace {

std::string SelectorText(const promql::Selection& selection) {
  std::string name;
  std::string rest;
  for (const model::Matcher& matcher : selection.matchers) {
    if (matcher.name() == model::kMetricName && matcher.type() == model::MatchType::kEqual) {
      name = matcher.value();
    } else {
      rest += (rest.empty() ? "" : ", ") + matcher.ToString();
    }
  }
  return rest.empty() ? name : name + "{" + rest + "}";
}

struct Coverage {
  bool any_series = false;
  bool two_points = false;  // some series has two points in the range
};

// What is asked of a selection: how many points the series with the most has in its range, or how
// many series there are.
std::string CoverageQuery(const promql::Selection& selection) {
  // No selector may accept everything.
  std::string series = "{" + std::string(model::kMetricName) + "!=\"\"";
  for (const model::Matcher& matcher : selection.matchers) series += ", " + matcher.ToString();
  series += "}";
  const std::string range = "[" + base::FormatDurationMs(selection.reach_ms) + "]";
  if (selection.is_range) return "max(count_over_time(" + series + range + "))";
  if (selection.reach_ms <= promql::kDefaultLookbackMs) return "count(" + series + ")";
  return "count(last_over_time(" + series + range + "))";
}

base::Result<Coverage> CoverageOf(const promql::Selection& selection, const Evaluator& evaluate,
                                  model::TimestampMs t) {
  AZX_ASSIGN_OR_RETURN(const auto expr, promql::ParseExpr(CoverageQuery(selection)));
  AZX_ASSIGN_OR_RETURN(promql::QueryResult result, evaluate(*expr, t));
  AZX_ASSIGN_OR_RETURN(const promql::Vector count, SamplesOf(std::move(result)));
  if (count.empty()) return Coverage();
  return Coverage{.any_series = true, .two_points = selection.is_range && count[0].f > 1};
}

}  // namespace

base::Result<EmptyVerdict> JudgeEmpty(const Rule& rule, const Evaluator& evaluate,
                                      model::TimestampMs t) {
  EmptyVerdict empty;
  for (const promql::Selection& selection : promql::Selections(*rule.expr)) {
    if (selection.at_fixed_time || selection.takes_away) continue;
    AZX_ASSIGN_OR_RETURN(const Coverage coverage, CoverageOf(selection, evaluate, t));
    if (!coverage.any_series) {
      return EmptyVerdict{Verdict::kNoData, "no series " + SelectorText(selection)};
    }
    if (selection.is_range && !coverage.two_points) {
      empty = {Verdict::kTooLittleData, "too few samples of " + SelectorText(selection)};
    }
  }
  return empty;
}

namespace {

base::Result<void> Judge(const Rule& rule, const RuleGroup& group, const ManagerOptions& options,
                         const promql::Engine& engine, const Evaluator& evaluate,
                         model::TimestampMs t, Judgement& judgement) {
  const model::TimestampMs asked_at = t - group.query_offset_ms;
  AZX_ASSIGN_OR_RETURN(promql::QueryResult result, evaluate(*rule.expr, asked_at));
  const Evaluation evaluation = {options, t, MakeTemplateQuery(evaluate, engine, t)};
  AZX_ASSIGN_OR_RETURN(judgement.alerts,
                       AlertMaker(rule).Make(group.limit, std::move(result), evaluation));
  if (judgement.alerts.empty()) {
    AZX_ASSIGN_OR_RETURN(EmptyVerdict empty, JudgeEmpty(rule, evaluate, asked_at));
    judgement.verdict = empty.verdict;
    judgement.detail = std::move(empty.detail);
    return {};
  }
  judgement.verdict = Verdict::kTrue;
  std::sort(judgement.alerts.begin(), judgement.alerts.end(),
            [](const Alert& a, const Alert& b) { return a.labels < b.labels; });
  return {};
}

}  // namespace

std::string_view VerdictName(Verdict verdict) {
  switch (verdict) {
    case Verdict::kTrue:
      return "true";
    case Verdict::kFalse:
      return "false";
    case Verdict::kNoData:
      return "no_data";
    case Verdict::kTooLittleData:
      return "too_little_data";
    case Verdict::kError:
      return "error";
  }
  return "error";
}

GroupViews NotEvaluated(const std::vector<RuleGroup>& groups) {
  GroupViews views;
  for (const RuleGroup& definition : groups) {
    const auto view = std::make_shared<GroupView>();
    view->group = std::make_shared<const RuleGroup>(definition);
    view->history = std::make_shared<const GroupHistory>();
    for (const Rule& rule : view->group->rules) {
      view->rules.push_back({.rule = &rule,
                             .alerts = {},
                             .history = view->history.get(),
                             .number = view->rules.size()});
    }
    views.push_back(view);
  }
  return views;
}

std::vector<Judgement> JudgeNow(const std::vector<RuleGroup>& groups, const ManagerOptions& options,
                                const promql::Engine& engine, const Evaluator& evaluate,
                                model::TimestampMs t) {
  std::vector<Judgement> judgements;
  for (const RuleGroup& definition : groups) {
    const auto group = std::make_shared<const RuleGroup>(definition);
    for (const Rule& rule : group->rules) {
      if (rule.kind != RuleKind::kAlerting) continue;
      Judgement& judgement = judgements.emplace_back();
      judgement.group = group;
      judgement.rule = &rule;
      if (auto judged = Judge(rule, *group, options, engine, evaluate, t, judgement); !judged) {
        judgement.verdict = Verdict::kError;
        judgement.detail = judged.error().message();
      }
    }
  }
  return judgements;
}

}  // namespace azexporter::rules
