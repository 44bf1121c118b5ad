#include "azexporter/app/retention.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "azexporter/promql/ast.h"
#include "azexporter/promql/parser.h"
#include "azexporter/rules/template.h"

namespace azexporter::app {
namespace {

// What is kept of series that no rule asks for, with `keep: rules`: enough for a look at the last
// minutes. Longer than the look-back, so that an instant query finds what there is.
constexpr std::int64_t kGeneralMs = 15 * 60'000;
// Beyond what a rule looks back: evaluations come late, chunks go as a whole anyway.
constexpr std::int64_t kSlackMs = 5 * 60'000;

// What rules select, by metric name; "" holds selectors that name none.
using Selected = std::map<std::string, std::vector<promql::Selection>, std::less<>>;

std::string MetricName(const promql::Selection& selection) {
  for (const model::Matcher& matcher : selection.matchers) {
    const bool names_it =
        matcher.name() == model::kMetricName && matcher.type() == model::MatchType::kEqual;
    if (names_it) return matcher.value();
  }
  return "";
}

bool Matches(const promql::Selection& selection, const model::Labels& labels) {
  return std::ranges::all_of(selection.matchers, [&](const auto& m) { return m.Matches(labels); });
}

std::int64_t ReachFor(const Selected& selected, std::string_view metric,
                      const model::Labels& labels) {
  std::int64_t reach_ms = 0;
  const auto found = selected.find(metric);
  if (found == selected.end()) return reach_ms;
  for (const promql::Selection& selection : found->second) {
    if (selection.reach_ms > reach_ms && Matches(selection, labels)) reach_ms = selection.reach_ms;
  }
  return reach_ms;
}

// What the expression of a rule selects, and what its templates ask for.
std::vector<promql::Selection> SelectionsOf(const rules::Rule& rule,
                                            const promql::ParserOptions& parser) {
  std::vector<promql::Selection> selections = promql::Selections(*rule.expr);
  if (rule.kind != rules::RuleKind::kAlerting) return selections;
  for (const rules::TemplateMap* templates : {&rule.labels, &rule.annotations}) {
    for (const auto& [name, text] : *templates) {
      for (const std::string& query : rules::TemplateQueries(text)) {
        const auto expr = promql::ParseExpr(query, parser);
        if (!expr) continue;  // the template says so where it stands
        std::ranges::move(promql::Selections(**expr), std::back_inserter(selections));
      }
    }
  }
  return selections;
}

}  // namespace

Retention MakeRetention(const config::StorageConfig& config,
                        const std::vector<rules::RuleGroup>& groups,
                        const promql::ParserOptions& parser) {
  const auto selected = std::make_shared<Selected>();
  std::int64_t longest_ms = 0;
  for (const rules::RuleGroup& group : groups) {
    for (const rules::Rule& rule : group.rules) {
      for (promql::Selection& selection : SelectionsOf(rule, parser)) {
        // A time nailed down by @ may be any; the retention time is what can be promised.
        selection.reach_ms =
            selection.at_fixed_time ? config.retention_ms : selection.reach_ms + kSlackMs;
        longest_ms = std::max(longest_ms, selection.reach_ms);
        (*selected)[MetricName(selection)].push_back(std::move(selection));
      }
    }
  }
  const std::int64_t general_ms = config.keep == config::StorageConfig::Keep::kAll
                                      ? config.retention_ms
                                      : std::min(config.retention_ms, kGeneralMs);
  return {[selected, general_ms](const model::Labels& labels) {
            const std::int64_t named = ReachFor(*selected, labels.metric_name(), labels);
            const std::int64_t unnamed = ReachFor(*selected, "", labels);
            return std::max({general_ms, named, unnamed});
          },
          std::max(general_ms, longest_ms)};
}

std::vector<storage::WantedSeries> LookedBackTo(const std::vector<rules::RuleGroup>& groups,
                                                const promql::ParserOptions& parser) {
  std::map<std::string, storage::WantedSeries> wanted;  // by selector, for its longest reach
  for (const rules::RuleGroup& group : groups) {
    for (const rules::Rule& rule : group.rules) {
      for (promql::Selection& selection : SelectionsOf(rule, parser)) {
        const bool back = selection.is_range || selection.reach_ms > promql::kDefaultLookbackMs;
        if (!back || selection.at_fixed_time) continue;
        std::string text;
        for (const model::Matcher& matcher : selection.matchers) text += matcher.ToString() + ",";
        storage::WantedSeries& series = wanted[text];
        series.matchers = std::move(selection.matchers);
        series.reach_ms = std::max(series.reach_ms, selection.reach_ms);
      }
    }
  }
  std::vector<storage::WantedSeries> all;
  for (auto& [text, series] : wanted) all.push_back(std::move(series));
  return all;
}

}  // namespace azexporter::app
