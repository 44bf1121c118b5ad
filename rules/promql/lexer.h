#pragma once

// Splits a PromQL query into tokens. Inside braces words are only names, inside brackets only
// durations are expected; the lexer keeps track of which of them is open, as the same characters
// mean other things there.
//
// Thread safety: one thread only.
// Semantics: prometheus/promql/parser/lex.go.

#include <cstddef>
#include <string>
#include <string_view>

#include "azexporter/promql/ast.h"

namespace azexporter::promql {

enum class TokenKind {
  kEndOfInput,
  kError,
  kIdentifier,        // without a colon
  kMetricIdentifier,  // with a colon
  kNumber,
  kDuration,
  kString,
  kLeftParen,
  kRightParen,
  kLeftBrace,
  kRightBrace,
  kLeftBracket,
  kRightBracket,
  kComma,
  kColon,
  kAssign,
  // Operators.
  kBinaryOp,  // Token::op tells which
  kEqualRegex,
  kNotEqualRegex,
  kAt,
  // Words that have a meaning, and are still names where the grammar wants a name.
  kAggregator,  // Token::aggregate tells which
  kExperimentalAggregator,
  kAnchored,
  kBool,
  kBy,
  kFill,
  kFillLeft,
  kFillRight,
  kGroupLeft,
  kGroupRight,
  kIgnoring,
  kOffset,
  kOn,
  kSmoothed,
  kWithout,
  kStart,
  kEnd,
  kStep,
  kRange,
  kMaxOf,
  kMinOf,
};

struct Token {
  TokenKind kind = TokenKind::kEndOfInput;
  BinaryOp op = BinaryOp::kAdd;
  AggregateOp aggregate = AggregateOp::kSum;
  PositionRange position;
  // As written; quotes and escapes included.
  std::string_view text;
  // Of kError: what is wrong.
  std::string error;

  // As error messages call it: `identifier "foo"`, `<op:+>`, "end of input".
  std::string Describe() const;
};

class Lexer {
 public:
  // `input` must outlive this and every token.
  explicit Lexer(std::string_view input) : input_(input) {}

  // Comments and blanks are skipped. After kError nothing that makes sense comes.
  Token Next();

 private:
  Token LexStatement();
  Token LexInsideBraces();
  Token LexInsideBrackets();
  Token LexOperator(char c);
  Token LexString(char quote);
  bool ScanEscape(char quote, Token& error);
  bool ScanEscapedNumber(char first, Token& error);
  Token LexRawString();
  Token LexNumberOrDuration();
  bool ScanNumber();
  bool ScanNumberTail(std::string_view digits);
  bool ScanRestOfDuration();
  Token LexWord();

  Token Emit(TokenKind kind);
  Token EmitOp(BinaryOp op);
  Token Error(std::string message);
  void SkipBlanksAndComments();
  PositionRange PositionHere();

  bool AtEnd() const { return pos_ >= input_.size(); }
  // '\0' at the end; a zero byte in the input is refused wherever it could be confused with that.
  char Peek(std::size_t ahead = 0) const {
    return pos_ + ahead < input_.size() ? input_[pos_ + ahead] : '\0';
  }
  bool Accept(std::string_view set);
  bool PeekIs(std::string_view set) const;
  // The character at pos_, quoted for a message.
  std::string QuoteHere() const;

  std::string_view input_;
  std::size_t pos_ = 0;
  std::size_t start_ = 0;  // of the token being read
  // The line that counted_to_ stands in, and where it begins: moved along as tokens are begun.
  std::size_t counted_to_ = 0;
  std::size_t line_start_ = 0;
  int line_ = 1;

  int paren_depth_ = 0;
  bool brace_open_ = false;
  bool bracket_open_ = false;
  bool got_duration_ = false;  // since the bracket was opened
  bool got_colon_ = false;
};

}  // namespace azexporter::promql
