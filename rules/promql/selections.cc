#include <algorithm>

#include "azexporter/promql/ast.h"

namespace azexporter::promql {
namespace {

// How far the times at which a node is evaluated may lie before the time of the query.
struct Shift {
  std::int64_t ms = 0;
  bool fixed = false;  // an @ above nails it to a time of its own
};

// As far as it can be told before the query is run: step() and range() are 0, as of an instant
// query.
std::int64_t Ms(std::int64_t ms, const DurationPtr& expr) {
  return expr == nullptr ? ms : DurationMs(*expr, {}, true).value_or(0);
}

Shift Moved(const Shift& outer, const TimeModifiers& time, std::int64_t range_ms) {
  const bool nailed = time.at.kind != AtModifier::Kind::kNone;
  // Whatever stood above @ no longer matters.
  const std::int64_t base_ms = nailed ? 0 : outer.ms;
  return {base_ms + Ms(time.offset_ms, time.offset_expr) + range_ms, outer.fixed || nailed};
}

void Collect(const Expr& expr, const Shift& shift, std::int64_t lookback_ms,
             std::vector<Selection>& out) {
  const auto add = [&](const VectorSelector& selector, std::int64_t range_ms, bool is_range) {
    const Shift moved = Moved(shift, selector.time, range_ms);
    out.push_back({selector.matchers, std::max<std::int64_t>(moved.ms, 0), moved.fixed, is_range});
  };
  const auto visit = [&](const Expr& child) { Collect(child, shift, lookback_ms, out); };
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      if (As<AggregateExpr>(expr).param != nullptr) visit(*As<AggregateExpr>(expr).param);
      return visit(*As<AggregateExpr>(expr).expr);
    case ExprKind::kBinary: {
      visit(*As<BinaryExpr>(expr).lhs);
      const std::size_t left = out.size();
      visit(*As<BinaryExpr>(expr).rhs);
      const bool takes_away = As<BinaryExpr>(expr).op == BinaryOp::kUnless;
      for (std::size_t i = left; i < out.size(); ++i) {
        out[i].takes_away = out[i].takes_away || takes_away;
      }
      return;
    }
    case ExprKind::kCall:
      for (const ExprPtr& arg : As<CallExpr>(expr).args) visit(*arg);
      return;
    case ExprKind::kMatrixSelector: {
      const auto& matrix = As<MatrixSelector>(expr);
      std::int64_t range_ms = Ms(matrix.range_ms, matrix.range_expr);
      if (matrix.selector->mode != RangeMode::kPlain) range_ms += lookback_ms;
      return add(*matrix.selector, range_ms, true);
    }
    case ExprKind::kNumber:
    case ExprKind::kString:
      return;
    case ExprKind::kParen:
      return visit(*As<ParenExpr>(expr).expr);
    case ExprKind::kSubquery: {
      const auto& subquery = As<SubqueryExpr>(expr);
      const std::int64_t range_ms = Ms(subquery.range_ms, subquery.range_expr);
      return Collect(*subquery.expr, Moved(shift, subquery.time, range_ms), lookback_ms, out);
    }
    case ExprKind::kUnary:
      return visit(*As<UnaryExpr>(expr).expr);
    case ExprKind::kVectorSelector:
      return add(As<VectorSelector>(expr), lookback_ms, false);
  }
}

}  // namespace

std::vector<Selection> Selections(const Expr& expr, std::int64_t lookback_ms) {
  std::vector<Selection> out;
  Collect(expr, {}, lookback_ms, out);
  return out;
}

}  // namespace azexporter::promql
