#include "evaluator.h"

#include <algorithm>
#include <unordered_set>

#include "eval_error.h"
#include "function_body.h"

namespace azexporter::promql {
namespace {

// The last point at or before `t`, if it is later than `t` - lookback and no staleness marker, as
// the caller moves on through time. `next` is the index of the first point after the last `t`.
const model::FPoint* PointAt(const std::vector<model::FPoint>& points, std::size_t& next,
                             model::TimestampMs t, std::int64_t lookback_ms) {
  while (next < points.size() && points[next].t <= t) ++next;
  if (next == 0) return nullptr;
  const model::FPoint& point = points[next - 1];
  if (point.t <= t - lookback_ms || model::IsStaleNaN(point.f)) return nullptr;
  return &point;
}

double ValueOf(const model::FPoint& point, bool times) {
  return times ? static_cast<double>(point.t) / 1000 : point.f;
}

}  // namespace

Evaluator::Evaluator(Query& query, const Steps& steps) : query_(query), steps_(steps) {
  // One series with a value at every step must fit, else there is no use in beginning.
  query_.budget.CheckFits(steps.count);
}

void Evaluator::CheckAlive() const {
  if (query_.stop.stop_requested()) {
    throw EvalError{{base::ErrorCode::kCanceled, "query was canceled in expression evaluation"}};
  }
  if (query_.clock.SteadyNs() > query_.deadline_ns) {
    throw EvalError{{base::ErrorCode::kTimeout, "query timed out in expression evaluation"}};
  }
}

SteppedVector Evaluator::Eval(const Expr& expr) {
  CheckAlive();
  if (steps_.count > 1 && IsStepInvariant(expr)) return EvalOnce(expr);
  const auto repeated = query_.repeated.number_of.find(&expr);
  if (repeated != query_.repeated.number_of.end()) return EvalRepeated(expr, repeated->second);
  return EvalHere(expr);
}

// Evaluates the first of several equal nodes, and takes its value for the others: but for
// annotations, which name the place of each.
SteppedVector Evaluator::EvalRepeated(const Expr& expr, std::size_t number) {
  const auto kept = kept_.find(number);
  if (kept == kept_.end()) {
    const std::size_t noted = query_.annotations.noted();
    SteppedVector value = EvalHere(expr);
    if (query_.annotations.noted() == noted) {
      kept_.emplace(number, Kept{value.Copy(), query_.repeated.counts[number] - 1});
    }
    return value;
  }
  if (--kept->second.uses > 0) return kept->second.value.Copy();
  SteppedVector value = std::move(kept->second.value);
  kept_.erase(kept);
  return value;
}

bool Evaluator::IsStepInvariant(const Expr& expr) const {
  const auto found = query_.step_invariant.find(&expr);
  return found != query_.step_invariant.end() && found->second;
}

// Evaluates at the first step, and takes that for all steps.
SteppedVector Evaluator::EvalOnce(const Expr& expr) {
  Evaluator first(query_, {steps_.start, steps_.step_ms, 1});
  const SteppedVector once = first.EvalHere(expr);
  SteppedVector all = NewVector();
  all.Reserve(once.size());
  for (std::size_t i = 0; i < once.size(); ++i) {
    std::ranges::fill(all.AddRow(once.row(i)), once.values(i)[0]);
  }
  return all;
}

SteppedVector Evaluator::EvalHere(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      return EvalAggregate(As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return EvalBinary(As<BinaryExpr>(expr));
    case ExprKind::kCall:
      return EvalCall(As<CallExpr>(expr));
    case ExprKind::kNumber:
      return NewScalar(As<NumberLiteral>(expr).value);
    case ExprKind::kParen:
      return Eval(*As<ParenExpr>(expr).expr);
    case ExprKind::kUnary:
      return EvalUnary(As<UnaryExpr>(expr));
    case ExprKind::kVectorSelector:
      return EvalSelector(As<VectorSelector>(expr), false);
    case ExprKind::kMatrixSelector:
    case ExprKind::kString:
    case ExprKind::kSubquery:
      break;
  }
  FailEval("expression of type " + std::string(DocumentedType(expr.type())) +
           " where a vector or scalar was expected");
}

SteppedVector Evaluator::NewScalar(double value) {
  SteppedVector scalar = NewVector();
  std::ranges::fill(scalar.AddRow({}), value);
  return scalar;
}

const std::string& Evaluator::StringArg(const CallExpr& call, std::size_t i) {
  return As<StringLiteral>(Unwrap(*call.args[i])).value;
}

AtModifier Evaluator::Resolve(const AtModifier& at) const {
  switch (at.kind) {
    case AtModifier::Kind::kStart:
      return {AtModifier::Kind::kTimestamp, query_.start};
    case AtModifier::Kind::kEnd:
      return {AtModifier::Kind::kTimestamp, query_.end};
    case AtModifier::Kind::kNone:
    case AtModifier::Kind::kTimestamp:
      break;
  }
  return at;
}

const storage::SeriesSet& Evaluator::Select(const VectorSelector& selector) {
  auto selected = query_.querier.Select(selector.matchers);
  if (!selected) throw EvalError{std::move(selected).error().WithContext("expanding series")};
  return **selected;
}

SteppedVector Evaluator::EvalSampleTimes(const VectorSelector& selector) {
  return EvalSelector(selector, true);
}

void Evaluator::ForEachRow(const Expr& expr, const RowVisitor& visit) {
  const Expr& inner = Unwrap(expr);
  if (inner.kind() == ExprKind::kVectorSelector && !IsStepInvariant(inner)) {
    const auto& selector = As<VectorSelector>(inner);
    return ForEachRowOf(Select(selector), selector, false, visit);
  }
  const bool once = IsStepInvariant(inner) || query_.repeated.number_of.contains(&inner);
  if (!once && inner.kind() == ExprKind::kCall) {
    const auto& call = As<CallExpr>(inner);
    if (call.function.body->over_range != nullptr) return ForEachRowOfRangeCall(call, visit);
  }
  const SteppedVector vector = Eval(inner);
  for (std::size_t i = 0; i < vector.size(); ++i) visit(vector.row(i), vector.values(i));
}

SteppedVector Evaluator::EvalSelector(const VectorSelector& selector, bool times) {
  const storage::SeriesSet& set = Select(selector);
  SteppedVector vector = NewVector();
  vector.Reserve(set.size());
  ForEachRowOf(set, selector, times,
               [&](const SteppedVector::Row& row, std::span<const double> values) {
                 std::ranges::copy(values, vector.AddRow(row).begin());
               });
  return vector;
}

void Evaluator::ForEachRowOf(const storage::SeriesSet& set, const VectorSelector& selector,
                             bool times, const RowVisitor& visit) {
  const Windows windows{steps_, Resolve(selector.time.at), selector.time.offset_ms,
                        query_.options.lookback_ms};
  if (steps_.count == 1 || windows.at.kind != AtModifier::Kind::kNone) {
    return ForEachLatest(set, windows, times, visit);
  }
  std::vector<double> values(steps_.count);
  std::vector<model::FPoint> points;
  for (std::size_t i = 0; i < set.size(); ++i) {
    CheckAlive(i);
    points.clear();
    set.Read(i, windows.Start(0) + 1, windows.End(steps_.count - 1), points);
    std::size_t next = 0;
    bool any = false;
    for (std::size_t step = 0; step < values.size(); ++step) {
      const model::FPoint* point = PointAt(points, next, windows.End(step), windows.range_ms);
      values[step] = point == nullptr ? Absent() : ValueOf(*point, times);
      any = any || point != nullptr;
    }
    if (any) visit({set.labels(i)}, values);
  }
}

// For a time that is the same at all steps.
void Evaluator::ForEachLatest(const storage::SeriesSet& set, const Windows& windows, bool times,
                              const RowVisitor& visit) {
  constexpr std::size_t kBatch = 1024;
  std::vector<storage::SeriesSet::Latest> latest(std::min(kBatch, set.size()));
  std::vector<double> values(steps_.count);
  for (std::size_t first = 0; first < set.size(); first += kBatch) {
    CheckAlive();
    const std::span batch = std::span(latest).first(std::min(kBatch, set.size() - first));
    set.ReadLatest(first, windows.Start(0) + 1, windows.End(0), batch);
    for (const storage::SeriesSet::Latest& one : batch) {
      if (model::IsStaleNaN(one.point.f)) continue;
      std::ranges::fill(values, ValueOf(one.point, times));
      visit({one.labels}, values);
    }
  }
}

SteppedVector Evaluator::EvalUnary(const UnaryExpr& expr) {
  SteppedVector vector = Eval(*expr.expr);
  if (!expr.negative) return vector;
  for (double& value : vector.values()) {
    if (!IsAbsent(value)) value = -value;
  }
  return DropNames(std::move(vector));
}

// --- names and equal series ----------------------------------------------------------------------

namespace {

[[noreturn]] void FailSameLabels() {
  FailEval("vector cannot contain metrics with the same labelset");
}

bool HasEqual(std::span<const SteppedVector::Row> rows) {
  if (rows.size() < 2) return false;
  LabelIndex seen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (seen.NumberOf(rows[i].labels) != i) return true;
  }
  return false;
}

}  // namespace

// Drops the names of rows that differ from each other. False: they surely still do.
bool Evaluator::DropEach(std::span<SteppedVector::Row> rows) {
  LabelChoice kept = WithoutMetadata();
  LabelReader name(query_.labels.metric_name());
  // Of one metric, and nothing but its name goes.
  bool one_metric = true;
  model::Symbol metric;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    model::LabelView& labels = rows[i].labels;
    const model::LabelView rest = kept.Project(labels);
    const model::Symbol its_metric = name.Of(labels);
    if (i == 0) metric = its_metric;
    one_metric =
        one_metric && its_metric == metric && labels.size() - rest.size() == (its_metric ? 1u : 0u);
    labels = rest;
  }
  return !one_metric;
}

SteppedVector Evaluator::DropNames(SteppedVector vector) {
  if (query_.options.delayed_name_removal) {
    for (std::size_t i = 0; i < vector.size(); ++i) vector.row(i).drop_name = true;
    return vector;
  }
  return DropEach(vector.rows()) ? MergeEqual(std::move(vector)) : std::move(vector);
}

SteppedVector Evaluator::DropMarkedNames(SteppedVector vector) {
  LabelChoice kept = WithoutMetadata();
  for (std::size_t i = 0; i < vector.size(); ++i) {
    SteppedVector::Row& row = vector.row(i);
    if (row.drop_name) row.labels = kept.Project(row.labels);
  }
  return MergeEqual(std::move(vector));
}

model::LabelView Evaluator::FinalLabels(const SteppedVector::Row& row) {
  return row.drop_name ? WithoutMetadata().Project(row.labels) : row.labels;
}

LabelChoice Evaluator::WithoutMetadata() {
  const std::span<const model::Symbol> metadata = query_.labels.metadata();
  return LabelChoice::AllBut(query_.labels, {metadata.begin(), metadata.end()});
}

SteppedVector Evaluator::MergeEqual(SteppedVector vector) {
  if (!HasEqual(vector.rows())) return vector;
  SteppedVector merged = NewVector();
  LabelIndex rows;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const std::uint32_t row = rows.NumberOf(vector.row(i).labels);
    if (row == merged.size()) {
      std::ranges::copy(vector.values(i), merged.AddRow(vector.row(i)).begin());
      continue;
    }
    const std::span<double> into = merged.values(row);
    for (std::size_t step = 0; step < into.size(); ++step) {
      const double value = vector.values(i)[step];
      if (IsAbsent(value)) continue;
      if (!IsAbsent(into[step])) FailSameLabels();
      into[step] = value;
    }
  }
  return merged;
}

// --- calls ---------------------------------------------------------------------------------------

SteppedVector Evaluator::EvalCall(const CallExpr& call) {
  const FunctionBody& body = *call.function.body;
  if (body.map != nullptr) return EvalMapCall(call);
  if (body.over_range != nullptr) return EvalRangeCall(call);
  return body.on_vectors(*this, call);
}

SteppedVector Evaluator::EvalMapCall(const CallExpr& call) {
  const FunctionBody& body = *call.function.body;
  std::vector<SteppedVector> scalars;
  for (std::size_t i = 1; i < call.args.size(); ++i) scalars.push_back(Eval(*call.args[i]));
  SteppedVector vector = Eval(*call.args[0]);
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

namespace {

// Which points of a series lie in the window of each step. Most series of a vector have their
// points at the same times: those share their bounds.
class WindowBounds {
 public:
  struct Bounds {
    std::size_t begin;
    std::size_t end;
    Extrapolation extrapolation;
  };

  explicit WindowBounds(bool extrapolates) : extrapolates_(extrapolates) {}

  void FitTo(const std::vector<model::FPoint>& points, const Windows& windows) {
    if (!bounds_.empty() && std::ranges::equal(points, times_, {}, &model::FPoint::t)) return;
    times_.clear();
    for (const model::FPoint& point : points) times_.push_back(point.t);
    bounds_.clear();
    std::size_t begin = 0;
    std::size_t end = 0;
    for (std::size_t step = 0; step < windows.steps.count; ++step) {
      while (end < times_.size() && times_[end] <= windows.End(step)) ++end;
      while (begin < end && times_[begin] <= windows.Start(step)) ++begin;
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

}  // namespace

SteppedVector Evaluator::EvalRangeCall(const CallExpr& call) {
  SteppedVector out = NewVector();
  ForEachRowOfRangeCall(call, [&](const SteppedVector::Row& row, std::span<const double> values) {
    std::ranges::copy(values, out.AddRow(row).begin());
  });
  return out;
}

void Evaluator::ForEachRowOfRangeCall(const CallExpr& call, const RowVisitor& visit) {
  const FunctionBody& body = *call.function.body;
  const Expr* range = nullptr;
  std::vector<SteppedVector> scalars;
  for (const ExprPtr& arg : call.args) {
    if (arg->type() == ValueType::kMatrix) {
      range = arg.get();
    } else {
      scalars.push_back(Eval(*arg));
    }
  }
  constexpr std::size_t kPointsBetweenChecks = 1'000'000;
  std::size_t looked_at = 0;
  std::vector<double> now(scalars.size());
  WindowBounds bounds(body.extrapolates);
  std::vector<double> values(steps_.count);
  LabelChoice kept = WithoutMetadata();
  const bool delayed = query_.options.delayed_name_removal;
  std::vector<SteppedVector::Row> named;  // the rows as they were with their names
  ForEachRange(*range, [&](const RangeSeries& series, const Windows& windows) {
    const std::vector<model::FPoint>& points = series.points;
    Falls falls(body.expects_counter ? std::span(points) : std::span<const model::FPoint>());
    bounds.FitTo(points, windows);
    bool any = false;
    for (std::size_t step = 0; step < values.size(); ++step) {
      values[step] = Absent();
      const auto& [begin, end, extrapolation] = bounds[step];
      if (begin == end) continue;
      for (std::size_t k = 0; k < scalars.size(); ++k) now[k] = scalars[k].scalar(step);
      const std::span<const model::FPoint> window(points.data() + begin, end - begin);
      values[step] =
          body.over_range({window, windows.Start(step), windows.End(step), steps_.At(step), now,
                           falls.NoneIn(begin, end), extrapolation, call, query_.annotations});
      any = any || !IsAbsent(values[step]);
      // Long windows over few series take their time too.
      if ((looked_at += window.size()) < kPointsBetweenChecks) continue;
      looked_at = 0;
      CheckAlive();
    }
    if (!any) return;
    if (body.expects_counter) NoteNonCounter(series.labels, call.args[0]->position());
    if (body.keeps_name) return visit({series.labels, series.drop_name}, values);
    if (delayed) return visit({series.labels, true}, values);
    named.push_back({series.labels});
    visit({kept.Project(series.labels)}, values);
  });
  if (DropEach(named) && HasEqual(named)) FailSameLabels();
}

void Evaluator::NoteNonCounter(const model::LabelView& labels, const PositionRange& position) {
  const std::string_view name = labels.Get(query_.labels.metric_name()).text();
  if (name.empty()) return;
  for (std::string_view suffix : {"_total", "_sum", "_count", "_bucket"}) {
    if (name.ends_with(suffix)) return;
  }
  query_.annotations.PossibleNonCounter(name, position);
}

// --- range vectors -------------------------------------------------------------------------------

void Evaluator::ForEachRange(const Expr& expr, const RangeVisitor& visit) {
  const Expr& inner = Unwrap(expr);
  if (inner.kind() == ExprKind::kSubquery) return ForEachOfSubquery(As<SubqueryExpr>(inner), visit);
  ForEachSelected(As<MatrixSelector>(inner), visit);
}

void Evaluator::ForEachSelected(const MatrixSelector& matrix, const RangeVisitor& visit) {
  const TimeModifiers& time = matrix.selector->time;
  const Windows windows{steps_, Resolve(time.at), time.offset_ms, matrix.range_ms};
  RangeSeries range;
  const storage::SeriesSet& set = Select(*matrix.selector);
  for (std::size_t i = 0; i < set.size(); ++i) {
    CheckAlive(i);
    range.points.clear();
    set.Read(i, windows.Start(0) + 1, windows.End(steps_.count - 1), range.points);
    std::erase_if(range.points, [](const auto& point) { return model::IsStaleNaN(point.f); });
    if (range.points.empty()) continue;
    SampleCharge charge(query_.budget);
    charge.Add(range.points.size());
    range.labels = set.labels(i);
    visit(range, windows);
  }
}

void Evaluator::ForEachOfSubquery(const SubqueryExpr& subquery, const RangeVisitor& visit) {
  const Windows windows{steps_, Resolve(subquery.time.at), subquery.time.offset_ms,
                        subquery.range_ms};
  // The inner steps are multiples of the step's length, whatever the time of the query, so that
  // windows that overlap see the same points.
  const std::int64_t step_ms =
      subquery.step_ms != 0 ? subquery.step_ms : query_.options.default_subquery_step_ms;
  const model::TimestampMs from = windows.Start(0);
  const model::TimestampMs to = windows.End(steps_.count - 1);
  model::TimestampMs first = from / step_ms * step_ms;
  if (first <= from) first += step_ms;
  if (first > to) return;
  const Steps inner_steps{first, step_ms, static_cast<std::size_t>((to - first) / step_ms) + 1};

  Evaluator inner(query_, inner_steps);
  const SteppedVector vector = inner.Eval(*subquery.expr);
  RangeSeries range;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    CheckAlive(i);
    range.points.clear();
    for (std::size_t step = 0; step < inner_steps.count; ++step) {
      const double value = vector.values(i)[step];
      if (!IsAbsent(value)) range.points.push_back({inner_steps.At(step), value});
    }
    if (range.points.empty()) continue;
    SampleCharge charge(query_.budget);
    charge.Add(range.points.size());
    range.labels = vector.row(i).labels;
    range.drop_name = vector.row(i).drop_name;
    visit(range, windows);
  }
}

}  // namespace azexporter::promql
