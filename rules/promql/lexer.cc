#include "lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "azexporter/base/utf8.h"
#include "literals.h"

namespace azexporter::promql {
namespace {

struct Keyword {
  std::string_view text;
  TokenKind kind;
  BinaryOp op = BinaryOp::kAdd;
  AggregateOp aggregate = AggregateOp::kSum;
};

constexpr Keyword BinaryWord(std::string_view text, BinaryOp op) {
  return {text, TokenKind::kBinaryOp, op};
}
constexpr Keyword Aggregator(std::string_view text, AggregateOp op) {
  return {text, TokenKind::kAggregator, BinaryOp::kAdd, op};
}

constexpr Keyword kKeywords[] = {
    BinaryWord("and", BinaryOp::kAnd),
    BinaryWord("atan2", BinaryOp::kAtan2),
    BinaryWord("or", BinaryOp::kOr),
    BinaryWord("unless", BinaryOp::kUnless),
    Aggregator("avg", AggregateOp::kAvg),
    Aggregator("bottomk", AggregateOp::kBottomk),
    Aggregator("count", AggregateOp::kCount),
    Aggregator("count_values", AggregateOp::kCountValues),
    Aggregator("group", AggregateOp::kGroup),
    Aggregator("max", AggregateOp::kMax),
    Aggregator("min", AggregateOp::kMin),
    Aggregator("quantile", AggregateOp::kQuantile),
    Aggregator("stddev", AggregateOp::kStddev),
    Aggregator("stdvar", AggregateOp::kStdvar),
    Aggregator("sum", AggregateOp::kSum),
    Aggregator("topk", AggregateOp::kTopk),
    {"limitk", TokenKind::kExperimentalAggregator, BinaryOp::kAdd, AggregateOp::kLimitk},
    {"limit_ratio", TokenKind::kExperimentalAggregator, BinaryOp::kAdd, AggregateOp::kLimitRatio},
    {"anchored", TokenKind::kAnchored},
    {"bool", TokenKind::kBool},
    {"by", TokenKind::kBy},
    {"fill", TokenKind::kFill},
    {"fill_left", TokenKind::kFillLeft},
    {"fill_right", TokenKind::kFillRight},
    {"group_left", TokenKind::kGroupLeft},
    {"group_right", TokenKind::kGroupRight},
    {"ignoring", TokenKind::kIgnoring},
    {"offset", TokenKind::kOffset},
    {"on", TokenKind::kOn},
    {"smoothed", TokenKind::kSmoothed},
    {"without", TokenKind::kWithout},
    {"start", TokenKind::kStart},
    {"end", TokenKind::kEnd},
    {"step", TokenKind::kStep},
    {"range", TokenKind::kRange},
    {"max_of", TokenKind::kMaxOf},
    {"min_of", TokenKind::kMinOf},
    {"inf", TokenKind::kNumber},
    {"nan", TokenKind::kNumber},
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlpha(char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsAlphaNumeric(char c) { return IsAlpha(c) || IsDigit(c); }
bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

const Keyword* FindKeyword(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto* found = std::ranges::find(kKeywords, std::string_view(lower), &Keyword::text);
  return found == std::end(kKeywords) ? nullptr : found;
}

bool IsFill(TokenKind kind) {
  return kind == TokenKind::kFill || kind == TokenKind::kFillLeft || kind == TokenKind::kFillRight;
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return 16;
}

// "U+0063 'c'", as Go's %#U.
std::string CodePointName(char c) {
  return fmt::format("U+{:04X} '{}'", static_cast<unsigned>(static_cast<unsigned char>(c)), c);
}

// Quoted, and cut short where it is long: a message is read by people.
std::string QuotedShort(std::string_view text) {
  constexpr std::size_t kLongest = 10;
  if (text.size() <= kLongest) return Quoted(text);
  std::size_t end = 0;
  for (std::size_t i = 0; i < kLongest && end < text.size(); ++i) {
    end += std::max<std::size_t>(base::Utf8Length(text.substr(end)), 1);
  }
  return Quoted(text.substr(0, end)) + "...";
}

}  // namespace

std::string Token::Describe() const {
  switch (kind) {
    case TokenKind::kEndOfInput:
      return "end of input";
    case TokenKind::kError:
      return error;
    case TokenKind::kIdentifier:
      return "identifier " + Quoted(text);
    case TokenKind::kMetricIdentifier:
      return "metric identifier " + Quoted(text);
    case TokenKind::kNumber:
      return "number " + QuotedShort(text);
    case TokenKind::kDuration:
      return "duration " + QuotedShort(text);
    case TokenKind::kString:
      return "string " + QuotedShort(text);
    case TokenKind::kLeftParen:
    case TokenKind::kRightParen:
    case TokenKind::kLeftBrace:
    case TokenKind::kRightBrace:
    case TokenKind::kLeftBracket:
    case TokenKind::kRightBracket:
    case TokenKind::kComma:
    case TokenKind::kColon:
    case TokenKind::kAssign:
    case TokenKind::kStart:
    case TokenKind::kEnd:
    case TokenKind::kStep:
    case TokenKind::kRange:
    case TokenKind::kMaxOf:
    case TokenKind::kMinOf:
      return Quoted(text);
    case TokenKind::kBinaryOp:
    case TokenKind::kEqualRegex:
    case TokenKind::kNotEqualRegex:
    case TokenKind::kAt:
      return fmt::format("<op:{}>", text);
    case TokenKind::kAggregator:
    case TokenKind::kExperimentalAggregator:
      return fmt::format("<aggr:{}>", text);
    case TokenKind::kAnchored:
    case TokenKind::kBool:
    case TokenKind::kBy:
    case TokenKind::kFill:
    case TokenKind::kFillLeft:
    case TokenKind::kFillRight:
    case TokenKind::kGroupLeft:
    case TokenKind::kGroupRight:
    case TokenKind::kIgnoring:
    case TokenKind::kOffset:
    case TokenKind::kOn:
    case TokenKind::kSmoothed:
    case TokenKind::kWithout:
      return fmt::format("<{}>", text);
  }
  return {};
}

Token Lexer::Next() {
  SkipBlanksAndComments();
  start_ = pos_;
  if (brace_open_) return LexInsideBraces();
  return bracket_open_ ? LexInsideBrackets() : LexStatement();
}

void Lexer::SkipBlanksAndComments() {
  while (!AtEnd()) {
    if (IsBlank(Peek())) {
      ++pos_;
    } else if (Peek() == '#') {
      while (!AtEnd() && Peek() != '\n' && Peek() != '\r') ++pos_;
    } else {
      return;
    }
  }
}

PositionRange Lexer::PositionHere() {
  for (; counted_to_ < start_; ++counted_to_) {
    if (input_[counted_to_] != '\n') continue;
    ++line_;
    line_start_ = counted_to_ + 1;
  }
  return {start_, pos_, line_, static_cast<int>(start_ - line_start_) + 1};
}

Token Lexer::Emit(TokenKind kind) {
  Token token;
  token.kind = kind;
  token.position = PositionHere();
  token.text = input_.substr(start_, pos_ - start_);
  return token;
}

Token Lexer::EmitOp(BinaryOp op) {
  Token token = Emit(TokenKind::kBinaryOp);
  token.op = op;
  return token;
}

Token Lexer::Error(std::string message) {
  Token token = Emit(TokenKind::kError);
  token.position.end = input_.size();
  token.error = std::move(message);
  return token;
}

bool Lexer::PeekIs(std::string_view set) const {
  return !AtEnd() && set.find(Peek()) != std::string_view::npos;
}

bool Lexer::Accept(std::string_view set) {
  if (!PeekIs(set)) return false;
  ++pos_;
  return true;
}

std::string Lexer::QuoteHere() const {
  if (AtEnd()) return "'\xEF\xBF\xBD'";  // as Go quotes "no character"
  if (Peek() == '"') return "'\"'";
  if (Peek() == '\'') return "'\\''";
  const std::size_t length = std::max<std::size_t>(base::Utf8Length(input_.substr(pos_)), 1);
  std::string quoted = Quoted(input_.substr(pos_, length));
  quoted.front() = quoted.back() = '\'';
  return quoted;
}

Token Lexer::LexStatement() {
  if (AtEnd()) {
    if (paren_depth_ > 0) return Error("unclosed left parenthesis");
    return Emit(TokenKind::kEndOfInput);
  }
  const char c = Peek();
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) return LexNumberOrDuration();
  if (c == '"' || c == '\'') return LexString(c);
  if (c == '`') return LexRawString();
  if (IsAlpha(c) || c == ':') return LexWord();
  ++pos_;
  switch (c) {
    case ',':
      return Emit(TokenKind::kComma);
    case '(':
      ++paren_depth_;
      return Emit(TokenKind::kLeftParen);
    case ')':
      if (--paren_depth_ >= 0) return Emit(TokenKind::kRightParen);
      start_ = pos_;
      return Error("unexpected right parenthesis ')'");
    case '{':
      brace_open_ = true;
      return Emit(TokenKind::kLeftBrace);
    case '[':
      bracket_open_ = true;
      got_duration_ = got_colon_ = false;
      return Emit(TokenKind::kLeftBracket);
    case ']':
      return Error("unexpected right bracket ']'");
    case '@':
      return Emit(TokenKind::kAt);
    default:
      return LexOperator(c);
  }
}

// `c` has been read.
Token Lexer::LexOperator(char c) {
  switch (c) {
    case '+':
      return EmitOp(BinaryOp::kAdd);
    case '-':
      return EmitOp(BinaryOp::kSub);
    case '*':
      return EmitOp(BinaryOp::kMul);
    case '/':
      return EmitOp(BinaryOp::kDiv);
    case '%':
      return EmitOp(BinaryOp::kMod);
    case '^':
      return EmitOp(BinaryOp::kPow);
    case '=':
      if (Accept("=")) return EmitOp(BinaryOp::kEqual);
      if (Peek() == '~') return Error("unexpected character after '=': '~'");
      return Emit(TokenKind::kAssign);
    case '!':
      if (Accept("=")) return EmitOp(BinaryOp::kNotEqual);
      return Error("unexpected character after '!': " + QuoteHere());
    case '<':
      if (Accept("=")) return EmitOp(BinaryOp::kLessOrEqual);
      if (Accept("/")) return EmitOp(BinaryOp::kTrimUpper);
      return EmitOp(BinaryOp::kLess);
    case '>':
      if (Accept("=")) return EmitOp(BinaryOp::kGreaterOrEqual);
      if (Accept("/")) return EmitOp(BinaryOp::kTrimLower);
      return EmitOp(BinaryOp::kGreater);
    default:
      --pos_;
      return Error("unexpected character: " + QuoteHere());
  }
}

Token Lexer::LexInsideBraces() {
  if (AtEnd()) return Error("unexpected end of input inside braces");
  const char c = Peek();
  if (IsAlpha(c)) {
    while (IsAlphaNumeric(Peek())) ++pos_;
    return Emit(TokenKind::kIdentifier);
  }
  if (c == '"' || c == '\'') return LexString(c);
  if (c == '`') return LexRawString();
  ++pos_;
  switch (c) {
    case ',':
      return Emit(TokenKind::kComma);
    case '}':
      brace_open_ = false;
      return Emit(TokenKind::kRightBrace);
    case '=':
      return Accept("~") ? Emit(TokenKind::kEqualRegex) : Emit(TokenKind::kAssign);
    case '!':
      if (Accept("~")) return Emit(TokenKind::kNotEqualRegex);
      if (Accept("=")) return EmitOp(BinaryOp::kNotEqual);
      return Error("unexpected character after '!' inside braces: " + QuoteHere());
    case '{':
      return Error("unexpected left brace '{'");
    default:
      --pos_;
      return Error("unexpected character inside braces: " + QuoteHere());
  }
}

Token Lexer::LexInsideBrackets() {
  if (AtEnd()) {
    if (!got_duration_) return Error("unexpected end of input in duration expression");
    return Error(paren_depth_ > 0 ? "unclosed left parenthesis" : "unclosed left bracket");
  }
  const char c = Peek();
  if (IsDigit(c) || (c == '.' && IsDigit(Peek(1)))) {
    got_duration_ = true;
    return LexNumberOrDuration();
  }
  if (IsAlpha(c)) {
    const std::string quoted = QuoteHere();
    Token word = LexWord();
    switch (word.kind) {
      case TokenKind::kStep:
      case TokenKind::kRange:
      case TokenKind::kMaxOf:
      case TokenKind::kMinOf:
        return word;
      default:
        break;
    }
    return Error(got_duration_ ? "unexpected character: " + quoted + ", expected ':'"
                               : "unexpected character in duration expression: " + quoted);
  }
  ++pos_;
  switch (c) {
    case ']':
      bracket_open_ = false;
      return Emit(TokenKind::kRightBracket);
    case ':':
      if (got_colon_) return Error("unexpected colon ':'");
      if (!got_duration_) return Error("unexpected colon before duration in duration expression");
      got_colon_ = true;
      return Emit(TokenKind::kColon);
    case '[':
      return Error("unexpected left bracket '['");
    default:
      break;
  }
  --pos_;
  if (got_duration_ || std::string_view("()+-*/%^,").find(c) != std::string_view::npos) {
    return LexStatement();
  }
  return Error("unexpected character in duration expression: " + QuoteHere());
}

Token Lexer::LexString(char quote) {
  ++pos_;
  for (;;) {
    const std::size_t length = base::Utf8Length(input_.substr(pos_));
    if (AtEnd() || Peek() == '\n') return Error("unterminated quoted string");
    if (length == 0) return Error("invalid UTF-8 rune");
    const char c = Peek();
    pos_ += length;
    if (c == quote) return Emit(TokenKind::kString);
    Token error;
    if (c == '\\' && !ScanEscape(quote, error)) return error;
  }
}

// The backslash has been read. False, with `error` set, when what follows is no escape.
bool Lexer::ScanEscape(char quote, Token& error) {
  if (AtEnd()) {
    error = Error("escape sequence not terminated");
    return false;
  }
  const char c = Peek();
  if (c == quote || std::string_view("abfnrtv\\").find(c) != std::string_view::npos) {
    ++pos_;
    return true;
  }
  if ((c >= '0' && c <= '7') || c == 'x' || c == 'u' || c == 'U') {
    return ScanEscapedNumber(c, error);
  }
  error = Error("unknown escape sequence " + CodePointName(c));
  return false;
}

bool Lexer::ScanEscapedNumber(char first, Token& error) {
  int digits = 3;
  unsigned radix = 8;
  unsigned long largest = 255;
  if (first == 'x' || first == 'u' || first == 'U') {
    ++pos_;
    radix = 16;
    digits = first == 'x' ? 2 : first == 'u' ? 4 : 8;
    if (first != 'x') largest = 0x10FFFF;
  }
  unsigned long value = 0;
  for (; digits > 0; --digits) {
    if (AtEnd()) {
      error = Error("escape sequence not terminated");
      return false;
    }
    const auto digit = static_cast<unsigned>(HexDigit(Peek()));
    if (digit >= radix) {
      error = Error(fmt::format("illegal character {} in escape sequence", CodePointName(Peek())));
      return false;
    }
    value = value * radix + digit;
    ++pos_;
  }
  if (value <= largest && (value < 0xD800 || value >= 0xE000)) return true;
  error = Error("escape sequence is an invalid Unicode code point");
  return false;
}

Token Lexer::LexRawString() {
  ++pos_;
  for (;;) {
    if (AtEnd()) return Error("unterminated raw string");
    const std::size_t length = base::Utf8Length(input_.substr(pos_));
    if (length == 0) return Error("invalid UTF-8 rune");
    const char c = Peek();
    pos_ += length;
    if (c == '`') return Emit(TokenKind::kString);
  }
}

Token Lexer::LexNumberOrDuration() {
  if (ScanNumber()) return Emit(TokenKind::kNumber);
  if (ScanRestOfDuration()) return Emit(TokenKind::kDuration);
  return Error("bad number or duration syntax: " + Quoted(input_.substr(start_, pos_ - start_)));
}

// Reads what looks like a number; whether it is one, its conversion finds out. When it is not, the
// characters that were read stay read: a duration goes on from there, a message shows them.
bool Lexer::ScanNumber() {
  std::string_view digits = "0123456789";
  if (Accept("0") && Accept("xX")) {
    Accept("_");
    digits = "0123456789abcdefABCDEF";
  }
  Accept(".");
  Accept(digits);
  return ScanNumberTail(digits) && !IsAlphaNumeric(Peek());
}

bool Lexer::ScanNumberTail(std::string_view digits) {
  const bool hexadecimal = digits.size() > 10;
  bool got_dot = false;
  bool got_exponent = false;
  while (PeekIs(digits) || PeekIs("._eE")) {
    if (Peek() == '.') {
      ++pos_;
      if (got_dot || Accept("_.") || hexadecimal) return false;
      got_dot = true;
    } else if (!hexadecimal && PeekIs("eE")) {
      ++pos_;
      if (got_exponent) return false;
      got_exponent = true;
      Accept("+-");
      if (Accept("._eE") || AtEnd()) return false;
    } else if (Peek() == '_') {
      ++pos_;
      if (Accept("._eE") || AtEnd()) return false;
    } else {
      ++pos_;
    }
  }
  return true;
}

// "m" of "5m", "h30m" of "1h30m": whether the units make sense, their conversion finds out.
bool Lexer::ScanRestOfDuration() {
  if (!Accept("smhdwy")) return false;
  Accept("s");
  while (IsDigit(Peek())) {
    while (IsDigit(Peek())) ++pos_;
    if (!Accept("smhdw")) return false;
    Accept("s");
  }
  if (!IsAlphaNumeric(Peek())) return true;
  ++pos_;
  return false;
}

Token Lexer::LexWord() {
  while (IsAlphaNumeric(Peek()) || (Peek() == ':' && !bracket_open_)) ++pos_;
  const std::string_view word = input_.substr(start_, pos_ - start_);
  const Keyword* keyword = FindKeyword(word);
  if (keyword != nullptr && IsFill(keyword->kind)) {
    // The fill modifiers came late: they are names still, unless a parenthesis follows.
    std::size_t next = pos_;
    while (next < input_.size() && IsBlank(input_[next])) ++next;
    if (next >= input_.size() || input_[next] != '(') keyword = nullptr;
  }
  if (keyword != nullptr) {
    Token token = Emit(keyword->kind);
    token.op = keyword->op;
    token.aggregate = keyword->aggregate;
    return token;
  }
  return Emit(word.find(':') == std::string_view::npos ? TokenKind::kIdentifier
                                                       : TokenKind::kMetricIdentifier);
}

}  // namespace azexporter::promql
