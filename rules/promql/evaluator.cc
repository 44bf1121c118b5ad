#include "evaluator.h"

#include <algorithm>
#include <unordered_set>

#include "eval_error.h"
#include "function_body.h"
#include "label_groups.h"

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
  return steps_.count > 1 && IsStepInvariant(expr) ? EvalOnce(expr) : EvalHere(expr);
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

storage::SeriesSet Evaluator::Select(const VectorSelector& selector) {
  auto selected = query_.querier.Select(selector.matchers);
  if (!selected) throw EvalError{std::move(selected).error().WithContext("expanding series")};
  return std::move(*selected);
}

SteppedVector Evaluator::EvalSampleTimes(const VectorSelector& selector) {
  return EvalSelector(selector, true);
}

void Evaluator::ForEachRow(const Expr& expr, const RowVisitor& visit) {
  const Expr& inner = Unwrap(expr);
  if (inner.kind() == ExprKind::kVectorSelector && !IsStepInvariant(inner)) {
    return ForEachSelectedRow(As<VectorSelector>(inner), false, visit);
  }
  const SteppedVector vector = Eval(inner);
  for (std::size_t i = 0; i < vector.size(); ++i) visit(vector.row(i), vector.values(i));
}

SteppedVector Evaluator::EvalSelector(const VectorSelector& selector, bool times) {
  SteppedVector vector = NewVector();
  ForEachSelectedRow(selector, times,
                     [&](const SteppedVector::Row& row, std::span<const double> values) {
                       std::ranges::copy(values, vector.AddRow(row).begin());
                     });
  return vector;
}

void Evaluator::ForEachSelectedRow(const VectorSelector& selector, bool times,
                                   const RowVisitor& visit) {
  const Windows windows{steps_, Resolve(selector.time.at), selector.time.offset_ms,
                        query_.options.lookback_ms};
  std::vector<double> values(steps_.count);
  std::vector<model::FPoint> scratch;
  std::size_t seen = 0;
  for (const storage::Series* series : Select(selector)) {
    CheckAlive(seen++);
    std::ranges::fill(values, Absent());
    ReadAtSteps(*series, windows, times, scratch, values);
    if (!std::ranges::all_of(values, IsAbsent)) visit({series->labels()}, values);
  }
}

void Evaluator::ReadAtSteps(const storage::Series& series, const Windows& windows, bool times,
                            std::vector<model::FPoint>& scratch, std::span<double> out) const {
  if (out.size() == 1 || windows.at.kind != AtModifier::Kind::kNone) {
    const auto point = series.Latest(windows.Start(0) + 1, windows.End(0));
    if (point && !model::IsStaleNaN(point->f)) std::ranges::fill(out, ValueOf(*point, times));
    return;
  }
  scratch.clear();
  series.Read(windows.Start(0) + 1, windows.End(out.size() - 1), scratch);
  std::size_t next = 0;
  for (std::size_t step = 0; step < out.size(); ++step) {
    const model::FPoint* point = PointAt(scratch, next, windows.End(step), windows.range_ms);
    if (point != nullptr) out[step] = ValueOf(*point, times);
  }
}

SteppedVector Evaluator::EvalUnary(const UnaryExpr& expr) {
  SteppedVector vector = Eval(*expr.expr);
  if (!expr.negative) return vector;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    DropName(vector.row(i));
    for (double& value : vector.values(i)) {
      if (!IsAbsent(value)) value = -value;
    }
  }
  return query_.options.delayed_name_removal ? std::move(vector) : MergeEqual(std::move(vector));
}

// --- names and equal series ----------------------------------------------------------------------

void Evaluator::DropName(SteppedVector::Row& row) const {
  if (query_.options.delayed_name_removal) {
    row.drop_name = true;
  } else {
    row.labels = WithoutMetadata(row.labels);
  }
}

namespace {

[[noreturn]] void FailSameLabels() {
  FailEval("vector cannot contain metrics with the same labelset");
}

bool HasEqual(const SteppedVector& vector) {
  if (vector.size() < 2) return false;
  std::unordered_set<model::Labels, model::LabelsHash> seen;
  seen.reserve(vector.size());
  for (std::size_t i = 0; i < vector.size(); ++i) {
    if (!seen.insert(vector.row(i).labels).second) return true;
  }
  return false;
}

}  // namespace

void Evaluator::RefuseEqual(const SteppedVector& vector) const {
  if (HasEqual(vector)) FailSameLabels();
}

SteppedVector Evaluator::MergeEqual(SteppedVector vector) {
  if (!HasEqual(vector)) return vector;
  SteppedVector merged = NewVector();
  std::unordered_map<model::Labels, std::size_t, model::LabelsHash> rows;
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const auto [entry, is_new] = rows.try_emplace(vector.row(i).labels, merged.size());
    if (is_new) {
      std::ranges::copy(vector.values(i), merged.AddRow(vector.row(i)).begin());
      continue;
    }
    const std::span<double> into = merged.values(entry->second);
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
    DropName(vector.row(i));
  }
  vector.DropEmptyRows();
  return query_.options.delayed_name_removal ? std::move(vector) : MergeEqual(std::move(vector));
}

SteppedVector Evaluator::EvalRangeCall(const CallExpr& call) {
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
  std::vector<double> now(scalars.size());
  SteppedVector out = NewVector();
  ForEachRange(*range, [&](const RangeSeries& series, const Windows& windows) {
    const std::span<double> values = out.AddRow({series.labels, series.drop_name});
    const std::vector<model::FPoint>& points = series.points;
    std::size_t begin = 0;
    std::size_t end = 0;
    for (std::size_t step = 0; step < values.size(); ++step) {
      const model::TimestampMs from = windows.Start(step);
      const model::TimestampMs to = windows.End(step);
      while (end < points.size() && points[end].t <= to) ++end;
      while (begin < end && points[begin].t <= from) ++begin;
      if (begin == end) continue;
      for (std::size_t k = 0; k < scalars.size(); ++k) now[k] = scalars[k].scalar(step);
      const std::span<const model::FPoint> window(points.data() + begin, end - begin);
      values[step] =
          body.over_range({window, from, to, steps_.At(step), now, call, query_.annotations});
    }
    if (std::ranges::all_of(values, IsAbsent)) return out.PopRow();
    if (body.expects_counter) NoteNonCounter(series.labels, call.args[0]->position());
    if (!body.keeps_name) DropName(out.row(out.size() - 1));
  });
  if (!query_.options.delayed_name_removal) RefuseEqual(out);
  return out;
}

void Evaluator::NoteNonCounter(const model::Labels& labels, const PositionRange& position) {
  const std::string_view name = labels.metric_name();
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
  std::size_t seen = 0;
  for (const storage::Series* series : Select(*matrix.selector)) {
    CheckAlive(seen++);
    range.points.clear();
    series->Read(windows.Start(0) + 1, windows.End(steps_.count - 1), range.points);
    std::erase_if(range.points, [](const auto& point) { return model::IsStaleNaN(point.f); });
    if (range.points.empty()) continue;
    SampleCharge charge(query_.budget);
    charge.Add(range.points.size());
    range.labels = series->labels();
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
