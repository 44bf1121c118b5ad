// Instant selectors: which sample of a series stands for it at each step.
// Semantics: prometheus/promql/engine.go, vectorSelectorSingle, smoothSeries.

#include <algorithm>

#include "eval_error.h"
#include "evaluator.h"
#include "function_body.h"
#include "interpolation.h"

namespace azexporter::promql {
namespace {

// The last point at or before `t`, if it is later than `t` - lookback and no staleness marker, as
// the caller moves on through time. `next` is the index of the first point after the last `t`.
const model::FPoint* PointAt(const std::vector<model::FPoint>& points, std::size_t& next,
                             model::TimestampMs t, std::int64_t lookback_ms) {
  while (next < points.size() && points[next].t <= t) ++next;
  if (next == 0) return nullptr;
  const model::FPoint& point = points[next - 1];
  if (point.t <= t - lookback_ms || model::IsStaleNaN(point.f)) return nullptr;
  return &point;
}

double Seconds(model::TimestampMs t) { return static_cast<double>(t) / 1000; }

const storage::SampleDetail* DetailAt(std::span<const storage::DetailPoint> details,
                                      model::TimestampMs t) {
  const auto found = std::ranges::lower_bound(details, t, {}, &storage::DetailPoint::t);
  return found == details.end() || found->t != t ? nullptr : &found->detail;
}

// Count and sum alone. Whether counting began anew is told while the buckets are still there.
model::HistogramPtr StatsOf(const model::FloatHistogram& histogram,
                            const model::FloatHistogram* previous) {
  using model::CounterResetHint;
  model::FloatHistogram stats;
  stats.schema = histogram.schema;
  stats.count = histogram.count;
  stats.sum = histogram.sum;
  stats.hint = histogram.hint;
  if (previous != nullptr && histogram.hint == CounterResetHint::kUnknown) {
    stats.hint =
        histogram.IsResetAfter(*previous) ? CounterResetHint::kReset : CounterResetHint::kNotReset;
  }
  return std::make_shared<const model::FloatHistogram>(std::move(stats));
}

}  // namespace

void Evaluator::ReadDetails(const storage::SeriesSet& set, std::size_t i, const Windows& windows,
                            TimeSpan span, std::vector<storage::DetailPoint>& out) const {
  const std::size_t before = out.size();
  const std::int64_t back_ms = windows.stats_only ? query_.options.lookback_ms : 0;
  set.ReadDetails(i, span.from - back_ms, span.to, out);
  if (!windows.stats_only) return;
  model::HistogramPtr previous;
  for (std::size_t k = before; k < out.size(); ++k) {
    model::HistogramPtr& histogram = out[k].detail.histogram;
    if (histogram == nullptr) continue;
    model::HistogramPtr stats = StatsOf(*histogram, previous.get());
    previous = std::exchange(histogram, std::move(stats));
  }
}

SteppedVector Evaluator::EvalSelector(const VectorSelector& selector, Ask ask) {
  SteppedVector vector = NewVector();
  ForEachRowOf(selector, ask,
               [&](const SteppedVector::Row& row, std::span<const double> values,
                   ConstHistograms histograms) { vector.AddRow(row, values, histograms); });
  return vector;
}

void Evaluator::ForEachRowOf(const VectorSelector& selector, Ask ask, const RowVisitor& visit) {
  if (selector.mode == RangeMode::kSmoothed && ask == Ask::kValue) {
    return ForEachSmoothed(selector, visit);
  }
  const Windows windows{.steps = steps_,
                        .at = Resolve(selector.time.at),
                        .offset_ms = OffsetMs(selector.time),
                        .range_ms = query_.options.lookback_ms,
                        .stats_only = query_.stats_only.contains(&selector)};
  const storage::SeriesSet& set = Select(selector);
  if (steps_.count == 1 || windows.at.kind != AtModifier::Kind::kNone) {
    return ForEachLatest(set, windows, ask, visit);
  }
  ForEachStep(set, windows, ask, visit);
}

void Evaluator::ForEachStep(const storage::SeriesSet& set, const Windows& windows, Ask ask,
                            const RowVisitor& visit) {
  std::vector<double> values(steps_.count);
  std::vector<model::HistogramPtr> histograms;
  std::vector<model::FPoint> points;
  std::vector<storage::DetailPoint> details;
  for (std::size_t i = 0; i < set.size(); ++i) {
    CheckAlive(i);
    points.clear();
    details.clear();
    histograms.clear();
    const model::TimestampMs from = windows.Start(0) + 1;
    const model::TimestampMs to = windows.End(steps_.count - 1);
    if (set.Read(i, from, to, points)) ReadDetails(set, i, windows, {from, to}, details);
    std::size_t next = 0;
    bool any = false;
    for (std::size_t step = 0; step < values.size(); ++step) {
      const model::FPoint* point = PointAt(points, next, windows.End(step), windows.range_ms);
      any = any || point != nullptr;
      if (point == nullptr) {
        values[step] = Absent();
      } else if (ask == Ask::kValue) {
        values[step] = point->f;
        if (!model::IsHistogramNaN(point->f)) continue;
        values[step] = Absent();
        const storage::SampleDetail* detail = DetailAt(details, point->t);
        if (detail == nullptr) continue;
        histograms.resize(values.size());
        histograms[step] = detail->histogram;
      } else if (ask == Ask::kStart) {
        const storage::SampleDetail* detail = DetailAt(details, point->t);
        values[step] = Seconds(detail == nullptr ? 0 : detail->start_t);
      } else {
        if (ask == Ask::kTimeOfFloat && model::IsHistogramNaN(point->f)) {
          FailEval("this should be an info metric, with float samples: " +
                   set.labels(i).ToLabels().ToString());
        }
        values[step] = Seconds(point->t);
      }
    }
    if (any) visit({set.labels(i)}, values, histograms);
  }
}

// For a time that is the same at all steps.
void Evaluator::ForEachLatest(const storage::SeriesSet& set, const Windows& windows, Ask ask,
                              const RowVisitor& visit) {
  constexpr std::size_t kBatch = 1024;
  std::vector<storage::SeriesSet::Latest> latest(std::min(kBatch, set.size()));
  std::vector<double> values(steps_.count);
  std::vector<model::HistogramPtr> histograms;
  std::vector<storage::DetailPoint> details;
  for (std::size_t first = 0; first < set.size(); first += kBatch) {
    CheckAlive();
    const std::span batch = std::span(latest).first(std::min(kBatch, set.size() - first));
    set.ReadLatest(first, windows.Start(0) + 1, windows.End(0), batch);
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const model::FPoint& point = batch[i].point;
      if (model::IsStaleNaN(point.f)) continue;
      const bool is_histogram = model::IsHistogramNaN(point.f);
      double value = point.f;
      histograms.clear();
      details.clear();
      if (ask == Ask::kTime || ask == Ask::kTimeOfFloat) value = Seconds(point.t);
      if (ask == Ask::kStart || (ask == Ask::kValue && is_histogram)) {
        ReadDetails(set, first + i, windows, {point.t, point.t}, details);
      }
      if (ask == Ask::kTimeOfFloat && is_histogram) {
        FailEval("this should be an info metric, with float samples: " +
                 batch[i].labels.ToLabels().ToString());
      }
      if (ask == Ask::kStart) {
        value = details.empty() ? 0 : Seconds(details.back().detail.start_t);
      } else if (ask == Ask::kValue && is_histogram) {
        if (details.empty()) continue;
        value = Absent();
        histograms.assign(steps_.count, details.back().detail.histogram);
      }
      std::ranges::fill(values, value);
      visit({batch[i].labels}, values, histograms);
    }
  }
}

// The value at each step, interpolated between the samples on either side of it; where none
// follows within the look-back, the one before it.
void Evaluator::ForEachSmoothed(const VectorSelector& selector, const RowVisitor& visit) {
  const std::int64_t lookback_ms = query_.options.lookback_ms;
  const Windows windows{.steps = steps_,
                        .at = Resolve(selector.time.at),
                        .offset_ms = OffsetMs(selector.time),
                        .range_ms = lookback_ms,
                        .after_ms = lookback_ms};
  std::vector<double> values(steps_.count);
  std::vector<model::HistogramPtr> histograms;
  ForEachSeries(Select(selector), windows, [&](const RangeSeries& series) {
    histograms.clear();
    bool any = false;
    for (std::size_t step = 0; step < values.size(); ++step) {
      values[step] = Absent();
      const RangeValue value =
          SmoothedAt(series, windows, step, selector.position(), annotations());
      if (value.h != nullptr) {
        histograms.resize(values.size());
        histograms[step] = value.h;
      } else {
        values[step] = value.f;
      }
      any = any || value.h != nullptr || !IsAbsent(value.f);
    }
    if (any) visit({series.labels}, values, histograms);
  });
}

}  // namespace azexporter::promql
