// Functions of classic histograms: series by the label `le`.

#include <algorithm>
#include <cmath>
#include <optional>

#include "azexporter/base/float_format.h"
#include "function_body.h"
#include "label_space.h"
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
    model::LabelView labels;  // of the whole: without `le`
    std::vector<BucketRow> buckets;
  };
  std::vector<Histogram> histograms;
};

// The numbers that the texts of `le` mean; there are few.
class UpperBounds {
 public:
  std::optional<double> Of(model::Symbol le) {
    const auto known = std::ranges::find(known_, le, &Known::le);
    if (known != known_.end()) return known->bound;
    std::optional<double> bound;
    if (const auto parsed = base::ParseFloat(le.text())) bound = *parsed;
    if (known_.size() < kMost) known_.push_back({le, bound});
    return bound;
  }

 private:
  static constexpr std::size_t kMost = 64;
  struct Known {
    model::Symbol le;
    std::optional<double> bound;
  };
  std::vector<Known> known_;
};

// Series with an `le` that is no number are left out, with a warning.
ClassicHistograms Gather(Evaluator& evaluator, const SteppedVector& vector, const Expr& arg) {
  ClassicHistograms all;
  LabelSpace& space = evaluator.labels();
  const model::Symbol le = space.Intern(model::kBucketLabel);
  LabelGroups groups(LabelChoice::AllBut(space, {le}));
  UpperBounds bounds;
  const bool delayed = evaluator.options().delayed_name_removal;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const model::LabelView& labels = vector.row(i).labels;
    const std::optional<double> bound = bounds.Of(labels.Get(le));
    if (!bound) {
      const std::string_view metric = delayed ? labels.Get(model::kMetricName) : "";
      evaluator.annotations().BadBucketLabel(metric, labels.Get(le).text(), arg.position());
      continue;
    }
    const std::uint32_t group = groups.GroupOf(labels);
    if (group == all.histograms.size()) all.histograms.push_back({groups.labels(group), {}});
    all.histograms[group].buckets.push_back({i, *bound});
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
    const std::span<double> values = out.AddRow({histogram.labels});
    for (std::size_t step = 0; step < values.size(); ++step) {
      buckets.clear();
      for (const auto& bucket : histogram.buckets) {
        const double count = vector.values(bucket.row)[step];
        if (!IsAbsent(count)) buckets.push_back({bucket.upper_bound, count});
      }
      if (!buckets.empty()) values[step] = value(step, buckets, histogram.labels);
    }
  }
  out.DropEmptyRows();
  return evaluator.DropNames(std::move(out));
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
      [&](std::size_t step, std::vector<Bucket>& buckets, const model::LabelView& labels) {
        const BucketQuantileResult result = BucketQuantile(q.scalar(step), buckets);
        if (result.forced_monotonic) {
          const bool delayed = evaluator.options().delayed_name_removal;
          evaluator.annotations().ForcedMonotonicity(delayed ? labels.Get(model::kMetricName) : "",
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
      [&](std::size_t step, std::vector<Bucket>& buckets, const model::LabelView&) {
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
