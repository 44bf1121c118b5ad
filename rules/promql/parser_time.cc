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

Result<Parser::SignedNumber> Parser::ParseSecondsLiteral(SignedNumber sign,
                                                         const DurationPlace& place) {
  AZX_ASSIGN_OR_RETURN(const SignedNumber number, ParseDigits(sign, place.context, place.expected));
  // Written so that NaN is out of range too.
  if (!(std::abs(number.value) <= kMaxDurationSeconds)) {
    return ParseErrorAt(query_, number.position, "duration out of range");
  }
  return number;
}

tl::unexpected<base::Error> Parser::DurationExprNotEnabled(const PositionRange& position) const {
  return ParseErrorAt(query_, position, "experimental duration expression is not enabled");
}

// A duration that would have to be computed is read to its end, for what is wrong with it, and then
// refused: the innermost first, as Prometheus finds it.
Result<Parser::SignedNumber> Parser::ParseDurationExpr(int min_precedence,
                                                       const DurationPlace& place) {
  AZX_ASSIGN_OR_RETURN(SignedNumber lhs, ParseDurationOperand(place));
  if (!IsArithmetic(token_) || Precedence(token_.op) < min_precedence) return lhs;
  const int precedence = Precedence(token_.op);
  const bool to_the_right = token_.op == BinaryOp::kPow;
  Advance();
  AZX_RETURN_IF_ERROR(ParseDurationExpr(to_the_right ? precedence : precedence + 1, place));
  if (Is(TokenKind::kError)) return UnexpectedHere();
  return DurationExprNotEnabled(lhs.position);
}

Result<Parser::SignedNumber> Parser::ParseDurationOperand(const DurationPlace& place) {
  if (Is(TokenKind::kNumber) || Is(TokenKind::kDuration)) {
    return ParseSecondsLiteral({1, token_.position}, place);
  }
  AZX_RETURN_IF_ERROR(Nest());
  if (IsPlusOrMinus(token_)) {
    const SignedNumber sign = TakeSign();
    AZX_ASSIGN_OR_RETURN(SignedNumber operand, ParseDurationExpr(kPowPrecedence, place));
    --nesting_;
    return SignedNumber{sign.value * operand.value, Span(sign.position, operand.position.end)};
  }
  const PositionRange begin = token_.position;
  if (Is(TokenKind::kLeftParen)) {
    AZX_ASSIGN_OR_RETURN(const SignedNumber inner, ParseDurationInParens(place));
    return DurationExprNotEnabled(inner.position);
  }
  AZX_RETURN_IF_ERROR(ParseDurationCall(place));
  return DurationExprNotEnabled(begin);
}

Result<Parser::SignedNumber> Parser::ParseDurationInParens(const DurationPlace& place) {
  Advance();
  AZX_ASSIGN_OR_RETURN(const SignedNumber inner, ParseDurationExpr(1, place));
  if (!Take(TokenKind::kRightParen)) return Unexpected(place.context, place.expected);
  return inner;
}

// step(), range(), max_of(a, b), min_of(a, b)
Result<void> Parser::ParseDurationCall(const DurationPlace& place) {
  const bool two = Is(TokenKind::kMaxOf) || Is(TokenKind::kMinOf);
  if (!two && !Is(TokenKind::kStep) && !Is(TokenKind::kRange)) {
    return Unexpected(place.context, place.expected);
  }
  Advance();
  if (!Take(TokenKind::kLeftParen)) return Unexpected(place.context, place.expected);
  if (two) {
    AZX_RETURN_IF_ERROR(ParseDurationExpr(1, place));
    if (!Take(TokenKind::kComma)) return Unexpected(place.context, place.expected);
    AZX_RETURN_IF_ERROR(ParseDurationExpr(1, place));
  }
  if (!Take(TokenKind::kRightParen)) return Unexpected(place.context, place.expected);
  return {};
}

Result<std::int64_t> Parser::ParsePositiveDurationMs(const DurationPlace& place) {
  AZX_ASSIGN_OR_RETURN(const SignedNumber number, ParseDurationExpr(1, place));
  if (Is(TokenKind::kError)) return UnexpectedHere();
  // Less than a millisecond is no time at all to the store, hence refused as zero is.
  const std::int64_t ms = ToMs(number.value);
  if (ms <= 0) return ParseErrorAt(query_, number.position, "duration must be greater than 0");
  return ms;
}

// After "offset" operators are those of the whole expression: x offset 5m - 1. A sign may stand
// before parentheses.
Result<Parser::SignedNumber> Parser::ParseOffsetSeconds() {
  constexpr DurationPlace kPlace{"offset", "number, duration, step(), or range()"};
  if (!IsPlusOrMinus(token_)) return ParseDurationOperand(kPlace);
  const SignedNumber sign = TakeSign();
  if (Is(TokenKind::kNumber) || Is(TokenKind::kDuration)) return ParseSecondsLiteral(sign, kPlace);
  if (Is(TokenKind::kLeftParen)) {
    AZX_ASSIGN_OR_RETURN(const SignedNumber inner, ParseDurationInParens(kPlace));
    return SignedNumber{sign.value * inner.value, Span(sign.position, last_end_)};
  }
  if (IsPlusOrMinus(token_)) {
    AZX_ASSIGN_OR_RETURN(const SignedNumber inner, ParseDurationOperand(kPlace));
    return SignedNumber{sign.value * inner.value, Span(sign.position, last_end_)};
  }
  AZX_RETURN_IF_ERROR(ParseDurationCall(kPlace));
  return DurationExprNotEnabled(sign.position);
}

Result<ExprPtr> Parser::ParseBrackets(ExprPtr expr) {
  const PositionRange bracket = token_.position;
  Advance();
  AZX_ASSIGN_OR_RETURN(const std::int64_t range_ms,
                       ParsePositiveDurationMs(
                           {"subquery or range selector", "number, duration, step(), or range()"}));
  if (Take(TokenKind::kRightBracket)) return FinishRange(std::move(expr), bracket, range_ms);
  if (Take(TokenKind::kColon)) return FinishSubquery(std::move(expr), range_ms);
  return Unexpected("subquery or range", "\":\" or \"]\"");
}

Result<ExprPtr> Parser::FinishRange(ExprPtr expr, const PositionRange& bracket,
                                    std::int64_t range_ms) {
  if (expr->kind() != ExprKind::kVectorSelector) {
    return ParseErrorAt(query_, bracket, "ranges only allowed for vector selectors");
  }
  std::unique_ptr<VectorSelector> selector(&As<VectorSelector>(*expr.release()));
  if (selector->time.offset_ms != 0) {
    return ParseErrorAt(query_, bracket, "no offset modifiers allowed before range");
  }
  if (selector->time.at.kind != AtModifier::Kind::kNone) {
    return ParseErrorAt(query_, bracket, "no @ modifiers allowed before range");
  }
  const PositionRange position = Span(selector->position(), last_end_);
  return Bounded(std::make_unique<MatrixSelector>(position, std::move(selector), range_ms));
}

Result<ExprPtr> Parser::FinishSubquery(ExprPtr expr, std::int64_t range_ms) {
  std::int64_t step_ms = 0;
  if (!Is(TokenKind::kRightBracket)) {
    AZX_ASSIGN_OR_RETURN(step_ms,
                         ParsePositiveDurationMs(
                             {"subquery selector", "number, duration, step(), range(), or \"]\""}));
  }
  if (!Is(TokenKind::kRightBracket)) return Unexpected("subquery selector", "\"]\"");
  Advance();
  const PositionRange position = Span(expr->position(), last_end_);
  return Bounded(std::make_unique<SubqueryExpr>(position, std::move(expr), range_ms, step_ms));
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
  AZX_ASSIGN_OR_RETURN(const SignedNumber number, ParseOffsetSeconds());
  AZX_ASSIGN_OR_RETURN(TimeModifiers * time, TimeModifiersOf(expr, "offset"));
  if (time->offset_ms != 0) {
    return ParseErrorAt(query_, expr.position(), "offset may not be set multiple times");
  }
  time->offset_ms = ToMs(number.value);
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
