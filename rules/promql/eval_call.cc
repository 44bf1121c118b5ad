// Function calls: what is the same for all functions of a form.

#include <algorithm>

#include "eval_error.h"
#include "evaluator.h"
#include "function_body.h"

namespace azexporter::promql {
namespace {

// The mode of a range selector among the arguments.
RangeMode ModeOf(const CallExpr& call) {
  for (const ExprPtr& arg : call.args) {
    const Expr& inner = Unwrap(*arg);
    if (inner.kind() == ExprKind::kMatrixSelector) return As<MatrixSelector>(inner).selector->mode;
  }
  return RangeMode::kPlain;
}

void CheckMode(const CallExpr& call, RangeMode mode) {
  const FunctionBody& body = *call.function.body;
  if (mode == RangeMode::kAnchored && !body.takes_anchored) {
    FailEval(
        "anchored modifier can only be used with: changes, delta, increase, rate, resets - "
        "not with " +
        std::string(call.function.name));
  }
  if (mode == RangeMode::kSmoothed && !body.takes_smoothed) {
    FailEval("smoothed modifier can only be used with: delta, increase, rate - not with " +
             std::string(call.function.name));
  }
}

// Which samples of a series lie in the window of each step. Most series of a vector have their
// points at the same times: those share their bounds.
class WindowBounds {
 public:
  struct Bounds {
    std::size_t begin;
    std::size_t end;
    Extrapolation extrapolation;
  };

  explicit WindowBounds(bool extrapolates) : extrapolates_(extrapolates) {}

  // `t_of`: projects a sample onto its time.
  template <class Samples, class TimeOf>
  void FitTo(const Samples& samples, TimeOf t_of, const Windows& windows) {
    if (!bounds_.empty() && std::ranges::equal(samples, times_, {}, t_of)) return;
    times_.clear();
    for (const auto& sample : samples) times_.push_back(sample.*t_of);
    bounds_.clear();
    std::size_t begin = 0;
    std::size_t end = 0;
    for (std::size_t step = 0; step < windows.steps.count; ++step) {
      while (end < times_.size() && times_[end] <= windows.To(step)) ++end;
      while (begin < end && times_[begin] <= windows.From(step)) ++begin;
      Bounds& bounds = bounds_.emplace_back(Bounds{begin, end, {}});
      if (!extrapolates_ || end < begin + 2) continue;
      bounds.extrapolation = Extrapolate(end - begin, {times_[begin], times_[end - 1]},
                                         {windows.Start(step), windows.End(step)});
    }
  }
  const Bounds& operator[](std::size_t step) const { return bounds_[step]; }

 private:
  const bool extrapolates_;
  std::vector<model::TimestampMs> times_;
  std::vector<Bounds> bounds_;  // a step each
};

// Where a series falls: a counter's resets. Asked for windows that move on through its points.
class Falls {
 public:
  explicit Falls(std::span<const model::FPoint> points) {
    for (std::size_t i = 1; i < points.size(); ++i) {
      if (points[i].f < points[i - 1].f) at_.push_back(i);
    }
  }
  // Whether no point of [begin, end) is below the one before it there. REQUIRES: no `begin` is
  // below an earlier one.
  bool NoneIn(std::size_t begin, std::size_t end) {
    while (next_ < at_.size() && at_[next_] <= begin) ++next_;
    return next_ == at_.size() || at_[next_] >= end;
  }

 private:
  std::vector<std::size_t> at_;  // the points that are below the one before
  std::size_t next_ = 0;
};

template <class T>
std::span<const T> Part(const std::vector<T>& all, std::size_t begin, std::size_t end) {
  return all.empty() ? std::span<const T>() : std::span(all).subspan(begin, end - begin);
}

// A function over the windows of one series after the other.
class RangeCall {
 public:
  RangeCall(Evaluator& evaluator, const CallExpr& call, std::vector<SteppedVector> scalars,
            RangeMode mode)
      : evaluator_(evaluator),
        call_(call),
        body_(*call.function.body),
        mode_(mode),
        scalars_(std::move(scalars)),
        now_(scalars_.size()),
        bounds_(body_.extrapolates),
        histogram_bounds_(false),
        values_(evaluator.steps().count) {}

  // False where there is no value at any step.
  bool Run(const RangeSeries& series, const Windows& windows) {
    histograms_.clear();
    any_float_ = false;
    const bool plain = series.histograms.empty() && mode_ == RangeMode::kPlain &&
                       (series.point_starts.empty() || !body_.uses_starts);
    return plain ? RunOnFloats(series, windows) : RunOnSamples(series, windows);
  }
  std::span<const double> values() const { return values_; }
  ConstHistograms histograms() const { return histograms_; }
  bool any_float() const { return any_float_; }

 private:
  bool RunOnFloats(const RangeSeries& series, const Windows& windows) {
    const std::vector<model::FPoint>& points = series.points;
    Falls falls(body_.expects_counter ? std::span(points) : std::span<const model::FPoint>());
    bounds_.FitTo(points, &model::FPoint::t, windows);
    for (std::size_t step = 0; step < values_.size(); ++step) {
      values_[step] = Absent();
      const auto& [begin, end, extrapolation] = bounds_[step];
      if (begin == end) continue;
      TakeScalars(step);
      const std::span<const model::FPoint> window(points.data() + begin, end - begin);
      values_[step] = body_.over_range({window, windows.Start(step), windows.End(step),
                                        evaluator_.steps().At(step), now_, falls.NoneIn(begin, end),
                                        extrapolation, call_, evaluator_.annotations()});
      any_float_ = any_float_ || !IsAbsent(values_[step]);
      CountLookedAt(window.size());
    }
    return any_float_;
  }

  bool RunOnSamples(const RangeSeries& series, const Windows& windows) {
    bounds_.FitTo(series.points, &model::FPoint::t, windows);
    histogram_bounds_.FitTo(series.histograms, &model::HPoint::t, windows);
    const std::string_view metric = series.labels.Get(model::kMetricName);
    bool any = false;
    for (std::size_t step = 0; step < values_.size(); ++step) {
      values_[step] = Absent();
      const auto& [begin, end, extrapolation] = bounds_[step];
      const auto& [first, last, unused] = histogram_bounds_[step];
      if (begin == end && first == last) continue;
      TakeScalars(step);
      const RangeArgs args{Part(series.points, begin, end),
                           windows.Start(step),
                           windows.End(step),
                           evaluator_.steps().At(step),
                           now_,
                           false,
                           extrapolation,
                           call_,
                           evaluator_.annotations(),
                           Part(series.histograms, first, last),
                           Part(series.point_starts, begin, end),
                           Part(series.histogram_starts, first, last),
                           metric,
                           mode_};
      RangeValue value = ValueOf(args);
      if (value.h != nullptr) {
        histograms_.resize(values_.size());
        histograms_[step] = std::move(value.h);
        any = true;
      } else {
        values_[step] = value.f;
        any_float_ = any_float_ || !IsAbsent(value.f);
      }
      CountLookedAt(args.points.size() + 10 * args.histograms.size());
    }
    return any || any_float_;
  }

  RangeValue ValueOf(const RangeArgs& args) const {
    if (body_.over_samples != nullptr) return body_.over_samples(args);
    // Functions that know nothing of histograms pass them over.
    if (args.points.empty()) return {};
    if (!args.histograms.empty()) {
      args.annotations.IgnoredInMixedRange(args.metric, call_.args[0]->position());
    }
    return {body_.over_range(args), nullptr};
  }

  void TakeScalars(std::size_t step) {
    for (std::size_t k = 0; k < scalars_.size(); ++k) now_[k] = scalars_[k].scalar(step);
  }

  // Long windows over few series take their time too.
  void CountLookedAt(std::size_t samples) {
    constexpr std::size_t kBetweenChecks = 1'000'000;
    if ((looked_at_ += samples) < kBetweenChecks) return;
    looked_at_ = 0;
    evaluator_.CheckAlive();
  }

  Evaluator& evaluator_;
  const CallExpr& call_;
  const FunctionBody& body_;
  const RangeMode mode_;
  const std::vector<SteppedVector> scalars_;
  std::vector<double> now_;  // the scalars at the current step
  WindowBounds bounds_;
  WindowBounds histogram_bounds_;
  std::vector<double> values_;
  std::vector<model::HistogramPtr> histograms_;
  bool any_float_ = false;
  std::size_t looked_at_ = 0;
};

}  // namespace

SteppedVector Evaluator::EvalCall(const CallExpr& call) {
  const FunctionBody& body = *call.function.body;
  if (body.map != nullptr) return EvalMapCall(call);
  if (body.over_range != nullptr) return EvalRangeCall(call);
  CheckMode(call, ModeOf(call));
  return body.on_vectors(*this, call);
}

SteppedVector Evaluator::EvalMapCall(const CallExpr& call) {
  const FunctionBody& body = *call.function.body;
  std::vector<SteppedVector> scalars;
  for (std::size_t i = 1; i < call.args.size(); ++i) scalars.push_back(Eval(*call.args[i]));
  SteppedVector vector = Eval(*call.args[0]);
  vector.DropHistograms();
  std::vector<double> now(scalars.size());
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const std::span<double> values = vector.values(i);
    for (std::size_t step = 0; step < values.size(); ++step) {
      if (IsAbsent(values[step])) continue;
      for (std::size_t k = 0; k < scalars.size(); ++k) now[k] = scalars[k].scalar(step);
      values[step] = body.map(values[step], now);
    }
  }
  vector.DropEmptyRows();
  return DropNames(std::move(vector));
}

SteppedVector Evaluator::EvalRangeCall(const CallExpr& call) {
  SteppedVector out = NewVector();
  ForEachRowOfRangeCall(call,
                        [&](const SteppedVector::Row& row, std::span<const double> values,
                            ConstHistograms histograms) { out.AddRow(row, values, histograms); });
  return out;
}

void Evaluator::ForEachRowOfRangeCall(const CallExpr& call, const RowVisitor& visit) {
  const FunctionBody& body = *call.function.body;
  const RangeMode mode = ModeOf(call);
  const Expr* range = nullptr;
  std::vector<SteppedVector> scalars;
  for (const ExprPtr& arg : call.args) {
    if (arg->type() == ValueType::kMatrix) {
      range = arg.get();
    } else {
      scalars.push_back(Eval(*arg));
    }
  }
  CheckMode(call, mode);
  RangeCall over(*this, call, std::move(scalars), mode);
  LabelChoice kept = WithoutMetadata();
  const bool delayed = query_.options.delayed_name_removal;
  std::vector<SteppedVector::Row> named;  // the rows as they were with their names
  ForEachRange(*range, [&](const RangeSeries& series, const Windows& windows) {
    if (!over.Run(series, windows)) return;
    if (body.expects_counter && over.any_float()) {
      NoteNonCounter(series.labels, call.args[0]->position());
    }
    if (body.keeps_name) {
      return visit({series.labels, series.drop_name}, over.values(), over.histograms());
    }
    if (delayed) return visit({series.labels, true}, over.values(), over.histograms());
    named.push_back({series.labels});
    visit({kept.Project(series.labels)}, over.values(), over.histograms());
  });
  if (DropEach(named) && HasEqual(named)) FailSameLabels();
}

void Evaluator::NoteNonCounter(const model::LabelView& labels, const PositionRange& position) {
  const std::string_view name = labels.Get(query_.labels.metric_name()).text();
  if (name.empty()) return;
  if (query_.options.type_and_unit_labels) {
    const std::string_view type = labels.Get("__type__");
    if (type == "counter" || type == "histogram") return;
    return query_.annotations.PossibleNonCounterType(name, type, position);
  }
  for (std::string_view suffix : {"_total", "_sum", "_count", "_bucket"}) {
    if (name.ends_with(suffix)) return;
  }
  query_.annotations.PossibleNonCounter(name, position);
}

}  // namespace azexporter::promql
