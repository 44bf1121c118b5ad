#include "azexporter/promql/script.h"

#include <fmt/format.h>

#include "azexporter/base/clock.h"
#include "azexporter/promql/parser.h"
#include "azexporter/storage/memory_store.h"
#include "script_expectation.h"
#include "script_nhcb.h"
#include "script_pinned.h"
#include "script_runner.h"

namespace azexporter::promql {
namespace {

using base::Result;

// A query whose value depends on where the range begins or ends.
bool DependsOnRange(std::string_view query) {
  for (std::string_view call : {"start()", "end()", "range()", "step()"}) {
    if (query.find(call) != std::string_view::npos) return true;
  }
  return false;
}

// When else an instant query is asked, once it is nailed to `t`.
std::vector<model::TimestampMs> OtherTimes(model::TimestampMs t) {
  if (t == 0) return {-1'000, 0, 1'000};
  return {-10 * t, 0, t / 5, t, 10 * t};
}

class ScriptRunner {
 public:
  explicit ScriptRunner(const ScriptOptions& options) : engine_(options.engine, clock_) {
    static_cast<void>(Run(ClearCommand()));
  }

  Result<void> Run(const LoadCommand& load) {
    report_.notes.insert(report_.notes.end(), load.notes.begin(), load.notes.end());
    const auto appender = store_->NewAppender();
    for (const SeriesNotation& series : load.series) Append(*appender, load, series);
    if (load.with_nhcb) {
      for (const CustomSeries& series : ToCustomBuckets(load.series, report_.notes)) {
        for (const auto& [i, histogram] : series.points) {
          Note(AppendValue(*appender, series.labels, TimeOf(load, i), {0, histogram}));
        }
      }
    }
    AZX_ASSIGN_OR_RETURN(const storage::LeftOut left_out, appender->Commit());
    if (left_out.count > 0) report_.notes.push_back(left_out.first);
    return {};
  }

  Result<void> Run(const ClearCommand&) {
    store_ = std::make_unique<storage::MemoryStore>(storage::MemoryStoreOptions{.retention_ms = 0});
    return {};
  }

  Result<void> Run(const EvalCommand& eval) {
    const Outcome outcome = Evaluate(eval);
    if (!outcome) {
      ++report_.passed;
    } else {
      ++report_.failed;
      report_.failures.push_back({eval.line, eval.query, outcome->expected, outcome->got});
    }
    return {};
  }

  ScriptReport Take() { return std::move(report_); }

 private:
  static model::TimestampMs TimeOf(const LoadCommand& load, std::size_t i) {
    return load.start + static_cast<std::int64_t>(i) * load.step_ms;
  }

  void Note(const Result<void>& appended) {
    if (!appended) report_.notes.push_back(appended.error().message());
  }

  void Append(storage::Appender& appender, const LoadCommand& load, const SeriesNotation& series) {
    const auto starts = load.starts.find(series.labels);
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      if (!series.values[i]) continue;
      const model::TimestampMs t = TimeOf(load, i);
      model::TimestampMs start_t = 0;
      if (starts != load.starts.end() && i < starts->second.size() && starts->second[i]) {
        start_t = t + *starts->second[i];
      }
      Note(AppendValue(appender, series.labels, t, *series.values[i], start_t));
    }
  }

  Outcome Evaluate(const EvalCommand& eval) const {
    if (!eval.unreadable.empty()) return Mismatch{eval.unreadable, "not evaluated"};
    const auto expr = engine_.Parse(eval.query);
    if (!expr) return CheckFailure(eval, expr.error());
    if (eval.is_range) {
      return CheckResult(eval,
                         engine_.Range(*store_, **expr, {eval.start, eval.end, eval.step_ms}));
    }
    if (auto wrong = EvaluateInstant(eval, **expr, eval.at)) return wrong;
    const auto pinned = PinnedAt(eval.query, eval.at, engine_.options().parser);
    return pinned ? EvaluatePinned(eval, *pinned) : std::nullopt;
  }

  // An instant query once more, with @, at other times.
  Outcome EvaluatePinned(const EvalCommand& eval, const std::string& pinned) const {
    const auto expr = engine_.Parse(pinned);
    if (!expr) return Mismatch{pinned, expr.error().message()};
    for (const model::TimestampMs t : OtherTimes(eval.at)) {
      if (auto wrong = EvaluateInstant(eval, **expr, t)) {
        wrong->got += fmt::format(" (of {} at {}ms)", pinned, t);
        return wrong;
      }
    }
    return std::nullopt;
  }

  Outcome EvaluateInstant(const EvalCommand& eval, const Expr& expr, model::TimestampMs t) const {
    const auto result = engine_.Instant(*store_, expr, t);
    if (auto wrong = CheckResult(eval, result)) return wrong;
    const bool once =
        !result || eval.string || eval.expect_range_vector || DependsOnRange(eval.query);
    return once ? std::nullopt : EvaluateAround(eval, expr, t);
  }

  // An instant query once more, as the middle of a range query.
  Outcome EvaluateAround(const EvalCommand& eval, const Expr& expr, model::TimestampMs t) const {
    constexpr std::int64_t kMinute = 60'000;
    const auto result = engine_.Range(*store_, expr, {t - kMinute, t + kMinute, kMinute});
    if (!result) return Mismatch{"a result in range mode", result.error().message()};
    if (eval.ordered) return std::nullopt;  // the series of a range are in another order
    Vector middle;
    for (const MatrixSeries& series : std::get<Matrix>(result->value)) {
      for (const model::FPoint& point : series.points) {
        if (point.t == t) middle.push_back({series.labels, point.t, point.f});
      }
      for (const model::HPoint& point : series.histograms) {
        if (point.t == t) middle.push_back({series.labels, point.t, 0, point.h});
      }
    }
    const bool scalar = expr.type() == ValueType::kScalar && middle.size() == 1;
    Outcome wrong = scalar ? CheckValue(eval, Scalar{t, middle[0].f}) : CheckValue(eval, middle);
    if (wrong) wrong->got += " (in range mode)";
    return wrong;
  }

  static Outcome CheckResult(const EvalCommand& eval, const Result<QueryResult>& result) {
    if (!result) return CheckFailure(eval, result.error());
    if (eval.expect_fail) return Mismatch{"an error", "a result"};
    if (auto wrong = CheckAnnotations(eval, *result)) return wrong;
    return CheckValue(eval, result->value);
  }

  const base::SystemClock clock_;
  const Engine engine_;
  std::unique_ptr<storage::MemoryStore> store_;
  ScriptReport report_;
};

}  // namespace

std::string FormatFailure(std::string_view file, const ScriptFailure& failure) {
  return fmt::format("{}:{}: {}\n  expected: {}\n  got:      {}", file, failure.line, failure.query,
                     failure.expected, failure.got);
}

Result<ScriptReport> RunCommands(std::span<const ScriptCommand> commands,
                                 const ScriptOptions& options) {
  ScriptRunner runner(options);
  for (const ScriptCommand& command : commands) {
    AZX_RETURN_IF_ERROR(std::visit([&](const auto& step) { return runner.Run(step); }, command));
  }
  return runner.Take();
}

Result<ScriptReport> RunScript(std::string_view text, const ScriptOptions& options) {
  AZX_ASSIGN_OR_RETURN(const std::vector<ScriptCommand> commands, ReadScript(text));
  return RunCommands(commands, options);
}

}  // namespace azexporter::promql
