#include "template_token_reader.h"

#include <algorithm>

namespace azexporter::rules::text_template {

const Token& TokenReader::Next() {
  const std::size_t at = std::min(next_, tokens_.size() - 1);
  furthest_ = std::max(furthest_, at);
  ++next_;
  return tokens_[at];
}

const Token& TokenReader::Peek() {
  const Token& token = Next();
  Back();
  return token;
}

const Token& TokenReader::NextNonSpace() {
  const Token* token = &Next();
  while (token->kind == TokenKind::kSpace) token = &Next();
  return *token;
}

const Token& TokenReader::PeekNonSpace() {
  const Token& token = NextNonSpace();
  Back();
  return token;
}

tl::unexpected<base::Error> TokenReader::Fail(const std::string& why) const {
  return base::BadData("template: " + name_ + ":" + std::to_string(tokens_[furthest_].line) + ": " +
                       why);
}

tl::unexpected<base::Error> TokenReader::Unexpected(const Token& token,
                                                    const std::string& context) const {
  if (token.kind != TokenKind::kError) {
    return Fail("unexpected " + Describe(token) + " in " + context);
  }
  std::string extra;
  if (action_line_ != 0 && action_line_ != token.line) {
    extra = " in action started at " + name_ + ":" + std::to_string(action_line_);
    constexpr std::string_view kAlreadySaid = " in action";
    if (token.text.ends_with(" action")) extra.erase(0, kAlreadySaid.size());
  }
  return Fail(token.text + extra);
}

base::Result<void> TokenReader::Expect(TokenKind kind, const std::string& context) {
  const Token& token = NextNonSpace();
  if (token.kind != kind) return Unexpected(token, context);
  return {};
}

base::Result<void> TokenReader::Enter() {
  constexpr int kMaxNesting = 50;
  if (++nesting_ > kMaxNesting) return Fail("nested too deeply");
  return {};
}

}  // namespace azexporter::rules::text_template
