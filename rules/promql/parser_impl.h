#pragma once

// The parser: recursive descent, with precedence climbing for binary operators, over one token of
// look-ahead. The first fault ends the parse. The grammar stands in parser.cc.
//
// Thread safety: one thread only.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"
#include "azexporter/model/matcher.h"
#include "azexporter/promql/ast.h"
#include "azexporter/promql/parser.h"
#include "lexer.h"

namespace azexporter::promql {

// From the start of `first` to `end`.
inline PositionRange Span(const PositionRange& first, std::size_t end) {
  PositionRange span = first;
  span.end = end;
  return span;
}

class Parser {
 public:
  explicit Parser(std::string_view query, const ParserOptions& options = {})
      : query_(query), options_(options), lexer_(query) {
    Advance();
  }

  base::Result<ExprPtr> Whole();
  base::Result<std::unique_ptr<VectorSelector>> WholeSelector();
  base::Result<model::Labels> WholeMetric();

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
  base::Result<void> ExpectEnd();

  // --- expressions
  base::Result<ExprPtr> ParseBinary(int min_precedence);
  base::Result<ExprPtr> ParseRightSide(BinaryOp op);
  base::Result<ExprPtr> ParseUnary();
  base::Result<ExprPtr> ParsePostfix();
  base::Result<ExprPtr> ParsePrimary();
  base::Result<ExprPtr> ParseParen();
  base::Result<ExprPtr> ParseNumber();
  base::Result<ExprPtr> ParseNamed();
  base::Result<ExprPtr> ParseCall(const Token& name);
  base::Result<ExprPtr> ParseAggregate(const Token& op);
  base::Result<std::vector<ExprPtr>> ParseArgs();
  base::Result<std::unique_ptr<VectorSelector>> ParseSelector(const Token* name);
  base::Result<std::vector<model::Matcher>> ParseMatchers();
  base::Result<model::Matcher> ParseMatcher();
  base::Result<void> ParseLabel(model::LabelsBuilder& labels);

  // --- what follows an operator or an expression
  struct BinaryModifiers {
    bool return_bool = false;
    VectorMatching matching;
  };
  base::Result<BinaryModifiers> ParseBinaryModifiers();
  base::Result<void> ParseFills(VectorMatching& matching);
  base::Result<double> ParseFillValue();
  base::Result<std::vector<std::string>> ParseLabelNames();
  base::Result<ExprPtr> ParseBrackets(ExprPtr expr);
  // A duration that is known when parsed, or one that is computed later.
  struct DurationValue {
    std::int64_t ms = 0;
    DurationPtr expr;
  };
  base::Result<ExprPtr> FinishRange(ExprPtr expr, const PositionRange& bracket,
                                    DurationValue range);
  base::Result<ExprPtr> FinishSubquery(ExprPtr expr, DurationValue range);
  base::Result<void> ParseRangeMode(Expr& expr);
  base::Result<void> ParseOffset(Expr& expr);
  base::Result<void> ParseAt(Expr& expr);
  base::Result<TimeModifiers*> TimeModifiersOf(Expr& expr, std::string_view modifier);
  void EndAt(Expr& expr) { expr.set_position(Span(expr.position(), last_end_)); }

  // --- literals
  struct SignedNumber {
    double value = 0;
    PositionRange position;
  };
  SignedNumber TakeSign();
  base::Result<SignedNumber> ParseDigits(SignedNumber sign, std::string_view context,
                                         std::string_view expected);

  // Where a duration stands, as messages call it, and what would fit there.
  struct DurationPlace {
    std::string_view context;
    std::string_view expected;
  };
  // Nodes are changed until they stand in the tree. Literals carry their sign.
  struct DurationNode {
    std::shared_ptr<DurationExpr> expr;
    PositionRange position;
    bool is_literal() const { return expr->op == DurationExpr::Op::kNumber; }
  };
  base::Result<DurationNode> ParseSecondsLiteral(SignedNumber sign, const DurationPlace& place);
  base::Result<DurationNode> ParseDurationExpr(int min_precedence, const DurationPlace& place);
  base::Result<DurationNode> ParseDurationOperand(const DurationPlace& place);
  base::Result<DurationNode> ParseDurationInParens(const DurationPlace& place);
  base::Result<DurationNode> ParseDurationCall(const DurationPlace& place);
  base::Result<DurationNode> ParseOffsetDuration();
  base::Result<DurationValue> ParsePositiveDuration(const DurationPlace& place);
  base::Result<DurationNode> Negated(DurationNode operand, const SignedNumber& sign) const;
  static DurationNode NewDuration(DurationExpr expr, const PositionRange& position);
  base::Result<double> TakeNumber();

  // One level deeper; --nesting_ comes back.
  base::Result<void> Nest();
  // Refuses a tree that has grown too deep.
  base::Result<ExprPtr> Bounded(ExprPtr expr) const;

  std::string_view query_;
  const ParserOptions options_;
  Lexer lexer_;
  Token token_;               // the one being looked at
  std::size_t last_end_ = 0;  // where the one before it ended
  int nesting_ = 0;           // of this parser's own recursion
  int durations_ = 0;         // operators in computed durations
  bool in_aggregation_ = false;
};

}  // namespace azexporter::promql
