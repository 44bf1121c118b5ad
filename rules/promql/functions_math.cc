// Functions of single values.

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "function_body.h"

namespace azexporter::promql {
namespace {

using enum ValueType;

constexpr double kInf = std::numeric_limits<double>::infinity();

double Sign(double value, Scalars) {
  if (value > 0) return 1;
  return value < 0 ? -1 : value;  // 0 and NaN are their own sign
}

// Halves are rounded up. The inverse of the unit is exact more often than the unit: 0.1, 0.01.
double Round(double value, Scalars scalars) {
  const double per_unit = 1 / (scalars.empty() ? 1 : scalars[0]);
  return std::floor(value * per_unit + 0.5) / per_unit;
}

// NaN in, NaN out, but for what an infinity decides: as Go's math.Max and math.Min.
double Larger(double a, double b) {
  if (a == kInf || b == kInf) return kInf;
  return std::isnan(a) || std::isnan(b) ? std::nan("") : std::max(a, b);
}
double Smaller(double a, double b) {
  if (a == -kInf || b == -kInf) return -kInf;
  return std::isnan(a) || std::isnan(b) ? std::nan("") : std::min(a, b);
}

double ClampTo(double value, double min, double max) {
  return max < min ? Absent() : Larger(min, Smaller(max, value));
}

template <double (*kFunction)(double)>
double Plain(double value, Scalars) {
  return kFunction(value);
}

SteppedVector Pi(Evaluator& evaluator, const CallExpr&) {
  return evaluator.NewScalar(std::numbers::pi);
}

// The larger or smaller of two scalars.
template <double (*kChoose)(double, double)>
SteppedVector OfTwo(Evaluator& evaluator, const CallExpr& call) {
  SteppedVector a = evaluator.Eval(*call.args[0]);
  const SteppedVector b = evaluator.Eval(*call.args[1]);
  const std::span<double> values = a.values(0);
  for (std::size_t step = 0; step < values.size(); ++step) {
    values[step] = kChoose(values[step], b.scalar(step));
  }
  return a;
}

}  // namespace

std::vector<Function> MathFunctions() {
  const Types vector = {kVector};
  return {
      MapFunction("abs", vector, Plain<std::fabs>),
      MapFunction("acos", vector, Plain<std::acos>),
      MapFunction("acosh", vector, Plain<std::acosh>),
      MapFunction("asin", vector, Plain<std::asin>),
      MapFunction("asinh", vector, Plain<std::asinh>),
      MapFunction("atan", vector, Plain<std::atan>),
      MapFunction("atanh", vector, Plain<std::atanh>),
      MapFunction("ceil", vector, Plain<std::ceil>),
      MapFunction("clamp", {kVector, kScalar, kScalar},
                  [](double v, Scalars s) { return ClampTo(v, s[0], s[1]); }),
      MapFunction("clamp_max", {kVector, kScalar},
                  [](double v, Scalars s) { return ClampTo(v, -kInf, s[0]); }),
      MapFunction("clamp_min", {kVector, kScalar},
                  [](double v, Scalars s) { return ClampTo(v, s[0], kInf); }),
      MapFunction("cos", vector, Plain<std::cos>),
      MapFunction("cosh", vector, Plain<std::cosh>),
      MapFunction("deg", vector, [](double v, Scalars) { return v * 180 / std::numbers::pi; }),
      MapFunction("exp", vector, Plain<std::exp>),
      MapFunction("floor", vector, Plain<std::floor>),
      MapFunction("ln", vector, Plain<std::log>),
      MapFunction("log10", vector, Plain<std::log10>),
      MapFunction("log2", vector, Plain<std::log2>),
      Experimental(VectorFunction("max_of", {kScalar, kScalar}, kScalar, OfTwo<Larger>)),
      Experimental(VectorFunction("min_of", {kScalar, kScalar}, kScalar, OfTwo<Smaller>)),
      VectorFunction("pi", {}, kScalar, Pi),
      MapFunction("rad", vector, [](double v, Scalars) { return v * std::numbers::pi / 180; }),
      MapFunction("round", {kVector, kScalar}, Round, 1),
      MapFunction("sgn", vector, Sign),
      MapFunction("sin", vector, Plain<std::sin>),
      MapFunction("sinh", vector, Plain<std::sinh>),
      MapFunction("sqrt", vector, Plain<std::sqrt>),
      MapFunction("tan", vector, Plain<std::tan>),
      MapFunction("tanh", vector, Plain<std::tanh>),
  };
}

}  // namespace azexporter::promql
