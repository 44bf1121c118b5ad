// Range vectors: the samples of a series in the windows of all steps.

#include <algorithm>

#include "eval_error.h"
#include "evaluator.h"

namespace azexporter::promql {
namespace {

// Sorts points and their details into floats and histograms.
void Split(const std::vector<storage::DetailPoint>& details, bool use_starts, RangeSeries& series) {
  const bool starts = use_starts && std::ranges::any_of(details, [](const auto& point) {
                        return point.detail.start_t != 0;
                      });
  auto next = details.begin();
  std::size_t kept = 0;
  for (const model::FPoint& point : series.points) {
    const storage::SampleDetail* detail = nullptr;
    while (next != details.end() && next->t < point.t) ++next;
    if (next != details.end() && next->t == point.t) detail = &next->detail;
    const model::TimestampMs start = detail == nullptr ? 0 : detail->start_t;
    if (model::IsHistogramNaN(point.f)) {
      if (detail == nullptr) continue;
      series.histograms.push_back({point.t, detail->histogram});
      if (starts) series.histogram_starts.push_back(start);
      continue;
    }
    series.points[kept++] = point;
    if (starts) series.point_starts.push_back(start);
  }
  series.points.resize(kept);
}

std::size_t SizeInSamples(const RangeSeries& series) {
  std::size_t size = series.points.size();
  for (const model::HPoint& point : series.histograms) size += point.h->SizeInSamples();
  return size;
}

// A subquery may pass samples over: what a histogram said of the one right before it in the store
// is not true of the one before it there.
model::HistogramPtr WithoutHint(const model::HistogramPtr& histogram) {
  using model::CounterResetHint;
  if (histogram->hint == CounterResetHint::kUnknown ||
      histogram->hint == CounterResetHint::kGauge) {
    return histogram;
  }
  model::FloatHistogram copy = *histogram;
  copy.hint = CounterResetHint::kUnknown;
  return std::make_shared<const model::FloatHistogram>(std::move(copy));
}

void Clear(RangeSeries& series) {
  series.points.clear();
  series.histograms.clear();
  series.point_starts.clear();
  series.histogram_starts.clear();
}

}  // namespace

void Evaluator::ForEachRange(const Expr& expr, const RangeVisitor& visit) {
  const Expr& inner = Unwrap(expr);
  if (inner.kind() == ExprKind::kSubquery) return ForEachOfSubquery(As<SubqueryExpr>(inner), visit);
  ForEachSelected(As<MatrixSelector>(inner), visit);
}

void Evaluator::ForEachSelected(const MatrixSelector& matrix, const RangeVisitor& visit) {
  const TimeModifiers& time = matrix.selector->time;
  Windows windows{.steps = steps_,
                  .at = Resolve(time.at),
                  .offset_ms = OffsetMs(time),
                  .range_ms = RangeMs(matrix),
                  .stats_only = query_.stats_only.contains(matrix.selector.get())};
  if (matrix.selector->mode != RangeMode::kPlain) windows.before_ms = query_.options.lookback_ms;
  if (matrix.selector->mode == RangeMode::kSmoothed) {
    windows.after_ms = query_.options.lookback_ms;
  }
  ForEachSeries(Select(*matrix.selector), windows,
                [&](const RangeSeries& series) { visit(series, windows); });
}

void Evaluator::ForEachSeries(const storage::SeriesSet& set, const Windows& windows,
                              const std::function<void(const RangeSeries&)>& visit) {
  const model::TimestampMs from = windows.From(0) + 1;
  const model::TimestampMs to = windows.To(steps_.count - 1);
  RangeSeries series;
  std::vector<storage::DetailPoint> details;
  for (std::size_t i = 0; i < set.size(); ++i) {
    CheckAlive(i);
    Clear(series);
    const bool has_details = set.Read(i, from, to, series.points);
    std::erase_if(series.points, [](const auto& point) { return model::IsStaleNaN(point.f); });
    if (series.points.empty()) continue;
    if (has_details) {
      details.clear();
      ReadDetails(set, i, windows, {from, to}, details);
      Split(details, query_.options.use_start_timestamps, series);
      if (series.empty()) continue;
    }
    SampleCharge charge(query_.budget);
    charge.Add(SizeInSamples(series));
    series.labels = set.labels(i);
    visit(series);
  }
}

void Evaluator::ForEachOfSubquery(const SubqueryExpr& subquery, const RangeVisitor& visit) {
  const Windows windows{steps_, Resolve(subquery.time.at), OffsetMs(subquery.time),
                        promql::RangeMs(subquery.range_ms, subquery.range_expr, query_.durations)};
  // The inner steps are multiples of the step's length, whatever the time of the query, so that
  // windows that overlap see the same points.
  std::int64_t step_ms = promql::RangeMs(subquery.step_ms, subquery.step_expr, query_.durations);
  if (step_ms == 0) step_ms = query_.options.default_subquery_step_ms;
  const model::TimestampMs from = windows.Start(0);
  const model::TimestampMs to = windows.End(steps_.count - 1);
  model::TimestampMs first = from / step_ms * step_ms;
  if (first <= from) first += step_ms;
  if (first > to) return;
  const Steps inner_steps{first, step_ms, static_cast<std::size_t>((to - first) / step_ms) + 1};

  Evaluator inner(query_, inner_steps);
  const SteppedVector vector = inner.Eval(*subquery.expr);
  RangeSeries series;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    CheckAlive(i);
    Clear(series);
    const std::span<const double> values = vector.values(i);
    const ConstHistograms histograms = vector.histograms(i);
    for (std::size_t step = 0; step < inner_steps.count; ++step) {
      if (!IsAbsent(values[step])) {
        series.points.push_back({inner_steps.At(step), values[step]});
      } else if (!histograms.empty() && histograms[step] != nullptr) {
        series.histograms.push_back({inner_steps.At(step), WithoutHint(histograms[step])});
      }
    }
    if (series.empty()) continue;
    SampleCharge charge(query_.budget);
    charge.Add(SizeInSamples(series));
    series.labels = vector.row(i).labels;
    series.drop_name = vector.row(i).drop_name;
    visit(series, windows);
  }
}

}  // namespace azexporter::promql
