#include "rate_of_samples.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "interpolation.h"

namespace azexporter::promql {
namespace {

using model::CounterResetHint;
using model::FloatHistogram;

double Seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }

RangeValue Value(FloatHistogram histogram) {
  return {Absent(), std::make_shared<const FloatHistogram>(std::move(histogram))};
}

HistogramNotes NotesOf(const RangeArgs& args) {
  return {args.annotations, args.metric, args.position()};
}

// --- start times

// When a sample was taken, and when what it counts began to be counted.
struct Taken {
  model::TimestampMs t = 0;
  model::TimestampMs start = 0;  // 0: not known
};

// Whether the start times of two samples tell of a reset between them.
bool IsReset(const Taken& before, const Taken& now) {
  if (now.start == 0 || now.start >= now.t || now.start < before.t) return false;
  if (now.start > before.t) return true;
  // It began right when the one before was taken: a reset unless that is how the samples follow
  // each other.
  if (before.start > before.t) return false;
  return before.start != 0 && before.start != before.t;
}

bool Overlaps(const Taken& before, const Taken& now) {
  return now.start != 0 && now.start < before.t && now.start != before.start;
}

template <class Sample>
Taken TakenAt(std::span<const Sample> samples, std::span<const model::TimestampMs> starts,
              std::size_t i) {
  return {samples[i].t, starts.empty() ? 0 : starts[i]};
}

// Warns once a window.
template <class Sample>
void NoteOverlaps(const RangeArgs& args, std::span<const Sample> samples,
                  std::span<const model::TimestampMs> starts) {
  if (starts.empty()) return;
  for (std::size_t i = 1; i < samples.size(); ++i) {
    if (!Overlaps(TakenAt(samples, starts, i - 1), TakenAt(samples, starts, i))) continue;
    return args.annotations.StartTimeOverlap(args.metric, args.position());
  }
}

// --- the change over a window

double FloatRise(const RangeArgs& args, bool counter) {
  const auto points = args.points;
  double rise = points.back().f - points.front().f;
  if (!counter) return rise;
  NoteOverlaps(args, points, args.point_starts);
  for (std::size_t i = 1; i < points.size(); ++i) {
    const bool fell = points[i].f < points[i - 1].f;
    if (fell ||
        IsReset(TakenAt(points, args.point_starts, i - 1), TakenAt(points, args.point_starts, i))) {
      rise += points[i - 1].f;
    }
  }
  return rise;
}

bool IsGauge(const model::HPoint& point) { return point.h->hint == CounterResetHint::kGauge; }

bool IsResetAt(const RangeArgs& args, std::size_t i, const FloatHistogram& before) {
  return IsReset(TakenAt(args.histograms, args.histogram_starts, i - 1),
                 TakenAt(args.histograms, args.histogram_starts, i)) ||
         args.histograms[i].h->IsResetAfter(before);
}

// Of at least two histograms. nullopt, with a warning, where their buckets do not go together.
std::optional<FloatHistogram> HistogramRise(const RangeArgs& args, bool counter) {
  const auto all = args.histograms;
  const HistogramNotes notes = NotesOf(args);
  if (counter && (IsGauge(all.front()) || IsGauge(all.back()))) {
    args.annotations.HistogramNotCounter(args.metric, notes.position);
  }
  // A reset right after the first one makes that count for nothing, whatever its buckets are.
  FloatHistogram first = *all[0].h;
  if (counter && IsResetAt(args, 1, first)) {
    first = FloatHistogram();
    first.schema = all[1].h->schema;
    first.custom_bounds = all[1].h->custom_bounds;
  }
  const FloatHistogram& last = *all.back().h;
  const bool custom = first.has_custom_buckets();
  bool mixed = last.has_custom_buckets() != custom;
  std::int32_t schema = std::min(first.schema, last.schema);
  for (std::size_t i = 1; counter && i + 1 < all.size(); ++i) {
    if (IsGauge(all[i])) args.annotations.HistogramNotCounter(args.metric, notes.position);
    schema = std::min(schema, all[i].h->schema);
    mixed = mixed || all[i].h->has_custom_buckets() != custom;
  }
  if (mixed) {
    args.annotations.MixedSchemas(args.metric, notes.position);
    return std::nullopt;
  }
  FloatHistogram rise = last;
  if (!custom) rise.ReduceResolution(schema);
  if (!SubtractFrom(rise, first, notes)) return std::nullopt;
  if (counter) {
    NoteOverlaps(args, all, args.histogram_starts);
    const FloatHistogram* before = &first;
    for (std::size_t i = 1; i < all.size(); ++i) {
      if (IsResetAt(args, i, *before) && !AddTo(rise, *before, notes)) return std::nullopt;
      before = all[i].h.get();
    }
  } else if (!IsGauge(all.front()) || !IsGauge(all.back())) {
    args.annotations.HistogramNotGauge(args.metric, notes.position);
  }
  rise.hint = CounterResetHint::kGauge;
  rise.Compact();
  return rise;
}

// The change between the first and last sample of a window, and what follows from their times.
struct Change {
  double rise = 0;
  std::optional<FloatHistogram> histogram_rise;
  double first = 0;       // the first value; of a histogram its count
  double total_rise = 0;  // of that
};

// How far the change goes on beyond the samples: what it is to be multiplied by.
double Factor(const RangeArgs& args, const Change& change, const Taken& first, const Taken& last,
              std::size_t count, bool counter) {
  const bool began_inside =
      counter && first.start != 0 && first.start > args.start && first.start < first.t;
  const double distance =
      count > 1 ? Seconds(last.t - first.t) / static_cast<double>(count - 1) : 0;
  double sampled = Seconds(last.t - first.t);
  double to_start = Seconds(first.t - args.start);
  double to_end = Seconds(args.end - last.t);
  if (began_inside) {
    to_start = 0;
    sampled = Seconds(last.t - first.start);
  } else {
    if (to_start >= distance * 1.1) to_start = distance / 2;
    if (counter && change.total_rise > 0 && change.first >= 0) {
      to_start = std::min(to_start, sampled * (change.first / change.total_rise));
    }
  }
  if (to_end >= distance * 1.1) to_end = distance / 2;
  return sampled == 0 ? 1 : (sampled + to_start + to_end) / sampled;
}

struct Kind {
  bool counter = false;
  bool per_second = false;
};

// A counter that began within the range rose from 0 to its first sample.
bool BeganInside(const RangeArgs& args, const Kind& kind, const Taken& first) {
  return kind.counter && first.start != 0 && first.start > args.start && first.start < first.t;
}

RangeValue FloatChange(const RangeArgs& args, const Kind& kind) {
  const auto points = args.points;
  const Taken first = TakenAt(points, args.point_starts, 0);
  const Taken last = TakenAt(points, args.point_starts, points.size() - 1);
  const bool began_inside = BeganInside(args, kind, first);
  if (points.size() < 2 && !began_inside) return {};
  Change change{.rise = FloatRise(args, kind.counter), .first = points.front().f};
  if (began_inside) change.rise += points.front().f;
  change.total_rise = change.rise;
  double factor = Factor(args, change, first, last, points.size(), kind.counter);
  if (kind.per_second) factor /= Seconds(args.end - args.start);
  return {change.rise * factor};
}

RangeValue HistogramChange(const RangeArgs& args, const Kind& kind) {
  const auto all = args.histograms;
  const Taken first = TakenAt(all, args.histogram_starts, 0);
  const Taken last = TakenAt(all, args.histogram_starts, all.size() - 1);
  const bool began_inside = BeganInside(args, kind, first);
  if (all.size() < 2 && !began_inside) return {};
  Change change{.first = all.front().h->count};
  if (all.size() > 1) {
    change.histogram_rise = HistogramRise(args, kind.counter);
    if (!change.histogram_rise) return {};
  }
  if (began_inside) {
    if (!change.histogram_rise) {
      change.histogram_rise = *all.front().h;
    } else if (!AddTo(*change.histogram_rise, *all.front().h, NotesOf(args))) {
      return {};
    }
  }
  change.total_rise = change.histogram_rise->count;
  double factor = Factor(args, change, first, last, all.size(), kind.counter);
  if (kind.per_second) factor /= Seconds(args.end - args.start);
  change.histogram_rise->Mul(factor);
  return Value(std::move(*change.histogram_rise));
}

RangeValue ChangeOfSamples(const RangeArgs& args, const Kind& kind) {
  if (args.mode != RangeMode::kPlain) {
    return ExtendedChange(args, {kind.counter, kind.per_second});
  }
  if (!args.points.empty() && !args.histograms.empty()) {
    args.annotations.MixedSamples(args.metric, args.position());
    return {};
  }
  return args.histograms.empty() ? FloatChange(args, kind) : HistogramChange(args, kind);
}

// --- floats and histograms in order of time

struct MixedSample {
  double f = 0;
  const FloatHistogram* h = nullptr;
  Taken taken;
};

// From the i-th point and the k-th histogram on.
std::vector<MixedSample> InOrder(const RangeArgs& args, std::size_t i, std::size_t k) {
  std::vector<MixedSample> all;
  while (i < args.points.size() || k < args.histograms.size()) {
    const bool take_point = k == args.histograms.size() ||
                            (i < args.points.size() && args.points[i].t < args.histograms[k].t);
    if (take_point) {
      all.push_back({args.points[i].f, nullptr, TakenAt(args.points, args.point_starts, i)});
      ++i;
    } else {
      all.push_back(
          {0, args.histograms[k].h.get(), TakenAt(args.histograms, args.histogram_starts, k)});
      ++k;
    }
  }
  return all;
}

// Of an anchored range the last sample before the window, and what lies in it; nothing where that
// is nothing.
std::vector<MixedSample> Anchored(const RangeArgs& args) {
  if (args.mode != RangeMode::kAnchored) return InOrder(args, 0, 0);
  const auto before = [&](const auto& samples) {
    std::size_t count = 0;
    while (count < samples.size() && samples[count].t <= args.start) ++count;
    return count;
  };
  std::size_t points = before(args.points);
  std::size_t histograms = before(args.histograms);
  if (points == args.points.size() && histograms == args.histograms.size()) return {};
  if (histograms == 0 ||
      (points > 0 && args.points[points - 1].t >= args.histograms[histograms - 1].t)) {
    if (points > 0) --points;
  } else {
    --histograms;
  }
  return InOrder(args, points, histograms);
}

// How often `differs` holds between a sample and the one before.
template <class Differs>
RangeValue CountBetween(const RangeArgs& args, Differs differs) {
  const std::vector<MixedSample> all = Anchored(args);
  if (all.empty()) return {};
  double count = 0;
  for (std::size_t i = 1; i < all.size(); ++i) {
    const bool other_kind = (all[i].h == nullptr) != (all[i - 1].h == nullptr);
    if (other_kind || differs(all[i - 1], all[i])) ++count;
  }
  return {count};
}

// --- from the last two samples alone

RangeValue InstantHistogramChange(const RangeArgs& args, const MixedSample& before,
                                  const MixedSample& last, bool counter, bool reset) {
  const HistogramNotes notes = NotesOf(args);
  const bool gauges[] = {before.h->hint == CounterResetHint::kGauge,
                         last.h->hint == CounterResetHint::kGauge};
  if (counter && (gauges[0] || gauges[1])) {
    args.annotations.HistogramNotCounter(args.metric, notes.position);
  }
  if (!counter && !(gauges[0] && gauges[1])) {
    args.annotations.HistogramNotGauge(args.metric, notes.position);
  }
  FloatHistogram change = *last.h;
  if (!(counter && (reset || last.h->IsResetAfter(*before.h))) &&
      !SubtractFrom(change, *before.h, notes)) {
    return {};
  }
  change.hint = CounterResetHint::kGauge;
  change.Compact();
  if (counter) change.Div(Seconds(last.taken.t - before.taken.t));
  return Value(std::move(change));
}

RangeValue InstantChange(const RangeArgs& args, bool counter) {
  const std::vector<MixedSample> all = InOrder(args, 0, 0);
  if (all.size() < 2) return {};
  const MixedSample& before = all[all.size() - 2];
  const MixedSample& last = all.back();
  if ((before.h == nullptr) != (last.h == nullptr)) {
    args.annotations.MixedSamples(args.metric, args.position());
    return {};
  }
  const bool reset = counter && IsReset(before.taken, last.taken);
  if (last.h != nullptr) return InstantHistogramChange(args, before, last, counter, reset);
  double change = last.f - before.f;
  if (counter && (reset || last.f < before.f)) change = last.f;
  if (counter) change /= Seconds(last.taken.t - before.taken.t);
  return {change};
}

}  // namespace

RangeValue RateOfSamples(const RangeArgs& args) { return ChangeOfSamples(args, {true, true}); }
RangeValue IncreaseOfSamples(const RangeArgs& args) { return ChangeOfSamples(args, {true, false}); }
RangeValue DeltaOfSamples(const RangeArgs& args) { return ChangeOfSamples(args, {false, false}); }
RangeValue IrateOfSamples(const RangeArgs& args) { return InstantChange(args, true); }
RangeValue IdeltaOfSamples(const RangeArgs& args) { return InstantChange(args, false); }

RangeValue ChangesOfSamples(const RangeArgs& args) {
  return CountBetween(args, [](const MixedSample& before, const MixedSample& now) {
    if (now.h != nullptr) return !now.h->Equals(*before.h);
    return now.f != before.f && !(std::isnan(now.f) && std::isnan(before.f));
  });
}

RangeValue ResetsOfSamples(const RangeArgs& args) {
  return CountBetween(args, [](const MixedSample& before, const MixedSample& now) {
    if (IsReset(before.taken, now.taken)) return true;
    return now.h != nullptr ? now.h->IsResetAfter(*before.h) : now.f < before.f;
  });
}

}  // namespace azexporter::promql
