#include "functions_native_histogram.h"

#include <cmath>

#include "native_quantile.h"

namespace azexporter::promql {
namespace {

using enum ValueType;

using OfHistogram = double (*)(const model::FloatHistogram& histogram);

// A float for a histogram; floats are passed over.
template <OfHistogram kValue>
SteppedVector MapHistograms(Evaluator& evaluator, const CallExpr& call) {
  SteppedVector vector = evaluator.Eval(*call.args[0]);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const std::span<double> values = vector.values(i);
    const ConstHistograms histograms = std::as_const(vector).histograms(i);
    for (std::size_t step = 0; step < values.size(); ++step) {
      const bool any = !histograms.empty() && histograms[step] != nullptr;
      values[step] = any ? kValue(*histograms[step]) : Absent();
    }
  }
  vector.DropHistograms();
  vector.DropEmptyRows();
  return evaluator.DropNames(std::move(vector));
}

double Count(const model::FloatHistogram& histogram) { return histogram.count; }
double Sum(const model::FloatHistogram& histogram) { return histogram.sum; }
double Average(const model::FloatHistogram& histogram) { return histogram.sum / histogram.count; }
double Deviation(const model::FloatHistogram& histogram) {
  return std::sqrt(VarianceOf(histogram));
}

}  // namespace

std::vector<Function> NativeHistogramFunctions() {
  const Types vector = {kVector};
  return {
      VectorFunction("histogram_avg", vector, kVector, MapHistograms<Average>),
      VectorFunction("histogram_count", vector, kVector, MapHistograms<Count>),
      VectorFunction("histogram_stddev", vector, kVector, MapHistograms<Deviation>),
      VectorFunction("histogram_stdvar", vector, kVector, MapHistograms<VarianceOf>),
      VectorFunction("histogram_sum", vector, kVector, MapHistograms<Sum>),
  };
}

}  // namespace azexporter::promql
