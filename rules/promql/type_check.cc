#include "type_check.h"

#include <fmt/format.h>

#include <algorithm>

#include "azexporter/promql/functions.h"
#include "literals.h"

namespace azexporter::promql {
namespace {

using base::Result;

class TypeChecker {
 public:
  explicit TypeChecker(std::string_view query) : query_(query) {}

  Result<void> Check(const Expr& expr) const;

 private:
  Result<void> CheckAggregate(const AggregateExpr& expr) const;
  Result<void> CheckBinary(const BinaryExpr& expr) const;
  Result<void> CheckMatching(const BinaryExpr& expr) const;
  Result<void> CheckCall(const CallExpr& expr) const;
  Result<void> CheckArgCount(const CallExpr& expr) const;
  Result<void> CheckInfoLabels(const Expr& expr) const;
  Result<void> CheckSelector(const VectorSelector& expr) const;
  Result<void> Expect(const Expr& expr, ValueType type, std::string_view context) const;

  tl::unexpected<base::Error> ErrorAt(const PositionRange& position,
                                      std::string_view message) const {
    return ParseErrorAt(query_, position, message);
  }

  std::string_view query_;
};

Result<void> TypeChecker::Check(const Expr& expr) const {
  switch (expr.kind()) {
    case ExprKind::kAggregate:
      return CheckAggregate(As<AggregateExpr>(expr));
    case ExprKind::kBinary:
      return CheckBinary(As<BinaryExpr>(expr));
    case ExprKind::kCall:
      return CheckCall(As<CallExpr>(expr));
    case ExprKind::kMatrixSelector:
      return Check(*As<MatrixSelector>(expr).selector);
    case ExprKind::kParen:
      return Check(*As<ParenExpr>(expr).expr);
    case ExprKind::kSubquery: {
      const Expr& inner = *As<SubqueryExpr>(expr).expr;
      AZX_RETURN_IF_ERROR(Check(inner));
      if (inner.type() == ValueType::kVector) return {};
      return ErrorAt(expr.position(),
                     fmt::format("subquery is only allowed on instant vector, got {} instead",
                                 ValueTypeName(inner.type())));
    }
    case ExprKind::kUnary: {
      const Expr& inner = *As<UnaryExpr>(expr).expr;
      AZX_RETURN_IF_ERROR(Check(inner));
      if (inner.type() == ValueType::kScalar || inner.type() == ValueType::kVector) return {};
      return ErrorAt(expr.position(),
                     fmt::format("unary expression only allowed on expressions of type scalar or "
                                 "instant vector, got \"{}\"",
                                 DocumentedType(inner.type())));
    }
    case ExprKind::kVectorSelector:
      return CheckSelector(As<VectorSelector>(expr));
    case ExprKind::kNumber:
    case ExprKind::kString:
      return {};
  }
  return {};
}

Result<void> TypeChecker::Expect(const Expr& expr, ValueType type, std::string_view context) const {
  AZX_RETURN_IF_ERROR(Check(expr));
  if (expr.type() == type) return {};
  return ErrorAt(expr.position(),
                 fmt::format("expected type {} in {}, got {}", DocumentedType(type), context,
                             DocumentedType(expr.type())));
}

Result<void> TypeChecker::CheckAggregate(const AggregateExpr& expr) const {
  AZX_RETURN_IF_ERROR(Expect(*expr.expr, ValueType::kVector, "aggregation expression"));
  if (expr.param == nullptr) return {};
  const bool text = expr.op == AggregateOp::kCountValues;
  return Expect(*expr.param, text ? ValueType::kString : ValueType::kScalar,
                "aggregation parameter");
}

Result<void> TypeChecker::CheckBinary(const BinaryExpr& expr) const {
  AZX_RETURN_IF_ERROR(Check(*expr.lhs));
  AZX_RETURN_IF_ERROR(Check(*expr.rhs));
  if (expr.return_bool && !IsComparison(expr.op)) {
    return ErrorAt(expr.op_position, "bool modifier can only be used on comparison operators");
  }
  if (IsComparison(expr.op) && !expr.return_bool && expr.type() == ValueType::kScalar) {
    return ErrorAt(expr.op_position, "comparisons between scalars must use BOOL modifier");
  }
  if (expr.matching.on) {
    for (const std::string& label : expr.matching.labels) {
      if (std::ranges::count(expr.matching.include, label) == 0) continue;
      return ErrorAt(
          expr.op_position,
          fmt::format("label {} must not occur in ON and GROUP clause at once", Quoted(label)));
    }
  }
  for (const Expr* side : {expr.lhs.get(), expr.rhs.get()}) {
    if (side->type() == ValueType::kScalar || side->type() == ValueType::kVector) continue;
    return ErrorAt(side->position(),
                   "binary expression must contain only scalar and instant vector types");
  }
  return CheckMatching(expr);
}

Result<void> TypeChecker::CheckMatching(const BinaryExpr& expr) const {
  const bool vectors =
      expr.lhs->type() == ValueType::kVector && expr.rhs->type() == ValueType::kVector;
  if (!vectors) {
    if (!expr.matching.labels.empty()) {
      return ErrorAt(expr.position(), "vector matching only allowed between instant vectors");
    }
    if (expr.matching.fills()) {
      return ErrorAt(expr.position(),
                     "filling in missing series only allowed between instant vectors");
    }
    if (IsSetOp(expr.op)) {
      return ErrorAt(expr.position(),
                     fmt::format("set operator \"{}\" not allowed in binary scalar expression",
                                 BinaryOpText(expr.op)));
    }
    return {};
  }
  if (IsSetOp(expr.op) && expr.matching.cardinality != Cardinality::kManyToMany) {
    return ErrorAt(expr.position(),
                   fmt::format("no grouping allowed for \"{}\" operation", BinaryOpText(expr.op)));
  }
  if (IsSetOp(expr.op) && expr.matching.fills()) {
    return ErrorAt(expr.position(), "filling in missing series not allowed for set operators");
  }
  return {};
}

Result<void> TypeChecker::CheckArgCount(const CallExpr& expr) const {
  const Function& function = expr.function;
  const std::size_t got = expr.args.size();
  const std::size_t wanted = function.arg_types.size();
  const auto wrong = [&](std::string_view bound, std::size_t count) {
    return ErrorAt(expr.position(),
                   fmt::format("expected {}{} argument(s) in call to \"{}\", got {}", bound, count,
                               function.name, got));
  };
  if (function.variadic == 0) {
    if (got != wanted) return wrong("", wanted);
    return {};
  }
  const std::size_t least = wanted - 1;
  if (got < least) return wrong("at least ", least);
  if (function.variadic < 0) return {};
  const std::size_t most = least + static_cast<std::size_t>(function.variadic);
  if (got > most) return wrong("at most ", most);
  return {};
}

Result<void> TypeChecker::CheckCall(const CallExpr& expr) const {
  AZX_RETURN_IF_ERROR(CheckArgCount(expr));
  const Function& function = expr.function;
  for (std::size_t i = 0; i < expr.args.size(); ++i) {
    if (i == 1 && function.name == "info") {
      AZX_RETURN_IF_ERROR(CheckInfoLabels(*expr.args[i]));
      continue;
    }
    const ValueType wanted = function.arg_types[std::min(i, function.arg_types.size() - 1)];
    AZX_RETURN_IF_ERROR(
        Expect(*expr.args[i], wanted, fmt::format("call to function \"{}\"", function.name)));
  }
  return {};
}

// What info() looks for is a selector of labels: of any metric, and of as many as it likes.
Result<void> TypeChecker::CheckInfoLabels(const Expr& expr) const {
  if (expr.kind() != ExprKind::kVectorSelector) {
    AZX_RETURN_IF_ERROR(Expect(expr, ValueType::kVector, "call to function \"info\""));
    return ErrorAt(expr.position(), "expected label selectors only");
  }
  if (As<VectorSelector>(expr).name.empty()) return {};
  return ErrorAt(expr.position(), "expected label selectors only, got vector selector instead");
}

Result<void> TypeChecker::CheckSelector(const VectorSelector& expr) const {
  if (!expr.name.empty()) {
    // The last matcher is the one made from that name.
    for (std::size_t i = 0; i + 1 < expr.matchers.size(); ++i) {
      if (expr.matchers[i].name() != model::kMetricName) continue;
      return ErrorAt(expr.position(),
                     fmt::format("metric name must not be set twice: {} or {}", Quoted(expr.name),
                                 Quoted(expr.matchers[i].value())));
    }
    return {};
  }
  const bool selective =
      std::ranges::any_of(expr.matchers, [](const auto& matcher) { return !matcher.Matches(""); });
  if (selective) return {};
  return ErrorAt(expr.position(), "vector selector must contain at least one non-empty matcher");
}

}  // namespace

Result<void> CheckTypes(std::string_view query, const Expr& expr) {
  return TypeChecker(query).Check(expr);
}

}  // namespace azexporter::promql
