// What can be said of an expression before it is evaluated: which parts are the same at every step,
// and which times it will look at.

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "azexporter/promql/printer.h"
#include "eval_error.h"
#include "evaluator.h"
#include "function_body.h"

namespace azexporter::promql {
namespace {

bool FindInCall(const CallExpr& call, std::unordered_map<const Expr*, bool>& out) {
  bool invariant = !call.function.body->depends_on_step;
  for (const ExprPtr& arg : call.args) invariant = FindStepInvariant(*arg, out) && invariant;
  return invariant;
}

bool Find(const Expr& expr, std::unordered_map<const Expr*, bool>& out) {
  switch (expr.kind()) {
    case ExprKind::kAggregate: {
      const auto& aggregate = As<AggregateExpr>(expr);
      const bool param = aggregate.param == nullptr || FindStepInvariant(*aggregate.param, out);
      return FindStepInvariant(*aggregate.expr, out) && param;
    }
    case ExprKind::kBinary: {
      const bool lhs = FindStepInvariant(*As<BinaryExpr>(expr).lhs, out);
      return FindStepInvariant(*As<BinaryExpr>(expr).rhs, out) && lhs;
    }
    case ExprKind::kCall:
      return FindInCall(As<CallExpr>(expr), out);
    case ExprKind::kMatrixSelector:
      return As<MatrixSelector>(expr).selector->time.at.kind != AtModifier::Kind::kNone;
    case ExprKind::kNumber:
    case ExprKind::kString:
      return true;
    case ExprKind::kParen:
      return FindStepInvariant(*As<ParenExpr>(expr).expr, out);
    case ExprKind::kSubquery:
      FindStepInvariant(*As<SubqueryExpr>(expr).expr, out);
      return As<SubqueryExpr>(expr).time.at.kind != AtModifier::Kind::kNone;
    case ExprKind::kUnary:
      return FindStepInvariant(*As<UnaryExpr>(expr).expr, out);
    case ExprKind::kVectorSelector:
      return As<VectorSelector>(expr).time.at.kind != AtModifier::Kind::kNone;
  }
  return false;
}

void Widen(TimeSpan& span, const TimeSpan& other) {
  span.from = std::min(span.from, other.from);
  span.to = std::max(span.to, other.to);
}

// The times that a selector or subquery is evaluated at, when what it stands in is at `at`.
TimeSpan Shifted(const TimeModifiers& time, TimeSpan at, const NeededFor& needed) {
  const TimeSpan& query = needed.query;
  switch (time.at.kind) {
    case AtModifier::Kind::kNone:
      break;
    case AtModifier::Kind::kTimestamp:
      at = {time.at.t, time.at.t};
      break;
    case AtModifier::Kind::kStart:
      at = {query.from, query.from};
      break;
    case AtModifier::Kind::kEnd:
      at = {query.to, query.to};
      break;
  }
  const std::int64_t offset_ms = OffsetMs(time, needed.durations);
  return {at.from - offset_ms, at.to - offset_ms};
}

// The times of samples that a selector looks at when it is evaluated at `at`.
TimeSpan Selected(const VectorSelector& selector, const TimeSpan& at, std::int64_t range_ms,
                  const NeededFor& needed) {
  TimeSpan span = Shifted(selector.time, at, needed);
  span.from -= range_ms;
  if (selector.mode == RangeMode::kSmoothed) span.to += needed.lookback_ms;
  return span;
}

}  // namespace

bool FindStepInvariant(const Expr& expr, std::unordered_map<const Expr*, bool>& out) {
  const bool invariant = Find(expr, out);
  out[&expr] = invariant;
  return invariant;
}

std::int64_t OffsetMs(const TimeModifiers& time, const DurationContext& context) {
  if (time.offset_expr == nullptr) return time.offset_ms;
  auto ms = DurationMs(*time.offset_expr, context, /*may_be_negative=*/true);
  if (!ms) throw EvalError{std::move(ms).error()};
  return *ms;
}

std::int64_t RangeMs(std::int64_t range_ms, const DurationPtr& expr,
                     const DurationContext& context) {
  if (expr == nullptr) return range_ms;
  auto ms = DurationMs(*expr, context, /*may_be_negative=*/false);
  if (!ms) throw EvalError{std::move(ms).error()};
  return *ms;
}

TimeSpan NeededTimes(const Expr& expr, TimeSpan at, const NeededFor& query) {
  // What needs no samples needs the time of the query, for want of a better answer.
  TimeSpan needed = query.query;
  bool any = false;
  const auto add = [&](const TimeSpan& span) {
    if (any) return Widen(needed, span);
    needed = span;
    any = true;
  };
  const auto visit = [&](const Expr& child) { add(NeededTimes(child, at, query)); };
  switch (expr.kind()) {
    case ExprKind::kMatrixSelector: {
      const auto& matrix = As<MatrixSelector>(expr);
      std::int64_t range_ms = RangeMs(matrix.range_ms, matrix.range_expr, query.durations);
      if (matrix.selector->mode != RangeMode::kPlain) range_ms += query.lookback_ms;
      add(Selected(*matrix.selector, at, range_ms, query));
      break;
    }
    case ExprKind::kSubquery: {
      const auto& subquery = As<SubqueryExpr>(expr);
      TimeSpan span = Shifted(subquery.time, at, query);
      span.from -= RangeMs(subquery.range_ms, subquery.range_expr, query.durations);
      RangeMs(subquery.step_ms, subquery.step_expr, query.durations);
      add(NeededTimes(*subquery.expr, span, query));
      break;
    }
    case ExprKind::kVectorSelector:
      add(Selected(As<VectorSelector>(expr), at, query.lookback_ms, query));
      break;
    case ExprKind::kAggregate:
    case ExprKind::kBinary:
    case ExprKind::kCall:
    case ExprKind::kParen:
    case ExprKind::kUnary:
      for (const Expr* child : Children(expr)) visit(*child);
      break;
    case ExprKind::kNumber:
    case ExprKind::kString:
      break;
  }
  return needed;
}

void FindStatsOnly(const Expr& expr, std::unordered_set<const Expr*>& out, bool below) {
  if (expr.kind() == ExprKind::kSubquery) return;
  if (expr.kind() == ExprKind::kBinary && IsTrim(As<BinaryExpr>(expr).op)) return;
  if (expr.kind() == ExprKind::kCall) {
    const std::string_view name = As<CallExpr>(expr).function.name;
    if (name.starts_with("histogram_quantile") || name == "histogram_fraction") return;
    if (name == "histogram_count" || name == "histogram_sum" || name == "histogram_avg") {
      below = true;
    }
  }
  if (below && expr.kind() == ExprKind::kVectorSelector) out.insert(&expr);
  for (const Expr* child : Children(expr)) FindStatsOnly(*child, out, below);
}

namespace {

// Whether keeping the value of such a node may pay. Not a selector's: that is read again as fast as
// it is copied.
bool Computes(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kAggregate:
    case ExprKind::kBinary:
    case ExprKind::kCall:
    case ExprKind::kUnary:
      return true;
    case ExprKind::kMatrixSelector:
    case ExprKind::kNumber:
    case ExprKind::kParen:
    case ExprKind::kString:
    case ExprKind::kSubquery:
    case ExprKind::kVectorSelector:
      break;
  }
  return false;
}

// Nodes of one kind with as many children: only such can have the same text.
using NodesAlike = std::map<std::pair<ExprKind, std::size_t>, std::vector<const Expr*>>;
void GatherAlike(const Expr& expr, NodesAlike& alike) {
  const auto children = Children(expr);
  if (Computes(expr)) alike[{expr.kind(), children.size()}].push_back(&expr);
  for (const Expr* child : children) GatherAlike(*child, alike);
}

}  // namespace

RepeatedNodes FindRepeated(const Expr& expr) {
  // Many nodes are printed: for a long text that would cost more than it may save.
  constexpr std::size_t kLongestText = 4096;
  RepeatedNodes repeated;
  if (expr.position().end - expr.position().start > kLongestText) return repeated;
  NodesAlike alike;
  GatherAlike(expr, alike);
  for (const auto& [kind, candidates] : alike) {
    if (candidates.size() < 2) continue;
    std::unordered_map<std::string, std::vector<const Expr*>> by_text;
    for (const Expr* node : candidates) by_text[Print(*node)].push_back(node);
    for (const auto& [text, nodes] : by_text) {
      if (nodes.size() < 2) continue;
      for (const Expr* node : nodes) repeated.number_of[node] = repeated.counts.size();
      repeated.counts.push_back(nodes.size());
    }
  }
  return repeated;
}

}  // namespace azexporter::promql
