// Aggregations over time: sum_over_time and its kin.

#include <algorithm>
#include <cmath>

#include "eval_error.h"
#include "function_body.h"
#include "kahan.h"
#include "quantile.h"

namespace azexporter::promql {
namespace {

using enum ValueType;

double AvgOverTime(const RangeArgs& args) {
  Mean mean;
  for (const model::FPoint& point : args.points) mean.Add(point.f);
  return mean.Value();
}

double SumOverTime(const RangeArgs& args) {
  KahanSum sum;
  for (const model::FPoint& point : args.points) sum.Add(point.f);
  return sum.Total();
}

// A number beats NaN.
template <bool kMax>
double ExtremeOverTime(const RangeArgs& args) {
  double extreme = args.points[0].f;
  for (const model::FPoint& point : args.points) {
    const bool better = kMax ? point.f > extreme : point.f < extreme;
    if (better || std::isnan(extreme)) extreme = point.f;
  }
  return extreme;
}

double QuantileOverTime(const RangeArgs& args) {
  const double q = args.scalars[0];
  if (!(q >= 0 && q <= 1)) args.annotations.InvalidQuantile(q, args.call.args[0]->position());
  std::vector<double> values;
  values.reserve(args.points.size());
  for (const model::FPoint& point : args.points) values.push_back(point.f);
  return Quantile(q, values);
}

// Welford's method, compensated.
double StdvarOverTime(const RangeArgs& args) {
  double count = 0;
  KahanSum mean;
  KahanSum squares;
  for (const model::FPoint& point : args.points) {
    ++count;
    const double delta = point.f - mean.Total();
    mean.Add(delta / count);
    squares.Add(delta * (point.f - mean.Total()));
  }
  return squares.Total() / count;
}

double StddevOverTime(const RangeArgs& args) { return std::sqrt(StdvarOverTime(args)); }

// The labels that an expression pins down with '='; a label that is matched twice is not.
model::Labels PinnedLabels(const Expr& expr) {
  const Expr& inner = Unwrap(expr);
  const VectorSelector* selector = nullptr;
  if (inner.kind() == ExprKind::kVectorSelector) selector = &As<VectorSelector>(inner);
  if (inner.kind() == ExprKind::kMatrixSelector)
    selector = As<MatrixSelector>(inner).selector.get();
  model::LabelsBuilder labels;
  if (selector == nullptr) return labels.Build();
  std::vector<std::string_view> seen;
  for (const model::Matcher& matcher : selector->matchers) {
    if (matcher.name() == model::kMetricName) continue;
    const bool again = std::ranges::count(seen, matcher.name()) > 0;
    if (matcher.type() == model::MatchType::kEqual && !again) {
      labels.Set(matcher.name(), matcher.value());
      seen.push_back(matcher.name());
    } else {
      labels.Remove(matcher.name());
    }
  }
  return labels.Build();
}

// 1 at the steps where nothing is `present`.
SteppedVector AbsentRow(Evaluator& evaluator, const CallExpr& call,
                        const std::vector<bool>& present) {
  SteppedVector out = evaluator.NewVector();
  const std::span<double> values = out.AddRow({evaluator.labels().Of(PinnedLabels(*call.args[0]))});
  for (std::size_t step = 0; step < values.size(); ++step) {
    if (!present[step]) values[step] = 1;
  }
  out.DropEmptyRows();
  return out;
}

SteppedVector AbsentVector(Evaluator& evaluator, const CallExpr& call) {
  const SteppedVector vector = evaluator.Eval(*call.args[0]);
  std::vector<bool> present(vector.steps());
  for (std::size_t i = 0; i < vector.size(); ++i) {
    for (std::size_t step = 0; step < present.size(); ++step) {
      if (!IsAbsent(vector.values(i)[step])) present[step] = true;
    }
  }
  return AbsentRow(evaluator, call, present);
}

SteppedVector AbsentOverTime(Evaluator& evaluator, const CallExpr& call) {
  std::vector<bool> present(evaluator.steps().count);
  evaluator.ForEachRange(*call.args[0], [&](const RangeSeries& series, const Windows& windows) {
    std::size_t next = 0;
    const auto& points = series.points;
    for (std::size_t step = 0; step < present.size(); ++step) {
      while (next < points.size() && points[next].t <= windows.Start(step)) ++next;
      if (next < points.size() && points[next].t <= windows.End(step)) present[step] = true;
    }
  });
  return AbsentRow(evaluator, call, present);
}

Function OverTime(std::string_view name, FunctionBody::OverRange run, bool keeps_name = false) {
  return RangeFunction(name, {kMatrix}, {.over_range = run, .keeps_name = keeps_name});
}

}  // namespace

std::vector<Function> OverTimeFunctions() {
  return {
      VectorFunction("absent", {kVector}, kVector, AbsentVector),
      VectorFunction("absent_over_time", {kMatrix}, kVector, AbsentOverTime),
      OverTime("avg_over_time", AvgOverTime),
      OverTime("count_over_time",
               [](const RangeArgs& args) { return static_cast<double>(args.points.size()); }),
      OverTime(
          "first_over_time", [](const RangeArgs& args) { return args.points.front().f; },
          /*keeps_name=*/true),
      OverTime(
          "last_over_time", [](const RangeArgs& args) { return args.points.back().f; },
          /*keeps_name=*/true),
      OverTime("max_over_time", ExtremeOverTime<true>),
      OverTime("min_over_time", ExtremeOverTime<false>),
      OverTime("present_over_time", [](const RangeArgs&) { return 1.0; }),
      RangeFunction("quantile_over_time", {kScalar, kMatrix}, {.over_range = QuantileOverTime}),
      OverTime("stddev_over_time", StddevOverTime),
      OverTime("stdvar_over_time", StdvarOverTime),
      OverTime("sum_over_time", SumOverTime),
  };
}

}  // namespace azexporter::promql
