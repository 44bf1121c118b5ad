// Reads the text of a template into its tree.

#include <algorithm>
#include <charconv>
#include <cmath>

#include "azexporter/base/float_format.h"
#include "azexporter/base/utf8.h"
#include "template_tree.h"

namespace azexporter::rules {
namespace {

using base::BadData;
using base::Result;

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
  const std::string_view inner =
      TrimLeft(text.substr(begin).starts_with("- ") ? text.substr(begin + 2) : text.substr(begin));
  if (inner.starts_with("/*")) {
    const std::size_t close = inner.find("*/");
    if (close == std::string_view::npos) return close;
    begin = text.size() - inner.size() + close + 2;
  }
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

// "-", "+" belong to a number right behind its exponent mark: 1e-3.
bool IsSign(char c) { return c == '-' || c == '+'; }
bool IsExponent(std::string_view number) {
  const bool hex = number.find_first_of("xX") != std::string_view::npos;
  return hex ? number.ends_with('p') || number.ends_with('P')
             : number.ends_with('e') || number.ends_with('E');
}

// Go's constants: 3 is an int, 3.0 and 3e0 are floats; only equal kinds compare.
Result<TemplateValue> NumberOf(std::string_view text) {
  std::string digits(text);
  std::erase(digits, '_');
  const auto number = base::ParseFloat(digits);
  if (!number) return BadData("bad number syntax: \"" + std::string(text) + "\"");
  constexpr double kMostInt = 9.2e18;
  const bool hex = digits.find_first_of("xX") != std::string::npos;
  const bool is_float = digits.find_first_of(hex ? ".pP" : ".eE") != std::string::npos;
  if (is_float || !(std::fabs(*number) < kMostInt)) return TemplateValue(*number);
  return TemplateValue(static_cast<std::int64_t>(*number));
}

// Appends what the escape at the front of `text` stands for. Its length; 0 when there is none such.
std::size_t ReadEscape(std::string_view text, std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\\"";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"";
  if (text.size() < 2) return 0;
  if (const std::size_t at = kLetters.find(text[1]); at != std::string_view::npos) {
    out += kMeanings[at];
    return 2;
  }
  const std::size_t digits = text[1] == 'x' ? 2 : text[1] == 'u' ? 4 : text[1] == 'U' ? 8 : 0;
  if (digits == 0 || text.size() < 2 + digits) return 0;
  std::uint32_t code = 0;
  const char* end = text.data() + 2 + digits;
  const auto [stopped, error] = std::from_chars(text.data() + 2, end, code, 16);
  constexpr std::uint32_t kLastCodePoint = 0x10ffff;
  if (error != std::errc() || stopped != end || code > kLastCodePoint) return 0;
  if (digits == 2) {
    out += static_cast<char>(code);
  } else {
    base::AppendUtf8(out, code);
  }
  return 2 + digits;
}

constexpr std::string_view kVariables[] = {
    "$labels", "$externalLabels", "$externalURL", "$value", ".", "$"};

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
      if (std::ranges::find(kVariables, operand.name) == std::end(kVariables)) {
        return BadData("undefined variable \"" + operand.name + "\"");
      }
      return operand;
    }
    if ((c >= '0' && c <= '9') || c == '-' || c == '+') return ReadNumber();
    return ReadWord();
  }

  Result<Operand> ReadNumber() {
    std::size_t end = 1;
    while (end < rest_.size() && (IsWordChar(rest_[end]) || rest_[end] == '.' ||
                                  (IsSign(rest_[end]) && IsExponent(rest_.substr(0, end))))) {
      ++end;
    }
    const std::string_view text = rest_.substr(0, end);
    Operand operand;
    AZX_ASSIGN_OR_RETURN(operand.literal, NumberOf(text));
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
    std::size_t i = 1;
    while (i < rest_.size() && rest_[i] != quote) {
      if (quote == '"' && rest_[i] == '\n') break;
      if (quote == '"' && rest_[i] == '\\') {
        const std::size_t used = ReadEscape(rest_.substr(i), text);
        if (used == 0) return BadData("invalid escape in " + std::string(rest_.substr(0, i + 2)));
        i += used;
      } else {
        text += rest_[i++];
      }
    }
    if (i >= rest_.size() || rest_[i] != quote) return BadData("unterminated quoted string");
    rest_.remove_prefix(i + 1);
    return TemplateValue(std::move(text));
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

}  // namespace

Result<Nodes> ReadTemplate(std::string_view text) {
  AZX_ASSIGN_OR_RETURN(std::vector<Piece> pieces, SplitPieces(text));
  return TreeReader(std::move(pieces)).ReadAll();
}

}  // namespace azexporter::rules
