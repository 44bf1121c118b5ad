#pragma once

// Cuts the text of a template into tokens, with the trim markers done and without comments. Private
// to `rules`.
// Semantics: golang.org/src/text/template/parse/lex.go.
//
// Thread safety: pure functions.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace azexporter::rules::text_template {

enum class TokenKind {
  kError,  // its text says what is wrong; nothing but the end follows
  kEnd,
  kText,
  kLeftDelimiter,
  kRightDelimiter,
  kBool,
  kChar,  // a printable ASCII character that is nothing else: ','
  kCharConstant,
  kAssign,   // =
  kDeclare,  // :=
  kField,    // .name
  kIdentifier,
  kLeftParen,
  kRightParen,
  kNumber,
  kPipe,
  kString,
  kRawString,
  kSpace,
  kVariable,  // $ or $name
  // Words of the language; Go counts the dot among them.
  kDot,
  kBlock,
  kBreak,
  kContinue,
  kDefine,
  kElse,
  kEndWord,
  kIf,
  kNil,
  kRange,
  kTemplate,
  kWith,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t position = 0;  // in bytes
  int line = 1;
  std::string text;
};

// As Go names it in an error: `"abc"`, `<if>`, `EOF`.
std::string Describe(const Token& token);

// The last one is the end.
std::vector<Token> Tokenize(std::string_view text);

}  // namespace azexporter::rules::text_template
