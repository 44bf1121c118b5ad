// Reads the tokens of a template into its tree, in the order and with the errors of Go's parser.
// Semantics: golang.org/src/text/template/parse/parse.go.

#include <algorithm>

#include "template_format.h"
#include "template_functions.h"
#include "template_lexer.h"
#include "template_number.h"
#include "template_quote.h"
#include "template_tree.h"

namespace azexporter::rules::text_template {
namespace {

using base::Result;

// Of parentheses and blocks within each other.
constexpr int kMaxNesting = 50;

constexpr std::string_view kEndText = "{{end}}";
constexpr std::string_view kElseText = "{{else}}";

bool IsOnlySpace(const Nodes& nodes) {
  return std::all_of(nodes.begin(), nodes.end(), [](const Node& node) {
    return node.kind == Node::Kind::kText &&
           node.place.text.find_first_not_of(" \t\r\n\v\f") == std::string::npos;
  });
}

bool StartsOperand(TokenKind kind) {
  switch (kind) {
    case TokenKind::kBool:
    case TokenKind::kCharConstant:
    case TokenKind::kDot:
    case TokenKind::kField:
    case TokenKind::kIdentifier:
    case TokenKind::kLeftParen:
    case TokenKind::kNil:
    case TokenKind::kNumber:
    case TokenKind::kRawString:
    case TokenKind::kString:
    case TokenKind::kVariable:
      return true;
    default:
      return false;
  }
}

bool IsExecutable(Operand::Kind kind) {
  return kind == Operand::Kind::kField || kind == Operand::Kind::kVariable ||
         kind == Operand::Kind::kIdentifier || kind == Operand::Kind::kPipeline ||
         kind == Operand::Kind::kChain;
}

class Parser {
 public:
  Parser(std::string_view name, std::string text) : tokens_(Tokenize(text)) {
    tree_.name = name;
    tree_.source = std::move(text);
  }

  Result<Tree> Run() {
    Nodes root;
    while (Peek().kind != TokenKind::kEnd) {
      const std::size_t here = next_;
      if (Next().kind == TokenKind::kLeftDelimiter && NextNonSpace().kind == TokenKind::kDefine) {
        AZX_RETURN_IF_ERROR(ReadDefinition());
        continue;
      }
      next_ = here;
      AZX_ASSIGN_OR_RETURN(Item item, ReadItem());
      if (!item.node) return Fail("unexpected " + item.closes);
      root.push_back(std::move(*item.node));
    }
    AZX_RETURN_IF_ERROR(Add(tree_.name, std::move(root)));
    return std::move(tree_);
  }

 private:
  // A node, or the {{end}} or {{else}} that stands in its place.
  struct Item {
    std::optional<Node> node;
    std::string closes = {};
  };
  struct List {
    Nodes nodes;
    std::string closed_by;
  };

  const Token& Next() {
    const Token& token = tokens_[std::min(next_, tokens_.size() - 1)];
    furthest_ = std::max(furthest_, std::min(next_, tokens_.size() - 1));
    ++next_;
    return token;
  }
  const Token& Peek() {
    const Token& token = Next();
    --next_;
    return token;
  }
  const Token& NextNonSpace() {
    const Token* token = &Next();
    while (token->kind == TokenKind::kSpace) token = &Next();
    return *token;
  }
  // Skips the space before it.
  const Token& PeekNonSpace() {
    const Token& token = NextNonSpace();
    --next_;
    return token;
  }

  tl::unexpected<base::Error> Fail(const std::string& why) const {
    return base::BadData("template: " + tree_.name + ":" + std::to_string(tokens_[furthest_].line) +
                         ": " + why);
  }
  tl::unexpected<base::Error> Unexpected(const Token& token, const std::string& context) const {
    if (token.kind != TokenKind::kError) {
      return Fail("unexpected " + Describe(token) + " in " + context);
    }
    std::string extra;
    if (action_line_ != 0 && action_line_ != token.line) {
      extra = " in action started at " + tree_.name + ":" + std::to_string(action_line_);
      constexpr std::string_view kAlreadySaid = " in action";
      if (token.text.ends_with(" action")) extra.erase(0, kAlreadySaid.size());
    }
    return Fail(token.text + extra);
  }
  Result<void> Expect(TokenKind kind, const std::string& context) {
    const Token& token = NextNonSpace();
    if (token.kind != kind) return Unexpected(token, context);
    return {};
  }

  Result<void> Add(const std::string& name, Nodes nodes) {
    Nodes& known = tree_.templates[name];
    if (IsOnlySpace(known)) {
      known = std::move(nodes);
    } else if (!IsOnlySpace(nodes)) {
      return Fail("template: multiple definition of template " + Quote(name, {}));
    }
    return {};
  }

  Result<Item> ReadItem() {
    const Token& token = NextNonSpace();
    if (token.kind == TokenKind::kText) {
      Node text;
      text.place = {token.position, token.text};
      return Item{std::move(text)};
    }
    if (token.kind != TokenKind::kLeftDelimiter) return Unexpected(token, "input");
    action_line_ = token.line;
    auto item = ReadAction();
    action_line_ = 0;
    return item;
  }

  Result<Item> ReadAction() {
    const Token& token = NextNonSpace();
    switch (token.kind) {
      case TokenKind::kBlock:
        return ReadTemplateCall(true);
      case TokenKind::kBreak:
        return ReadJump(Node::Kind::kBreak, token);
      case TokenKind::kContinue:
        return ReadJump(Node::Kind::kContinue, token);
      case TokenKind::kElse:
        return ReadElse();
      case TokenKind::kEndWord:
        AZX_RETURN_IF_ERROR(Expect(TokenKind::kRightDelimiter, "end"));
        return Item{std::nullopt, std::string(kEndText)};
      case TokenKind::kIf:
        return ReadControl(Node::Kind::kIf, "if");
      case TokenKind::kRange:
        return ReadControl(Node::Kind::kRange, "range");
      case TokenKind::kTemplate:
        return ReadTemplateCall(false);
      case TokenKind::kWith:
        return ReadControl(Node::Kind::kWith, "with");
      default:
        break;
    }
    --next_;
    Node node;
    node.kind = Node::Kind::kAction;
    AZX_ASSIGN_OR_RETURN(node.pipeline, ReadPipeline("command", TokenKind::kRightDelimiter));
    node.place = {node.pipeline->place.position, "{{" + node.pipeline->place.text + "}}"};
    return Item{std::move(node)};
  }

  Result<Item> ReadJump(Node::Kind kind, const Token& word) {
    const std::string text = "{{" + word.text + "}}";
    AZX_RETURN_IF_ERROR(Expect(TokenKind::kRightDelimiter, text));
    if (ranges_ == 0) return Fail(text + " outside {{range}}");
    Node node;
    node.kind = kind;
    node.place = {word.position, text};
    return Item{std::move(node)};
  }

  // Leaves "if" and "with" for the block that it closes.
  Result<Item> ReadElse() {
    const TokenKind kind = PeekNonSpace().kind;
    if (kind != TokenKind::kIf && kind != TokenKind::kWith) {
      AZX_RETURN_IF_ERROR(Expect(TokenKind::kRightDelimiter, "else"));
    }
    return Item{std::nullopt, std::string(kElseText)};
  }

  // Up to the {{end}} or {{else}} that closes it.
  Result<List> ReadList() {
    List list;
    while (PeekNonSpace().kind != TokenKind::kEnd) {
      AZX_ASSIGN_OR_RETURN(Item item, ReadItem());
      if (!item.node) {
        list.closed_by = std::move(item.closes);
        return list;
      }
      list.nodes.push_back(std::move(*item.node));
    }
    return Fail("unexpected EOF");
  }

  Result<Item> ReadControl(Node::Kind kind, const std::string& context) {
    if (++nesting_ > kMaxNesting) return Fail("nested too deeply");
    const std::size_t variables = variables_.size();
    Node node;
    node.kind = kind;
    AZX_ASSIGN_OR_RETURN(node.pipeline, ReadPipeline(context, TokenKind::kRightDelimiter));
    node.place = {node.pipeline->place.position,
                  "{{" + context + " " + node.pipeline->place.text + "}}"};
    ranges_ += kind == Node::Kind::kRange ? 1 : 0;
    AZX_ASSIGN_OR_RETURN(List list, ReadList());
    ranges_ -= kind == Node::Kind::kRange ? 1 : 0;
    node.body = std::make_shared<Nodes>(std::move(list.nodes));
    if (list.closed_by == kElseText) {
      AZX_ASSIGN_OR_RETURN(node.otherwise, ReadOtherwise(kind));
    }
    variables_.resize(variables);
    --nesting_;
    return Item{std::move(node)};
  }

  // {{else if x}} is {{else}}{{if x}} with one {{end}} for both.
  Result<std::shared_ptr<Nodes>> ReadOtherwise(Node::Kind kind) {
    const TokenKind word = Peek().kind;
    const bool chained = (kind == Node::Kind::kIf && word == TokenKind::kIf) ||
                         (kind == Node::Kind::kWith && word == TokenKind::kWith);
    auto nodes = std::make_shared<Nodes>();
    if (chained) {
      Next();
      AZX_ASSIGN_OR_RETURN(Item item, ReadControl(kind, kind == Node::Kind::kIf ? "if" : "with"));
      nodes->push_back(std::move(*item.node));
      return nodes;
    }
    AZX_ASSIGN_OR_RETURN(List list, ReadList());
    if (list.closed_by != kEndText) return Fail("expected end; found " + list.closed_by);
    *nodes = std::move(list.nodes);
    return nodes;
  }

  Result<std::string> ReadName(const Token& token, const std::string& context) {
    if (token.kind != TokenKind::kString && token.kind != TokenKind::kRawString) {
      return Unexpected(token, context);
    }
    auto name = Unquote(token.text);
    if (!name) return Fail(name.error().message());
    return name;
  }

  // The body of a definition or block: it sees no variables but its own.
  Result<void> ReadNamed(const std::string& name, const std::string& context) {
    if (++nesting_ > kMaxNesting) return Fail("nested too deeply");
    std::vector<std::string> outer = {"$"};
    outer.swap(variables_);
    const int outer_ranges = std::exchange(ranges_, 0);
    AZX_ASSIGN_OR_RETURN(List list, ReadList());
    if (list.closed_by != kEndText) return Fail("unexpected " + list.closed_by + " in " + context);
    variables_ = std::move(outer);
    ranges_ = outer_ranges;
    --nesting_;
    return Add(name, std::move(list.nodes));
  }

  Result<void> ReadDefinition() {
    const std::string context = "define clause";
    AZX_ASSIGN_OR_RETURN(const std::string name, ReadName(NextNonSpace(), context));
    AZX_RETURN_IF_ERROR(Expect(TokenKind::kRightDelimiter, context));
    return ReadNamed(name, context);
  }

  Result<Item> ReadTemplateCall(bool is_block) {
    const std::string context = is_block ? "block clause" : "template clause";
    const Token& token = NextNonSpace();
    Node node;
    node.kind = Node::Kind::kTemplate;
    AZX_ASSIGN_OR_RETURN(node.name, ReadName(token, context));
    node.place = {token.position, "{{template " + Quote(node.name, {})};
    if (is_block || NextNonSpace().kind != TokenKind::kRightDelimiter) {
      if (!is_block) --next_;
      AZX_ASSIGN_OR_RETURN(node.pipeline, ReadPipeline(context, TokenKind::kRightDelimiter));
      node.place.text += " " + node.pipeline->place.text;
    }
    node.place.text += "}}";
    if (is_block) {
      AZX_RETURN_IF_ERROR(ReadNamed(node.name, context));
    }
    return Item{std::move(node)};
  }

  // The variables in front of a pipeline: "$x :=", "$x =", in a range "$i, $x :=" too.
  Result<void> ReadVariables(const std::string& context, Pipeline& pipeline) {
    while (PeekNonSpace().kind == TokenKind::kVariable) {
      const std::size_t here = next_;
      const std::string name = Next().text;
      const Token& token = NextNonSpace();
      const bool comma = token.kind == TokenKind::kChar && token.text == ",";
      if (token.kind != TokenKind::kAssign && token.kind != TokenKind::kDeclare && !comma) {
        next_ = here;
        return {};
      }
      pipeline.variables.push_back(name);
      variables_.push_back(name);
      if (!comma) {
        pipeline.assigns = token.kind == TokenKind::kAssign;
        return {};
      }
      if (context != "range" || pipeline.variables.size() > 1) {
        return Fail("too many declarations in " + context);
      }
      const TokenKind kind = PeekNonSpace().kind;
      if (kind != TokenKind::kVariable && kind != TokenKind::kRightDelimiter &&
          kind != TokenKind::kRightParen) {
        return Fail("range can only initialize variables");
      }
    }
    return {};
  }

  Result<std::shared_ptr<Pipeline>> ReadPipeline(const std::string& context, TokenKind end) {
    auto pipeline = std::make_shared<Pipeline>();
    pipeline->place.position = PeekNonSpace().position;
    AZX_RETURN_IF_ERROR(ReadVariables(context, *pipeline));
    for (;;) {
      const Token& token = NextNonSpace();
      if (token.kind == end) break;
      if (!StartsOperand(token.kind)) return Unexpected(token, context);
      --next_;
      AZX_ASSIGN_OR_RETURN(Command command, ReadCommand());
      pipeline->commands.push_back(std::move(command));
    }
    if (pipeline->commands.empty()) return Fail("missing value for " + context);
    for (std::size_t i = 1; i < pipeline->commands.size(); ++i) {
      if (IsExecutable(pipeline->commands[i].operands[0].kind)) continue;
      return Fail("non executable command in pipeline stage " + std::to_string(i + 1));
    }
    SetText(*pipeline);
    return pipeline;
  }

  static void SetText(Pipeline& pipeline) {
    std::string& text = pipeline.place.text;
    for (const std::string& name : pipeline.variables) text += (text.empty() ? "" : ", ") + name;
    if (!pipeline.variables.empty()) text += pipeline.assigns ? " = " : " := ";
    for (std::size_t i = 0; i < pipeline.commands.size(); ++i) {
      text += (i > 0 ? " | " : "") + pipeline.commands[i].place.text;
    }
  }

  Result<Command> ReadCommand() {
    Command command;
    command.place.position = PeekNonSpace().position;
    for (bool more = true; more;) {
      PeekNonSpace();
      AZX_ASSIGN_OR_RETURN(std::optional<Operand> operand, ReadOperand());
      if (operand) {
        command.place.text += (command.operands.empty() ? "" : " ") + operand->place.text;
        command.operands.push_back(std::move(*operand));
      }
      const Token& token = Next();
      more = token.kind == TokenKind::kSpace;
      if (token.kind == TokenKind::kRightDelimiter || token.kind == TokenKind::kRightParen) {
        --next_;
      } else if (!more && token.kind != TokenKind::kPipe) {
        return Unexpected(token, "operand");
      }
    }
    if (command.operands.empty()) return Fail("empty command");
    return command;
  }

  // Nothing where none begins.
  Result<std::optional<Operand>> ReadOperand() {
    AZX_ASSIGN_OR_RETURN(std::optional<Operand> term, ReadTerm());
    if (!term || Peek().kind != TokenKind::kField) return term;
    if (!IsExecutable(term->kind)) {
      return Fail("unexpected . after term " + Quote(term->place.text, {}));
    }
    // Go finds such a term where its last piece begins.
    const std::size_t position = Peek().position;
    if (term->kind != Operand::Kind::kField && term->kind != Operand::Kind::kVariable) {
      Operand chain;
      chain.kind = Operand::Kind::kChain;
      chain.place.text = term->place.text;
      chain.inner = std::make_shared<Operand>(std::move(*term));
      term = std::move(chain);
    }
    term->place.position = position;
    while (Peek().kind == TokenKind::kField) {
      const Token& field = Next();
      term->place.text += field.text;
      term->fields.push_back(field.text.substr(1));
    }
    return term;
  }

  Result<std::optional<Operand>> ReadTerm() {
    const Token& token = NextNonSpace();
    Operand term;
    term.place = {token.position, token.text};
    switch (token.kind) {
      case TokenKind::kIdentifier:
        if (FindFunction(token.text) == nullptr) {
          return Fail("function " + Quote(token.text, {}) + " not defined");
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
          return Fail("undefined variable " + Quote(token.text, {}));
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
        if (!text) return Fail(text.error().message());
        term.kind = Operand::Kind::kString;
        term.text = std::move(*text);
        return term;
      }
      case TokenKind::kLeftParen:
        return ReadParenthesized(std::move(term));
      default:
        --next_;
        return std::optional<Operand>();
    }
  }

  Result<std::optional<Operand>> ReadLiteral(const Token& token, Operand term) {
    auto number = ReadNumber(token.text);
    if (!number) return Fail(number.error().message());
    term.kind = Operand::Kind::kNumber;
    term.whole = number->whole;
    term.number = number->number;
    term.is_float = number->is_float;
    return term;
  }

  Result<std::optional<Operand>> ReadParenthesized(Operand term) {
    if (++nesting_ > kMaxNesting) return Fail("nested too deeply");
    term.kind = Operand::Kind::kPipeline;
    AZX_ASSIGN_OR_RETURN(term.pipeline,
                         ReadPipeline("parenthesized pipeline", TokenKind::kRightParen));
    --nesting_;
    // Go finds a pipeline where it begins, behind the parenthesis.
    term.place = {term.pipeline->place.position, "(" + term.pipeline->place.text + ")"};
    return term;
  }

  Tree tree_;
  const std::vector<Token> tokens_;
  std::size_t next_ = 0;
  std::size_t furthest_ = 0;  // the last token that was looked at
  std::vector<std::string> variables_ = {"$"};
  int nesting_ = 0;
  int ranges_ = 0;
  int action_line_ = 0;
};

}  // namespace

Result<Tree> ReadTemplate(std::string_view name, std::string text) {
  return Parser(name, std::move(text)).Run();
}

}  // namespace azexporter::rules::text_template
