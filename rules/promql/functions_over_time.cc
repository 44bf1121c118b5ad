// Aggregations over time: sum_over_time and its kin.

#include <algorithm>
#include <cmath>

#include "eval_error.h"
#include "function_body.h"
#include "histogram_total.h"
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

// A sum or a mean, of floats or of histograms.
template <double (*kOfFloats)(const RangeArgs&), bool kMean>
RangeValue TotalOfSamples(const RangeArgs& args) {
  if (args.histograms.empty()) return {kOfFloats(args)};
  if (!args.points.empty()) {
    args.annotations.MixedSamples(args.metric, args.position());
    return {};
  }
  HistogramTotal total(kMean);
  for (const model::HPoint& point : args.histograms) {
    if (total.Add(*point.h)) continue;
    args.annotations.MixedSchemas(args.metric, args.position());
    return {};
  }
  if (total.reset_collision()) args.annotations.ResetCollision("aggregation", args.position());
  if (total.bounds_reconciled()) args.annotations.BoundsReconciled("aggregation", args.position());
  return {Absent(), std::make_shared<const model::FloatHistogram>(total.Value())};
}

double CountOverTime(const RangeArgs& args) {
  return static_cast<double>(args.points.size() + args.histograms.size());
}

template <double (*kOfFloats)(const RangeArgs&)>
RangeValue AnySamples(const RangeArgs& args) {
  return {kOfFloats(args)};
}

RangeValue FirstOfSamples(const RangeArgs& args) {
  const bool histogram =
      args.points.empty() || (!args.histograms.empty() && args.histograms[0].t < args.points[0].t);
  if (histogram) return {Absent(), args.histograms[0].h};
  return {args.points[0].f};
}

RangeValue LastOfSamples(const RangeArgs& args) {
  const bool histogram = args.points.empty() || (!args.histograms.empty() &&
                                                 args.histograms.back().t > args.points.back().t);
  if (histogram) return {Absent(), args.histograms.back().h};
  return {args.points.back().f};
}

double Seconds(model::TimestampMs t) { return static_cast<double>(t) / 1000; }

double TimeOfFirst(const RangeArgs& args) { return Seconds(args.points.front().t); }
double TimeOfLast(const RangeArgs& args) { return Seconds(args.points.back().t); }

RangeValue TimeOfFirstOfSamples(const RangeArgs& args) {
  if (args.points.empty()) return {Seconds(args.histograms.front().t)};
  if (args.histograms.empty()) return {TimeOfFirst(args)};
  return {Seconds(std::min(args.points.front().t, args.histograms.front().t))};
}

RangeValue TimeOfLastOfSamples(const RangeArgs& args) {
  if (args.points.empty()) return {Seconds(args.histograms.back().t)};
  if (args.histograms.empty()) return {TimeOfLast(args)};
  return {Seconds(std::max(args.points.back().t, args.histograms.back().t))};
}

// When the largest or smallest was last reached. A number beats NaN.
template <bool kMax>
double TimeOfExtreme(const RangeArgs& args) {
  model::FPoint extreme = args.points[0];
  for (const model::FPoint& point : args.points) {
    const bool reached = kMax ? point.f >= extreme.f : point.f <= extreme.f;
    if (reached || std::isnan(extreme.f)) extreme = point;
  }
  return Seconds(extreme.t);
}

// The median of the distances from the median.
double MadOverTime(const RangeArgs& args) {
  std::vector<double> values;
  values.reserve(args.points.size());
  for (const model::FPoint& point : args.points) {
    if (std::isnan(point.f)) return std::nan("");
    values.push_back(point.f);
  }
  const double median = Quantile(0.5, values);
  for (double& value : values) value = std::abs(value - median);
  return Quantile(0.5, values);
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
      if (!vector.At(i, step).empty()) present[step] = true;
    }
  }
  return AbsentRow(evaluator, call, present);
}

SteppedVector AbsentOverTime(Evaluator& evaluator, const CallExpr& call) {
  std::vector<bool> present(evaluator.steps().count);
  evaluator.ForEachRange(*call.args[0], [&](const RangeSeries& series, const Windows& windows) {
    const auto mark = [&](const auto& samples) {
      std::size_t next = 0;
      for (std::size_t step = 0; step < present.size(); ++step) {
        while (next < samples.size() && samples[next].t <= windows.Start(step)) ++next;
        if (next < samples.size() && samples[next].t <= windows.End(step)) present[step] = true;
      }
    };
    mark(series.points);
    mark(series.histograms);
  });
  return AbsentRow(evaluator, call, present);
}

Function OverTime(std::string_view name, FunctionBody::OverRange run,
                  FunctionBody::OverSamples run_on_samples = nullptr) {
  return RangeFunction(name, {kMatrix}, {.over_range = run, .over_samples = run_on_samples});
}

Function Keeping(Function function) {
  FunctionBody body = *function.body;
  body.keeps_name = true;
  function.body = std::make_shared<FunctionBody>(body);
  return function;
}

}  // namespace

std::vector<Function> OverTimeFunctions() {
  const auto one = [](const RangeArgs&) { return 1.0; };
  return {
      VectorFunction("absent", {kVector}, kVector, AbsentVector),
      VectorFunction("absent_over_time", {kMatrix}, kVector, AbsentOverTime),
      OverTime("avg_over_time", AvgOverTime, TotalOfSamples<AvgOverTime, true>),
      OverTime("count_over_time", CountOverTime, AnySamples<CountOverTime>),
      Keeping(OverTime(
          "first_over_time", [](const RangeArgs& args) { return args.points.front().f; },
          FirstOfSamples)),
      Keeping(OverTime(
          "last_over_time", [](const RangeArgs& args) { return args.points.back().f; },
          LastOfSamples)),
      Experimental(OverTime("mad_over_time", MadOverTime)),
      OverTime("max_over_time", ExtremeOverTime<true>),
      OverTime("min_over_time", ExtremeOverTime<false>),
      OverTime("present_over_time", one, [](const RangeArgs&) { return RangeValue{1}; }),
      RangeFunction("quantile_over_time", {kScalar, kMatrix}, {.over_range = QuantileOverTime}),
      OverTime("stddev_over_time", StddevOverTime),
      OverTime("stdvar_over_time", StdvarOverTime),
      OverTime("sum_over_time", SumOverTime, TotalOfSamples<SumOverTime, false>),
      Experimental(OverTime("ts_of_first_over_time", TimeOfFirst, TimeOfFirstOfSamples)),
      Experimental(OverTime("ts_of_last_over_time", TimeOfLast, TimeOfLastOfSamples)),
      Experimental(OverTime("ts_of_max_over_time", TimeOfExtreme<true>)),
      Experimental(OverTime("ts_of_min_over_time", TimeOfExtreme<false>)),
  };
}

}  // namespace azexporter::promql
