#include "azexporter/promql/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "azexporter/base/clock.h"
#include "azexporter/base/float_format.h"
#include "azexporter/promql/parser.h"
#include "azexporter/storage/memory_store.h"
#include "script_reader.h"

namespace azexporter::promql {
namespace {

using base::Result;

// What went wrong with an eval.
struct Mismatch {
  std::string expected;
  std::string got;
};
using Outcome = std::optional<Mismatch>;

// Relative error that is still equal. Source: prometheus/promql/promqltest/test.go.
constexpr double kTolerance = 1e-6;

bool AlmostEqual(double expected, double actual) {
  if (model::IsStaleNaN(expected) || model::IsStaleNaN(actual)) {
    return model::IsStaleNaN(expected) && model::IsStaleNaN(actual);
  }
  if (std::isnan(expected) && std::isnan(actual)) return true;
  if (expected == actual) return true;
  const double difference = std::abs(expected - actual);
  constexpr double kSmallest = std::numeric_limits<double>::min();
  const double sum = std::abs(expected) + std::abs(actual);
  if (expected == 0 || actual == 0 || sum < kSmallest) return difference < kTolerance * kSmallest;
  return difference / std::min(sum, std::numeric_limits<double>::max()) < kTolerance;
}

std::string Text(double value) { return base::FormatFloatG(value); }

std::string PointsText(const std::vector<model::FPoint>& points) {
  std::string text;
  for (const model::FPoint& point : points) {
    text += fmt::format("{}{}@{}ms", text.empty() ? "" : " ", Text(point.f), point.t);
  }
  return text.empty() ? "no points" : text;
}

// The expected series by their labels.
class Expected {
 public:
  explicit Expected(const EvalCommand& eval) : eval_(eval) {
    for (std::size_t i = 0; i < eval.series.size(); ++i) by_labels_[eval.series[i].labels] = i;
  }

  Outcome Check(const Value& value) const {
    if (const auto* scalar = std::get_if<Scalar>(&value)) return CheckScalar(*scalar);
    if (const auto* string = std::get_if<String>(&value)) return CheckString(*string);
    if (const auto* vector = std::get_if<Vector>(&value)) return CheckVector(*vector);
    return CheckMatrix(std::get<Matrix>(value));
  }

 private:
  Outcome CheckScalar(const Scalar& scalar) const {
    if (!eval_.scalar) return Mismatch{"a vector", "scalar " + Text(scalar.f)};
    if (AlmostEqual(*eval_.scalar, scalar.f)) return std::nullopt;
    return Mismatch{Text(*eval_.scalar), Text(scalar.f)};
  }

  Outcome CheckString(const String& string) const {
    if (eval_.string.value_or("") == string.text) return std::nullopt;
    return Mismatch{eval_.string.value_or("another type"), string.text};
  }

  Outcome CheckVector(const Vector& vector) const {
    if (eval_.scalar) return Mismatch{"scalar " + Text(*eval_.scalar), "a vector"};
    std::vector<bool> seen(eval_.series.size());
    for (std::size_t position = 0; position < vector.size(); ++position) {
      const model::Sample& sample = vector[position];
      const std::string got = fmt::format("{} {}", sample.labels.ToString(), Text(sample.f));
      const auto found = by_labels_.find(sample.labels);
      if (found == by_labels_.end()) return Mismatch{"no such series", got};
      const Sequence& values = eval_.series[found->second].values;
      if (eval_.ordered && found->second != position) {
        return Mismatch{
            fmt::format("{} at position {}", sample.labels.ToString(), found->second + 1),
            fmt::format("it at position {}", position + 1)};
      }
      const double wanted = values.empty() ? 0 : values[0].value_or(0);
      if (!AlmostEqual(wanted, sample.f)) return Mismatch{Text(wanted), got};
      seen[found->second] = true;
    }
    return CheckAllSeen(seen);
  }

  Outcome CheckMatrix(const Matrix& matrix) const {
    if (eval_.ordered) return Mismatch{"an ordered vector", "a matrix"};
    if (eval_.scalar) return Mismatch{"scalar " + Text(*eval_.scalar), "a matrix"};
    std::vector<bool> seen(eval_.series.size());
    for (const MatrixSeries& series : matrix) {
      const auto found = by_labels_.find(series.labels);
      const std::string got =
          fmt::format("{} {}", series.labels.ToString(), PointsText(series.points));
      if (found == by_labels_.end()) return Mismatch{"no such series", got};
      seen[found->second] = true;
      const std::vector<model::FPoint> wanted = PointsOf(eval_.series[found->second].values);
      const bool equal = std::ranges::equal(
          wanted, series.points,
          [](const auto& a, const auto& b) { return a.t == b.t && AlmostEqual(a.f, b.f); });
      if (!equal) return Mismatch{PointsText(wanted), got};
    }
    return CheckAllSeen(seen);
  }

  std::vector<model::FPoint> PointsOf(const Sequence& values) const {
    std::vector<model::FPoint> points;
    for (std::size_t i = 0; i < values.size(); ++i) {
      const model::TimestampMs t = eval_.start + static_cast<std::int64_t>(i) * eval_.step_ms;
      if (values[i]) points.push_back({t, *values[i]});
    }
    return points;
  }

  Outcome CheckAllSeen(const std::vector<bool>& seen) const {
    for (std::size_t i = 0; i < seen.size(); ++i) {
      // A series given twice is found where it stands last.
      const std::size_t index = by_labels_.at(eval_.series[i].labels);
      if (!seen[index]) return Mismatch{eval_.series[i].labels.ToString(), "no such series"};
    }
    return std::nullopt;
  }

  const EvalCommand& eval_;
  std::unordered_map<model::Labels, std::size_t, model::LabelsHash> by_labels_;
};

// Every expectation is met by an annotation, and every annotation was expected, where any was.
Outcome CheckTexts(std::string_view kind, const std::vector<TextExpectation>& expected, bool none,
                   const std::vector<std::string>& actual) {
  const std::string got = actual.empty() ? "none" : fmt::format("{}", fmt::join(actual, "; "));
  if (none && !actual.empty()) return Mismatch{fmt::format("no {}", kind), got};
  if (expected.empty()) return std::nullopt;
  for (const TextExpectation& expectation : expected) {
    const bool met = std::ranges::any_of(
        actual, [&](const std::string& text) { return expectation.Accepts(text); });
    if (!met) return Mismatch{fmt::format("{} {}", kind, expectation.text), got};
  }
  for (const std::string& text : actual) {
    const bool meant = std::ranges::any_of(
        expected, [&](const TextExpectation& expectation) { return expectation.Accepts(text); });
    if (!meant) return Mismatch{fmt::format("no other {}", kind), text};
  }
  return std::nullopt;
}

// A query whose value depends on where the range begins or ends.
bool DependsOnRange(std::string_view query) {
  for (std::string_view call : {"start()", "end()", "range()", "step()"}) {
    if (query.find(call) != std::string_view::npos) return true;
  }
  return false;
}

class ScriptRunner {
 public:
  explicit ScriptRunner(const ScriptOptions& options) : engine_(options.engine, clock_) { Clear(); }

  Result<void> Run(const LoadCommand& load) {
    report_.notes.insert(report_.notes.end(), load.notes.begin(), load.notes.end());
    const auto appender = store_->NewAppender();
    for (const SeriesNotation& series : load.series) {
      for (std::size_t i = 0; i < series.values.size(); ++i) {
        if (!series.values[i]) continue;
        const model::TimestampMs t = static_cast<std::int64_t>(i) * load.step_ms;
        auto appended = storage::AsResult(appender->Append(series.labels, t, *series.values[i]),
                                          series.labels, t);
        if (!appended) report_.notes.push_back(appended.error().message());
      }
    }
    return appender->Commit();
  }

  Result<void> Run(const ClearCommand&) {
    Clear();
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
  void Clear() {
    store_ = std::make_unique<storage::MemoryStore>(storage::MemoryStoreOptions{.retention_ms = 0});
  }

  Outcome Evaluate(const EvalCommand& eval) const {
    if (!eval.unreadable.empty()) return Mismatch{eval.unreadable, "not evaluated"};
    const auto expr = ParseExpr(eval.query);
    if (!expr) return CheckFailure(eval, expr.error());
    const auto result = eval.is_range
                            ? engine_.Range(*store_, **expr, eval.start, eval.end, eval.step_ms)
                            : engine_.Instant(*store_, **expr, eval.at);
    if (!result) return CheckFailure(eval, result.error());
    if (eval.expect_fail) return Mismatch{"an error", "a result"};
    if (auto wrong = CheckTexts("warning", eval.warn, eval.no_warn, result->warnings)) return wrong;
    if (auto wrong = CheckTexts("info", eval.info, eval.no_info, result->infos)) return wrong;
    if (auto wrong = Expected(eval).Check(result->value)) return wrong;
    const bool once = eval.is_range || eval.ordered || eval.string || eval.expect_range_vector ||
                      DependsOnRange(eval.query);
    return once ? std::nullopt : EvaluateAround(eval, **expr);
  }

  // An instant query once more, as the middle of a range query.
  Outcome EvaluateAround(const EvalCommand& eval, const Expr& expr) const {
    constexpr std::int64_t kMinute = 60'000;
    const auto result = engine_.Range(*store_, expr, eval.at - kMinute, eval.at + kMinute, kMinute);
    if (!result) return Mismatch{"a result in range mode", result.error().message()};
    Vector middle;
    for (const MatrixSeries& series : std::get<Matrix>(result->value)) {
      for (const model::FPoint& point : series.points) {
        if (point.t == eval.at) middle.push_back({series.labels, point.t, point.f});
      }
    }
    Outcome wrong = expr.type() == ValueType::kScalar && middle.size() == 1
                        ? Expected(eval).Check(Scalar{eval.at, middle[0].f})
                        : Expected(eval).Check(middle);
    if (wrong) wrong->got += " (in range mode)";
    return wrong;
  }

  static Outcome CheckFailure(const EvalCommand& eval, const base::Error& error) {
    if (!eval.expect_fail) return Mismatch{"a result", error.message()};
    for (const TextExpectation& expectation : eval.fail) {
      if (!expectation.Accepts(error.message())) {
        return Mismatch{"error " + expectation.text, error.message()};
      }
    }
    return std::nullopt;
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

Result<ScriptReport> RunScript(std::string_view text, const ScriptOptions& options) {
  AZX_ASSIGN_OR_RETURN(const std::vector<ScriptCommand> commands, ReadScript(text));
  ScriptRunner runner(options);
  for (const ScriptCommand& command : commands) {
    AZX_RETURN_IF_ERROR(std::visit([&](const auto& step) { return runner.Run(step); }, command));
  }
  return runner.Take();
}

}  // namespace azexporter::promql
