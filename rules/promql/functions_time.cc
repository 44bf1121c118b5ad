// Functions of time: the clock of the query, the times of samples, the calendar.

#include <cmath>

#include "civil_time.h"
#include "function_body.h"

namespace azexporter::promql {
namespace {

using enum ValueType;

double Seconds(model::TimestampMs t) { return static_cast<double>(t) / 1000; }

SteppedVector Time(Evaluator& evaluator, const CallExpr&) {
  SteppedVector scalar = evaluator.NewScalar(0);
  const std::span<double> values = scalar.values(0);
  for (std::size_t step = 0; step < values.size(); ++step) {
    values[step] = Seconds(evaluator.steps().At(step));
  }
  return scalar;
}

// Of a selector, the times of the samples it found; of anything else, the time of evaluation.
SteppedVector Timestamp(Evaluator& evaluator, const CallExpr& call) {
  const Expr& arg = Unwrap(*call.args[0]);
  const bool selector = arg.kind() == ExprKind::kVectorSelector;
  SteppedVector vector =
      selector ? evaluator.EvalSelector(As<VectorSelector>(arg), Evaluator::Ask::kTime)
               : evaluator.Eval(arg);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (selector) break;
    const std::span<double> values = vector.values(i);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (!vector.At(i, step).empty()) values[step] = Seconds(evaluator.steps().At(step));
    }
  }
  vector.DropHistograms();
  return evaluator.DropNames(std::move(vector));
}

// Of a selector alone, and only where start times count.
SteppedVector StartTimestamp(Evaluator& evaluator, const CallExpr& call) {
  const Expr& arg = Unwrap(*call.args[0]);
  if (arg.kind() != ExprKind::kVectorSelector || !evaluator.options().use_start_timestamps) {
    evaluator.Eval(arg);
    return evaluator.NewVector();
  }
  return evaluator.DropNames(
      evaluator.EvalSelector(As<VectorSelector>(arg), Evaluator::Ask::kStart));
}

// Of the whole query, seconds.
SteppedVector QueryStart(Evaluator& evaluator, const CallExpr&) {
  return evaluator.NewScalar(Seconds(evaluator.query().start));
}
SteppedVector QueryEnd(Evaluator& evaluator, const CallExpr&) {
  return evaluator.NewScalar(Seconds(evaluator.query().end));
}
SteppedVector QueryRange(Evaluator& evaluator, const CallExpr&) {
  return evaluator.NewScalar(Seconds(evaluator.query().durations.range_ms));
}
// 0 where there is one time only.
SteppedVector QueryStep(Evaluator& evaluator, const CallExpr&) {
  const DurationContext& durations = evaluator.query().durations;
  return evaluator.NewScalar(durations.range_ms == 0 ? 0 : Seconds(durations.step_ms));
}

using CalendarField = double (*)(const CivilTime& civil);

// Parts of a second are cut off towards 1970, as Go converts numbers.
double FieldOf(double unix_seconds, CalendarField field) {
  // Beyond this the year itself no longer fits; NaN and infinities have no date at all.
  constexpr double kLimit = 9e15;
  if (!(std::abs(unix_seconds) < kLimit)) return std::nan("");
  return field(ToCivil(static_cast<std::int64_t>(unix_seconds)));
}

// Without an argument, of the time of the step.
template <CalendarField kField>
SteppedVector Calendar(Evaluator& evaluator, const CallExpr& call) {
  SteppedVector vector = call.args.empty() ? Time(evaluator, call) : evaluator.Eval(*call.args[0]);
  vector.DropHistograms();
  vector.DropEmptyRows();
  for (double& value : vector.values()) {
    if (!IsAbsent(value)) value = FieldOf(value, kField);
  }
  return evaluator.DropNames(std::move(vector));
}

template <CalendarField kField>
Function CalendarFunction(std::string_view name) {
  return VectorFunction(name, {kVector}, kVector, Calendar<kField>, 1, /*depends_on_step=*/true);
}

double Day(const CivilTime& civil) { return civil.day; }
double DayCount(const CivilTime& civil) { return DaysInMonth(civil.year, civil.month); }
double DayOfYear(const CivilTime& civil) { return civil.day_of_year; }
double Hour(const CivilTime& civil) { return civil.hour; }
double Minute(const CivilTime& civil) { return civil.minute; }
double Month(const CivilTime& civil) { return civil.month; }
double Weekday(const CivilTime& civil) { return civil.weekday; }
double Year(const CivilTime& civil) { return static_cast<double>(civil.year); }

}  // namespace

std::vector<Function> TimeFunctions() {
  return {
      Experimental(VectorFunction("end", {}, kScalar, QueryEnd)),
      Experimental(VectorFunction("range", {}, kScalar, QueryRange)),
      Experimental(VectorFunction("start", {}, kScalar, QueryStart)),
      Experimental(VectorFunction("start_timestamp", {kVector}, kVector, StartTimestamp)),
      Experimental(VectorFunction("step", {}, kScalar, QueryStep)),
      CalendarFunction<Day>("day_of_month"),
      CalendarFunction<Weekday>("day_of_week"),
      CalendarFunction<DayOfYear>("day_of_year"),
      CalendarFunction<DayCount>("days_in_month"),
      CalendarFunction<Hour>("hour"),
      CalendarFunction<Minute>("minute"),
      CalendarFunction<Month>("month"),
      VectorFunction("time", {}, kScalar, Time, 0, /*depends_on_step=*/true),
      VectorFunction("timestamp", {kVector}, kVector, Timestamp, 0, /*depends_on_step=*/true),
      CalendarFunction<Year>("year"),
  };
}

}  // namespace azexporter::promql
