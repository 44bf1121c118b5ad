// Functions of classic histograms: series by the label `le`.

#include <cmath>
#include <unordered_map>

#include "azexporter/base/float_format.h"
#include "function_body.h"
#include "label_groups.h"
#include "quantile.h"

namespace azexporter::promql {
namespace {

using enum ValueType;

// A vector of buckets, sorted into histograms.
struct ClassicHistograms {
  struct BucketRow {
    std::size_t row;
    double upper_bound;
  };
  struct Histogram {
    SteppedVector::Row labels;  // of the whole: without `le`
    std::vector<BucketRow> buckets;
  };
  std::vector<Histogram> histograms;
};

// Series with an `le` that is no number are left out, with a warning.
ClassicHistograms Gather(Evaluator& evaluator, const SteppedVector& vector, const Expr& arg) {
  ClassicHistograms all;
  std::unordered_map<model::Labels, std::size_t, model::LabelsHash> index;
  const bool delayed = evaluator.options().delayed_name_removal;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const model::Labels& labels = vector.row(i).labels;
    const std::string_view bound_text = labels.Get(model::kBucketLabel);
    const auto bound = base::ParseFloat(bound_text);
    if (!bound) {
      evaluator.annotations().BadBucketLabel(delayed ? labels.metric_name() : "", bound_text,
                                             arg.position());
      continue;
    }
    model::Labels whole = model::LabelsBuilder(labels).Remove(model::kBucketLabel).Build();
    const auto [entry, is_new] = index.try_emplace(whole, all.histograms.size());
    if (is_new) all.histograms.push_back({{std::move(whole)}, {}});
    all.histograms[entry->second].buckets.push_back({i, *bound});
  }
  return all;
}

// Calls `value(step, buckets, labels)` for every histogram and step where it has buckets.
template <class ValueOf>
SteppedVector ForEachHistogram(Evaluator& evaluator, const Expr& arg, ValueOf value) {
  const SteppedVector vector = evaluator.Eval(arg);
  const ClassicHistograms all = Gather(evaluator, vector, arg);
  SteppedVector out = evaluator.NewVector();
  std::vector<Bucket> buckets;
  for (const ClassicHistograms::Histogram& histogram : all.histograms) {
    const std::span<double> values = out.AddRow(histogram.labels);
    for (std::size_t step = 0; step < values.size(); ++step) {
      buckets.clear();
      for (const auto& bucket : histogram.buckets) {
        const double count = vector.values(bucket.row)[step];
        if (!IsAbsent(count)) buckets.push_back({bucket.upper_bound, count});
      }
      if (!buckets.empty()) values[step] = value(step, buckets, histogram.labels.labels);
    }
    evaluator.DropName(out.row(out.size() - 1));
  }
  out.DropEmptyRows();
  if (evaluator.options().delayed_name_removal) return out;
  return evaluator.MergeEqual(std::move(out));
}

SteppedVector HistogramQuantile(Evaluator& evaluator, const CallExpr& call) {
  const SteppedVector q = evaluator.Eval(*call.args[0]);
  for (const double value : q.values(0)) {
    if (value >= 0 && value <= 1) continue;
    evaluator.annotations().InvalidQuantile(value, call.args[0]->position());
  }
  const Expr& arg = *call.args[1];
  return ForEachHistogram(
      evaluator, arg,
      [&](std::size_t step, std::vector<Bucket>& buckets, const model::Labels& labels) {
        const BucketQuantileResult result = BucketQuantile(q.scalar(step), buckets);
        if (result.forced_monotonic) {
          const bool delayed = evaluator.options().delayed_name_removal;
          evaluator.annotations().ForcedMonotonicity(delayed ? labels.metric_name() : "",
                                                     result.fixed, evaluator.steps().At(step),
                                                     arg.position());
        }
        return result.value;
      });
}

SteppedVector HistogramFraction(Evaluator& evaluator, const CallExpr& call) {
  const SteppedVector lower = evaluator.Eval(*call.args[0]);
  const SteppedVector upper = evaluator.Eval(*call.args[1]);
  return ForEachHistogram(
      evaluator, *call.args[2],
      [&](std::size_t step, std::vector<Bucket>& buckets, const model::Labels&) {
        return BucketFraction(lower.scalar(step), upper.scalar(step), buckets);
      });
}

// These look at native histograms only, of which there are none yet.
SteppedVector OfNativeHistograms(Evaluator& evaluator, const CallExpr& call) {
  evaluator.Eval(*call.args[0]);
  return evaluator.NewVector();
}

}  // namespace

std::vector<Function> HistogramFunctions() {
  const Types vector = {kVector};
  return {
      VectorFunction("histogram_avg", vector, kVector, OfNativeHistograms),
      VectorFunction("histogram_count", vector, kVector, OfNativeHistograms),
      VectorFunction("histogram_fraction", {kScalar, kScalar, kVector}, kVector, HistogramFraction),
      VectorFunction("histogram_quantile", {kScalar, kVector}, kVector, HistogramQuantile),
      VectorFunction("histogram_stddev", vector, kVector, OfNativeHistograms),
      VectorFunction("histogram_stdvar", vector, kVector, OfNativeHistograms),
      VectorFunction("histogram_sum", vector, kVector, OfNativeHistograms),
  };
}

}  // namespace azexporter::promql
