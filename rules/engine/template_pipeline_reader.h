#pragma once

// Reads the pipelines of actions: what stands between the word of an action and its "}}". Private
// to `rules`. Semantics: golang.org/src/text/template/parse/parse.go.
//
// Thread safety: one thread only.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "azexporter/base/result.h"
#include "template_token_reader.h"
#include "template_tree.h"

namespace azexporter::rules::text_template {

class PipelineReader {
 public:
  // `tokens` must outlive this.
  explicit PipelineReader(TokenReader& tokens) : tokens_(tokens) {}

  // Up to and with `end`; `context` is how errors name the action: "range".
  base::Result<std::shared_ptr<Pipeline>> Read(const std::string& context, TokenKind end);

  // The variables that may be named from here on.
  std::vector<std::string>& variables() { return variables_; }

 private:
  base::Result<void> ReadVariables(const std::string& context, Pipeline& pipeline);
  base::Result<Command> ReadCommand();
  // Nothing where none begins.
  base::Result<std::optional<Operand>> ReadOperand();
  base::Result<std::optional<Operand>> ReadTerm();
  base::Result<std::optional<Operand>> ReadLiteral(const Token& token, Operand term) const;
  base::Result<std::optional<Operand>> ReadParenthesized(Operand term);

  TokenReader& tokens_;
  std::vector<std::string> variables_ = {"$"};
};

}  // namespace azexporter::rules::text_template
