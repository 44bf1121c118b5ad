#include "azexporter/promql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"
#include "azexporter/promql/functions.h"
#include "lexer.h"
#include "literals.h"
#include "token_roles.h"
#include "type_check.h"

// The grammar, in EBNF; what stands in CAPITALS is a token. Binary operators bind as in the table
// below, weakest first: or | and unless | comparisons | + - | * / % atan2 | ^. All of them
// associate to the left but ^. Unary + and - bind as * does, so -1^2 is -(1^2).
//
//   expr       = unary { BINARY_OP [ "bool" ] [ matching ] unary }
//   matching   = ( "on" | "ignoring" ) labels [ ( "group_left" | "group_right" ) [ labels ] ]
//   unary      = { "+" | "-" } postfix
//   postfix    = primary { range | subquery | "offset" signed | "@" at }
//   range      = "[" signed "]"
//   subquery   = "[" signed ":" [ signed ] "]"
//   at         = signed | ( "start" | "end" ) "(" ")"
//   signed     = [ "+" | "-" ] ( NUMBER | DURATION )
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

namespace azexporter::promql {
namespace {

using base::BadData;
using base::Result;

// How deep parentheses, arguments and signs may stand within each other: the parser calls itself
// for each of them, and needs more room on the stack than those who walk the finished tree.
constexpr int kMaxNesting = 200;

// Go's time.Duration counts nanoseconds in an int64.
constexpr double kMaxDurationSeconds = 9223372036.854775807;

// Functions that Prometheus has behind a feature flag, and azexporter not yet. Known by name only
// so that the message does not call them unknown.
constexpr std::string_view kExperimentalFunctions[] = {
    "double_exponential_smoothing",
    "end",
    "histogram_quantiles",
    "info",
    "mad_over_time",
    "max_of",
    "min_of",
    "range",
    "sort_by_label",
    "sort_by_label_desc",
    "start",
    "start_timestamp",
    "step",
    "ts_of_first_over_time",
    "ts_of_last_over_time",
    "ts_of_max_over_time",
    "ts_of_min_over_time",
};

bool TakesParam(AggregateOp op) {
  return op == AggregateOp::kTopk || op == AggregateOp::kBottomk || op == AggregateOp::kQuantile ||
         op == AggregateOp::kCountValues;
}

// Durations are counted in nanoseconds before what is less than a millisecond is cut off: 1.001 s
// is 1001 ms, though 1.001 * 1000 is a bit less.
std::int64_t ToMs(double seconds) {
  return static_cast<std::int64_t>(std::round(seconds * 1e9) / 1e6);
}

PositionRange Span(const PositionRange& first, std::size_t end) {
  PositionRange span = first;
  span.end = end;
  return span;
}

// Precedence climbing over one token of look-ahead. The first fault ends the parse.
class Parser {
 public:
  explicit Parser(std::string_view query) : query_(query), lexer_(query) { Advance(); }

  Result<ExprPtr> Whole();
  Result<std::unique_ptr<VectorSelector>> WholeSelector();
  Result<model::Labels> WholeMetric();

 private:
  // --- tokens
  void Advance() {
    last_end_ = token_.position.end;
    token_ = lexer_.Next();
  }
  bool Is(TokenKind kind) const { return token_.kind == kind; }
  bool Take(TokenKind kind) {
    if (!Is(kind)) return false;
    Advance();
    return true;
  }
  // The current token fits nowhere. `expected`: what would have fitted; "" where that is much.
  tl::unexpected<base::Error> Unexpected(std::string_view context,
                                         std::string_view expected = "") const;
  tl::unexpected<base::Error> UnexpectedHere() const {
    return Unexpected(in_aggregation_ ? "aggregation" : "");
  }
  Result<void> ExpectEnd();

  // --- expressions
  Result<ExprPtr> ParseBinary(int min_precedence);
  Result<ExprPtr> ParseUnary();
  Result<ExprPtr> ParsePostfix();
  Result<ExprPtr> ParsePrimary();
  Result<ExprPtr> ParseParen();
  Result<ExprPtr> ParseNumber();
  Result<ExprPtr> ParseNamed();
  Result<ExprPtr> ParseCall(const Token& name);
  Result<ExprPtr> ParseAggregate(const Token& op);
  Result<std::vector<ExprPtr>> ParseArgs();
  Result<std::unique_ptr<VectorSelector>> ParseSelector(const Token* name);
  Result<std::vector<model::Matcher>> ParseMatchers();
  Result<model::Matcher> ParseMatcher();

  // --- what follows an operator or an expression
  struct BinaryModifiers {
    bool return_bool = false;
    VectorMatching matching;
  };
  Result<BinaryModifiers> ParseBinaryModifiers(const Expr& lhs);
  Result<std::vector<std::string>> ParseLabelNames();
  Result<ExprPtr> ParseBrackets(ExprPtr expr);
  Result<ExprPtr> FinishRange(ExprPtr expr, const PositionRange& bracket, std::int64_t range_ms);
  Result<ExprPtr> FinishSubquery(ExprPtr expr, std::int64_t range_ms);
  Result<void> ParseOffset(Expr& expr);
  Result<void> ParseAt(Expr& expr);
  Result<TimeModifiers*> TimeModifiersOf(Expr& expr, std::string_view modifier);
  void EndAt(Expr& expr) { expr.set_position(Span(expr.position(), last_end_)); }

  // --- literals
  struct SignedNumber {
    double value = 0;
    PositionRange position;
  };
  SignedNumber TakeSign();
  Result<SignedNumber> ParseDigits(SignedNumber sign, std::string_view context,
                                   std::string_view expected);
  Result<SignedNumber> ParseSeconds(std::string_view context, std::string_view expected);
  Result<std::int64_t> ParsePositiveDurationMs(std::string_view context, std::string_view expected);
  Result<double> TakeNumber();

  // Refuses a tree that has grown too deep.
  Result<ExprPtr> Bounded(ExprPtr expr) const;

  std::string_view query_;
  Lexer lexer_;
  Token token_;               // the one being looked at
  std::size_t last_end_ = 0;  // where the one before it ended
  int nesting_ = 0;           // of this parser's own recursion
  bool in_aggregation_ = false;
};

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
    AZX_ASSIGN_OR_RETURN(BinaryModifiers modifiers, ParseBinaryModifiers(*lhs));
    const int precedence = Precedence(op.op);
    AZX_ASSIGN_OR_RETURN(ExprPtr rhs,
                         ParseBinary(op.op == BinaryOp::kPow ? precedence : precedence + 1));
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

Result<Parser::BinaryModifiers> Parser::ParseBinaryModifiers(const Expr& lhs) {
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
      if (Is(TokenKind::kLeftParen)) {
        AZX_ASSIGN_OR_RETURN(matching.include, ParseLabelNames());
      }
    }
  }
  if (Is(TokenKind::kFill) || Is(TokenKind::kFillLeft) || Is(TokenKind::kFillRight)) {
    return ParseErrorAt(query_, lhs.position(),
                        "binop fill modifiers are experimental and not enabled");
  }
  return modifiers;
}

Result<std::vector<std::string>> Parser::ParseLabelNames() {
  if (!Is(TokenKind::kLeftParen)) return Unexpected("grouping opts", "\"(\"");
  Advance();
  std::vector<std::string> names;
  while (!Take(TokenKind::kRightParen)) {
    if (IsLabelName(token_)) {
      names.emplace_back(token_.text);
    } else if (Is(TokenKind::kString)) {
      names.push_back(Unquote(token_.text));
      if (names.back().empty()) {
        return ParseErrorAt(query_, token_.position, "invalid label name for grouping: \"\"");
      }
    } else {
      return Unexpected("grouping opts", "label");
    }
    Advance();
    if (!Take(TokenKind::kComma) && !Is(TokenKind::kRightParen)) {
      return Unexpected("grouping opts", "\",\" or \")\"");
    }
  }
  return names;
}

Result<ExprPtr> Parser::ParseUnary() {
  if (++nesting_ > kMaxNesting) {
    return ParseErrorAt(query_, token_.position,
                        fmt::format("expression is nested deeper than {}", kMaxNesting));
  }
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
        return ParseErrorAt(query_, expr->position(),
                            fmt::format("{} modifier is experimental and not enabled",
                                        Is(TokenKind::kAnchored) ? "anchored" : "smoothed"));
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

Result<double> Parser::TakeNumber() {
  auto value = NumberValue(token_.text, Is(TokenKind::kDuration));
  if (!value) return ParseErrorAt(query_, token_.position, value.error().message());
  Advance();
  return *value;
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
    const bool experimental = std::ranges::count(kExperimentalFunctions, name.text) > 0;
    return ParseErrorAt(query_, name.position,
                        experimental ? fmt::format("function \"{}\" is not enabled", name.text)
                                     : fmt::format("unknown function with name \"{}\"", name.text));
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
  if (!modifier_first) AZX_RETURN_IF_ERROR(parse_modifier());
  in_aggregation_ = outer;

  const PositionRange position = Span(op.position, last_end_);
  if (args.empty()) {
    return ParseErrorAt(query_, position, "no arguments for aggregate expression provided");
  }
  if (op.kind == TokenKind::kExperimentalAggregator) {
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

Result<std::unique_ptr<VectorSelector>> Parser::ParseSelector(const Token* name) {
  const PositionRange begin = name != nullptr ? name->position : token_.position;
  std::vector<model::Matcher> matchers;
  if (Is(TokenKind::kLeftBrace)) {
    AZX_ASSIGN_OR_RETURN(matchers, ParseMatchers());
  }
  std::string metric;
  if (name != nullptr) {
    metric = std::string(name->text);
    AZX_ASSIGN_OR_RETURN(
        model::Matcher by_name,
        model::Matcher::Create(model::MatchType::kEqual, std::string(model::kMetricName), metric));
    matchers.push_back(std::move(by_name));
  }
  return std::make_unique<VectorSelector>(Span(begin, last_end_), std::move(metric),
                                          std::move(matchers));
}

Result<std::vector<model::Matcher>> Parser::ParseMatchers() {
  Advance();  // '{'
  std::vector<model::Matcher> matchers;
  while (!Take(TokenKind::kRightBrace)) {
    AZX_ASSIGN_OR_RETURN(model::Matcher matcher, ParseMatcher());
    matchers.push_back(std::move(matcher));
    if (!Take(TokenKind::kComma) && !Is(TokenKind::kRightBrace)) {
      return Unexpected("label matching", "\",\" or \"}\"");
    }
  }
  return matchers;
}

Result<model::Matcher> Parser::ParseMatcher() {
  const Token name = token_;
  const bool quoted = Is(TokenKind::kString);
  if (!quoted && !Is(TokenKind::kIdentifier)) {
    return Unexpected("label matching", "identifier or \"}\"");
  }
  Advance();
  if (!IsMatchOp(token_)) {
    if (!quoted) return Unexpected("label matching", "label matching operator");
    return model::Matcher::Create(model::MatchType::kEqual, std::string(model::kMetricName),
                                  Unquote(name.text));
  }
  const model::MatchType type = MatchTypeOf(token_);
  Advance();
  if (!Is(TokenKind::kString)) return Unexpected("label matching", "string");
  auto matcher = model::Matcher::Create(type, quoted ? Unquote(name.text) : std::string(name.text),
                                        Unquote(token_.text));
  if (!matcher) return ParseErrorAt(query_, name.position, matcher.error().message());
  Advance();
  return matcher;
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

// A duration. One that would have to be computed is refused.
Result<Parser::SignedNumber> Parser::ParseSeconds(std::string_view context,
                                                  std::string_view expected) {
  SignedNumber number = TakeSign();
  const PositionRange begin = token_.position;
  if (Is(TokenKind::kStep) || Is(TokenKind::kRange) || Is(TokenKind::kMaxOf) ||
      Is(TokenKind::kMinOf)) {
    Advance();
    if (!Is(TokenKind::kLeftParen)) return Unexpected(context, expected);
  }
  if (Is(TokenKind::kLeftParen)) {
    return ParseErrorAt(query_, begin, "experimental duration expression is not enabled");
  }
  AZX_ASSIGN_OR_RETURN(number, ParseDigits(number, context, expected));
  // Written so that NaN is out of range too.
  if (!(std::abs(number.value) <= kMaxDurationSeconds)) {
    return ParseErrorAt(query_, number.position, "duration out of range");
  }
  return number;
}

Result<std::int64_t> Parser::ParsePositiveDurationMs(std::string_view context,
                                                     std::string_view expected) {
  AZX_ASSIGN_OR_RETURN(const SignedNumber number, ParseSeconds(context, expected));
  if (Is(TokenKind::kBinaryOp)) {
    return ParseErrorAt(query_, number.position, "experimental duration expression is not enabled");
  }
  // Less than a millisecond is no time at all to the store, hence refused as zero is.
  const std::int64_t ms = ToMs(number.value);
  if (ms <= 0) return ParseErrorAt(query_, number.position, "duration must be greater than 0");
  return ms;
}

Result<ExprPtr> Parser::ParseBrackets(ExprPtr expr) {
  const PositionRange bracket = token_.position;
  Advance();
  AZX_ASSIGN_OR_RETURN(const std::int64_t range_ms,
                       ParsePositiveDurationMs("subquery or range selector",
                                               "number, duration, step(), or range()"));
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
                         ParsePositiveDurationMs("subquery selector",
                                                 "number, duration, step(), range(), or \"]\""));
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
  AZX_ASSIGN_OR_RETURN(const SignedNumber number,
                       ParseSeconds("offset", "number, duration, step(), or range()"));
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

Result<std::unique_ptr<VectorSelector>> Parser::WholeSelector() {
  const Token name = token_;
  const bool named = IsMetricName(name);
  if (named) Advance();
  if (!named && !Is(TokenKind::kLeftBrace)) return UnexpectedHere();
  AZX_ASSIGN_OR_RETURN(auto selector, ParseSelector(named ? &name : nullptr));
  AZX_RETURN_IF_ERROR(ExpectEnd());
  return selector;
}

Result<model::Labels> Parser::WholeMetric() {
  AZX_ASSIGN_OR_RETURN(auto selector, WholeSelector());
  model::LabelsBuilder labels;
  for (const model::Matcher& matcher : selector->matchers) {
    if (matcher.type() != model::MatchType::kEqual) {
      return ParseErrorAt(query_, selector->position(),
                          "a series is named with '=' only, got " + matcher.ToString());
    }
    labels.Set(matcher.name(), matcher.value());
  }
  return labels.Build();
}

}  // namespace

Result<std::shared_ptr<const Expr>> ParseExpr(std::string_view query) {
  AZX_ASSIGN_OR_RETURN(ExprPtr expr, Parser(query).Whole());
  return std::shared_ptr<const Expr>(std::move(expr));
}

Result<std::vector<model::Matcher>> ParseMetricSelector(std::string_view text) {
  AZX_ASSIGN_OR_RETURN(auto selector, Parser(text).WholeSelector());
  AZX_RETURN_IF_ERROR(CheckTypes(text, *selector));
  return std::move(selector->matchers);
}

Result<model::Labels> ParseMetric(std::string_view text) { return Parser(text).WholeMetric(); }

}  // namespace azexporter::promql
