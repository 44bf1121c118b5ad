#include "azexporter/rules/unit_test.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "azexporter/base/clock.h"
#include "azexporter/base/duration.h"
#include "azexporter/base/file.h"
#include "azexporter/base/float_format.h"
#include "azexporter/promql/engine.h"
#include "azexporter/promql/parser.h"
#include "azexporter/rules/manager.h"
#include "azexporter/storage/memory_store.h"
#include "unit_test_compare.h"
#include "unit_test_file.h"

namespace azexporter::rules {
namespace {

using base::Result;

// Times a test evaluates its rules; a test that asks for more fails instead. Two years of minutes.
constexpr std::int64_t kMaxEvaluations = 1'000'000;

// What the tests of a file share.
struct Shared {
  const UnitTestFile& file;
  const std::vector<RuleGroup>& rules;  // in their order of evaluation
  const UnitTestOptions& options;
};

// One entry of `tests`: its own store, its own rule manager.
class TestRun {
 public:
  // All must outlive this. Rules that fire when they are looked for are marked in `alerts`.
  TestRun(const Shared& shared, const TestGroup& test, std::vector<TestedAlert>& alerts)
      : shared_(shared),
        test_(test),
        alerts_(alerts),
        compare_({.test_name = test.name,
                  .diff = shared.options.diff,
                  .fuzzy = shared.file.fuzzy_compare}),
        engine_(OptionsOf(shared), clock_),
        manager_({}, {.engine = engine_,
                      .queryable = store_,
                      .appendable = store_,
                      .clock = clock_,
                      .log = base::Logger::Silent()}),
        next_point_(test.series.size()) {}

  UnitTestCase Run(std::string name) {
    result_.name = std::move(name);
    for (const std::string& why : test_.bad_series) Fail("    " + why);
    if (!test_.bad_series.empty()) return std::move(result_);
    if (Evaluate()) {
      for (const ExprTest& test : test_.expr_tests) CheckExpr(test);
    }
    if (shared_.options.dump) result_.dump = Dump();
    return std::move(result_);
  }

 private:
  static promql::EngineOptions OptionsOf(const Shared& shared) {
    promql::EngineOptions options = shared.options.engine;
    options.default_subquery_step_ms = shared.file.evaluation_interval_ms;
    return options;
  }

  void Fail(std::string why) { result_.failures.push_back(std::move(why)); }

  std::int64_t LastTime() const {
    std::int64_t last = 0;
    for (const AlertTest& test : test_.alert_tests) last = std::max(last, test.eval_time_ms);
    for (const ExprTest& test : test_.expr_tests) last = std::max(last, test.eval_time_ms);
    return last;
  }

  // The alert tests by their time. Nothing where one has no alertname.
  std::optional<std::vector<const AlertTest*>> AlertTests() {
    std::vector<const AlertTest*> tests;
    for (const AlertTest& test : test_.alert_tests) {
      if (test.name.empty()) {
        Fail(AlertTestHead(test, compare_) + " err: an alert_rule_test without an alertname");
        return std::nullopt;
      }
      tests.push_back(&test);
    }
    std::ranges::stable_sort(tests, {}, &AlertTest::eval_time_ms);
    return tests;
  }

  // Evaluates the rules at every interval and checks alerts on the way. False when it ended early.
  bool Evaluate() {
    const std::int64_t interval_ms = shared_.file.evaluation_interval_ms;
    const std::int64_t last = LastTime();
    if (last / interval_ms >= kMaxEvaluations) {
      Fail(fmt::format("    more than {} evaluations, an evaluation_interval of {} up to {}",
                       kMaxEvaluations, base::FormatDurationMs(interval_ms),
                       base::FormatDurationMs(last)));
      return false;
    }
    const auto tests = AlertTests();
    if (!tests) return false;
    manager_.SetGroups(shared_.rules, {.default_interval_ms = interval_ms,
                                       .external_labels = test_.external_labels,
                                       .external_url = test_.external_url});
    std::size_t next_test = 0;
    for (std::int64_t at = 0; at <= last; at += interval_ms) {
      if (auto loaded = LoadUntil(at); !loaded) {
        Fail("    input_series: " + loaded.error().message());
        return false;
      }
      manager_.EvaluateAll(test_.start + at);
      const GroupViews groups = manager_.Groups();
      if (TellErrors(groups, at)) return false;
      // A test between two evaluations sees the alerts of the former.
      for (; next_test < tests->size() && (*tests)[next_test]->eval_time_ms < at + interval_ms;
           ++next_test) {
        CheckAlerts(*(*tests)[next_test], groups);
      }
    }
    return true;
  }

  // Lays down the points of every series up to `at`; those after it would be seen by rules that
  // look ahead, and later ones of a series could not be written by a rule.
  Result<void> LoadUntil(std::int64_t at) {
    const auto appender = store_.NewAppender();
    for (std::size_t i = 0; i < test_.series.size(); ++i) {
      const promql::SeriesNotation& series = test_.series[i];
      for (std::size_t& next = next_point_[i]; next < series.values.size(); ++next) {
        const auto step = static_cast<std::int64_t>(next);
        if (step > at / test_.interval_ms) break;
        if (!series.values[next]) continue;
        const model::TimestampMs t = test_.start + step * test_.interval_ms;
        AZX_RETURN_IF_ERROR(promql::AppendValue(*appender, series.labels, t, *series.values[next]));
      }
    }
    AZX_ASSIGN_OR_RETURN(const storage::LeftOut left_out, appender->Commit());
    return storage::AsResult(left_out);
  }

  // True when a rule could not be evaluated.
  bool TellErrors(const GroupViews& groups, std::int64_t at) {
    bool any = false;
    for (const auto& group : groups) {
      for (const RuleView& rule : group->rules) {
        if (rule.last().health != RuleHealth::kError) continue;
        any = true;
        Fail(fmt::format("    rule: {}, time: {}, err: {}", rule.rule->name,
                         base::FormatDurationMs(at), rule.last().error));
      }
    }
    return any;
  }

  // Alerts of one name may come from several rules.
  void CheckAlerts(const AlertTest& test, const GroupViews& groups) {
    std::vector<ExpectedAlert> got;
    for (const auto& group : groups) {
      for (const RuleView& rule : group->rules) {
        if (rule.rule->kind != RuleKind::kAlerting || rule.rule->name != test.name) continue;
        for (const Alert& alert : rule.alerts) {
          if (alert.state == AlertState::kFiring) MarkFired(*group->group, *rule.rule);
          got.push_back({alert.state, alert.labels, alert.annotations});
        }
      }
    }
    if (auto wrong = CompareAlerts(test, std::move(got), compare_)) Fail(std::move(*wrong));
  }

  void MarkFired(const RuleGroup& group, const Rule& rule) {
    for (TestedAlert& alert : alerts_) {
      if (alert.line != rule.line || alert.name != rule.name) continue;
      if (alert.file == group.file && alert.group == group.name) alert.fired = true;
    }
  }

  void CheckExpr(const ExprTest& test) {
    auto got = Ask(test.expr, test_.start + test.eval_time_ms);
    std::string why = got ? test.unreadable : got.error().message();
    if (!why.empty()) return Fail(ExprTestHead(test, compare_) + " err: " + why);
    if (auto wrong = CompareSamples(test, std::move(*got), compare_)) Fail(std::move(*wrong));
  }

  Result<std::vector<ExpectedSample>> Ask(const std::string& query, model::TimestampMs t) const {
    AZX_ASSIGN_OR_RETURN(const auto expr, engine_.Parse(query));
    AZX_ASSIGN_OR_RETURN(const promql::QueryResult result, engine_.Instant(store_, *expr, t));
    std::vector<ExpectedSample> samples;
    if (const auto* vector = std::get_if<promql::Vector>(&result.value)) {
      for (const model::Sample& sample : *vector) {
        samples.push_back({sample.labels, sample.f,
                           sample.h == nullptr ? std::string() : sample.h->ToNotation()});
      }
    } else if (const auto* scalar = std::get_if<promql::Scalar>(&result.value)) {
      samples.push_back({model::Labels(), scalar->f});
    } else {
      return base::Fail(base::ErrorCode::kExecution, "the result is not a vector or scalar");
    }
    return samples;
  }

  // Every sample there is: what was put in, and what the rules made of it.
  std::string Dump() const {
    const std::int64_t last = LastTime();
    const auto expr = promql::ParseExpr(
        fmt::format("{{__name__=~\".+\"}}[{}]", base::FormatDurationMs(last + 1)));
    const auto all =
        expr ? engine_.Instant(store_, **expr, test_.start + last) : base::Fail(expr.error());
    if (!all) return all.error().message() + "\n";
    std::string text;
    for (const promql::MatrixSeries& series : std::get<promql::Matrix>(all->value)) {
      text += series.labels.ToString() + " =>\n";
      for (const model::FPoint& point : series.points) {
        text += fmt::format("  {} @ {}\n", base::FormatFloatG(point.f),
                            base::FormatDurationMs(point.t - test_.start));
      }
      for (const model::HPoint& point : series.histograms) {
        text += fmt::format("  {} @ {}\n", point.h->ToNotation(),
                            base::FormatDurationMs(point.t - test_.start));
      }
    }
    return text;
  }

  const Shared& shared_;
  const TestGroup& test_;
  std::vector<TestedAlert>& alerts_;
  const CompareOptions compare_;
  const base::SystemClock clock_;
  const promql::Engine engine_;
  storage::MemoryStore store_{{.retention_ms = 0}};
  Manager manager_;
  std::vector<std::size_t> next_point_;  // of each series
  UnitTestCase result_;
};

// The files that the patterns name, each once, in their order.
std::vector<std::string> FindRuleFiles(const std::string& file,
                                       const std::vector<std::string>& patterns,
                                       std::vector<std::string>& warnings) {
  std::vector<std::string> paths;
  std::set<std::string> known;
  for (const std::string& pattern : patterns) {
    const std::string path = base::RelativeTo(file, pattern);
    const std::vector<std::string> found = base::Glob(path);
    if (found.empty()) warnings.push_back("no file match pattern " + path);
    for (const std::string& one : found) {
      if (known.insert(one).second) paths.push_back(one);
    }
  }
  return paths;
}

// Groups that are not in the list go with its first. kBadData when one is in it twice.
Result<void> Order(std::vector<RuleGroup>& groups, const std::vector<std::string>& order) {
  std::map<std::string, std::size_t> places;
  for (const std::string& name : order) {
    if (!places.emplace(name, places.size()).second) {
      return base::BadData("group name repeated in evaluation order: " + name);
    }
  }
  std::ranges::stable_sort(groups, {}, [&](const RuleGroup& group) {
    const auto found = places.find(group.name);
    return found == places.end() ? 0 : found->second;
  });
  return {};
}

std::vector<TestedAlert> AlertsOf(const std::vector<RuleGroup>& groups) {
  std::vector<TestedAlert> alerts;
  for (const RuleGroup& group : groups) {
    for (const Rule& rule : group.rules) {
      if (rule.kind != RuleKind::kAlerting) continue;
      alerts.push_back({group.file, rule.line, group.name, rule.name, false});
    }
  }
  return alerts;
}

// That nothing of a misspelt name fires proves nothing.
void WarnOfNames(const TestGroup& test, UnitTestReport& report) {
  for (const AlertTest& alert : test.alert_tests) {
    const bool known = std::ranges::any_of(
        report.alerts, [&](const TestedAlert& rule) { return rule.name == alert.name; });
    if (known || alert.name.empty()) continue;
    report.warnings.push_back(
        fmt::format("{}:{}: no alerting rule is named {}", report.file, alert.line, alert.name));
  }
}

Result<void> RunAll(const UnitTestOptions& options, UnitTestReport& report) {
  AZX_ASSIGN_OR_RETURN(const std::string text, base::ReadFile(report.file));
  AZX_ASSIGN_OR_RETURN(const UnitTestFile file,
                       ParseUnitTestFile(text, report.file, options.unknown_keys));
  AZX_ASSIGN_OR_RETURN(std::vector<RuleGroup> rules,
                       LoadRuleFiles(FindRuleFiles(report.file, file.rule_files, report.warnings),
                                     options.unknown_keys, options.engine.parser));
  report.alerts = AlertsOf(rules);
  AZX_RETURN_IF_ERROR(Order(rules, file.group_eval_order));
  const Shared shared{file, rules, options};
  for (std::size_t i = 0; i < file.tests.size(); ++i) {
    const TestGroup& test = file.tests[i];
    if (!options.run.Accepts(test.name)) continue;
    WarnOfNames(test, report);
    std::string name = test.name.empty() ? fmt::format("unnamed#{}", i) : test.name;
    report.cases.push_back(TestRun(shared, test, report.alerts).Run(std::move(name)));
  }
  return {};
}

}  // namespace

Result<NameFilter> NameFilter::Create(const std::vector<std::string>& patterns) {
  NameFilter filter;
  for (const std::string& pattern : patterns) {
    AZX_ASSIGN_OR_RETURN(auto regexp, model::AnchoredRegexp::Create(".*(?:" + pattern + ").*"));
    filter.patterns_.push_back(std::move(regexp));
  }
  return filter;
}

bool NameFilter::Accepts(std::string_view name) const {
  return patterns_.empty() ||
         std::ranges::any_of(patterns_, [&](const auto& pattern) { return pattern.Matches(name); });
}

UnitTestReport RunUnitTests(const std::string& file, const UnitTestOptions& options) {
  UnitTestReport report;
  report.file = file;
  if (auto run = RunAll(options, report); !run) report.error = run.error().message();
  return report;
}

}  // namespace azexporter::rules
