#include "template_pipeline_reader.h"

#include <algorithm>

#include "template_format.h"
#include "template_functions.h"
#include "template_number.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

using base::Result;

bool StartsOperand(TokenKind kind) {
  constexpr TokenKind kStarts[] = {
      TokenKind::kBool,       TokenKind::kCharConstant, TokenKind::kDot,     TokenKind::kField,
      TokenKind::kIdentifier, TokenKind::kLeftParen,    TokenKind::kNil,     TokenKind::kNumber,
      TokenKind::kRawString,  TokenKind::kString,       TokenKind::kVariable};
  return std::ranges::find(kStarts, kind) != std::end(kStarts);
}

bool IsExecutable(Operand::Kind kind) {
  return kind == Operand::Kind::kField || kind == Operand::Kind::kVariable ||
         kind == Operand::Kind::kIdentifier || kind == Operand::Kind::kPipeline ||
         kind == Operand::Kind::kChain;
}

void SetText(Pipeline& pipeline) {
  std::string& text = pipeline.place.text;
  for (const std::string& name : pipeline.variables) text += (text.empty() ? "" : ", ") + name;
  if (!pipeline.variables.empty()) text += pipeline.assigns ? " = " : " := ";
  for (std::size_t i = 0; i < pipeline.commands.size(); ++i) {
    text += (i > 0 ? " | " : "") + pipeline.commands[i].place.text;
  }
}

}  // namespace

// The variables in front of a pipeline: "$x :=", "$x =", in a range "$i, $x :=" too.
Result<void> PipelineReader::ReadVariables(const std::string& context, Pipeline& pipeline) {
  while (tokens_.PeekNonSpace().kind == TokenKind::kVariable) {
    const std::size_t here = tokens_.position();
    const std::string name = tokens_.Next().text;
    const Token& token = tokens_.NextNonSpace();
    const bool comma = token.kind == TokenKind::kChar && token.text == ",";
    if (token.kind != TokenKind::kAssign && token.kind != TokenKind::kDeclare && !comma) {
      tokens_.Rewind(here);
      return {};
    }
    pipeline.variables.push_back(name);
    variables_.push_back(name);
    if (!comma) {
      pipeline.assigns = token.kind == TokenKind::kAssign;
      return {};
    }
    if (context != "range" || pipeline.variables.size() > 1) {
      return tokens_.Fail("too many declarations in " + context);
    }
    const TokenKind kind = tokens_.PeekNonSpace().kind;
    if (kind != TokenKind::kVariable && kind != TokenKind::kRightDelimiter &&
        kind != TokenKind::kRightParen) {
      return tokens_.Fail("range can only initialize variables");
    }
  }
  return {};
}

Result<std::shared_ptr<Pipeline>> PipelineReader::Read(const std::string& context, TokenKind end) {
  auto pipeline = std::make_shared<Pipeline>();
  pipeline->place.position = tokens_.PeekNonSpace().position;
  AZX_RETURN_IF_ERROR(ReadVariables(context, *pipeline));
  for (;;) {
    const Token& token = tokens_.NextNonSpace();
    if (token.kind == end) break;
    if (!StartsOperand(token.kind)) return tokens_.Unexpected(token, context);
    tokens_.Back();
    AZX_ASSIGN_OR_RETURN(Command command, ReadCommand());
    pipeline->commands.push_back(std::move(command));
  }
  if (pipeline->commands.empty()) return tokens_.Fail("missing value for " + context);
  for (std::size_t i = 1; i < pipeline->commands.size(); ++i) {
    if (IsExecutable(pipeline->commands[i].operands[0].kind)) continue;
    return tokens_.Fail("non executable command in pipeline stage " + std::to_string(i + 1));
  }
  SetText(*pipeline);
  return pipeline;
}

Result<Command> PipelineReader::ReadCommand() {
  Command command;
  command.place.position = tokens_.PeekNonSpace().position;
  for (bool more = true; more;) {
    tokens_.PeekNonSpace();
    AZX_ASSIGN_OR_RETURN(std::optional<Operand> operand, ReadOperand());
    if (operand) {
      command.place.text += (command.operands.empty() ? "" : " ") + operand->place.text;
      command.operands.push_back(std::move(*operand));
    }
    const Token& token = tokens_.Next();
    more = token.kind == TokenKind::kSpace;
    if (token.kind == TokenKind::kRightDelimiter || token.kind == TokenKind::kRightParen) {
      tokens_.Back();
    } else if (!more && token.kind != TokenKind::kPipe) {
      return tokens_.Unexpected(token, "operand");
    }
  }
  if (command.operands.empty()) return tokens_.Fail("empty command");
  return command;
}

// Nothing where none begins.
Result<std::optional<Operand>> PipelineReader::ReadOperand() {
  AZX_ASSIGN_OR_RETURN(std::optional<Operand> term, ReadTerm());
  if (!term || tokens_.Peek().kind != TokenKind::kField) return term;
  if (!IsExecutable(term->kind)) {
    return tokens_.Fail("unexpected . after term " + Quote(term->place.text, {}));
  }
  // Go finds such a term where its last piece begins.
  const std::size_t position = tokens_.Peek().position;
  if (term->kind != Operand::Kind::kField && term->kind != Operand::Kind::kVariable) {
    Operand chain;
    chain.kind = Operand::Kind::kChain;
    chain.place.text = term->place.text;
    chain.inner = std::make_shared<Operand>(std::move(*term));
    term = std::move(chain);
  }
  term->place.position = position;
  while (tokens_.Peek().kind == TokenKind::kField) {
    const Token& field = tokens_.Next();
    term->place.text += field.text;
    term->fields.push_back(field.text.substr(1));
  }
  return term;
}

Result<std::optional<Operand>> PipelineReader::ReadTerm() {
  const Token& token = tokens_.NextNonSpace();
  Operand term;
  term.place = {token.position, token.text};
  switch (token.kind) {
    case TokenKind::kIdentifier:
      if (FindFunction(token.text) == nullptr) {
        return tokens_.Fail("function " + Quote(token.text, {}) + " not defined");
      }
      term.kind = Operand::Kind::kIdentifier;
      term.text = token.text;
      return term;
    case TokenKind::kDot:
      return term;
    case TokenKind::kNil:
      term.kind = Operand::Kind::kNil;
      return term;
    case TokenKind::kVariable:
      if (std::find(variables_.begin(), variables_.end(), token.text) == variables_.end()) {
        return tokens_.Fail("undefined variable " + Quote(token.text, {}));
      }
      term.kind = Operand::Kind::kVariable;
      term.text = token.text;
      return term;
    case TokenKind::kField:
      term.kind = Operand::Kind::kField;
      term.fields.push_back(token.text.substr(1));
      return term;
    case TokenKind::kBool:
      term.kind = Operand::Kind::kBool;
      term.flag = token.text == "true";
      return term;
    case TokenKind::kCharConstant:
    case TokenKind::kNumber:
      return ReadLiteral(token, std::move(term));
    case TokenKind::kString:
    case TokenKind::kRawString: {
      auto text = Unquote(token.text);
      if (!text) return tokens_.Fail(text.error().message());
      term.kind = Operand::Kind::kString;
      term.text = std::move(*text);
      return term;
    }
    case TokenKind::kLeftParen:
      return ReadParenthesized(std::move(term));
    default:
      tokens_.Back();
      return std::optional<Operand>();
  }
}

Result<std::optional<Operand>> PipelineReader::ReadLiteral(const Token& token, Operand term) const {
  auto number = ReadNumber(token.text);
  if (!number) return tokens_.Fail(number.error().message());
  term.kind = Operand::Kind::kNumber;
  term.whole = number->whole;
  term.number = number->number;
  term.is_float = number->is_float;
  return term;
}

Result<std::optional<Operand>> PipelineReader::ReadParenthesized(Operand term) {
  AZX_RETURN_IF_ERROR(tokens_.Enter());
  term.kind = Operand::Kind::kPipeline;
  AZX_ASSIGN_OR_RETURN(term.pipeline, Read("parenthesized pipeline", TokenKind::kRightParen));
  tokens_.Leave();
  // Go finds a pipeline where it begins, behind the parenthesis.
  term.place = {term.pipeline->place.position, "(" + term.pipeline->place.text + ")"};
  return term;
}

}  // namespace azexporter::rules::text_template
