// Reads the tokens of a template into its tree, in the order and with the errors of Go's parser.
// Semantics: golang.org/src/text/template/parse/parse.go.

#include <algorithm>

#include "template_format.h"
#include "template_pipeline_reader.h"
#include "template_quote.h"
#include "template_token_reader.h"
#include "template_tree.h"

namespace azexporter::rules::text_template {
namespace {

using base::Result;

constexpr std::string_view kEndText = "{{end}}";
constexpr std::string_view kElseText = "{{else}}";

bool IsOnlySpace(const Nodes& nodes) {
  return std::all_of(nodes.begin(), nodes.end(), [](const Node& node) {
    return node.kind == Node::Kind::kText &&
           node.place.text.find_first_not_of(" \t\r\n\v\f") == std::string::npos;
  });
}

class Parser {
 public:
  Parser(std::string_view name, std::string text) : tokens_(name, text) {
    tree_.name = name;
    tree_.source = std::move(text);
  }

  Result<Tree> Run() {
    Nodes root;
    while (tokens_.Peek().kind != TokenKind::kEnd) {
      const std::size_t here = tokens_.position();
      if (tokens_.Next().kind == TokenKind::kLeftDelimiter &&
          tokens_.NextNonSpace().kind == TokenKind::kDefine) {
        AZX_RETURN_IF_ERROR(ReadDefinition());
        continue;
      }
      tokens_.Rewind(here);
      AZX_ASSIGN_OR_RETURN(Item item, ReadItem());
      if (!item.node) return tokens_.Fail("unexpected " + item.closes);
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

  Result<void> Add(const std::string& name, Nodes nodes) {
    Nodes& known = tree_.templates[name];
    if (IsOnlySpace(known)) {
      known = std::move(nodes);
    } else if (!IsOnlySpace(nodes)) {
      return tokens_.Fail("template: multiple definition of template " + Quote(name, {}));
    }
    return {};
  }

  Result<Item> ReadItem() {
    const Token& token = tokens_.NextNonSpace();
    if (token.kind == TokenKind::kText) {
      Node text;
      text.place = {token.position, token.text};
      return Item{std::move(text)};
    }
    if (token.kind != TokenKind::kLeftDelimiter) return tokens_.Unexpected(token, "input");
    tokens_.SetActionLine(token.line);
    auto item = ReadAction();
    tokens_.SetActionLine(0);
    return item;
  }

  Result<Item> ReadAction() {
    const Token& token = tokens_.NextNonSpace();
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
        AZX_RETURN_IF_ERROR(tokens_.Expect(TokenKind::kRightDelimiter, "end"));
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
    tokens_.Back();
    Node node;
    node.kind = Node::Kind::kAction;
    AZX_ASSIGN_OR_RETURN(node.pipeline, pipelines_.Read("command", TokenKind::kRightDelimiter));
    node.place = {node.pipeline->place.position, "{{" + node.pipeline->place.text + "}}"};
    return Item{std::move(node)};
  }

  Result<Item> ReadJump(Node::Kind kind, const Token& word) {
    const std::string text = "{{" + word.text + "}}";
    AZX_RETURN_IF_ERROR(tokens_.Expect(TokenKind::kRightDelimiter, text));
    if (ranges_ == 0) return tokens_.Fail(text + " outside {{range}}");
    Node node;
    node.kind = kind;
    node.place = {word.position, text};
    return Item{std::move(node)};
  }

  // Leaves "if" and "with" for the block that it closes.
  Result<Item> ReadElse() {
    const TokenKind kind = tokens_.PeekNonSpace().kind;
    if (kind != TokenKind::kIf && kind != TokenKind::kWith) {
      AZX_RETURN_IF_ERROR(tokens_.Expect(TokenKind::kRightDelimiter, "else"));
    }
    return Item{std::nullopt, std::string(kElseText)};
  }

  // Up to the {{end}} or {{else}} that closes it.
  Result<List> ReadList() {
    List list;
    while (tokens_.PeekNonSpace().kind != TokenKind::kEnd) {
      AZX_ASSIGN_OR_RETURN(Item item, ReadItem());
      if (!item.node) {
        list.closed_by = std::move(item.closes);
        return list;
      }
      list.nodes.push_back(std::move(*item.node));
    }
    return tokens_.Fail("unexpected EOF");
  }

  Result<Item> ReadControl(Node::Kind kind, const std::string& context) {
    AZX_RETURN_IF_ERROR(tokens_.Enter());
    const std::size_t variables = pipelines_.variables().size();
    Node node;
    node.kind = kind;
    AZX_ASSIGN_OR_RETURN(node.pipeline, pipelines_.Read(context, TokenKind::kRightDelimiter));
    node.place = {node.pipeline->place.position,
                  "{{" + context + " " + node.pipeline->place.text + "}}"};
    ranges_ += kind == Node::Kind::kRange ? 1 : 0;
    AZX_ASSIGN_OR_RETURN(List list, ReadList());
    ranges_ -= kind == Node::Kind::kRange ? 1 : 0;
    node.body = std::make_shared<Nodes>(std::move(list.nodes));
    if (list.closed_by == kElseText) {
      AZX_ASSIGN_OR_RETURN(node.otherwise, ReadOtherwise(kind));
    }
    pipelines_.variables().resize(variables);
    tokens_.Leave();
    return Item{std::move(node)};
  }

  // {{else if x}} is {{else}}{{if x}} with one {{end}} for both.
  Result<std::shared_ptr<Nodes>> ReadOtherwise(Node::Kind kind) {
    const TokenKind word = tokens_.Peek().kind;
    const bool chained = (kind == Node::Kind::kIf && word == TokenKind::kIf) ||
                         (kind == Node::Kind::kWith && word == TokenKind::kWith);
    auto nodes = std::make_shared<Nodes>();
    if (chained) {
      tokens_.Next();
      AZX_ASSIGN_OR_RETURN(Item item, ReadControl(kind, kind == Node::Kind::kIf ? "if" : "with"));
      nodes->push_back(std::move(*item.node));
      return nodes;
    }
    AZX_ASSIGN_OR_RETURN(List list, ReadList());
    if (list.closed_by != kEndText) return tokens_.Fail("expected end; found " + list.closed_by);
    *nodes = std::move(list.nodes);
    return nodes;
  }

  Result<std::string> ReadName(const Token& token, const std::string& context) {
    if (token.kind != TokenKind::kString && token.kind != TokenKind::kRawString) {
      return tokens_.Unexpected(token, context);
    }
    auto name = Unquote(token.text);
    if (!name) return tokens_.Fail(name.error().message());
    return name;
  }

  // The body of a definition or block: it sees no variables but its own.
  Result<void> ReadNamed(const std::string& name, const std::string& context) {
    AZX_RETURN_IF_ERROR(tokens_.Enter());
    std::vector<std::string> outer = {"$"};
    outer.swap(pipelines_.variables());
    const int outer_ranges = std::exchange(ranges_, 0);
    AZX_ASSIGN_OR_RETURN(List list, ReadList());
    if (list.closed_by != kEndText) {
      return tokens_.Fail("unexpected " + list.closed_by + " in " + context);
    }
    pipelines_.variables() = std::move(outer);
    ranges_ = outer_ranges;
    tokens_.Leave();
    return Add(name, std::move(list.nodes));
  }

  Result<void> ReadDefinition() {
    const std::string context = "define clause";
    AZX_ASSIGN_OR_RETURN(const std::string name, ReadName(tokens_.NextNonSpace(), context));
    AZX_RETURN_IF_ERROR(tokens_.Expect(TokenKind::kRightDelimiter, context));
    return ReadNamed(name, context);
  }

  Result<Item> ReadTemplateCall(bool is_block) {
    const std::string context = is_block ? "block clause" : "template clause";
    const Token& token = tokens_.NextNonSpace();
    Node node;
    node.kind = Node::Kind::kTemplate;
    AZX_ASSIGN_OR_RETURN(node.name, ReadName(token, context));
    node.place = {token.position, "{{template " + Quote(node.name, {})};
    if (is_block || tokens_.NextNonSpace().kind != TokenKind::kRightDelimiter) {
      if (!is_block) tokens_.Back();
      AZX_ASSIGN_OR_RETURN(node.pipeline, pipelines_.Read(context, TokenKind::kRightDelimiter));
      node.place.text += " " + node.pipeline->place.text;
    }
    node.place.text += "}}";
    if (is_block) {
      AZX_RETURN_IF_ERROR(ReadNamed(node.name, context));
    }
    return Item{std::move(node)};
  }

  Tree tree_;
  TokenReader tokens_;
  PipelineReader pipelines_{tokens_};
  int ranges_ = 0;  // around what is read
};

}  // namespace

Result<Tree> ReadTemplate(std::string_view name, std::string text) {
  return Parser(name, std::move(text)).Run();
}

}  // namespace azexporter::rules::text_template
