#include "evaluator.h"

#include <algorithm>
#include <unordered_set>

#include "eval_error.h"
#include "function_body.h"

namespace azexporter::promql {

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
    if (const Element element = once.At(i, 0); element.h != nullptr) {
      for (std::size_t step = 0; step < steps_.count; ++step) all.Set(i, step, element);
    }
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
      return EvalSelector(As<VectorSelector>(expr), Ask::kValue);
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

std::int64_t Evaluator::OffsetMs(const TimeModifiers& time) const {
  return promql::OffsetMs(time, query_.durations);
}

std::int64_t Evaluator::RangeMs(const MatrixSelector& matrix) const {
  return promql::RangeMs(matrix.range_ms, matrix.range_expr, query_.durations);
}

void Evaluator::ForEachRow(const Expr& expr, const RowVisitor& visit) {
  const Expr& inner = Unwrap(expr);
  if (inner.kind() == ExprKind::kVectorSelector && !IsStepInvariant(inner)) {
    return ForEachRowOf(As<VectorSelector>(inner), Ask::kValue, visit);
  }
  const bool once = IsStepInvariant(inner) || query_.repeated.number_of.contains(&inner);
  if (!once && inner.kind() == ExprKind::kCall) {
    const auto& call = As<CallExpr>(inner);
    if (call.function.body->over_range != nullptr) return ForEachRowOfRangeCall(call, visit);
  }
  const SteppedVector vector = Eval(inner);
  for (std::size_t i = 0; i < vector.size(); ++i) {
    visit(vector.row(i), vector.values(i), vector.histograms(i));
  }
}

namespace {

void NegateHistograms(SteppedVector& vector) {
  for (std::size_t i = 0; i < vector.size(); ++i) {
    for (model::HistogramPtr& histogram : vector.histograms(i)) {
      if (histogram == nullptr) continue;
      model::FloatHistogram negated = *histogram;
      negated.Mul(-1);
      histogram = std::make_shared<const model::FloatHistogram>(std::move(negated));
    }
  }
}

}  // namespace

SteppedVector Evaluator::EvalUnary(const UnaryExpr& expr) {
  SteppedVector vector = Eval(*expr.expr);
  if (!expr.negative) return vector;
  for (double& value : vector.values()) {
    if (!IsAbsent(value)) value = -value;
  }
  if (vector.has_histograms()) NegateHistograms(vector);
  return DropNames(std::move(vector));
}

// --- names and equal series ----------------------------------------------------------------------

void FailSameLabels() { FailEval("vector cannot contain metrics with the same labelset"); }

bool HasEqual(std::span<const SteppedVector::Row> rows) {
  if (rows.size() < 2) return false;
  LabelIndex seen;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (seen.NumberOf(rows[i].labels) != i) return true;
  }
  return false;
}

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
      merged.AddRow(vector.row(i), vector.values(i), vector.histograms(i));
      continue;
    }
    for (std::size_t step = 0; step < steps_.count; ++step) {
      const Element element = vector.At(i, step);
      if (element.empty()) continue;
      if (!merged.At(row, step).empty()) FailSameLabels();
      merged.Set(row, step, element);
    }
  }
  return merged;
}

}  // namespace azexporter::promql
