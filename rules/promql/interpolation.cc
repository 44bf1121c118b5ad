#include "interpolation.h"

#include <algorithm>

namespace azexporter::promql {

double Interpolate(const model::FPoint& before, const model::FPoint& after, model::TimestampMs t,
                   bool counter) {
  const double from = counter && after.f < before.f ? 0 : before.f;
  return from + (after.f - from) * static_cast<double>(t - before.t) /
                    static_cast<double>(after.t - before.t);
}

bool AddTo(model::FloatHistogram& base, const model::FloatHistogram& other,
           const HistogramNotes& notes) {
  const auto combined = base.Add(other);
  if (!combined) {
    notes.annotations.MixedSchemas(notes.metric, notes.position);
    return false;
  }
  if (combined->bounds_reconciled) notes.annotations.BoundsReconciled("addition", notes.position);
  return true;
}

bool SubtractFrom(model::FloatHistogram& base, const model::FloatHistogram& other,
                  const HistogramNotes& notes) {
  const auto combined = base.Sub(other);
  if (!combined) {
    notes.annotations.MixedSchemas(notes.metric, notes.position);
    return false;
  }
  if (combined->bounds_reconciled) {
    notes.annotations.BoundsReconciled("subtraction", notes.position);
  }
  return true;
}

std::optional<model::FloatHistogram> Interpolate(const model::HPoint& before,
                                                 const model::HPoint& after, model::TimestampMs t,
                                                 bool counter, const HistogramNotes& notes) {
  if (t == before.t) return *before.h;
  if (t == after.t) return *after.h;
  const double fraction =
      static_cast<double>(t - before.t) / static_cast<double>(after.t - before.t);
  model::FloatHistogram result = *after.h;
  if (counter && after.h->IsResetAfter(*before.h)) {
    result.Mul(fraction);
    return result;
  }
  if (!SubtractFrom(result, *before.h, notes)) return std::nullopt;
  result.Mul(fraction);
  if (!AddTo(result, *before.h, notes)) return std::nullopt;
  return result;
}

namespace {

RangeValue SmoothedHistogram(std::span<const model::HPoint> all, model::TimestampMs t,
                             const HistogramNotes& notes) {
  const auto next = std::ranges::lower_bound(all, t, {}, &model::HPoint::t);
  if (next != all.end() && next->t == t) return {Absent(), next->h};
  if (next == all.begin()) return {};
  const model::HPoint& before = *std::prev(next);
  if (next == all.end()) {
    model::FloatHistogram last = *before.h;
    last.hint = model::CounterResetHint::kUnknown;
    return {Absent(), std::make_shared<const model::FloatHistogram>(std::move(last))};
  }
  if (before.h->has_custom_buckets() != next->h->has_custom_buckets()) {
    notes.annotations.MixedSchemas(notes.metric, notes.position);
    return {};
  }
  const bool counter = before.h->hint != model::CounterResetHint::kGauge ||
                       next->h->hint != model::CounterResetHint::kGauge;
  auto between = Interpolate(before, *next, t, counter, notes);
  if (!between) return {};
  return {Absent(), std::make_shared<const model::FloatHistogram>(std::move(*between))};
}

template <class Sample>
std::span<const Sample> InWindow(const std::vector<Sample>& all, model::TimestampMs from,
                                 model::TimestampMs to) {
  const auto first = std::ranges::upper_bound(all, from, {}, &Sample::t);
  const auto end = std::ranges::upper_bound(all, to, {}, &Sample::t);
  return {first, end};
}

}  // namespace

RangeValue SmoothedAt(const RangeSeries& series, const Windows& windows, std::size_t step,
                      const PositionRange& position, Annotations& annotations) {
  const model::TimestampMs t = windows.End(step);
  const auto points = InWindow(series.points, windows.From(step), windows.To(step));
  const auto histograms = InWindow(series.histograms, windows.From(step), windows.To(step));
  const HistogramNotes notes{annotations, series.labels.Get(model::kMetricName), position};
  if (!points.empty() && !histograms.empty()) {
    annotations.MixedSamples(notes.metric, position);
    return {};
  }
  if (!histograms.empty()) return SmoothedHistogram(histograms, t, notes);
  const auto next = std::ranges::lower_bound(points, t, {}, &model::FPoint::t);
  if (next != points.end() && next->t == t) return {next->f};
  if (next == points.begin()) return {};
  if (next == points.end()) return {std::prev(next)->f};
  return {Interpolate(*std::prev(next), *next, t, false)};
}

namespace {

// Of samples that reach beyond a window those that count: the last one at or before its start, and,
// of a smoothed one, the first one at or after its end.
struct Inside {
  std::size_t first = 0;
  std::size_t last = 0;
};

template <class Sample>
Inside FindInside(std::span<const Sample> samples, model::TimestampMs start, model::TimestampMs end,
                  bool smoothed) {
  Inside inside{0, samples.size() - 1};
  const auto but_last = samples.first(samples.size() - 1);
  const auto after_start = std::ranges::upper_bound(but_last, start, {}, &Sample::t);
  if (after_start != but_last.begin()) {
    inside.first = static_cast<std::size_t>(after_start - but_last.begin()) - 1;
  }
  if (smoothed) {
    const auto at_end = std::ranges::lower_bound(but_last, end, {}, &Sample::t);
    inside.last = static_cast<std::size_t>(at_end - but_last.begin());
  }
  return inside;
}

// Nothing of the samples concerns the window.
template <class Sample>
bool IsOutside(std::span<const Sample> samples, const Inside& inside, model::TimestampMs start,
               model::TimestampMs end, bool smoothed) {
  return samples[inside.last].t <= start || (smoothed && samples[inside.first].t > end);
}

struct Ends {
  double left = 0;
  double right = 0;
};

Ends EndsOf(std::span<const model::FPoint> points, const Inside& inside, model::TimestampMs start,
            model::TimestampMs end, bool smoothed, bool counter) {
  Ends ends{points[inside.first].f, points[inside.last].f};
  if (smoothed && points[inside.first].t < start) {
    ends.left = Interpolate(points[inside.first], points[inside.first + 1], start, counter);
  }
  if (smoothed && inside.last > 0 && points[inside.last].t > end) {
    ends.right = Interpolate(points[inside.last - 1], points[inside.last], end, counter);
  }
  return ends;
}

// The samples strictly between the ends of the window.
template <class Sample>
std::span<const Sample> Between(std::span<const Sample> samples, Inside inside,
                                model::TimestampMs start, model::TimestampMs end) {
  std::size_t first = inside.first;
  std::size_t last = inside.last + 1;
  if (samples[inside.first].t <= start) ++first;
  if (samples[inside.last].t >= end) --last;
  return first < last ? samples.subspan(first, last - first) : std::span<const Sample>();
}

RangeValue FloatChange(const RangeArgs& args, const ExtendedRate& kind) {
  const bool smoothed = args.mode == RangeMode::kSmoothed;
  const Inside inside = FindInside(args.points, args.start, args.end, smoothed);
  if (IsOutside(args.points, inside, args.start, args.end, smoothed)) return {};
  const Ends ends = EndsOf(args.points, inside, args.start, args.end, smoothed, kind.counter);
  double change = ends.right - ends.left;
  if (kind.counter) {
    double before = ends.left;
    for (const model::FPoint& point : Between(args.points, inside, args.start, args.end)) {
      if (point.f < before) change += before;
      before = point.f;
    }
    if (ends.right < before) change += before;
  }
  if (kind.per_second) change /= static_cast<double>(args.end - args.start) / 1000;
  return {change};
}

// Warns of what is no counter. False where the buckets do not go together.
bool CheckHistograms(std::span<const model::HPoint> histograms, bool counter,
                     const HistogramNotes& notes) {
  for (const model::HPoint& point : histograms) {
    if (point.h->has_custom_buckets() != histograms[0].h->has_custom_buckets()) {
      notes.annotations.MixedSchemas(notes.metric, notes.position);
      return false;
    }
    if (counter && point.h->hint == model::CounterResetHint::kGauge) {
      notes.annotations.HistogramNotCounter(notes.metric, notes.position);
    }
  }
  return true;
}

// Adds what resets took away. False where that is impossible.
bool AddResets(model::FloatHistogram& change, const RangeArgs& args, const Inside& inside,
               const model::FloatHistogram& left, const model::FloatHistogram& right,
               const HistogramNotes& notes) {
  const std::span<const model::HPoint> all = args.histograms;
  std::size_t first = inside.first + 1;
  const model::FloatHistogram* before = &left;
  // The reset lies between the samples that the left end was interpolated from.
  if (args.mode == RangeMode::kSmoothed && all[inside.first].t < args.start &&
      all[inside.first + 1].h->IsResetAfter(*all[inside.first].h)) {
    before = all[inside.first + 1].h.get();
    ++first;
  }
  if (first > inside.last) return true;
  std::optional<model::FloatHistogram> correction;
  const auto add = [&](const model::FloatHistogram& histogram) {
    if (correction) return AddTo(*correction, histogram, notes);
    correction = histogram;
    return true;
  };
  for (std::size_t i = first; i < inside.last; ++i) {
    if (all[i].h->IsResetAfter(*before) && !add(*before)) return false;
    before = all[i].h.get();
  }
  if (right.IsResetAfter(*before) && !add(*before)) return false;
  return !correction || AddTo(change, *correction, notes);
}

RangeValue HistogramChange(const RangeArgs& args, const ExtendedRate& kind) {
  const bool smoothed = args.mode == RangeMode::kSmoothed;
  const std::span<const model::HPoint> all = args.histograms;
  const HistogramNotes notes{args.annotations, args.metric, args.position()};
  const Inside inside = FindInside(all, args.start, args.end, smoothed);
  if (IsOutside(all, inside, args.start, args.end, smoothed)) return {};
  const auto counted = all.subspan(inside.first, inside.last - inside.first + 1);
  if (!CheckHistograms(counted, kind.counter, notes)) return {};

  std::optional<model::FloatHistogram> left = *all[inside.first].h;
  if (smoothed && all[inside.first].t < args.start) {
    left = Interpolate(all[inside.first], all[inside.first + 1], args.start, kind.counter, notes);
  }
  std::optional<model::FloatHistogram> right = *all[inside.last].h;
  if (smoothed && inside.last > 0 && all[inside.last].t > args.end) {
    right = Interpolate(all[inside.last - 1], all[inside.last], args.end, kind.counter, notes);
  }
  if (!left || !right) return {};
  constexpr auto kGauge = model::CounterResetHint::kGauge;
  if (!kind.counter && (left->hint != kGauge || right->hint != kGauge)) {
    args.annotations.HistogramNotGauge(args.metric, notes.position);
  }
  model::FloatHistogram change = *right;
  if (!SubtractFrom(change, *left, notes)) return {};
  if (kind.counter && !AddResets(change, args, inside, *left, *right, notes)) return {};
  if (kind.per_second) change.Div(static_cast<double>(args.end - args.start) / 1000);
  change.hint = kGauge;
  change.Compact();
  return {Absent(), std::make_shared<const model::FloatHistogram>(std::move(change))};
}

}  // namespace

RangeValue ExtendedChange(const RangeArgs& args, const ExtendedRate& kind) {
  if (!args.points.empty() && !args.histograms.empty()) {
    args.annotations.MixedSamples(args.metric, args.position());
    return {};
  }
  return args.histograms.empty() ? FloatChange(args, kind) : HistogramChange(args, kind);
}

std::vector<model::FPoint> ExtendedPoints(std::span<const model::FPoint> points,
                                          model::TimestampMs start, model::TimestampMs end,
                                          bool smoothed) {
  if (points.empty()) return {};
  const Inside inside = FindInside(points, start, end, smoothed);
  if (points[inside.last].t <= start) return {};
  const Ends ends = EndsOf(points, inside, start, end, smoothed, false);
  std::vector<model::FPoint> all = {{start, ends.left}};
  const auto between = Between(points, inside, start, end);
  all.insert(all.end(), between.begin(), between.end());
  all.push_back({end, ends.right});
  return all;
}

}  // namespace azexporter::promql
