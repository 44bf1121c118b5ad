#include "azexporter/promql/engine.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "eval_error.h"
#include "evaluator.h"
#include "literals.h"

namespace azexporter::promql {
namespace {

using base::Result;

// Runs `evaluate` with everything it needs; the one place that catches EvalError.
Result<QueryResult> Run(const EngineOptions& options, const base::Clock& clock,
                        const storage::Queryable& store, const Expr& expr, TimeSpan times,
                        std::stop_token stop, const std::function<Value(Query&)>& evaluate) {
  constexpr auto kLimit = static_cast<model::TimestampMs>(kMaxTimeMs);
  if (times.from < -kLimit || times.to > kLimit) {
    return base::BadData("time of the query is out of range: " + std::to_string(times.from));
  }
  const TimeSpan needed = NeededTimes(expr, times, times, options.lookback_ms);
  AZX_ASSIGN_OR_RETURN(auto querier, store.NewQuerier(needed.from, needed.to));
  Query query{.options = options,
              .clock = clock,
              .querier = *querier,
              .stop = std::move(stop),
              .deadline_ns = clock.SteadyNs() + options.timeout_ms * 1'000'000,
              .start = times.from,
              .end = times.to,
              .budget = SampleBudget(options.max_samples),
              .annotations = {},
              .labels = LabelSpace(*querier),
              .step_invariant = {},
              .repeated = FindRepeated(expr)};
  FindStepInvariant(expr, query.step_invariant);
  try {
    QueryResult result{evaluate(query), {}, {}};
    query.annotations.MoveTo(result);
    return result;
  } catch (EvalError& failure) {
    return base::Fail(std::move(failure.error));
  }
}

// The end of a query: names that were to go, go.
SteppedVector Finish(Evaluator& evaluator, SteppedVector vector) {
  if (!evaluator.options().delayed_name_removal) return vector;
  return evaluator.DropMarkedNames(std::move(vector));
}

Vector ToVector(const SteppedVector& stepped, model::TimestampMs t) {
  Vector vector;
  vector.reserve(stepped.size());
  for (std::size_t i = 0; i < stepped.size(); ++i) {
    const double value = stepped.values(i)[0];
    if (!IsAbsent(value)) vector.push_back({stepped.row(i).labels.ToLabels(), t, value});
  }
  return vector;
}

Matrix ToMatrix(const SteppedVector& stepped, const Steps& steps) {
  Matrix matrix;
  matrix.reserve(stepped.size());
  for (std::size_t i = 0; i < stepped.size(); ++i) {
    MatrixSeries series{stepped.row(i).labels.ToLabels(), {}};
    const std::span<const double> values = stepped.values(i);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (!IsAbsent(values[step])) series.points.push_back({steps.At(step), values[step]});
    }
    if (!series.points.empty()) matrix.push_back(std::move(series));
  }
  std::ranges::sort(matrix, {}, &MatrixSeries::labels);
  return matrix;
}

Matrix RawRange(Evaluator& evaluator, const Expr& expr) {
  Matrix matrix;
  evaluator.ForEachRange(expr, [&](const RangeSeries& series, const Windows& windows) {
    MatrixSeries raw{evaluator.FinalLabels({series.labels, series.drop_name}).ToLabels(), {}};
    for (const model::FPoint& point : series.points) {
      if (point.t > windows.Start(0) && point.t <= windows.End(0)) raw.points.push_back(point);
    }
    if (!raw.points.empty()) matrix.push_back(std::move(raw));
  });
  std::ranges::sort(matrix, {}, &MatrixSeries::labels);
  return matrix;
}

}  // namespace

Result<QueryResult> Engine::Instant(const storage::Queryable& store, const Expr& expr,
                                    model::TimestampMs t, std::stop_token stop) const {
  return Run(options_, clock_, store, expr, {t, t}, std::move(stop), [&](Query& query) -> Value {
    Evaluator evaluator(query, {t, 1, 1});
    switch (expr.type()) {
      case ValueType::kString:
        return String{t, As<StringLiteral>(Unwrap(expr)).value};
      case ValueType::kMatrix:
        return RawRange(evaluator, expr);
      case ValueType::kScalar:
        return Scalar{t, evaluator.Eval(expr).scalar(0)};
      case ValueType::kVector:
        break;
    }
    return ToVector(Finish(evaluator, evaluator.Eval(expr)), t);
  });
}

Result<QueryResult> Engine::Range(const storage::Queryable& store, const Expr& expr,
                                  model::TimestampMs start, model::TimestampMs end,
                                  std::int64_t step_ms, std::stop_token stop) const {
  if (step_ms <= 0)
    return base::BadData("zero or negative query resolution step widths are not accepted");
  if (end < start) return base::BadData("end timestamp must not be before start time");
  if (expr.type() != ValueType::kVector && expr.type() != ValueType::kScalar) {
    return base::BadData("invalid expression type \"" + std::string(DocumentedType(expr.type())) +
                         "\" for range query, must be Scalar or instant Vector");
  }
  const TimeSpan times{start, end};
  return Run(options_, clock_, store, expr, times, std::move(stop), [&](Query& query) -> Value {
    const auto count =
        static_cast<std::uint64_t>(end - start) / static_cast<std::uint64_t>(step_ms);
    const Steps steps{start, step_ms, count + 1};
    Evaluator evaluator(query, steps);
    return ToMatrix(Finish(evaluator, evaluator.Eval(expr)), steps);
  });
}

}  // namespace azexporter::promql
