// Numbers and durations, and what is built of them: ranges, subqueries, offset and @.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "azexporter/base/float_format.h"
#include "literals.h"
#include "parser_impl.h"
#include "token_roles.h"

namespace azexporter::promql {

using base::Result;

namespace {

// Go's time.Duration counts nanoseconds in an int64.
constexpr double kMaxDurationSeconds = 9223372036.854775807;

// Durations are counted in nanoseconds before what is less than a millisecond is cut off: 1.001 s
// is 1001 ms, though 1.001 * 1000 is a bit less.
std::int64_t ToMs(double seconds) {
  return static_cast<std::int64_t>(std::round(seconds * 1e9) / 1e6);
}

bool IsArithmetic(const Token& token) {
  return token.kind == TokenKind::kBinaryOp &&
         (token.op == BinaryOp::kAdd || token.op == BinaryOp::kSub || token.op == BinaryOp::kMul ||
          token.op == BinaryOp::kDiv || token.op == BinaryOp::kMod || token.op == BinaryOp::kPow);
}

// REQUIRES: IsArithmetic of a token with that operator.
DurationExpr::Op DurationOp(BinaryOp op) {
  switch (op) {
    case BinaryOp::kSub:
      return DurationExpr::Op::kSub;
    case BinaryOp::kMul:
      return DurationExpr::Op::kMul;
    case BinaryOp::kDiv:
      return DurationExpr::Op::kDiv;
    case BinaryOp::kMod:
      return DurationExpr::Op::kMod;
    case BinaryOp::kPow:
      return DurationExpr::Op::kPow;
    default:
      return DurationExpr::Op::kAdd;
  }
}

}  // namespace

Result<double> Parser::TakeNumber() {
  auto value = NumberValue(token_.text, Is(TokenKind::kDuration));
  if (!value) return ParseErrorAt(query_, token_.position, value.error().message());
  Advance();
  return *value;
}

// A sign is the number 1 or -1 until its digits come.
Parser::SignedNumber Parser::TakeSign() {
  SignedNumber number{1, token_.position};
  if (IsPlusOrMinus(token_)) {
    if (token_.op == BinaryOp::kSub) number.value = -1;
    Advance();
  }
  return number;
}

Result<Parser::SignedNumber> Parser::ParseDigits(SignedNumber number, std::string_view context,
                                                 std::string_view expected) {
  if (!Is(TokenKind::kNumber) && !Is(TokenKind::kDuration)) return Unexpected(context, expected);
  AZX_ASSIGN_OR_RETURN(const double value, TakeNumber());
  number.value *= value;
  number.position.end = last_end_;
  return number;
}

Parser::DurationNode Parser::NewDuration(DurationExpr expr, const PositionRange& position) {
  expr.start = position.start;
  expr.end = position.end;
  return {std::make_shared<DurationExpr>(std::move(expr)), position};
}

Result<Parser::DurationNode> Parser::ParseSecondsLiteral(SignedNumber sign,
                                                         const DurationPlace& place) {
  const bool is_duration = Is(TokenKind::kDuration);
  AZX_ASSIGN_OR_RETURN(const SignedNumber number, ParseDigits(sign, place.context, place.expected));
  // Written so that NaN is out of range too.
  if (!(std::abs(number.value) <= kMaxDurationSeconds)) {
    return ParseErrorAt(query_, number.position, "duration out of range");
  }
  return NewDuration({.seconds = number.value, .is_duration = is_duration}, number.position);
}

Result<Parser::DurationNode> Parser::ParseDurationExpr(int min_precedence,
                                                       const DurationPlace& place) {
  AZX_ASSIGN_OR_RETURN(DurationNode lhs, ParseDurationOperand(place));
  while (IsArithmetic(token_) && Precedence(token_.op) >= min_precedence) {
    const Token op = token_;
    const int precedence = Precedence(op.op);
    const bool to_the_right = op.op == BinaryOp::kPow;
    Advance();
    AZX_ASSIGN_OR_RETURN(const DurationNode rhs,
                         ParseDurationExpr(to_the_right ? precedence : precedence + 1, place));
    if (Is(TokenKind::kError)) return UnexpectedHere();
    const bool by_zero = rhs.is_literal() && rhs.expr->seconds == 0;
    if (by_zero && (op.op == BinaryOp::kDiv || op.op == BinaryOp::kMod)) {
      return ParseErrorAt(query_, op.position,
                          op.op == BinaryOp::kDiv ? "division by zero" : "modulo by zero");
    }
    if (++durations_ > kMaxExprDepth) {
      return ParseErrorAt(query_, op.position, "duration has too many parts");
    }
    lhs = NewDuration({.op = DurationOp(op.op), .lhs = lhs.expr, .rhs = rhs.expr},
                      Span(lhs.position, rhs.position.end));
  }
  return lhs;
}

Result<Parser::DurationNode> Parser::Negated(DurationNode operand, const SignedNumber& sign) const {
  const PositionRange position = Span(sign.position, operand.position.end);
  if (operand.is_literal()) {
    operand.expr->seconds *= sign.value;
    operand.position = position;
    operand.expr->start = position.start;
    return operand;
  }
  if (sign.value > 0) return operand;
  return NewDuration({.op = DurationExpr::Op::kNegate, .rhs = operand.expr}, position);
}

Result<Parser::DurationNode> Parser::ParseDurationOperand(const DurationPlace& place) {
  if (Is(TokenKind::kNumber) || Is(TokenKind::kDuration)) {
    return ParseSecondsLiteral({1, token_.position}, place);
  }
  AZX_RETURN_IF_ERROR(Nest());
  DurationNode node;
  if (IsPlusOrMinus(token_)) {
    const SignedNumber sign = TakeSign();
    AZX_ASSIGN_OR_RETURN(DurationNode operand, ParseDurationExpr(kPowPrecedence, place));
    AZX_ASSIGN_OR_RETURN(node, Negated(std::move(operand), sign));
  } else if (Is(TokenKind::kLeftParen)) {
    AZX_ASSIGN_OR_RETURN(node, ParseDurationInParens(place));
  } else {
    AZX_ASSIGN_OR_RETURN(node, ParseDurationCall(place));
  }
  --nesting_;
  return node;
}

Result<Parser::DurationNode> Parser::ParseDurationInParens(const DurationPlace& place) {
  const PositionRange open = token_.position;
  Advance();
  AZX_ASSIGN_OR_RETURN(DurationNode inner, ParseDurationExpr(1, place));
  if (!Take(TokenKind::kRightParen)) return Unexpected(place.context, place.expected);
  // Around a literal they say nothing.
  if (inner.is_literal()) return inner;
  inner.expr->in_parens = true;
  inner.position = Span(open, last_end_);
  return inner;
}

// step(), range(), max_of(a, b), min_of(a, b)
Result<Parser::DurationNode> Parser::ParseDurationCall(const DurationPlace& place) {
  const Token name = token_;
  const bool two = Is(TokenKind::kMaxOf) || Is(TokenKind::kMinOf);
  if (!two && !Is(TokenKind::kStep) && !Is(TokenKind::kRange)) {
    return Unexpected(place.context, place.expected);
  }
  Advance();
  if (!Take(TokenKind::kLeftParen)) return Unexpected(place.context, place.expected);
  DurationExpr expr{.op = name.kind == TokenKind::kStep ? DurationExpr::Op::kStep
                                                        : DurationExpr::Op::kRange};
  if (two) {
    expr.op = name.kind == TokenKind::kMaxOf ? DurationExpr::Op::kMaxOf : DurationExpr::Op::kMinOf;
    AZX_ASSIGN_OR_RETURN(const DurationNode first, ParseDurationExpr(1, place));
    if (!Take(TokenKind::kComma)) return Unexpected(place.context, place.expected);
    AZX_ASSIGN_OR_RETURN(const DurationNode second, ParseDurationExpr(1, place));
    expr.lhs = first.expr;
    expr.rhs = second.expr;
  }
  if (!Take(TokenKind::kRightParen)) return Unexpected(place.context, place.expected);
  return NewDuration(std::move(expr), Span(name.position, last_end_));
}

Result<Parser::DurationValue> Parser::ParsePositiveDuration(const DurationPlace& place) {
  AZX_ASSIGN_OR_RETURN(const DurationNode node, ParseDurationExpr(1, place));
  if (Is(TokenKind::kError)) return UnexpectedHere();
  if (!node.is_literal()) return DurationValue{0, node.expr};
  // Less than a millisecond is no time at all to the store, hence refused as zero is.
  const std::int64_t ms = ToMs(node.expr->seconds);
  if (ms <= 0) return ParseErrorAt(query_, node.position, "duration must be greater than 0");
  return DurationValue{ms, nullptr};
}

// After "offset" operators are those of the whole expression: x offset 5m - 1. A sign may stand
// before parentheses.
Result<Parser::DurationNode> Parser::ParseOffsetDuration() {
  constexpr DurationPlace kPlace{"offset", "number, duration, step(), or range()"};
  if (!IsPlusOrMinus(token_)) return ParseDurationOperand(kPlace);
  const SignedNumber sign = TakeSign();
  if (Is(TokenKind::kNumber) || Is(TokenKind::kDuration)) return ParseSecondsLiteral(sign, kPlace);
  DurationNode node;
  if (Is(TokenKind::kLeftParen)) {
    AZX_ASSIGN_OR_RETURN(node, ParseDurationInParens(kPlace));
  } else if (IsPlusOrMinus(token_)) {
    AZX_ASSIGN_OR_RETURN(node, ParseDurationOperand(kPlace));
  } else {
    AZX_ASSIGN_OR_RETURN(node, ParseDurationCall(kPlace));
  }
  return Negated(std::move(node), sign);
}

Result<ExprPtr> Parser::ParseBrackets(ExprPtr expr) {
  const PositionRange bracket = token_.position;
  Advance();
  AZX_ASSIGN_OR_RETURN(DurationValue range,
                       ParsePositiveDuration(
                           {"subquery or range selector", "number, duration, step(), or range()"}));
  if (Take(TokenKind::kRightBracket)) {
    return FinishRange(std::move(expr), bracket, std::move(range));
  }
  if (Take(TokenKind::kColon)) return FinishSubquery(std::move(expr), std::move(range));
  return Unexpected("subquery or range", "\":\" or \"]\"");
}

Result<ExprPtr> Parser::FinishRange(ExprPtr expr, const PositionRange& bracket,
                                    DurationValue range) {
  if (expr->kind() != ExprKind::kVectorSelector) {
    return ParseErrorAt(query_, bracket, "ranges only allowed for vector selectors");
  }
  std::unique_ptr<VectorSelector> selector(&As<VectorSelector>(*expr.release()));
  if (selector->time.offset_ms != 0 || selector->time.offset_expr != nullptr) {
    return ParseErrorAt(query_, bracket, "no offset modifiers allowed before range");
  }
  if (selector->time.at.kind != AtModifier::Kind::kNone) {
    return ParseErrorAt(query_, bracket, "no @ modifiers allowed before range");
  }
  const PositionRange position = Span(selector->position(), last_end_);
  auto matrix = std::make_unique<MatrixSelector>(position, std::move(selector), range.ms);
  matrix->range_expr = std::move(range.expr);
  return Bounded(std::move(matrix));
}

Result<ExprPtr> Parser::FinishSubquery(ExprPtr expr, DurationValue range) {
  DurationValue step;
  if (!Is(TokenKind::kRightBracket)) {
    AZX_ASSIGN_OR_RETURN(step,
                         ParsePositiveDuration(
                             {"subquery selector", "number, duration, step(), range(), or \"]\""}));
  }
  if (!Is(TokenKind::kRightBracket)) return Unexpected("subquery selector", "\"]\"");
  Advance();
  const PositionRange position = Span(expr->position(), last_end_);
  auto subquery = std::make_unique<SubqueryExpr>(position, std::move(expr), range.ms, step.ms);
  subquery->range_expr = std::move(range.expr);
  subquery->step_expr = std::move(step.expr);
  return Bounded(std::move(subquery));
}

// anchored, smoothed
Result<void> Parser::ParseRangeMode(Expr& expr) {
  const std::string_view name = Is(TokenKind::kAnchored) ? "anchored" : "smoothed";
  const RangeMode mode = Is(TokenKind::kAnchored) ? RangeMode::kAnchored : RangeMode::kSmoothed;
  const auto error = [&](std::string_view why) {
    return ParseErrorAt(query_, expr.position(), fmt::format("{} modifier {}", name, why));
  };
  if (!options_.extended_range_selectors) return error("is experimental and not enabled");
  Advance();
  VectorSelector* selector = nullptr;
  if (expr.kind() == ExprKind::kVectorSelector) selector = &As<VectorSelector>(expr);
  if (expr.kind() == ExprKind::kMatrixSelector) selector = As<MatrixSelector>(expr).selector.get();
  if (selector == nullptr) {
    return error(expr.kind() == ExprKind::kSubquery ? "is not supported for subqueries"
                                                    : "not implemented");
  }
  if (selector->mode != RangeMode::kPlain && selector->mode != mode) {
    return ParseErrorAt(query_, expr.position(),
                        "anchored and smoothed modifiers cannot be used together");
  }
  selector->mode = mode;
  return {};
}

Result<TimeModifiers*> Parser::TimeModifiersOf(Expr& expr, std::string_view modifier) {
  switch (expr.kind()) {
    case ExprKind::kVectorSelector:
      return &As<VectorSelector>(expr).time;
    case ExprKind::kMatrixSelector:
      return &As<MatrixSelector>(expr).selector->time;
    case ExprKind::kSubquery:
      return &As<SubqueryExpr>(expr).time;
    default:
      return ParseErrorAt(query_, expr.position(),
                          fmt::format("{} modifier must be preceded by an instant vector selector "
                                      "or range vector selector or a subquery",
                                      modifier));
  }
}

Result<void> Parser::ParseOffset(Expr& expr) {
  Advance();
  AZX_ASSIGN_OR_RETURN(const DurationNode offset, ParseOffsetDuration());
  AZX_ASSIGN_OR_RETURN(TimeModifiers * time, TimeModifiersOf(expr, "offset"));
  if (time->offset_ms != 0 || time->offset_expr != nullptr) {
    return ParseErrorAt(query_, expr.position(), "offset may not be set multiple times");
  }
  if (offset.is_literal()) {
    time->offset_ms = ToMs(offset.expr->seconds);
  } else {
    time->offset_expr = offset.expr;
  }
  EndAt(expr);
  return {};
}

Result<void> Parser::ParseAt(Expr& expr) {
  Advance();
  AtModifier at;
  if (Is(TokenKind::kStart) || Is(TokenKind::kEnd)) {
    at.kind = Is(TokenKind::kStart) ? AtModifier::Kind::kStart : AtModifier::Kind::kEnd;
    Advance();
    for (TokenKind paren : {TokenKind::kLeftParen, TokenKind::kRightParen}) {
      if (!Take(paren)) return Unexpected("@", "timestamp");
    }
  } else {
    AZX_ASSIGN_OR_RETURN(const SignedNumber number, ParseDigits(TakeSign(), "@", "timestamp"));
    constexpr double kLimit = 9.2233720368547758e18;  // 2^63
    if (!(std::abs(number.value) < kLimit)) {
      const std::string text = std::isfinite(number.value) ? fmt::format("{:.6f}", number.value)
                                                           : base::FormatFloatG(number.value);
      return ParseErrorAt(query_, expr.position(),
                          "timestamp out of bounds for @ modifier: " + text);
    }
    at.kind = AtModifier::Kind::kTimestamp;
    // Milliseconds must fit too; beyond that there are no samples anyway.
    at.t = static_cast<std::int64_t>(
        std::clamp(std::round(number.value * 1000), -kMaxTimeMs, kMaxTimeMs));
  }
  AZX_ASSIGN_OR_RETURN(TimeModifiers * time, TimeModifiersOf(expr, "@"));
  if (time->at.kind != AtModifier::Kind::kNone) {
    return ParseErrorAt(query_, expr.position(), "@ <timestamp> may not be set multiple times");
  }
  time->at = at;
  EndAt(expr);
  return {};
}

}  // namespace azexporter::promql
