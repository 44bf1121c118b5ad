// A template is parsed into text, actions and conditions, then walked once for each alert.
//
//   template  = { text | "{{" action "}}" }
//   action    = pipeline | "if" pipeline ... { "else" "if" pipeline ... } [ "else" ... ] "end"
//   pipeline  = command { "|" command }          the value before "|" becomes the last argument
//   command   = operand { operand }              a function with arguments, or one operand alone
//   operand   = ( "(" pipeline ")" | variable | "." | literal | function ) { "." field }

#include "azexporter/rules/template.h"

#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "azexporter/base/float_format.h"
#include "template_functions.h"

namespace azexporter::rules {
namespace {

using base::BadData;
using base::Fail;
using base::Result;

// --- the tree ------------------------------------------------------------------------------------

struct Pipeline;

struct Operand {
  enum class Kind { kLiteral, kVariable, kFunction, kPipeline };
  Kind kind = Kind::kLiteral;
  TemplateValue literal;
  std::string name;  // of a variable ("$labels", "." for the data) or a function
  std::shared_ptr<Pipeline> pipeline;
  std::vector<std::string> fields;
};

struct Command {
  std::vector<Operand> operands;
};

struct Pipeline {
  std::vector<Command> commands;
};

struct Node;
using Nodes = std::vector<Node>;

struct Branch {
  std::optional<Pipeline> condition;  // none: else
  std::shared_ptr<Nodes> body;
};

struct Node {
  std::variant<std::string, Pipeline, std::vector<Branch>> content;
};

// --- reading -------------------------------------------------------------------------------------

constexpr int kMaxDepth = 50;

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsWordChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Splits a template into its texts and actions, with the trim markers done.
struct Piece {
  bool action = false;
  std::string_view text;
};

std::string_view TrimRight(std::string_view text) {
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}
std::string_view TrimLeft(std::string_view text) {
  while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
  return text;
}

// The end of the action that starts at `begin`, past strings that may hold "}}".
std::size_t FindActionEnd(std::string_view text, std::size_t begin) {
  char quote = '\0';
  for (std::size_t i = begin; i < text.size(); ++i) {
    if (quote != '\0') {
      if (text[i] == '\\' && quote == '"') {
        ++i;
      } else if (text[i] == quote) {
        quote = '\0';
      }
    } else if (text[i] == '"' || text[i] == '`') {
      quote = text[i];
    } else if (text.substr(i).starts_with("}}")) {
      return i;
    }
  }
  return std::string_view::npos;
}

Result<std::vector<Piece>> SplitPieces(std::string_view text) {
  std::vector<Piece> pieces;
  bool trim_next = false;
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    std::string_view plain = text.substr(0, open);
    if (trim_next) plain = TrimLeft(plain);
    trim_next = false;
    if (open == std::string_view::npos) {
      pieces.push_back({false, plain});
      break;
    }
    const std::size_t close = FindActionEnd(text, open + 2);
    if (close == std::string_view::npos) return BadData("unclosed action");
    std::string_view action = text.substr(open + 2, close - open - 2);
    if (action.size() > 1 && action[0] == '-' && IsSpace(action[1])) {
      action.remove_prefix(1);
      plain = TrimRight(plain);
    }
    if (action.size() > 1 && action.back() == '-' && IsSpace(action[action.size() - 2])) {
      action.remove_suffix(1);
      trim_next = true;
    }
    pieces.push_back({false, plain});
    action = TrimLeft(TrimRight(action));
    if (!action.starts_with("/*")) {
      if (action.empty()) return BadData("missing value for command");
      pieces.push_back({true, action});
    }
    text.remove_prefix(close + 2);
  }
  return pieces;
}

// Reads the pipelines of one action.
class ActionReader {
 public:
  explicit ActionReader(std::string_view text) : rest_(text) {}

  // Takes `word` from the front where it stands there as a whole word.
  bool TakeWord(std::string_view word) {
    SkipSpace();
    if (!rest_.starts_with(word)) return false;
    if (rest_.size() > word.size() && IsWordChar(rest_[word.size()])) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  bool AtEnd() {
    SkipSpace();
    return rest_.empty();
  }

  Result<Pipeline> ReadPipeline(int depth = 0) {
    if (depth > kMaxDepth) return BadData("template is nested too deeply");
    Pipeline pipeline;
    for (;;) {
      AZX_ASSIGN_OR_RETURN(Command command, ReadCommand(depth));
      pipeline.commands.push_back(std::move(command));
      SkipSpace();
      if (!rest_.starts_with("|")) return pipeline;
      rest_.remove_prefix(1);
    }
  }

  Result<Pipeline> ReadWhole() {
    AZX_ASSIGN_OR_RETURN(Pipeline pipeline, ReadPipeline());
    if (!AtEnd()) return BadData("unexpected \"" + std::string(rest_) + "\" in command");
    return pipeline;
  }

 private:
  void SkipSpace() { rest_ = TrimLeft(rest_); }

  Result<Command> ReadCommand(int depth) {
    Command command;
    for (SkipSpace(); !rest_.empty() && rest_[0] != '|' && rest_[0] != ')'; SkipSpace()) {
      AZX_ASSIGN_OR_RETURN(Operand operand, ReadOperand(depth));
      command.operands.push_back(std::move(operand));
    }
    if (command.operands.empty()) return BadData("missing value for command");
    return command;
  }

  Result<Operand> ReadOperand(int depth) {
    AZX_ASSIGN_OR_RETURN(Operand operand, ReadTerm(depth));
    while (rest_.size() > 1 && rest_[0] == '.' && IsWordChar(rest_[1])) {
      rest_.remove_prefix(1);
      operand.fields.emplace_back(TakeName());
    }
    return operand;
  }

  Result<Operand> ReadTerm(int depth) {
    Operand operand;
    const char c = rest_[0];
    if (c == '(') {
      rest_.remove_prefix(1);
      operand.kind = Operand::Kind::kPipeline;
      AZX_ASSIGN_OR_RETURN(Pipeline inner, ReadPipeline(depth + 1));
      operand.pipeline = std::make_shared<Pipeline>(std::move(inner));
      SkipSpace();
      if (!rest_.starts_with(")")) return BadData("unclosed left paren");
      rest_.remove_prefix(1);
      return operand;
    }
    if (c == '"' || c == '`') {
      AZX_ASSIGN_OR_RETURN(operand.literal, ReadString());
      return operand;
    }
    if (c == '$' || c == '.') {
      operand.kind = Operand::Kind::kVariable;
      const bool is_field = c == '.' && rest_.size() > 1 && IsWordChar(rest_[1]);
      operand.name = c;
      if (!is_field) rest_.remove_prefix(1);
      if (c == '$') operand.name += TakeName();
      return operand;
    }
    if ((c >= '0' && c <= '9') || c == '-' || c == '+') return ReadNumber();
    return ReadWord();
  }

  Result<Operand> ReadNumber() {
    std::size_t end = 1;
    while (end < rest_.size() && (IsWordChar(rest_[end]) || rest_[end] == '.')) ++end;
    Operand operand;
    auto number = base::ParseFloat(rest_.substr(0, end));
    if (!number) return BadData("bad number syntax: \"" + std::string(rest_.substr(0, end)) + "\"");
    operand.literal = *number;
    rest_.remove_prefix(end);
    return operand;
  }

  Result<Operand> ReadWord() {
    const std::string name(TakeName());
    if (name.empty()) {
      return BadData("unexpected \"" + std::string(rest_.substr(0, 1)) + "\" in command");
    }
    Operand operand;
    if (name == "true" || name == "false") {
      operand.literal = name == "true";
      return operand;
    }
    if (FindTemplateFunction(name) == nullptr) {
      return BadData("function \"" + name + "\" not defined");
    }
    operand.kind = Operand::Kind::kFunction;
    operand.name = name;
    return operand;
  }

  std::string_view TakeName() {
    std::size_t end = 0;
    while (end < rest_.size() && IsWordChar(rest_[end])) ++end;
    const std::string_view name = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return name;
  }

  Result<TemplateValue> ReadString() {
    const char quote = rest_[0];
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      char c = rest_[i];
      if (c == quote) {
        rest_.remove_prefix(i + 1);
        return TemplateValue(std::move(text));
      }
      if (c == '\\' && quote == '"' && i + 1 < rest_.size()) {
        c = rest_[++i];
        if (c == 'n') c = '\n';
        if (c == 't') c = '\t';
      }
      text += c;
    }
    return BadData("unterminated quoted string");
  }

  std::string_view rest_;
};

// Puts pieces together into nodes, conditions into their branches.
class TreeReader {
 public:
  explicit TreeReader(std::vector<Piece> pieces) : pieces_(std::move(pieces)) {}

  Result<Nodes> ReadAll() {
    Nodes nodes;
    AZX_ASSIGN_OR_RETURN(const Stop stop, ReadUntilStop(nodes, 0));
    if (stop != Stop::kEndOfText) return BadData("unexpected {{" + std::string(stop_text_) + "}}");
    return nodes;
  }

 private:
  enum class Stop { kEndOfText, kEnd, kElse };

  Result<Stop> ReadUntilStop(Nodes& nodes, int depth) {
    if (depth > kMaxDepth) return BadData("template is nested too deeply");
    while (next_ < pieces_.size()) {
      const Piece piece = pieces_[next_++];
      if (!piece.action) {
        if (!piece.text.empty()) nodes.push_back({std::string(piece.text)});
        continue;
      }
      ActionReader reader(piece.text);
      stop_text_ = piece.text;
      if (reader.TakeWord("end")) return Stop::kEnd;
      if (reader.TakeWord("else")) return Stop::kElse;
      for (std::string_view word :
           {"range", "with", "define", "template", "block", "break", "continue"}) {
        if (reader.TakeWord(word)) return BadData("{{" + std::string(word) + "}} is not supported");
      }
      if (reader.TakeWord("if")) {
        AZX_ASSIGN_OR_RETURN(std::vector<Branch> branches, ReadIf(reader, depth));
        nodes.push_back({std::move(branches)});
      } else {
        AZX_ASSIGN_OR_RETURN(Pipeline pipeline, reader.ReadWhole());
        nodes.push_back({std::move(pipeline)});
      }
    }
    return Stop::kEndOfText;
  }

  Result<std::vector<Branch>> ReadIf(ActionReader reader, int depth) {
    std::vector<Branch> branches;
    AZX_ASSIGN_OR_RETURN(Pipeline first, reader.ReadWhole());
    branches.push_back({std::move(first), std::make_shared<Nodes>()});
    for (;;) {
      AZX_ASSIGN_OR_RETURN(const Stop stop, ReadUntilStop(*branches.back().body, depth + 1));
      if (stop == Stop::kEnd) return branches;
      if (stop == Stop::kEndOfText) return BadData("unexpected EOF: {{if}} without {{end}}");
      if (!branches.back().condition) return BadData("expected end; found {{else}}");
      ActionReader else_reader(stop_text_);
      else_reader.TakeWord("else");
      std::optional<Pipeline> condition;
      if (else_reader.TakeWord("if")) {
        AZX_ASSIGN_OR_RETURN(condition, else_reader.ReadWhole());
      } else if (!else_reader.AtEnd()) {
        return BadData("unexpected {{" + std::string(stop_text_) + "}}");
      }
      branches.push_back({std::move(condition), std::make_shared<Nodes>()});
    }
  }

  const std::vector<Piece> pieces_;
  std::size_t next_ = 0;
  std::string_view stop_text_;
};

// --- walking -------------------------------------------------------------------------------------

class Walker {
 public:
  explicit Walker(const TemplateData& data) : data_(data) {}

  Result<void> Walk(const Nodes& nodes, std::string& out) const {
    for (const Node& node : nodes) {
      if (const auto* text = std::get_if<std::string>(&node.content)) {
        out += *text;
      } else if (const auto* pipeline = std::get_if<Pipeline>(&node.content)) {
        AZX_ASSIGN_OR_RETURN(const TemplateValue value, Evaluate(*pipeline));
        out += ValueText(value);
      } else {
        AZX_RETURN_IF_ERROR(WalkBranches(std::get<std::vector<Branch>>(node.content), out));
      }
    }
    return {};
  }

 private:
  Result<void> WalkBranches(const std::vector<Branch>& branches, std::string& out) const {
    for (const Branch& branch : branches) {
      if (branch.condition) {
        AZX_ASSIGN_OR_RETURN(const TemplateValue value, Evaluate(*branch.condition));
        if (!IsTruthy(value)) continue;
      }
      return Walk(*branch.body, out);
    }
    return {};
  }

  Result<TemplateValue> Evaluate(const Pipeline& pipeline) const {
    std::optional<TemplateValue> piped;
    for (const Command& command : pipeline.commands) {
      AZX_ASSIGN_OR_RETURN(piped, Evaluate(command, std::move(piped)));
    }
    return std::move(*piped);
  }

  Result<TemplateValue> Evaluate(const Command& command, std::optional<TemplateValue> piped) const {
    const Operand& first = command.operands[0];
    if (first.kind != Operand::Kind::kFunction) {
      if (command.operands.size() > 1 || piped)
        return BadData("can't give argument to non-function");
      return Evaluate(first);
    }
    std::vector<TemplateValue> arguments;
    for (std::size_t i = 1; i < command.operands.size(); ++i) {
      AZX_ASSIGN_OR_RETURN(TemplateValue value, Evaluate(command.operands[i]));
      arguments.push_back(std::move(value));
    }
    if (piped) arguments.push_back(std::move(*piped));
    return CallTemplateFunction(first.name, arguments);
  }

  Result<TemplateValue> Evaluate(const Operand& operand) const {
    TemplateValue value;
    switch (operand.kind) {
      case Operand::Kind::kLiteral:
        value = operand.literal;
        break;
      case Operand::Kind::kVariable: {
        AZX_ASSIGN_OR_RETURN(value, Variable(operand.name));
        break;
      }
      case Operand::Kind::kFunction: {
        AZX_ASSIGN_OR_RETURN(value, CallTemplateFunction(operand.name, {}));
        break;
      }
      case Operand::Kind::kPipeline: {
        AZX_ASSIGN_OR_RETURN(value, Evaluate(*operand.pipeline));
        break;
      }
    }
    for (const std::string& field : operand.fields) {
      AZX_ASSIGN_OR_RETURN(value, Field(value, field));
    }
    return value;
  }

  Result<TemplateValue> Variable(const std::string& name) const {
    if (name == "$labels") return TemplateValue(data_.labels);
    if (name == "$externalLabels") return TemplateValue(data_.external_labels);
    if (name == "$externalURL") return TemplateValue(data_.external_url);
    if (name == "$value") return TemplateValue(data_.value);
    if (name == "." || name == "$") return TemplateValue(RootData{});
    return BadData("undefined variable \"" + name + "\"");
  }

  Result<TemplateValue> Field(const TemplateValue& value, const std::string& field) const {
    // A label that is not there is the empty string, as in Prometheus.
    if (const auto* labels = std::get_if<model::Labels>(&value)) {
      return TemplateValue(std::string(labels->Get(field)));
    }
    if (std::holds_alternative<RootData>(value)) {
      if (field == "Labels") return TemplateValue(data_.labels);
      if (field == "ExternalLabels") return TemplateValue(data_.external_labels);
      if (field == "ExternalURL") return TemplateValue(data_.external_url);
      if (field == "Value") return TemplateValue(data_.value);
    }
    return Fail(base::ErrorCode::kExecution, "can't evaluate field " + field);
  }

  const TemplateData& data_;
};

Result<Nodes> ParseTemplate(std::string_view text) {
  AZX_ASSIGN_OR_RETURN(std::vector<Piece> pieces, SplitPieces(text));
  return TreeReader(std::move(pieces)).ReadAll();
}

// Prometheus gives every template this preamble; an unknown variable is only found on use there,
// but a typing error in `$lables` should be found when the file is loaded.
Result<void> CheckVariables(const Nodes& nodes);

Result<void> CheckVariables(const Pipeline& pipeline) {
  for (const Command& command : pipeline.commands) {
    for (const Operand& operand : command.operands) {
      if (operand.pipeline) {
        AZX_RETURN_IF_ERROR(CheckVariables(*operand.pipeline));
      }
      if (operand.kind != Operand::Kind::kVariable) continue;
      constexpr std::string_view kKnown[] = {
          "$labels", "$externalLabels", "$externalURL", "$value", ".", "$"};
      bool known = false;
      for (std::string_view name : kKnown) known = known || name == operand.name;
      if (!known) return BadData("undefined variable \"" + operand.name + "\"");
    }
  }
  return {};
}

Result<void> CheckVariables(const Nodes& nodes) {
  for (const Node& node : nodes) {
    if (const auto* pipeline = std::get_if<Pipeline>(&node.content)) {
      AZX_RETURN_IF_ERROR(CheckVariables(*pipeline));
    } else if (const auto* branches = std::get_if<std::vector<Branch>>(&node.content)) {
      for (const Branch& branch : *branches) {
        if (branch.condition) {
          AZX_RETURN_IF_ERROR(CheckVariables(*branch.condition));
        }
        AZX_RETURN_IF_ERROR(CheckVariables(*branch.body));
      }
    }
  }
  return {};
}

}  // namespace

Result<void> CheckTemplate(std::string_view text) {
  AZX_ASSIGN_OR_RETURN(const Nodes nodes, ParseTemplate(text));
  return CheckVariables(nodes);
}

Result<std::string> ExpandTemplate(std::string_view text, const TemplateData& data) {
  AZX_ASSIGN_OR_RETURN(const Nodes nodes, ParseTemplate(text));
  std::string out;
  AZX_RETURN_IF_ERROR(Walker(data).Walk(nodes, out));
  return out;
}

std::string ExpandOrExplain(std::string_view text, const TemplateData& data) {
  if (text.find("{{") == std::string_view::npos) return std::string(text);
  auto expanded = ExpandTemplate(text, data);
  if (expanded) return std::move(*expanded);
  return "<error expanding template: " + expanded.error().message() + ">";
}

}  // namespace azexporter::rules
