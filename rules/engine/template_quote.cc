#include "template_quote.h"

#include <fmt/format.h>

#include <charconv>

#include "azexporter/base/utf8.h"
#include "azexporter/model/labels.h"
#include "template_format.h"

namespace azexporter::rules::text_template {
namespace {

constexpr char32_t kReplacement = 0xfffd;
constexpr char32_t kLastCode = 0x10ffff;

struct Range {
  char32_t first;
  char32_t last;
};

// Signs, spaces and control characters beyond ASCII.
constexpr Range kNoLetters[] = {
    {0x80, 0xa9},     {0xab, 0xb4},       {0xb6, 0xb9},        {0xbb, 0xbf},     {0xd7, 0xd7},
    {0xf7, 0xf7},     {0x2000, 0x2bff},   {0x3000, 0x3004},    {0xd800, 0xf8ff}, {0xfe00, 0xfe6f},
    {0xfff0, 0xffff}, {0x1f000, 0x1faff}, {0xe0000, kLastCode}};

// Beyond ASCII: control characters, spaces, what is for private use.
constexpr Range kUnprintable[] = {
    {0x80, 0xa0},     {0xad, 0xad},     {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},
    {0x3000, 0x3000}, {0xd800, 0xf8ff}, {0xfeff, 0xfeff}, {0xfff0, 0xfffb}, {0xe0000, kLastCode}};

bool Holds(const Range& range, char32_t code) { return code >= range.first && code <= range.last; }

bool IsPrintable(char32_t code) {
  if (code < 0x80) return code >= 0x20 && code < 0x7f;
  for (const Range& range : kUnprintable) {
    if (Holds(range, code)) return false;
  }
  return true;
}

// The capital letters that have the small one right behind them.
bool IsPaired(char32_t code) {
  return (code >= 0x100 && code <= 0x137 && code != 0x130 && code != 0x131) ||
         (code >= 0x14a && code <= 0x177) || (code >= 0x460 && code <= 0x481) ||
         (code >= 0x48a && code <= 0x4bf) || (code >= 0x1e00 && code <= 0x1e95);
}
bool IsPairedFromOdd(char32_t code) {
  return (code >= 0x139 && code <= 0x148) || (code >= 0x179 && code <= 0x17e);
}

// Ranges of small letters, and how far before them their capitals are.
struct CaseRange {
  Range small;
  char32_t distance;
};
constexpr CaseRange kCases[] = {{{'a', 'z'}, 32},     {{0xe0, 0xf6}, 32},   {{0xf8, 0xfe}, 32},
                                {{0x3b1, 0x3c1}, 32}, {{0x3c3, 0x3cb}, 32}, {{0x430, 0x44f}, 32},
                                {{0x450, 0x45f}, 80}};

std::string EscapedRune(char32_t code, char quote, bool ascii) {
  const auto plain = [&] {
    std::string text;
    base::AppendUtf8(text, code);
    return text;
  };
  if (code == static_cast<char32_t>(quote) || code == '\\') return "\\" + plain();
  if (code < 0x80 ? IsPrintable(code) : !ascii && IsPrintable(code)) return plain();
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v";
  constexpr std::string_view kLetters = "abfnrtv";
  if (code < 0x20) {
    const std::size_t at = kMeanings.find(static_cast<char>(code));
    if (at != std::string_view::npos) return {'\\', kLetters[at]};
  }
  const auto number = static_cast<std::uint32_t>(code);
  if (code < 0x20 || code == 0x7f) return fmt::format("\\x{:02x}", number);
  return code < 0x10000 ? fmt::format("\\u{:04x}", number) : fmt::format("\\U{:08x}", number);
}

bool CanBackquote(std::string_view text) {
  if (!base::IsValidUtf8(text) || text.find("\xef\xbb\xbf") != std::string_view::npos) return false;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '`' || c == 0x7f) return false;
  }
  return true;
}

// Takes an escape from the front of `rest` and appends what it stands for.
bool TakeEscape(std::string_view& rest, char quote, std::string& out) {
  constexpr std::string_view kLetters = "abfnrtv\\";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\";
  if (rest.size() < 2) return false;
  const char letter = rest[1];
  const std::size_t at = kLetters.find(letter);
  if (at != std::string_view::npos || letter == quote) {
    out += letter == quote ? quote : kMeanings[at];
    rest.remove_prefix(2);
    return true;
  }
  const bool octal = letter >= '0' && letter <= '7';
  const std::size_t start = octal ? 1 : 2;
  const std::size_t count = octal           ? 3
                            : letter == 'x' ? 2
                            : letter == 'u' ? 4
                            : letter == 'U' ? 8
                                            : 0;
  if (count == 0 || rest.size() < start + count) return false;
  std::uint32_t code = 0;
  const char* end = rest.data() + start + count;
  const auto [stopped, error] = std::from_chars(rest.data() + start, end, code, octal ? 8 : 16);
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  if (error != std::errc() || stopped != end || code > kLastCode) return false;
  if (octal && code > 0xff) return false;
  if (octal || letter == 'x') {
    out += static_cast<char>(code);
  } else {
    if (surrogate) return false;
    base::AppendUtf8(out, code);
  }
  rest.remove_prefix(start + count);
  return true;
}

}  // namespace

Rune FirstRune(std::string_view text) {
  if (text.empty()) return {};
  const std::size_t bytes = base::Utf8Length(text);
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (bytes == 0) return {kReplacement, 1};
  if (bytes == 1) return {byte(0), 1};
  char32_t code = byte(0) & (0xffU >> (bytes + 1));
  for (std::size_t i = 1; i < bytes; ++i) code = (code << 6) | (byte(i) & 0x3fU);
  return {code, bytes};
}

std::size_t RuneCount(std::string_view text) {
  std::size_t count = 0;
  for (; !text.empty(); ++count) text.remove_prefix(FirstRune(text).bytes);
  return count;
}

std::string_view FirstRunes(std::string_view text, std::size_t count) {
  std::size_t end = 0;
  for (; count > 0 && end < text.size(); --count) end += FirstRune(text.substr(end)).bytes;
  return text.substr(0, end);
}

char32_t RuneOf(std::int64_t value) {
  const bool surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < 0 || value > std::int64_t{kLastCode} || surrogate) return kReplacement;
  return static_cast<char32_t>(value);
}

bool IsLetterOrDigit(char32_t code) {
  if (code < 0x80) {
    return (code >= 'a' && code <= 'z') || (code >= 'A' && code <= 'Z') ||
           (code >= '0' && code <= '9');
  }
  for (const Range& range : kNoLetters) {
    if (Holds(range, code)) return false;
  }
  return true;
}

char32_t UpperOf(char32_t code) {
  for (const CaseRange& range : kCases) {
    if (Holds(range.small, code)) return code - range.distance;
  }
  if (IsPaired(code)) return code & ~char32_t{1};
  if (IsPairedFromOdd(code) && code % 2 == 0) return code - 1;
  return code == 0xff ? 0x178 : code;
}

char32_t LowerOf(char32_t code) {
  for (const CaseRange& range : kCases) {
    const Range capital = {range.small.first - range.distance, range.small.last - range.distance};
    if (Holds(capital, code)) return code + range.distance;
  }
  if (IsPaired(code)) return code | 1;
  if (IsPairedFromOdd(code) && code % 2 == 1) return code + 1;
  return code == 0x178 ? 0xff : code;
}

std::string Quote(std::string_view text, const FormatSpec& spec) {
  if (spec.sharp && CanBackquote(text)) return "`" + std::string(text) + "`";
  std::string quoted = "\"";
  while (!text.empty()) {
    const Rune rune = FirstRune(text);
    if (rune.code == kReplacement && rune.bytes == 1) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    } else {
      quoted += EscapedRune(rune.code, '"', spec.plus);
    }
    text.remove_prefix(rune.bytes);
  }
  return quoted + "\"";
}

std::string QuoteRune(char32_t code, const FormatSpec& spec) {
  return "'" + EscapedRune(code, '\'', spec.plus) + "'";
}

std::string HexBytes(std::string_view bytes, const FormatSpec& spec, bool upper) {
  const std::string_view prefix = !spec.sharp ? "" : upper ? "0X" : "0x";
  std::string text;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i > 0 && spec.space) text += ' ';
    if (i == 0 || spec.space) text += prefix;
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text += upper ? fmt::format("{:02X}", byte) : fmt::format("{:02x}", byte);
  }
  return text;
}

std::string UnicodeText(std::int64_t value, const FormatSpec& spec) {
  const std::size_t digits = std::max<std::size_t>(spec.precision.value_or(4), 4);
  std::string text = fmt::format("U+{:0{}X}", static_cast<std::uint64_t>(value), digits);
  const char32_t code = RuneOf(value);
  if (spec.sharp && code == static_cast<char32_t>(value) && IsPrintable(code)) {
    text += " '";
    base::AppendUtf8(text, code);
    text += "'";
  }
  return text;
}

base::Result<std::string> Unquote(std::string_view quoted) {
  const auto invalid = [] { return base::BadData("invalid syntax"); };
  if (quoted.size() < 2 || quoted.front() != quoted.back()) return invalid();
  const char quote = quoted.front();
  std::string_view rest = quoted.substr(1, quoted.size() - 2);
  std::string text;
  if (quote == '`') {
    for (const char c : rest) {
      if (c != '\r') text += c;
    }
    return text;
  }
  while (!rest.empty()) {
    if (rest[0] == '\n' || rest[0] == quote) return invalid();
    if (rest[0] == '\\') {
      if (!TakeEscape(rest, quote, text)) return invalid();
      continue;
    }
    const Rune rune = FirstRune(rest);
    text += rest.substr(0, rune.bytes);
    rest.remove_prefix(rune.bytes);
  }
  if (quote == '\'' && RuneCount(text) != 1) return invalid();
  return text;
}

}  // namespace azexporter::rules::text_template
