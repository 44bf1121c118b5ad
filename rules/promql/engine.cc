#include "azexporter/promql/engine.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>

#include "eval_error.h"
#include "evaluator.h"
#include "interpolation.h"
#include "literals.h"

namespace azexporter::promql {
namespace {

using base::Result;

// Keeps the answer as a Value.
class ValueSink : public ResultSink {
 public:
  void Take(const Scalar& scalar) override { value_ = scalar; }
  void Take(const String& string) override { value_ = string; }
  void BeginVector(std::size_t most) override { value_.emplace<Vector>().reserve(most); }
  void BeginMatrix(std::size_t most) override { value_.emplace<Matrix>().reserve(most); }
  void Add(const model::LabelView& labels, const model::FPoint& point) override {
    std::get<Vector>(value_).push_back({labels.ToLabels(), point.t, point.f});
  }
  void Add(const model::LabelView& labels, const model::HPoint& point) override {
    std::get<Vector>(value_).push_back({labels.ToLabels(), point.t, 0, point.h});
  }
  void Add(const model::LabelView& labels, std::span<const model::FPoint> points,
           std::span<const model::HPoint> histograms) override {
    std::get<Matrix>(value_).push_back({labels.ToLabels(),
                                        {points.begin(), points.end()},
                                        {histograms.begin(), histograms.end()}});
  }

  Value Take() { return std::move(value_); }

 private:
  Value value_;
};

Result<QueryResult> Collected(const Result<QueryNotes>& notes, ValueSink& sink) {
  if (!notes) return base::Fail(notes.error());
  return QueryResult{*notes, sink.Take()};
}

// Runs `evaluate` with everything it needs; the one place that catches EvalError.
Result<QueryNotes> Run(const EngineOptions& options, const base::Clock& clock,
                       const storage::Queryable& store, const Expr& expr, const RangeTimes& times,
                       std::stop_token stop, const std::function<void(Query&)>& evaluate) {
  constexpr auto kLimit = static_cast<model::TimestampMs>(kMaxTimeMs);
  if (times.start < -kLimit || times.end > kLimit) {
    return base::BadData("time of the query is out of range: " + std::to_string(times.start));
  }
  const DurationContext durations{times.step_ms, times.end - times.start};
  const TimeSpan span{times.start, times.end};
  TimeSpan needed;
  try {
    needed = NeededTimes(expr, span, {span, options.lookback_ms, durations});
  } catch (EvalError& failure) {
    return base::Fail(std::move(failure.error));
  }
  AZX_ASSIGN_OR_RETURN(auto querier, store.NewQuerier(needed.from, needed.to));
  Query query{.options = options,
              .clock = clock,
              .querier = *querier,
              .stop = std::move(stop),
              .deadline_ns = clock.SteadyNs() + options.timeout_ms * 1'000'000,
              .start = times.start,
              .end = times.end,
              .durations = durations,
              .budget = SampleBudget(options.max_samples),
              .annotations = {},
              .labels = LabelSpace(*querier),
              .step_invariant = {},
              .repeated = FindRepeated(expr),
              .stats_only = {}};
  FindStepInvariant(expr, query.step_invariant);
  FindStatsOnly(expr, query.stats_only);
  try {
    evaluate(query);
    QueryNotes notes;
    query.annotations.MoveTo(notes);
    return notes;
  } catch (EvalError& failure) {
    return base::Fail(std::move(failure.error));
  }
}

// The end of a query: names that were to go, go.
SteppedVector Finish(Evaluator& evaluator, SteppedVector vector) {
  if (!evaluator.options().delayed_name_removal) return vector;
  return evaluator.DropMarkedNames(std::move(vector));
}

void GiveVector(const SteppedVector& stepped, model::TimestampMs t, ResultSink& sink) {
  sink.BeginVector(stepped.size());
  for (std::size_t i = 0; i < stepped.size(); ++i) {
    const Element element = stepped.At(i, 0);
    if (element.h != nullptr) {
      sink.Add(stepped.row(i).labels, model::HPoint{t, *element.h});
    } else if (!IsAbsent(element.f)) {
      sink.Add(stepped.row(i).labels, model::FPoint{t, element.f});
    }
  }
}

// The rows of a matrix, which stand in the order of their labels. `labels_of(i)`: of the i-th.
template <class LabelsOf>
std::vector<std::size_t> InOrder(std::size_t count, const LabelsOf& labels_of) {
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    return model::LabelView::CompareTexts(labels_of(a), labels_of(b)) < 0;
  });
  return order;
}

void GiveMatrix(const SteppedVector& stepped, const Steps& steps, ResultSink& sink) {
  sink.BeginMatrix(stepped.size());
  std::vector<model::FPoint> points;
  std::vector<model::HPoint> histograms;
  for (const std::size_t i :
       InOrder(stepped.size(), [&](std::size_t row) { return stepped.row(row).labels; })) {
    points.clear();
    histograms.clear();
    const std::span<const double> values = stepped.values(i);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (!IsAbsent(values[step])) points.push_back({steps.At(step), values[step]});
    }
    const ConstHistograms of_row = stepped.histograms(i);
    for (std::size_t step = 0; step < of_row.size(); ++step) {
      if (of_row[step] != nullptr) histograms.push_back({steps.At(step), of_row[step]});
    }
    if (!points.empty() || !histograms.empty()) {
      sink.Add(stepped.row(i).labels, points, histograms);
    }
  }
}

void GiveRawRange(Evaluator& evaluator, const Expr& expr, ResultSink& sink) {
  struct Raw {
    model::LabelView labels;
    std::vector<model::FPoint> points;
    std::vector<model::HPoint> histograms;
  };
  const Expr& inner = Unwrap(expr);
  RangeMode mode = RangeMode::kPlain;
  if (inner.kind() == ExprKind::kMatrixSelector) mode = As<MatrixSelector>(inner).selector->mode;
  std::vector<Raw> all;
  evaluator.ForEachRange(expr, [&](const RangeSeries& series, const Windows& windows) {
    Raw raw{evaluator.FinalLabels({series.labels, series.drop_name}), {}, {}};
    const auto take = [&](const auto& from, auto& to) {
      for (const auto& sample : from) {
        if (sample.t > windows.Start(0) && sample.t <= windows.End(0)) to.push_back(sample);
      }
    };
    if (mode == RangeMode::kPlain) {
      take(series.points, raw.points);
      take(series.histograms, raw.histograms);
    } else {
      const bool smoothed = mode == RangeMode::kSmoothed;
      if (!series.histograms.empty()) {
        FailEval(std::string(smoothed ? "smoothed" : "anchored") +
                 " modifier is not supported with histograms");
      }
      raw.points = ExtendedPoints(series.points, windows.Start(0), windows.End(0), smoothed);
    }
    if (!raw.points.empty() || !raw.histograms.empty()) all.push_back(std::move(raw));
  });
  sink.BeginMatrix(all.size());
  for (const std::size_t i :
       InOrder(all.size(), [&](std::size_t row) { return all[row].labels; })) {
    sink.Add(all[i].labels, all[i].points, all[i].histograms);
  }
}

}  // namespace

Result<QueryResult> Engine::Instant(const storage::Queryable& store, const Expr& expr,
                                    model::TimestampMs t, std::stop_token stop) const {
  ValueSink sink;
  return Collected(Instant(store, expr, t, sink, std::move(stop)), sink);
}

Result<QueryResult> Engine::Range(const storage::Queryable& store, const Expr& expr,
                                  const RangeTimes& times, std::stop_token stop) const {
  ValueSink sink;
  return Collected(Range(store, expr, times, sink, std::move(stop)), sink);
}

Result<QueryNotes> Engine::Instant(const storage::Queryable& store, const Expr& expr,
                                   model::TimestampMs t, ResultSink& sink,
                                   std::stop_token stop) const {
  return Run(options_, clock_, store, expr, {t, t, 0}, std::move(stop), [&](Query& query) {
    Evaluator evaluator(query, {t, 1, 1});
    switch (expr.type()) {
      case ValueType::kString:
        return sink.Take(String{t, As<StringLiteral>(Unwrap(expr)).value});
      case ValueType::kMatrix:
        return GiveRawRange(evaluator, expr, sink);
      case ValueType::kScalar:
        return sink.Take(Scalar{t, evaluator.Eval(expr).scalar(0)});
      case ValueType::kVector:
        return GiveVector(Finish(evaluator, evaluator.Eval(expr)), t, sink);
    }
  });
}

Result<QueryNotes> Engine::Range(const storage::Queryable& store, const Expr& expr,
                                 const RangeTimes& times, ResultSink& sink,
                                 std::stop_token stop) const {
  if (times.step_ms <= 0)
    return base::BadData("zero or negative query resolution step widths are not accepted");
  if (times.end < times.start) {
    return base::BadData("end timestamp must not be before start time");
  }
  if (expr.type() != ValueType::kVector && expr.type() != ValueType::kScalar) {
    return base::BadData("invalid expression type \"" + std::string(DocumentedType(expr.type())) +
                         "\" for range query, must be Scalar or instant Vector");
  }
  return Run(options_, clock_, store, expr, times, std::move(stop), [&](Query& query) {
    const auto count = static_cast<std::uint64_t>(times.end - times.start) /
                       static_cast<std::uint64_t>(times.step_ms);
    const Steps steps{times.start, times.step_ms, count + 1};
    Evaluator evaluator(query, steps);
    GiveMatrix(Finish(evaluator, evaluator.Eval(expr)), steps, sink);
  });
}

}  // namespace azexporter::promql
