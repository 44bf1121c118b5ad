#pragma once

// What the engine runs for a function. Most functions are of one of two simple forms, and the
// evaluator does the rest for them; the others work on whole vectors.

#include <span>
#include <vector>

#include "azexporter/promql/functions.h"
#include "evaluator.h"

namespace azexporter::promql {

// The scalar arguments of a call, in order, at one step.
using Scalars = std::span<const double>;

// How far the slope of a window's points is taken to go on beyond them: what follows from their
// times alone, and so is the same for all series that were sampled together.
struct Extrapolation {
  double sampled = 0;   // seconds from the first point to the last
  double to_start = 0;  // seconds before the first point
  double to_end = 0;    // seconds after the last one
  double factor = 1;    // of the change between first and last point
};

// One window of one series.
struct RangeArgs {
  std::span<const model::FPoint> points;  // at least one, but of over_samples
  // The window: (start, end].
  model::TimestampMs start;
  model::TimestampMs end;
  model::TimestampMs now;  // the time of the step
  Scalars scalars;
  // Of a function that expects a counter: no point is below the one before it.
  bool never_falls;
  // Of a function that extrapolates, where there are two points.
  const Extrapolation& extrapolation;
  const CallExpr& call;
  Annotations& annotations;

  // --- of over_samples only. There is at least one point or histogram. Of an anchored or smoothed
  // selector the samples reach beyond the window.
  std::span<const model::HPoint> histograms = {};
  // When counting began: one a point, one a histogram; empty where it is not known.
  std::span<const model::TimestampMs> point_starts = {};
  std::span<const model::TimestampMs> histogram_starts = {};
  std::string_view metric = {};  // the name, "" where there is none
  RangeMode mode = RangeMode::kPlain;

  const PositionRange& position() const { return call.args[0]->position(); }
};

// What a window yields: a histogram, a float, or neither.
struct RangeValue {
  double f = Absent();
  model::HistogramPtr h = nullptr;
};

struct FunctionBody {
  // A value for a value: abs(v), clamp(v, min, max). The first argument is the vector. Absent()
  // drops the sample.
  using Map = double (*)(double value, Scalars scalars);
  // A value for a window: rate(v[5m]). Absent() yields no sample.
  using OverRange = double (*)(const RangeArgs& args);
  // The same where there may be histograms, start times, or samples beyond the window.
  using OverSamples = RangeValue (*)(const RangeArgs& args);
  using OnVectors = SteppedVector (*)(Evaluator& evaluator, const CallExpr& call);

  // Exactly one of these is set.
  Map map = nullptr;
  OverRange over_range = nullptr;
  OnVectors on_vectors = nullptr;

  // Beside over_range: is called where a series has more than floats. Without it histograms are
  // passed over, with an info where there are floats too.
  OverSamples over_samples = nullptr;

  bool keeps_name = false;       // of over_range: the result still is of the metric
  bool expects_counter = false;  // of over_range: other metrics are worth an info
  bool extrapolates = false;     // of over_range: reads RangeArgs::extrapolation
  bool depends_on_step = false;  // differs from step to step even where the arguments do not
  bool uses_starts = false;      // of over_samples: reads RangeArgs::point_starts
  bool takes_anchored = false;   // of over_samples
  bool takes_smoothed = false;   // of over_samples
};

// Of `count` points, at least two, from `first_t` to `last_t` in the window (start, end].
Extrapolation Extrapolate(std::size_t count, TimeSpan points, TimeSpan window);

// Makes rows of the table.
using Types = std::vector<ValueType>;
Function MapFunction(std::string_view name, Types args, FunctionBody::Map map, int variadic = 0);
Function RangeFunction(std::string_view name, Types args, FunctionBody body);
Function VectorFunction(std::string_view name, Types args, ValueType type,
                        FunctionBody::OnVectors run, int variadic = 0,
                        bool depends_on_step = false);

// The rows, by theme; functions.cc makes one table of them.
std::vector<Function> HistogramFunctions();  // functions_histogram.cc
std::vector<Function> InfoFunctions();       // functions_info.cc
std::vector<Function> LabelFunctions();      // functions_label.cc
std::vector<Function> MathFunctions();       // functions_math.cc
std::vector<Function> OverTimeFunctions();   // functions_over_time.cc
std::vector<Function> RateFunctions();       // functions_rate.cc
std::vector<Function> TimeFunctions();       // functions_time.cc
// Makes a row one of the experimental functions.
Function Experimental(Function function);

}  // namespace azexporter::promql
