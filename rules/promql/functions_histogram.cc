// Functions that take histograms of both kinds: classic ones, which are series by the label `le`,
// and native ones.

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "azexporter/base/float_format.h"
#include "azexporter/model/sample.h"
#include "function_body.h"
#include "functions_native_histogram.h"
#include "label_space.h"
#include "native_quantile.h"
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

// The metric name as annotations tell it: not where names are gone already.
std::string_view NameForNotes(const Evaluator& evaluator, const model::LabelView& labels) {
  return evaluator.options().delayed_name_removal ? labels.Get(model::kMetricName)
                                                  : std::string_view();
}

// Series with an `le` that is no number are left out, with a warning.
ClassicHistograms Gather(Evaluator& evaluator, const SteppedVector& vector, const Expr& arg) {
  ClassicHistograms all;
  LabelSpace& space = evaluator.labels();
  const model::Symbol le = space.Intern(model::kBucketLabel);
  LabelGroups groups(LabelChoice::AllBut(space, {le}));
  UpperBounds bounds;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (vector.has_histograms() && std::ranges::all_of(vector.values(i), IsAbsent)) continue;
    const model::LabelView& labels = vector.row(i).labels;
    const std::optional<double> bound = bounds.Of(labels.Get(le));
    if (!bound) {
      evaluator.annotations().BadBucketLabel(NameForNotes(evaluator, labels), labels.Get(le).text(),
                                             arg.position());
      continue;
    }
    const std::uint32_t group = groups.GroupOf(labels);
    if (group == all.histograms.size()) all.histograms.push_back({groups.labels(group), {}});
    all.histograms[group].buckets.push_back({i, *bound});
  }
  return all;
}

// The steps at which a classic histogram has the labels of a native one: neither of them counts
// then.
class Conflicts {
 public:
  Conflicts(Evaluator& evaluator, const SteppedVector& vector, const ClassicHistograms& classic,
            const Expr& arg)
      : steps_(vector.steps()) {
    if (!vector.has_histograms() || classic.histograms.empty()) return;
    LabelIndex index;
    for (const auto& histogram : classic.histograms) index.NumberOf(histogram.labels);
    at_.resize(classic.histograms.size() * steps_);
    for (std::size_t row = 0; row < vector.size(); ++row) {
      const ConstHistograms histograms = vector.histograms(row);
      if (histograms.empty()) continue;
      const std::size_t group = index.NumberOf(vector.row(row).labels);
      if (group >= classic.histograms.size()) continue;
      for (std::size_t step = 0; step < steps_; ++step) {
        if (histograms[step] == nullptr) continue;
        const bool any = std::ranges::any_of(
            classic.histograms[group].buckets,
            [&](const auto& bucket) { return !IsAbsent(vector.values(bucket.row)[step]); });
        if (!any) continue;
        at_[group * steps_ + step] = true;
        native_.emplace_back(row, step);
        evaluator.annotations().MixedClassicAndNative(
            NameForNotes(evaluator, vector.row(row).labels), arg.position());
      }
    }
  }
  bool OfClassic(std::size_t group, std::size_t step) const {
    return !at_.empty() && at_[group * steps_ + step];
  }
  bool OfNative(std::size_t row, std::size_t step) const {
    return std::ranges::find(native_, std::pair(row, step)) != native_.end();
  }

 private:
  const std::size_t steps_;
  std::vector<bool> at_;                                     // classic histograms x steps
  std::vector<std::pair<std::size_t, std::size_t>> native_;  // row, step
};

// What a function makes of a histogram at a step.
struct HistogramValues {
  std::function<double(std::size_t step, std::vector<Bucket>&, const model::LabelView&)> classic;
  std::function<double(std::size_t step, const model::FloatHistogram&, const model::LabelView&)>
      native;
};

// Adds a row to `out` for every histogram of the vector.
void ForEachHistogram(Evaluator& evaluator, const SteppedVector& vector, const Expr& arg,
                      const HistogramValues& value, SteppedVector& out) {
  const ClassicHistograms all = Gather(evaluator, vector, arg);
  const Conflicts conflicts(evaluator, vector, all, arg);
  for (std::size_t row = 0; row < vector.size(); ++row) {
    const ConstHistograms histograms = vector.histograms(row);
    if (histograms.empty()) continue;
    const std::span<double> values = out.AddRow({vector.row(row).labels});
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (histograms[step] == nullptr || conflicts.OfNative(row, step)) continue;
      values[step] = value.native(step, *histograms[step], vector.row(row).labels);
    }
  }
  std::vector<Bucket> buckets;
  for (std::size_t group = 0; group < all.histograms.size(); ++group) {
    const ClassicHistograms::Histogram& histogram = all.histograms[group];
    const std::span<double> values = out.AddRow({histogram.labels});
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (conflicts.OfClassic(group, step)) continue;
      buckets.clear();
      for (const auto& bucket : histogram.buckets) {
        const double count = vector.values(bucket.row)[step];
        if (!IsAbsent(count)) buckets.push_back({bucket.upper_bound, count});
      }
      if (!buckets.empty()) values[step] = value.classic(step, buckets, histogram.labels);
    }
  }
  out.DropEmptyRows();
}

// The q of every step.
SteppedVector EvalQuantiles(Evaluator& evaluator, const Expr& arg) {
  SteppedVector q = evaluator.Eval(arg);
  for (const double value : q.values(0)) {
    if (value >= 0 && value <= 1) continue;
    evaluator.annotations().InvalidQuantile(value, arg.position());
  }
  return q;
}

SteppedVector QuantilesOf(Evaluator& evaluator, const SteppedVector& vector, const Expr& arg,
                          const SteppedVector& q) {
  SteppedVector out = evaluator.NewVector();
  HistogramValues value;
  value.classic = [&](std::size_t step, std::vector<Bucket>& buckets,
                      const model::LabelView& labels) {
    const BucketQuantileResult result = BucketQuantile(q.scalar(step), buckets);
    if (result.forced_monotonic) {
      evaluator.annotations().ForcedMonotonicity(NameForNotes(evaluator, labels), result.fixed,
                                                 evaluator.steps().At(step), arg.position());
    }
    return result.value;
  };
  value.native = [&](std::size_t step, const model::FloatHistogram& histogram,
                     const model::LabelView& labels) {
    const NativeQuantile result = QuantileOf(q.scalar(step), histogram);
    const std::string_view name = NameForNotes(evaluator, labels);
    if (result.effect == NaNEffect::kIsNaN) {
      evaluator.annotations().QuantileIsNaN(name, arg.position());
    } else if (result.effect == NaNEffect::kIsSkewed) {
      evaluator.annotations().QuantileIsSkewed(name, arg.position());
    }
    return result.value;
  };
  ForEachHistogram(evaluator, vector, arg, value, out);
  return out;
}

SteppedVector HistogramQuantile(Evaluator& evaluator, const CallExpr& call) {
  const SteppedVector q = EvalQuantiles(evaluator, *call.args[0]);
  const SteppedVector vector = evaluator.Eval(*call.args[1]);
  return evaluator.DropNames(QuantilesOf(evaluator, vector, *call.args[1], q));
}

// As OpenMetrics writes numbers: a whole one with ".0".
std::string QuantileText(double q) {
  std::string text = base::FormatFloatG(q);
  if (std::isfinite(q) && text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// histogram_quantiles(v, "label", q...): all of them at once, told apart by a label.
SteppedVector HistogramQuantiles(Evaluator& evaluator, const CallExpr& call) {
  std::vector<SteppedVector> qs;
  for (std::size_t i = 2; i < call.args.size(); ++i) {
    qs.push_back(EvalQuantiles(evaluator, *call.args[i]));
  }
  const SteppedVector vector = evaluator.Eval(*call.args[0]);
  LabelSpace& labels = evaluator.labels();
  const model::Symbol name = labels.Intern(Evaluator::StringArg(call, 1));
  SteppedVector out = evaluator.NewVector();
  LabelIndex rows;
  for (const SteppedVector& q : qs) {
    const SteppedVector one = QuantilesOf(evaluator, vector, *call.args[0], q);
    for (std::size_t i = 0; i < one.size(); ++i) {
      for (std::size_t step = 0; step < one.steps(); ++step) {
        const double value = one.values(i)[step];
        if (IsAbsent(value)) continue;
        const NewLabel change{name, labels.Intern(QuantileText(q.scalar(step)))};
        const model::LabelView with_q = labels.With(one.row(i).labels, {&change, 1});
        const std::size_t row = rows.NumberOf(with_q);
        if (row == out.size()) out.AddRow({with_q});
        if (!IsAbsent(out.values(row)[step])) FailSameLabels();
        out.values(row)[step] = value;
      }
    }
  }
  return evaluator.DropNames(std::move(out));
}

SteppedVector HistogramFraction(Evaluator& evaluator, const CallExpr& call) {
  const SteppedVector lower = evaluator.Eval(*call.args[0]);
  const SteppedVector upper = evaluator.Eval(*call.args[1]);
  const Expr& arg = *call.args[2];
  const SteppedVector vector = evaluator.Eval(arg);
  SteppedVector out = evaluator.NewVector();
  HistogramValues value;
  value.classic = [&](std::size_t step, std::vector<Bucket>& buckets, const model::LabelView&) {
    return BucketFraction(lower.scalar(step), upper.scalar(step), buckets);
  };
  value.native = [&](std::size_t step, const model::FloatHistogram& histogram,
                     const model::LabelView& labels) {
    const NativeFraction result = FractionOf(lower.scalar(step), upper.scalar(step), histogram);
    if (result.leaves_nans_out) {
      evaluator.annotations().FractionLeavesNaNsOut(NameForNotes(evaluator, labels),
                                                    arg.position());
    }
    return result.value;
  };
  ForEachHistogram(evaluator, vector, arg, value, out);
  return evaluator.DropNames(std::move(out));
}

}  // namespace

std::vector<Function> HistogramFunctions() {
  std::vector<Function> functions = NativeHistogramFunctions();
  functions.push_back(VectorFunction("histogram_fraction", {kScalar, kScalar, kVector}, kVector,
                                     HistogramFraction));
  functions.push_back(
      VectorFunction("histogram_quantile", {kScalar, kVector}, kVector, HistogramQuantile));
  functions.push_back(
      Experimental(VectorFunction("histogram_quantiles", {kVector, kString, kScalar, kScalar},
                                  kVector, HistogramQuantiles, 9)));
  return functions;
}

}  // namespace azexporter::promql
