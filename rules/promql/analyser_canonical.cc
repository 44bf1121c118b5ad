// Which expressions are the same by construction.

#include <algorithm>
#include <cmath>

#include "analyser.h"
#include "azexporter/promql/functions.h"
#include "azexporter/promql/printer.h"

namespace azexporter::promql {
namespace {

std::string MatchingText(const BinaryExpr& binary) {
  std::vector<std::string> names = binary.matching.labels;
  std::ranges::sort(names);
  std::string text(CardinalityName(binary.matching.cardinality));
  text += binary.matching.on ? " on (" : " ignoring (";
  text += Listed(names) + ") (" + Listed(binary.matching.include) + ")";
  return text + (binary.return_bool ? " bool" : "");
}

// A comparison that passes some samples of a vector on as they are, told by their range alone.
bool FiltersByConstant(const BinaryExpr& binary) {
  const Expr& rhs = Unwrap(*binary.rhs);
  return IsComparison(binary.op) && !binary.return_bool && binary.op != BinaryOp::kNotEqual &&
         binary.lhs->type() == ValueType::kVector && rhs.kind() == ExprKind::kNumber &&
         !std::isnan(As<NumberLiteral>(rhs).value);
}

}  // namespace

Canonical Analyser::CanonicalBinary(const BinaryExpr& binary) const {
  const Canonical& lhs = CanonicalOf(*binary.lhs);
  const Canonical& rhs = CanonicalOf(*binary.rhs);
  Canonical made;
  made.whole = "(" + lhs.whole + " " + std::string(BinaryOpText(binary.op)) + " " +
               MatchingText(binary) + " " + rhs.whole + ")";
  const bool filters = FiltersByConstant(binary);
  made.base = filters ? lhs.base : made.whole;
  return made;
}

Canonical Analyser::MakeCanonical(const Expr& expr) const {
  Canonical made;
  if (expr.kind() == ExprKind::kParen) return CanonicalOf(*As<ParenExpr>(expr).expr);
  if (expr.kind() == ExprKind::kBinary) return CanonicalBinary(As<BinaryExpr>(expr));
  if (expr.kind() == ExprKind::kAggregate) {
    const auto& aggregate = As<AggregateExpr>(expr);
    if (out_.IsIdentity(aggregate)) return CanonicalOf(*aggregate.expr);
    std::vector<std::string> names = aggregate.grouping;
    std::ranges::sort(names);
    made.whole = std::string(AggregateOpText(aggregate.op)) +
                 (aggregate.without ? " without (" : " by (") + Listed(names) + ") (";
    if (aggregate.param != nullptr) made.whole += CanonicalOf(*aggregate.param).whole + ", ";
    made.whole += CanonicalOf(*aggregate.expr).whole + ")";
  } else if (expr.kind() == ExprKind::kCall) {
    made.whole = std::string(As<CallExpr>(expr).function.name) + "(";
    for (const ExprPtr& arg : As<CallExpr>(expr).args) made.whole += CanonicalOf(*arg).whole + ", ";
    made.whole += ")";
  } else {
    made.whole = Print(expr);
  }
  made.base = made.whole;
  return made;
}

bool Analyser::IsOfOneMetric(const Expr& expr) const {
  if (expr.kind() == ExprKind::kVectorSelector) {
    return !MetricNameOf(As<VectorSelector>(expr)).empty();
  }
  if (expr.kind() == ExprKind::kMatrixSelector) {
    return !MetricNameOf(*As<MatrixSelector>(expr).selector).empty();
  }
  return std::ranges::all_of(Children(expr),
                             [this](const Expr* child) { return CanonicalOf(*child).one_metric; });
}

}  // namespace azexporter::promql
