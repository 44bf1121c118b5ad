#include "template_lexer.h"

#include <algorithm>

#include "template_format.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

constexpr std::string_view kLeft = "{{";
constexpr std::string_view kRight = "}}";
constexpr std::string_view kDigits = "0123456789_";

struct Word {
  std::string_view text;
  TokenKind kind;
};
constexpr Word kWords[] = {{"block", TokenKind::kBlock},       {"break", TokenKind::kBreak},
                           {"continue", TokenKind::kContinue}, {"define", TokenKind::kDefine},
                           {"else", TokenKind::kElse},         {"end", TokenKind::kEndWord},
                           {"false", TokenKind::kBool},        {"if", TokenKind::kIf},
                           {"nil", TokenKind::kNil},           {"range", TokenKind::kRange},
                           {"template", TokenKind::kTemplate}, {"true", TokenKind::kBool},
                           {"with", TokenKind::kWith}};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string_view TrimRight(std::string_view text) {
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<Token> Run() {
    while (at_ < text_.size() && !failed_) {
      TakeText();
      if (at_ < text_.size() && !failed_) TakeDelimited();
    }
    start_ = at_;
    Emit(TokenKind::kEnd);
    return std::move(tokens_);
  }

 private:
  std::string_view Rest() const { return text_.substr(at_); }
  bool Starts(std::string_view what) const { return Rest().starts_with(what); }
  bool AtRightTrim() const {
    const std::string_view rest = Rest();
    return rest.size() >= 4 && IsSpace(rest[0]) && rest.substr(1).starts_with("-}}");
  }
  bool AtRight() const { return Starts(kRight) || AtRightTrim(); }

  void Emit(TokenKind kind) { Emit(kind, text_.substr(start_, at_ - start_)); }
  void Emit(TokenKind kind, std::string_view text) {
    line_ +=
        static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                    text_.begin() + static_cast<std::ptrdiff_t>(start_), '\n'));
    counted_ = start_;
    tokens_.push_back({kind, start_, line_, std::string(text)});
    start_ = at_;
  }
  void Fail(std::string_view why) {
    Emit(TokenKind::kError, why);
    failed_ = true;
  }
  // "bad character U+0040 '@'"
  void FailAt(std::string_view why) {
    FormatSpec spec;
    spec.sharp = true;
    const Rune rune = FirstRune(Rest());
    const std::string shown =
        rune.bytes == 0 ? "U+FFFFFFFFFFFFFFFF" : UnicodeText(std::int64_t{rune.code}, spec);
    Fail(std::string(why) + " " + shown);
  }

  void TakeText() {
    const std::size_t left = std::min(text_.find(kLeft, at_), text_.size());
    std::string_view plain = text_.substr(at_, left - at_);
    const bool trims =
        left + 3 < text_.size() && text_[left + 2] == '-' && IsSpace(text_[left + 3]);
    if (trims) plain = TrimRight(plain);
    at_ = left;
    if (!plain.empty()) Emit(TokenKind::kText, plain);
    start_ = at_;
  }

  void TakeDelimited() {
    const std::string_view inner = Rest().substr(kLeft.size());
    const bool trims = inner.size() > 1 && inner[0] == '-' && IsSpace(inner[1]);
    const std::size_t marker = kLeft.size() + (trims ? 2 : 0);
    if (Rest().substr(marker).starts_with("/*")) {
      at_ += marker;
      return TakeComment();
    }
    at_ += kLeft.size();
    Emit(TokenKind::kLeftDelimiter);
    at_ += marker - kLeft.size();
    start_ = at_;
    parens_ = 0;
    in_action_ = true;
    while (in_action_ && !failed_) TakeInside();
  }

  void TakeComment() {
    const std::size_t close = text_.find("*/", at_);
    if (close == std::string_view::npos) return Fail("unclosed comment");
    at_ = close + 2;
    if (!AtRight()) return Fail("comment ends before closing delimiter");
    SkipRight();
  }

  void SkipRight() {
    const bool trims = !Starts(kRight);
    at_ += kRight.size() + (trims ? 2 : 0);
    while (trims && at_ < text_.size() && IsSpace(text_[at_])) ++at_;
    start_ = at_;
  }

  void TakeInside() {
    if (AtRight()) {
      if (parens_ > 0) return Fail("unclosed left paren");
      Emit(TokenKind::kRightDelimiter, kRight);
      SkipRight();
      in_action_ = false;
      return;
    }
    if (Rest().empty()) return Fail("unclosed action");
    const char c = Rest()[0];
    switch (c) {
      case '=':
        return Take(1, TokenKind::kAssign);
      case ':':
        if (!Starts(":=")) return Fail("expected :=");
        return Take(2, TokenKind::kDeclare);
      case '|':
        return Take(1, TokenKind::kPipe);
      case '"':
        return TakeQuoted('"', TokenKind::kString, "unterminated quoted string");
      case '\'':
        return TakeQuoted('\'', TokenKind::kCharConstant, "unterminated character constant");
      case '`':
        return TakeRaw();
      case '$':
        return TakeName(TokenKind::kVariable);
      case '(':
        ++parens_;
        return Take(1, TokenKind::kLeftParen);
      case ')':
        Take(1, TokenKind::kRightParen);
        if (--parens_ < 0) Fail("unexpected right paren");
        return;
      default:
        return TakeOther(c);
    }
  }

  void TakeOther(char c) {
    if (IsSpace(c)) {
      while (at_ < text_.size() && IsSpace(text_[at_]) && !AtRightTrim()) ++at_;
      return Emit(TokenKind::kSpace);
    }
    const std::string_view rest = Rest();
    const bool digit_next = rest.size() > 1 && rest[1] >= '0' && rest[1] <= '9';
    if (c == '.' && rest.size() > 1 && !digit_next) return TakeName(TokenKind::kField);
    if (c == '.' || c == '+' || c == '-' || (c >= '0' && c <= '9')) return TakeNumber();
    if (IsNameRune()) return TakeIdentifier();
    if (c > ' ' && c < 0x7f) return Take(1, TokenKind::kChar);
    FailAt("unrecognized character in action:");
  }

  void Take(std::size_t count, TokenKind kind) {
    at_ += count;
    Emit(kind);
  }

  bool IsNameRune() const {
    const Rune rune = FirstRune(Rest());
    return rune.bytes > 0 && (rune.code == '_' || IsLetterOrDigit(rune.code));
  }
  void SkipName() {
    while (IsNameRune()) at_ += FirstRune(Rest()).bytes;
  }
  // Whether a name may end here.
  bool AtTerminator() const {
    if (Rest().empty() || IsSpace(Rest()[0]) || Starts(kRight)) return true;
    return std::string_view(".,|:()").find(Rest()[0]) != std::string_view::npos;
  }

  // A dot or dollar sign with the name behind it.
  void TakeName(TokenKind kind) {
    ++at_;
    if (kind == TokenKind::kField && AtTerminator()) return Emit(TokenKind::kDot);
    if (!AtTerminator()) SkipName();
    if (!AtTerminator()) return FailAt("bad character");
    Emit(kind);
  }

  void TakeIdentifier() {
    SkipName();
    if (!AtTerminator()) return FailAt("bad character");
    const std::string_view name = text_.substr(start_, at_ - start_);
    const auto word = std::find_if(std::begin(kWords), std::end(kWords),
                                   [&](const Word& w) { return w.text == name; });
    Emit(word == std::end(kWords) ? TokenKind::kIdentifier : word->kind);
  }

  void TakeQuoted(char quote, TokenKind kind, std::string_view unterminated) {
    for (++at_;; ++at_) {
      if (at_ >= text_.size() || text_[at_] == '\n') return Fail(unterminated);
      if (text_[at_] == quote) break;
      if (text_[at_] != '\\') continue;
      ++at_;
      if (at_ >= text_.size() || text_[at_] == '\n') return Fail(unterminated);
    }
    Take(1, kind);
  }

  void TakeRaw() {
    const std::size_t close = text_.find('`', at_ + 1);
    if (close == std::string_view::npos) return Fail("unterminated raw quoted string");
    at_ = close;
    Take(1, TokenKind::kRawString);
  }

  bool Accept(std::string_view one_of) {
    if (Rest().empty() || one_of.find(Rest()[0]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  void AcceptAll(std::string_view any_of) {
    while (Accept(any_of)) continue;
  }

  // Not exact: what it lets through the parser refuses.
  void TakeNumber() {
    Accept("+-");
    std::string_view digits = kDigits;
    if (Accept("0")) {
      if (Accept("xX")) {
        digits = "0123456789abcdefABCDEF_";
      } else if (Accept("oO")) {
        digits = "01234567_";
      } else if (Accept("bB")) {
        digits = "01_";
      }
    }
    AcceptAll(digits);
    if (Accept(".")) AcceptAll(digits);
    const bool hexadecimal = digits.size() > kDigits.size();
    if ((digits == kDigits && Accept("eE")) || (hexadecimal && Accept("pP"))) {
      Accept("+-");
      AcceptAll(kDigits);
    }
    const bool sum = Starts("+") || Starts("-");  // of a complex number, which there is none of
    if (sum) AcceptAll("+-0123456789_");
    if (sum || IsNameRune()) {
      if (!sum) at_ += FirstRune(Rest()).bytes;
      return Fail("bad number syntax: " + Quote(text_.substr(start_, at_ - start_), {}));
    }
    Emit(TokenKind::kNumber);
  }

  const std::string_view text_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;    // of the token at hand
  std::size_t counted_ = 0;  // up to where line_ is right
  int line_ = 1;
  int parens_ = 0;
  bool in_action_ = false;
  bool failed_ = false;
};

}  // namespace

std::string Describe(const Token& token) {
  if (token.kind == TokenKind::kEnd) return "EOF";
  if (token.kind == TokenKind::kError) return token.text;
  if (token.kind >= TokenKind::kDot) return "<" + token.text + ">";
  constexpr std::size_t kMost = 10;
  if (RuneCount(token.text) <= kMost) return Quote(token.text, {});
  return Quote(FirstRunes(token.text, kMost), {}) + "...";
}

std::vector<Token> Tokenize(std::string_view text) { return Lexer(text).Run(); }

}  // namespace azexporter::rules::text_template
