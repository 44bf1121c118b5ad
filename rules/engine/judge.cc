// The one-shot judgement of alerting rules: what holds now, and whether there was data to say so.

#include <algorithm>
#include <utility>

#include "alert_maker.h"
#include "alerting.h"
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

base::Result<Coverage> CoverageOf(const promql::Selection& selection,
                                  const storage::Queryable& queryable, model::TimestampMs t) {
  const model::TimestampMs from = t - selection.reach_ms + 1;  // ranges are open on the left
  AZX_ASSIGN_OR_RETURN(const auto querier, queryable.NewQuerier(from, t));
  AZX_ASSIGN_OR_RETURN(const storage::SeriesSet* const set, querier->Select(selection.matchers));
  Coverage coverage;
  std::vector<model::FPoint> points;
  for (std::size_t i = 0; i < set->size(); ++i) {
    points.clear();
    if (selection.is_range) {
      set->Read(i, from, t, points);
    } else {
      storage::SeriesSet::Latest latest;
      set->ReadLatest(i, from, t, {&latest, 1});
      points.push_back(latest.point);
    }
    std::erase_if(points, [](const model::FPoint& p) { return model::IsStaleNaN(p.f); });
    coverage.any_series = coverage.any_series || !points.empty();
    coverage.two_points = coverage.two_points || points.size() > 1;
  }
  return coverage;
}

}  // namespace

base::Result<EmptyVerdict> JudgeEmpty(const Rule& rule, const storage::Queryable& queryable,
                                      model::TimestampMs t) {
  EmptyVerdict empty;
  for (const promql::Selection& selection : promql::Selections(*rule.expr)) {
    if (selection.at_fixed_time || selection.takes_away) continue;
    AZX_ASSIGN_OR_RETURN(const Coverage coverage, CoverageOf(selection, queryable, t));
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
                         const promql::Engine& engine, const storage::Queryable& queryable,
                         model::TimestampMs t, Judgement& judgement) {
  const model::TimestampMs asked_at = t - group.query_offset_ms;
  AZX_ASSIGN_OR_RETURN(const promql::QueryResult result,
                       engine.Instant(queryable, *rule.expr, asked_at));
  const Evaluator evaluate = LocalEvaluator(engine, queryable);
  const Evaluation evaluation = {options, t, MakeTemplateQuery(evaluate, engine, t)};
  AZX_ASSIGN_OR_RETURN(judgement.alerts, AlertMaker(rule).Make(group.limit, result, evaluation));
  if (judgement.alerts.empty()) {
    AZX_ASSIGN_OR_RETURN(EmptyVerdict empty, JudgeEmpty(rule, queryable, asked_at));
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

std::vector<GroupView> NotEvaluated(const std::vector<RuleGroup>& groups) {
  std::vector<GroupView> views;
  for (const RuleGroup& definition : groups) {
    GroupView& view = views.emplace_back();
    view.group = std::make_shared<const RuleGroup>(definition);
    for (const Rule& rule : view.group->rules) {
      RuleView& of_rule = view.rules.emplace_back();
      of_rule.group = view.group;
      of_rule.rule = &rule;
    }
  }
  return views;
}

std::vector<Judgement> JudgeNow(const std::vector<RuleGroup>& groups, const ManagerOptions& options,
                                const promql::Engine& engine, const storage::Queryable& queryable,
                                model::TimestampMs t) {
  std::vector<Judgement> judgements;
  for (const RuleGroup& definition : groups) {
    const auto group = std::make_shared<const RuleGroup>(definition);
    for (const Rule& rule : group->rules) {
      if (rule.kind != RuleKind::kAlerting) continue;
      Judgement& judgement = judgements.emplace_back();
      judgement.group = group;
      judgement.rule = &rule;
      if (auto judged = Judge(rule, *group, options, engine, queryable, t, judgement); !judged) {
        judgement.verdict = Verdict::kError;
        judgement.detail = judged.error().message();
      }
    }
  }
  return judgements;
}

}  // namespace azexporter::rules
