// What can be said of an expression before it is evaluated: which parts are the same at every step,
// and which times it will look at.

#include <algorithm>
#include <string>

#include "azexporter/promql/printer.h"
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
TimeSpan Shifted(const TimeModifiers& time, TimeSpan at, const TimeSpan& query) {
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
  return {at.from - time.offset_ms, at.to - time.offset_ms};
}

}  // namespace

bool FindStepInvariant(const Expr& expr, std::unordered_map<const Expr*, bool>& out) {
  const bool invariant = Find(expr, out);
  out[&expr] = invariant;
  return invariant;
}

TimeSpan NeededTimes(const Expr& expr, TimeSpan at, TimeSpan query, std::int64_t lookback_ms) {
  // What needs no samples needs the time of the query, for want of a better answer.
  TimeSpan needed = query;
  bool any = false;
  const auto add = [&](const TimeSpan& span) {
    if (any) return Widen(needed, span);
    needed = span;
    any = true;
  };
  const auto visit = [&](const Expr& child) { add(NeededTimes(child, at, query, lookback_ms)); };
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      if (As<AggregateExpr>(expr).param != nullptr) visit(*As<AggregateExpr>(expr).param);
      visit(*As<AggregateExpr>(expr).expr);
      break;
    case ExprKind::kBinary:
      visit(*As<BinaryExpr>(expr).lhs);
      visit(*As<BinaryExpr>(expr).rhs);
      break;
    case ExprKind::kCall:
      for (const ExprPtr& arg : As<CallExpr>(expr).args) visit(*arg);
      break;
    case ExprKind::kMatrixSelector: {
      const auto& matrix = As<MatrixSelector>(expr);
      const TimeSpan span = Shifted(matrix.selector->time, at, query);
      add({span.from - matrix.range_ms, span.to});
      break;
    }
    case ExprKind::kNumber:
    case ExprKind::kString:
      break;
    case ExprKind::kParen:
      visit(*As<ParenExpr>(expr).expr);
      break;
    case ExprKind::kSubquery: {
      const auto& subquery = As<SubqueryExpr>(expr);
      TimeSpan span = Shifted(subquery.time, at, query);
      span.from -= subquery.range_ms;
      add(NeededTimes(*subquery.expr, span, query, lookback_ms));
      break;
    }
    case ExprKind::kUnary:
      visit(*As<UnaryExpr>(expr).expr);
      break;
    case ExprKind::kVectorSelector: {
      const TimeSpan span = Shifted(As<VectorSelector>(expr).time, at, query);
      add({span.from - lookback_ms, span.to});
      break;
    }
  }
  return needed;
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

using NodesByText = std::unordered_map<std::string, std::vector<const Expr*>>;
void GatherTexts(const Expr& expr, NodesByText& by_text) {
  if (Computes(expr)) by_text[Print(expr)].push_back(&expr);
  for (const Expr* child : Children(expr)) GatherTexts(*child, by_text);
}

}  // namespace

RepeatedNodes FindRepeated(const Expr& expr) {
  // Every node is printed: for a long text that would cost more than it may save.
  constexpr std::size_t kLongestText = 4096;
  RepeatedNodes repeated;
  if (expr.position().end - expr.position().start > kLongestText) return repeated;
  NodesByText by_text;
  GatherTexts(expr, by_text);
  for (const auto& [text, nodes] : by_text) {
    if (nodes.size() < 2) continue;
    for (const Expr* node : nodes) repeated.number_of[node] = repeated.counts.size();
    repeated.counts.push_back(nodes.size());
  }
  return repeated;
}

}  // namespace azexporter::promql
