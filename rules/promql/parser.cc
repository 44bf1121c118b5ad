#include "azexporter/promql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "azexporter/promql/functions.h"
#include "literals.h"
#include "parser_impl.h"
#include "token_roles.h"
#include "type_check.h"

// The grammar, in EBNF; what stands in CAPITALS is a token. Binary operators bind, weakest
// first: or | and unless | comparisons </ >/ | + - | * / % atan2 | ^. All of them
// associate to the left but ^. Unary + and - bind as * does, so -1^2 is -(1^2).
//
//   expr       = unary { BINARY_OP [ "bool" ] [ matching ] unary }
//   matching   = [ ( "on" | "ignoring" ) labels [ ( "group_left" | "group_right" ) [ labels ] ] ]
//                [ fill ]
//   fill       = "fill" value | "fill_left" value [ "fill_right" value ]
//              | "fill_right" value [ "fill_left" value ]
//   value      = "(" signed ")"
//   unary      = { "+" | "-" } postfix
//   postfix    = primary { range | subquery | "offset" offset | "@" at | "anchored" | "smoothed" }
//   range      = "[" duration "]"
//   subquery   = "[" duration ":" [ duration ] "]"
//   at         = signed | ( "start" | "end" ) "(" ")"
//   signed     = [ "+" | "-" ] ( NUMBER | DURATION )
//   duration   = operand { ( "+" | "-" | "*" | "/" | "%" | "^" ) operand }
//   operand    = NUMBER | DURATION | ( "+" | "-" ) operand | "(" duration ")"
//              | ( "step" | "range" ) "(" ")" | ( "min_of" | "max_of" ) "(" duration "," duration
//              ")"
//   offset     = operand, so that operators after it are those of the whole expression
//
//   primary    = NUMBER | DURATION | STRING | "(" expr ")" | call | aggregate | selector
//   call       = IDENTIFIER args
//   aggregate  = AGGREGATOR ( modifier args | args [ modifier ] )
//   modifier   = ( "by" | "without" ) labels
//   args       = "(" [ expr { "," expr } ] ")"
//   labels     = "(" [ label { "," label } [ "," ] ] ")"
//   label      = IDENTIFIER | KEYWORD | STRING
//   selector   = name [ matchers ] | matchers
//   name       = IDENTIFIER | METRIC_IDENTIFIER | most KEYWORDs
//   matchers   = "{" [ matcher { "," matcher } [ "," ] ] "}"
//   matcher    = ( IDENTIFIER | STRING ) ( "=" | "!=" | "=~" | "!~" ) STRING | STRING
//
// A series, which is not an expression:
//   metric     = name [ set ] | set
//   set        = "{" [ item { "," item } [ "," ] ] "}"
//   item       = ( IDENTIFIER | STRING ) "=" STRING | STRING

namespace azexporter::promql {

using base::Result;

namespace {

// How deep parentheses, arguments, signs and powers may stand within each other: the parser calls
// itself for each of them, and needs more room on the stack than those who walk the finished tree.
constexpr int kMaxNesting = 200;

bool TakesParam(AggregateOp op) {
  return KeepsSamples(op) || op == AggregateOp::kQuantile || op == AggregateOp::kCountValues;
}

}  // namespace

tl::unexpected<base::Error> Parser::Unexpected(std::string_view context,
                                               std::string_view expected) const {
  if (Is(TokenKind::kError)) return ParseErrorAt(query_, token_.position, token_.error);
  std::string message = "unexpected " + token_.Describe();
  if (!context.empty()) message += fmt::format(" in {}", context);
  if (!expected.empty()) message += fmt::format(", expected {}", expected);
  return ParseErrorAt(query_, token_.position, message);
}

Result<void> Parser::ExpectEnd() {
  if (!Is(TokenKind::kEndOfInput)) return UnexpectedHere();
  return {};
}

Result<ExprPtr> Parser::Bounded(ExprPtr expr) const {
  if (expr->depth() <= kMaxExprDepth) return expr;
  return ParseErrorAt(query_, expr->position(),
                      fmt::format("expression is nested deeper than {}", kMaxExprDepth));
}

Result<ExprPtr> Parser::Whole() {
  if (Is(TokenKind::kEndOfInput)) {
    return ParseErrorAt(query_, {}, "no expression found in input");
  }
  AZX_ASSIGN_OR_RETURN(ExprPtr expr, ParseBinary(1));
  AZX_RETURN_IF_ERROR(ExpectEnd());
  AZX_RETURN_IF_ERROR(CheckTypes(query_, *expr));
  return expr;
}

Result<ExprPtr> Parser::ParseBinary(int min_precedence) {
  AZX_ASSIGN_OR_RETURN(ExprPtr lhs, ParseUnary());
  while (Is(TokenKind::kBinaryOp) && Precedence(token_.op) >= min_precedence) {
    const Token op = token_;
    Advance();
    AZX_ASSIGN_OR_RETURN(BinaryModifiers modifiers, ParseBinaryModifiers());
    AZX_ASSIGN_OR_RETURN(ExprPtr rhs, ParseRightSide(op.op));
    if (modifiers.matching.fills() && !options_.fill_modifiers) {
      if (Is(TokenKind::kError)) return UnexpectedHere();
      return ParseErrorAt(query_, lhs->position(),
                          "binop fill modifiers are experimental and not enabled");
    }
    auto binary = std::make_unique<BinaryExpr>(op.op, op.position, std::move(lhs), std::move(rhs));
    binary->return_bool = modifiers.return_bool;
    binary->matching = std::move(modifiers.matching);
    if (IsSetOp(op.op) && binary->matching.cardinality == Cardinality::kOneToOne) {
      binary->matching.cardinality = Cardinality::kManyToMany;
    }
    AZX_ASSIGN_OR_RETURN(lhs, Bounded(std::move(binary)));
  }
  return lhs;
}

Result<ExprPtr> Parser::ParseRightSide(BinaryOp op) {
  const int precedence = Precedence(op);
  // Chains of other operators grow to the left, where the parser does not call itself for more.
  if (op != BinaryOp::kPow) return ParseBinary(precedence + 1);
  AZX_RETURN_IF_ERROR(Nest());
  auto rhs = ParseBinary(precedence);
  --nesting_;
  return rhs;
}

Result<void> Parser::Nest() {
  if (++nesting_ <= kMaxNesting) return {};
  return ParseErrorAt(query_, token_.position,
                      fmt::format("expression is nested deeper than {}", kMaxNesting));
}

Result<Parser::BinaryModifiers> Parser::ParseBinaryModifiers() {
  BinaryModifiers modifiers;
  VectorMatching& matching = modifiers.matching;
  modifiers.return_bool = Take(TokenKind::kBool);
  if (Is(TokenKind::kOn) || Is(TokenKind::kIgnoring)) {
    matching.on = Is(TokenKind::kOn);
    Advance();
    AZX_ASSIGN_OR_RETURN(matching.labels, ParseLabelNames());
    if (Is(TokenKind::kGroupLeft) || Is(TokenKind::kGroupRight)) {
      matching.cardinality =
          Is(TokenKind::kGroupLeft) ? Cardinality::kManyToOne : Cardinality::kOneToMany;
      Advance();
      if (!StartsExpr(token_) || Is(TokenKind::kLeftParen)) {
        AZX_ASSIGN_OR_RETURN(matching.include, ParseLabelNames());
      }
    }
  }
  AZX_RETURN_IF_ERROR(ParseFills(matching));
  return modifiers;
}

Result<void> Parser::ParseFills(VectorMatching& matching) {
  if (Is(TokenKind::kFill)) {
    AZX_ASSIGN_OR_RETURN(matching.fill_left, ParseFillValue());
    matching.fill_right = matching.fill_left;
    return {};
  }
  const bool left_first = Is(TokenKind::kFillLeft);
  if (!left_first && !Is(TokenKind::kFillRight)) return {};
  AZX_ASSIGN_OR_RETURN((left_first ? matching.fill_left : matching.fill_right), ParseFillValue());
  if (!Is(left_first ? TokenKind::kFillRight : TokenKind::kFillLeft)) return {};
  AZX_ASSIGN_OR_RETURN((left_first ? matching.fill_right : matching.fill_left), ParseFillValue());
  return {};
}

// fill(0)
Result<double> Parser::ParseFillValue() {
  Advance();
  if (!Take(TokenKind::kLeftParen)) return UnexpectedHere();
  const SignedNumber sign = TakeSign();
  if (!Is(TokenKind::kNumber) && !Is(TokenKind::kDuration)) return UnexpectedHere();
  AZX_ASSIGN_OR_RETURN(const double value, TakeNumber());
  if (!Take(TokenKind::kRightParen)) return UnexpectedHere();
  return sign.value * value;
}

Result<ExprPtr> Parser::ParseUnary() {
  AZX_RETURN_IF_ERROR(Nest());
  if (!IsPlusOrMinus(token_)) {
    auto expr = ParsePostfix();
    --nesting_;
    return expr;
  }
  const Token sign = token_;
  const bool negative = sign.op == BinaryOp::kSub;
  Advance();
  AZX_ASSIGN_OR_RETURN(ExprPtr operand, ParseBinary(kPowPrecedence));
  --nesting_;
  const PositionRange position = Span(sign.position, operand->position().end);
  if (operand->kind() == ExprKind::kNumber) {
    auto& number = As<NumberLiteral>(*operand);
    if (negative) number.value = -number.value;
    number.set_position(position);
    return operand;
  }
  return Bounded(std::make_unique<UnaryExpr>(position, negative, std::move(operand)));
}

Result<ExprPtr> Parser::ParsePostfix() {
  AZX_ASSIGN_OR_RETURN(ExprPtr expr, ParsePrimary());
  for (;;) {
    switch (token_.kind) {
      case TokenKind::kLeftBracket: {
        AZX_ASSIGN_OR_RETURN(expr, ParseBrackets(std::move(expr)));
        break;
      }
      case TokenKind::kOffset:
        AZX_RETURN_IF_ERROR(ParseOffset(*expr));
        break;
      case TokenKind::kAt:
        AZX_RETURN_IF_ERROR(ParseAt(*expr));
        break;
      case TokenKind::kAnchored:
      case TokenKind::kSmoothed:
        AZX_RETURN_IF_ERROR(ParseRangeMode(*expr));
        break;
      default:
        return expr;
    }
  }
}

Result<ExprPtr> Parser::ParsePrimary() {
  switch (token_.kind) {
    case TokenKind::kNumber:
    case TokenKind::kDuration:
      return ParseNumber();
    case TokenKind::kString: {
      auto literal = std::make_unique<StringLiteral>(token_.position, Unquote(token_.text));
      Advance();
      return literal;
    }
    case TokenKind::kLeftParen:
      return ParseParen();
    case TokenKind::kLeftBrace:
      return ParseSelector(nullptr);
    default:
      break;
  }
  if (!IsMetricName(token_)) return UnexpectedHere();
  return ParseNamed();
}

Result<ExprPtr> Parser::ParseParen() {
  const PositionRange open = token_.position;
  Advance();
  AZX_ASSIGN_OR_RETURN(ExprPtr inner, ParseBinary(1));
  if (!Is(TokenKind::kRightParen)) return UnexpectedHere();
  Advance();
  return Bounded(std::make_unique<ParenExpr>(Span(open, last_end_), std::move(inner)));
}

Result<ExprPtr> Parser::ParseNumber() {
  const Token literal = token_;
  AZX_ASSIGN_OR_RETURN(const double value, TakeNumber());
  return std::make_unique<NumberLiteral>(literal.position, value,
                                         literal.kind == TokenKind::kDuration);
}

// A name begins a call, an aggregation or a selector: the token after it tells.
Result<ExprPtr> Parser::ParseNamed() {
  const Token name = token_;
  Advance();
  switch (name.kind) {
    case TokenKind::kAggregator:
    case TokenKind::kExperimentalAggregator:
      if (Is(TokenKind::kLeftParen) || Is(TokenKind::kBy) || Is(TokenKind::kWithout)) {
        return ParseAggregate(name);
      }
      break;
    case TokenKind::kIdentifier:
    case TokenKind::kStart:
    case TokenKind::kEnd:
    case TokenKind::kStep:
    case TokenKind::kRange:
    case TokenKind::kMaxOf:
    case TokenKind::kMinOf:
      if (Is(TokenKind::kLeftParen)) return ParseCall(name);
      break;
    default:
      break;
  }
  return ParseSelector(&name);
}

Result<std::vector<ExprPtr>> Parser::ParseArgs() {
  Advance();  // '('
  std::vector<ExprPtr> args;
  if (Take(TokenKind::kRightParen)) return args;
  for (;;) {
    AZX_ASSIGN_OR_RETURN(ExprPtr arg, ParseBinary(1));
    args.push_back(std::move(arg));
    if (Take(TokenKind::kRightParen)) return args;
    if (!Is(TokenKind::kComma)) return UnexpectedHere();
    const PositionRange comma = token_.position;
    Advance();
    if (!StartsExpr(token_) && !Is(TokenKind::kError)) {
      return ParseErrorAt(query_, comma, "trailing commas not allowed in function call args");
    }
  }
}

Result<ExprPtr> Parser::ParseCall(const Token& name) {
  AZX_ASSIGN_OR_RETURN(std::vector<ExprPtr> args, ParseArgs());
  const Function* function = FindFunction(name.text);
  if (function == nullptr) {
    return ParseErrorAt(query_, name.position,
                        fmt::format("unknown function with name \"{}\"", name.text));
  }
  if (function->experimental && !options_.experimental_functions) {
    return ParseErrorAt(query_, name.position,
                        fmt::format("function \"{}\" is not enabled", name.text));
  }
  return Bounded(
      std::make_unique<CallExpr>(Span(name.position, last_end_), *function, std::move(args)));
}

Result<ExprPtr> Parser::ParseAggregate(const Token& op) {
  const bool outer = std::exchange(in_aggregation_, true);
  bool without = false;
  std::vector<std::string> grouping;
  const auto parse_modifier = [&]() -> Result<void> {
    if (!Is(TokenKind::kBy) && !Is(TokenKind::kWithout)) return {};
    without = Is(TokenKind::kWithout);
    Advance();
    AZX_ASSIGN_OR_RETURN(grouping, ParseLabelNames());
    return {};
  };
  const bool modifier_first = !Is(TokenKind::kLeftParen);
  if (modifier_first) AZX_RETURN_IF_ERROR(parse_modifier());
  if (!Is(TokenKind::kLeftParen)) return UnexpectedHere();
  AZX_ASSIGN_OR_RETURN(std::vector<ExprPtr> args, ParseArgs());
  if (!modifier_first) {
    // A fault of the next word comes first where that might have been a modifier.
    if (Is(TokenKind::kError)) return UnexpectedHere();
    AZX_RETURN_IF_ERROR(parse_modifier());
  }
  in_aggregation_ = outer;

  const PositionRange position = Span(op.position, last_end_);
  if (args.empty()) {
    return ParseErrorAt(query_, position, "no arguments for aggregate expression provided");
  }
  if (op.kind == TokenKind::kExperimentalAggregator && !options_.experimental_functions) {
    return ParseErrorAt(query_, position,
                        fmt::format("{}() is experimental and must be enabled with "
                                    "--enable-feature=promql-experimental-functions",
                                    op.text));
  }
  const std::size_t wanted = TakesParam(op.aggregate) ? 2 : 1;
  if (args.size() != wanted) {
    return ParseErrorAt(query_, position,
                        fmt::format("wrong number of arguments for aggregate expression provided, "
                                    "expected {}, got {}",
                                    wanted, args.size()));
  }
  ExprPtr param = wanted == 2 ? std::move(args.front()) : nullptr;
  auto aggregate = std::make_unique<AggregateExpr>(position, op.aggregate, std::move(param),
                                                   std::move(args.back()));
  aggregate->without = without;
  aggregate->grouping = std::move(grouping);
  return Bounded(std::move(aggregate));
}

Result<std::shared_ptr<const Expr>> ParseExpr(std::string_view query,
                                              const ParserOptions& options) {
  AZX_ASSIGN_OR_RETURN(ExprPtr expr, Parser(query, options).Whole());
  return std::shared_ptr<const Expr>(std::move(expr));
}

Result<std::vector<model::Matcher>> ParseMetricSelector(std::string_view text) {
  AZX_ASSIGN_OR_RETURN(auto selector, Parser(text).WholeSelector());
  AZX_RETURN_IF_ERROR(CheckTypes(text, *selector));
  return std::move(selector->matchers);
}

Result<model::Labels> ParseMetric(std::string_view text) { return Parser(text).WholeMetric(); }

}  // namespace azexporter::promql
