// How fast things change: rate and its kin, derivatives and predictions.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eval_error.h"
#include "function_body.h"
#include "kahan.h"
#include "rate_of_samples.h"

namespace azexporter::promql {
namespace {

using enum ValueType;

double Seconds(std::int64_t ms) { return static_cast<double>(ms) / 1000; }

// The rise from the first point to the last; a counter that falls has begun anew at 0.
double Rise(const RangeArgs& args, bool counter) {
  const std::span<const model::FPoint> points = args.points;
  double rise = points.back().f - points.front().f;
  if (!counter || args.never_falls) return rise;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (points[i].f < points[i - 1].f) rise += points[i - 1].f;
  }
  return rise;
}

// The change over the whole window. A counter does not go on below 0.
double Extrapolated(const RangeArgs& args, bool counter) {
  const auto points = args.points;
  if (points.size() < 2) return Absent();
  const double rise = Rise(args, counter);
  const double first = points.front().f;
  const Extrapolation& times = args.extrapolation;
  const bool reaches_zero =
      counter && rise > 0 && first >= 0 && times.sampled * first < times.to_start * rise;
  if (!reaches_zero) return rise * times.factor;
  const double to_start = times.sampled * (first / rise);
  return rise * ((times.sampled + to_start + times.to_end) / times.sampled);
}

double Rate(const RangeArgs& args) {
  if (args.points.size() < 2) return Absent();
  return Extrapolated(args, true) / Seconds(args.end - args.start);
}

double Increase(const RangeArgs& args) { return Extrapolated(args, true); }
double Delta(const RangeArgs& args) { return Extrapolated(args, false); }

// From the last two points alone.
double InstantChange(const RangeArgs& args, bool counter) {
  if (args.points.size() < 2) return Absent();
  const model::FPoint& last = args.points.back();
  const model::FPoint& before = args.points[args.points.size() - 2];
  return counter && last.f < before.f ? last.f : last.f - before.f;
}

double Idelta(const RangeArgs& args) { return InstantChange(args, false); }

double Irate(const RangeArgs& args) {
  if (args.points.size() < 2) return Absent();
  const std::int64_t ms = args.points.back().t - args.points[args.points.size() - 2].t;
  return InstantChange(args, true) / Seconds(ms);
}

double Changes(const RangeArgs& args) {
  double changes = 0;
  for (std::size_t i = 1; i < args.points.size(); ++i) {
    const double before = args.points[i - 1].f;
    const double after = args.points[i].f;
    if (before != after && !(std::isnan(before) && std::isnan(after))) ++changes;
  }
  return changes;
}

double Resets(const RangeArgs& args) {
  double resets = 0;
  for (std::size_t i = 1; i < args.points.size(); ++i) {
    if (args.points[i].f < args.points[i - 1].f) ++resets;
  }
  return resets;
}

struct Line {
  double slope = 0;
  double intercept = 0;
};

// Least squares. `origin` is where the intercept is taken, and the nearer it is to the points, the
// less is lost by rounding.
Line FitLine(std::span<const model::FPoint> points, model::TimestampMs origin) {
  const double first = points.front().f;
  const bool constant =
      std::ranges::all_of(points, [&](const auto& point) { return point.f == first; });
  if (constant) {
    if (std::isinf(first)) return {std::nan(""), std::nan("")};
    return {0, first};
  }
  KahanSum sum_x;
  KahanSum sum_y;
  KahanSum sum_xy;
  KahanSum sum_xx;
  for (const model::FPoint& point : points) {
    const double x = Seconds(point.t - origin);
    sum_x.Add(x);
    sum_y.Add(point.f);
    sum_xy.Add(x * point.f);
    sum_xx.Add(x * x);
  }
  const auto n = static_cast<double>(points.size());
  const double x = sum_x.Total();
  const double y = sum_y.Total();
  const double slope = (sum_xy.Total() - x * y / n) / (sum_xx.Total() - x * x / n);
  return {slope, y / n - slope * x / n};
}

double Deriv(const RangeArgs& args) {
  if (args.points.size() < 2) return Absent();
  return FitLine(args.points, args.points.front().t).slope;
}

double PredictLinear(const RangeArgs& args) {
  if (args.points.size() < 2) return Absent();
  const Line line = FitLine(args.points, args.now);
  return line.slope * args.scalars[0] + line.intercept;
}

// Holt's linear method: a level and a trend, each smoothed by a factor of its own.
double Smoothing(const RangeArgs& args) {
  const double level_factor = args.scalars[0];
  const double trend_factor = args.scalars[1];
  const auto check = [](double factor, std::string_view name, std::string_view symbol) {
    if (factor > 0 && factor < 1) return;
    if (std::isnan(factor)) return;
    FailEval(
        fmt::format("invalid {} factor. Expected: 0 < {} < 1, got: {:.6f}", name, symbol, factor));
  };
  check(level_factor, "smoothing", "sf");
  check(trend_factor, "trend", "tf");
  const auto points = args.points;
  if (points.size() < 2) return Absent();
  double before = 0;
  double level = points[0].f;
  double trend = points[1].f - points[0].f;
  for (std::size_t i = 1; i < points.size(); ++i) {
    if (i > 1) trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
    before = level;
    level = level_factor * points[i].f + (1 - level_factor) * (level + trend);
  }
  return level;
}

}  // namespace

// Where the first or last point is about as close to its end of the window as the points are to
// each other, the slope is taken to go on to that end; where it is farther, for half a distance
// between points: the series began, or ended, there. Semantics: prometheus/promql/functions.go,
// extrapolatedRate.
Extrapolation Extrapolate(std::size_t count, TimeSpan points, TimeSpan window) {
  Extrapolation times;
  times.sampled = Seconds(points.to - points.from);
  const double distance = times.sampled / static_cast<double>(count - 1);
  const double threshold = distance * 1.1;
  times.to_start = Seconds(points.from - window.from);
  times.to_end = Seconds(window.to - points.to);
  if (times.to_start >= threshold) times.to_start = distance / 2;
  if (times.to_end >= threshold) times.to_end = distance / 2;
  if (times.sampled != 0) {
    times.factor = (times.sampled + times.to_start + times.to_end) / times.sampled;
  }
  return times;
}

std::vector<Function> RateFunctions() {
  const Types range = {kMatrix};
  return {
      RangeFunction(
          "changes", range,
          {.over_range = Changes, .over_samples = ChangesOfSamples, .takes_anchored = true}),
      RangeFunction("delta", range,
                    {.over_range = Delta,
                     .over_samples = DeltaOfSamples,
                     .extrapolates = true,
                     .takes_anchored = true,
                     .takes_smoothed = true}),
      RangeFunction("deriv", range, {.over_range = Deriv}),
      Experimental(RangeFunction("double_exponential_smoothing", {kMatrix, kScalar, kScalar},
                                 {.over_range = Smoothing})),
      RangeFunction("idelta", range, {.over_range = Idelta, .over_samples = IdeltaOfSamples}),
      RangeFunction("increase", range,
                    {.over_range = Increase,
                     .over_samples = IncreaseOfSamples,
                     .expects_counter = true,
                     .extrapolates = true,
                     .uses_starts = true,
                     .takes_anchored = true,
                     .takes_smoothed = true}),
      RangeFunction("irate", range,
                    {.over_range = Irate, .over_samples = IrateOfSamples, .uses_starts = true}),
      RangeFunction("predict_linear", {kMatrix, kScalar},
                    {.over_range = PredictLinear, .depends_on_step = true}),
      RangeFunction("rate", range,
                    {.over_range = Rate,
                     .over_samples = RateOfSamples,
                     .expects_counter = true,
                     .extrapolates = true,
                     .uses_starts = true,
                     .takes_anchored = true,
                     .takes_smoothed = true}),
      RangeFunction("resets", range,
                    {.over_range = Resets,
                     .over_samples = ResetsOfSamples,
                     .uses_starts = true,
                     .takes_anchored = true}),
  };
}

}  // namespace azexporter::promql
