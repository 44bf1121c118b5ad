#include "template_number.h"

#include <charconv>
#include <cmath>

#include "azexporter/base/float_format.h"
#include "template_format.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

using base::BadData;
using base::Result;

bool HasSign(std::string_view text) { return text.starts_with('+') || text.starts_with('-'); }

// Go's underscores: between digits, or behind the prefix of a base.
bool UnderscoresFit(std::string_view text) {
  if (HasSign(text)) text.remove_prefix(1);
  char before = text.starts_with('0') && text.size() > 1 && text[1] > '9' ? '0' : '^';
  if (before == '0') text.remove_prefix(2);
  for (const char c : text) {
    if (c == '_' && before != '0') return false;
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (c != '_' && before == '_' && !digit) return false;
    before = c == '_' ? '_' : digit ? '0' : '!';
  }
  return before != '_';
}

// A whole number in base 10, or in the one its prefix names. Nothing where it is none; `too_large`
// where it is out of range.
std::optional<std::int64_t> WholeOf(std::string_view digits, bool& too_large) {
  const bool negative = digits.starts_with('-');
  if (HasSign(digits)) digits.remove_prefix(1);
  int base = 10;
  if (digits.size() > 1 && digits[0] == '0') {
    const char mark = static_cast<char>(digits[1] | 0x20);
    base = mark == 'x' ? 16 : mark == 'b' ? 2 : 8;
    digits.remove_prefix(mark == 'x' || mark == 'b' || mark == 'o' ? 2 : 1);
  }
  std::uint64_t value = 0;
  const char* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, value, base);
  if (digits.empty() || stopped != end) return std::nullopt;
  constexpr std::uint64_t kFirstTooLarge = std::uint64_t{1} << 63;
  too_large = error != std::errc() || value > kFirstTooLarge - (negative ? 0 : 1);
  if (too_large) return std::nullopt;
  return static_cast<std::int64_t>(negative ? 0 - value : value);
}

Result<NumberLiteral> CharLiteral(std::string_view text) {
  const auto unquoted = Unquote(text);
  if (!unquoted) return BadData("malformed character constant: " + std::string(text));
  const auto code = static_cast<std::int64_t>(FirstRune(*unquoted).code);
  return NumberLiteral{code, static_cast<double>(code), false};
}

}  // namespace

Result<NumberLiteral> ReadNumber(std::string_view text) {
  if (text.starts_with('\'')) return CharLiteral(text);
  std::string digits(text);
  std::erase(digits, '_');
  bool too_large = false;
  NumberLiteral literal;
  if (UnderscoresFit(text)) literal.whole = WholeOf(digits, too_large);
  if (literal.whole) {
    literal.number = static_cast<double>(*literal.whole);
    return literal;
  }
  const bool looks_whole = digits.find_first_of(".eEpP") == std::string::npos;
  if (too_large) return BadData("integer overflow: " + Quote(text, {}));
  const bool hexadecimal = digits.find_first_of("xX") != std::string::npos;
  const bool has_exponent = digits.find_first_of("pP") != std::string::npos;
  const auto number = base::ParseFloat(digits);
  if (!UnderscoresFit(text) || !number || std::isinf(*number) || (hexadecimal && !has_exponent)) {
    return BadData("illegal number syntax: " + Quote(text, {}));
  }
  if (looks_whole) return BadData("integer overflow: " + Quote(text, {}));  // 08, in Go's words
  literal.number = *number;
  literal.is_float = true;
  constexpr double kFirstTooLarge = 9'223'372'036'854'775'808.0;
  if (std::trunc(*number) == *number && std::fabs(*number) < kFirstTooLarge) {
    literal.whole = static_cast<std::int64_t>(*number);
  }
  return literal;
}

Result<double> ParseFloat(std::string_view text) {
  const auto fail = [&](std::string_view why) {
    return base::Fail(base::ErrorCode::kExecution,
                      "strconv.ParseFloat: parsing " + Quote(text, {}) + ": " + std::string(why));
  };
  const auto number = base::ParseFloat(text);
  if (!number) return fail("invalid syntax");
  const bool named = text.find_first_of("iI") != std::string_view::npos;
  if (std::isinf(*number) && !named) return fail("value out of range");
  return *number;
}

}  // namespace azexporter::rules::text_template
