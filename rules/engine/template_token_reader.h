#pragma once

// Hands out the tokens of a template one by one, and words the errors of who reads them. Private to
// `rules`.
//
// Thread safety: one thread only.

#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "template_lexer.h"

namespace azexporter::rules::text_template {

class TokenReader {
 public:
  TokenReader(std::string_view name, std::string_view text)
      : name_(name), tokens_(Tokenize(text)) {}

  // The end again and again, once it is reached.
  const Token& Next();
  const Token& Peek();
  // These skip the space before it.
  const Token& NextNonSpace();
  const Token& PeekNonSpace();
  void Back() { --next_; }
  // To come back to it with Rewind.
  std::size_t position() const { return next_; }
  void Rewind(std::size_t position) { next_ = position; }

  // Errors name the line of the furthest token that was looked at.
  tl::unexpected<base::Error> Fail(const std::string& why) const;
  tl::unexpected<base::Error> Unexpected(const Token& token, const std::string& context) const;
  base::Result<void> Expect(TokenKind kind, const std::string& context);

  // An error in a later line says in which one the action at hand began; 0 is none.
  void SetActionLine(int line) { action_line_ = line; }

  // Parentheses and blocks within each other: an error where they are too many.
  base::Result<void> Enter();
  void Leave() { --nesting_; }

 private:
  const std::string name_;
  const std::vector<Token> tokens_;
  std::size_t next_ = 0;
  std::size_t furthest_ = 0;
  int action_line_ = 0;
  int nesting_ = 0;
};

}  // namespace azexporter::rules::text_template
