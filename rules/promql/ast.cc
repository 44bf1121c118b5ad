#include "azexporter/promql/ast.h"

#include <algorithm>
#include <limits>

#include "azexporter/promql/functions.h"

namespace azexporter::promql {
namespace {

PositionRange Span(const PositionRange& first, const PositionRange& last) {
  PositionRange span = first;
  span.end = last.end;
  return span;
}

int DepthAbove(const Expr& child) { return child.depth() + 1; }

int DepthAbove(const std::vector<ExprPtr>& children) {
  int depth = 0;
  for (const ExprPtr& child : children) depth = std::max(depth, child->depth());
  return depth + 1;
}

int DepthAbove(const ExprPtr& optional, const ExprPtr& child) {
  return std::max(optional == nullptr ? 0 : optional->depth(), child->depth()) + 1;
}

ValueType BinaryType(const Expr& lhs, const Expr& rhs) {
  const bool scalars = lhs.type() == ValueType::kScalar && rhs.type() == ValueType::kScalar;
  return scalars ? ValueType::kScalar : ValueType::kVector;
}

}  // namespace

std::string_view ValueTypeName(ValueType type) {
  switch (type) {
    case ValueType::kScalar:
      return "scalar";
    case ValueType::kString:
      return "string";
    case ValueType::kVector:
      return "vector";
    case ValueType::kMatrix:
      return "matrix";
  }
  return {};
}

std::string_view DocumentedType(ValueType type) {
  switch (type) {
    case ValueType::kVector:
      return "instant vector";
    case ValueType::kMatrix:
      return "range vector";
    case ValueType::kScalar:
    case ValueType::kString:
      return ValueTypeName(type);
  }
  return {};
}

std::string_view AggregateOpText(AggregateOp op) {
  switch (op) {
    case AggregateOp::kAvg:
      return "avg";
    case AggregateOp::kBottomk:
      return "bottomk";
    case AggregateOp::kCount:
      return "count";
    case AggregateOp::kCountValues:
      return "count_values";
    case AggregateOp::kGroup:
      return "group";
    case AggregateOp::kLimitk:
      return "limitk";
    case AggregateOp::kLimitRatio:
      return "limit_ratio";
    case AggregateOp::kMax:
      return "max";
    case AggregateOp::kMin:
      return "min";
    case AggregateOp::kQuantile:
      return "quantile";
    case AggregateOp::kStddev:
      return "stddev";
    case AggregateOp::kStdvar:
      return "stdvar";
    case AggregateOp::kSum:
      return "sum";
    case AggregateOp::kTopk:
      return "topk";
  }
  return {};
}

bool KeepsSamples(AggregateOp op) {
  return op == AggregateOp::kTopk || op == AggregateOp::kBottomk || op == AggregateOp::kLimitk ||
         op == AggregateOp::kLimitRatio;
}

std::string_view BinaryOpText(BinaryOp op) {
  switch (op) {
    case BinaryOp::kAdd:
      return "+";
    case BinaryOp::kSub:
      return "-";
    case BinaryOp::kMul:
      return "*";
    case BinaryOp::kDiv:
      return "/";
    case BinaryOp::kMod:
      return "%";
    case BinaryOp::kPow:
      return "^";
    case BinaryOp::kAtan2:
      return "atan2";
    case BinaryOp::kTrimUpper:
      return "</";
    case BinaryOp::kTrimLower:
      return ">/";
    case BinaryOp::kEqual:
      return "==";
    case BinaryOp::kNotEqual:
      return "!=";
    case BinaryOp::kLess:
      return "<";
    case BinaryOp::kLessOrEqual:
      return "<=";
    case BinaryOp::kGreater:
      return ">";
    case BinaryOp::kGreaterOrEqual:
      return ">=";
    case BinaryOp::kAnd:
      return "and";
    case BinaryOp::kOr:
      return "or";
    case BinaryOp::kUnless:
      return "unless";
  }
  return {};
}

bool IsComparison(BinaryOp op) { return op >= BinaryOp::kEqual && op <= BinaryOp::kGreaterOrEqual; }
bool IsTrim(BinaryOp op) { return op == BinaryOp::kTrimUpper || op == BinaryOp::kTrimLower; }

bool IsSetOp(BinaryOp op) { return op >= BinaryOp::kAnd && op <= BinaryOp::kUnless; }

std::string_view CardinalityName(Cardinality cardinality) {
  switch (cardinality) {
    case Cardinality::kOneToOne:
      return "one-to-one";
    case Cardinality::kManyToOne:
      return "many-to-one";
    case Cardinality::kOneToMany:
      return "one-to-many";
    case Cardinality::kManyToMany:
      return "many-to-many";
  }
  return {};
}

AggregateExpr::AggregateExpr(const PositionRange& position, AggregateOp op_, ExprPtr param_,
                             ExprPtr expr_)
    : Expr(kKind, ValueType::kVector, position, DepthAbove(param_, expr_)),
      op(op_),
      param(std::move(param_)),
      expr(std::move(expr_)) {}

BinaryExpr::BinaryExpr(BinaryOp op_, const PositionRange& op_position_, ExprPtr lhs_, ExprPtr rhs_)
    : Expr(kKind, BinaryType(*lhs_, *rhs_), Span(lhs_->position(), rhs_->position()),
           DepthAbove(lhs_, rhs_)),
      op(op_),
      op_position(op_position_),
      lhs(std::move(lhs_)),
      rhs(std::move(rhs_)) {}

CallExpr::CallExpr(const PositionRange& position, const Function& function_,
                   std::vector<ExprPtr> args_)
    : Expr(kKind, function_.return_type, position, DepthAbove(args_)),
      function(function_),
      args(std::move(args_)) {}

VectorSelector::VectorSelector(const PositionRange& position, std::string name_,
                               std::vector<model::Matcher> matchers_)
    : Expr(kKind, ValueType::kVector, position, 1),
      name(std::move(name_)),
      matchers(std::move(matchers_)) {}

MatrixSelector::MatrixSelector(const PositionRange& position,
                               std::unique_ptr<VectorSelector> selector_, std::int64_t range_ms_)
    : Expr(kKind, ValueType::kMatrix, position, DepthAbove(*selector_)),
      selector(std::move(selector_)),
      range_ms(range_ms_) {}

NumberLiteral::NumberLiteral(const PositionRange& position, double value_, bool is_duration_)
    : Expr(kKind, ValueType::kScalar, position, 1), value(value_), is_duration(is_duration_) {}

ParenExpr::ParenExpr(const PositionRange& position, ExprPtr expr_)
    : Expr(kKind, expr_->type(), position, DepthAbove(*expr_)), expr(std::move(expr_)) {}

StringLiteral::StringLiteral(const PositionRange& position, std::string value_)
    : Expr(kKind, ValueType::kString, position, 1), value(std::move(value_)) {}

SubqueryExpr::SubqueryExpr(const PositionRange& position, ExprPtr expr_, std::int64_t range_ms_,
                           std::int64_t step_ms_)
    : Expr(kKind, ValueType::kMatrix, position, DepthAbove(*expr_)),
      expr(std::move(expr_)),
      range_ms(range_ms_),
      step_ms(step_ms_) {}

UnaryExpr::UnaryExpr(const PositionRange& position, bool negative_, ExprPtr expr_)
    : Expr(kKind, expr_->type(), position, DepthAbove(*expr_)),
      negative(negative_),
      expr(std::move(expr_)) {}

const Expr& Unwrap(const Expr& expr) {
  const Expr* inner = &expr;
  while (inner->kind() == ExprKind::kParen) inner = As<ParenExpr>(*inner).expr.get();
  return *inner;
}

std::vector<const Expr*> Children(const Expr& expr) {
  switch (expr.kind()) {
    case ExprKind::kAggregate: {
      const auto& aggregate = As<AggregateExpr>(expr);
      if (aggregate.param == nullptr) return {aggregate.expr.get()};
      return {aggregate.param.get(), aggregate.expr.get()};
    }
    case ExprKind::kBinary:
      return {As<BinaryExpr>(expr).lhs.get(), As<BinaryExpr>(expr).rhs.get()};
    case ExprKind::kCall: {
      std::vector<const Expr*> args;
      for (const ExprPtr& arg : As<CallExpr>(expr).args) args.push_back(arg.get());
      return args;
    }
    case ExprKind::kMatrixSelector:
      return {As<MatrixSelector>(expr).selector.get()};
    case ExprKind::kParen:
      return {As<ParenExpr>(expr).expr.get()};
    case ExprKind::kSubquery:
      return {As<SubqueryExpr>(expr).expr.get()};
    case ExprKind::kUnary:
      return {As<UnaryExpr>(expr).expr.get()};
    case ExprKind::kNumber:
    case ExprKind::kString:
    case ExprKind::kVectorSelector:
      break;
  }
  return {};
}

}  // namespace azexporter::promql
