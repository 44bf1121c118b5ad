#include "literals.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "azexporter/base/duration.h"
#include "azexporter/base/float_format.h"
#include "azexporter/base/utf8.h"
#include "azexporter/model/labels.h"

namespace azexporter::promql {
namespace {

// An integer with a base prefix: 0x1f, or 0755 (octal, as in Go). False where `text` is none.
bool PrefixedInteger(std::string_view text, double& value) {
  if (text.size() < 2 || text[0] != '0') return false;
  const bool hexadecimal = text[1] == 'x' || text[1] == 'X';
  const std::string_view digits = text.substr(hexadecimal ? 2 : 1);
  std::int64_t integer = 0;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), integer, hexadecimal ? 16 : 8);
  if (error != std::errc() || end != digits.data() + digits.size()) return false;
  value = static_cast<double>(integer);
  return true;
}

char PlainEscape(char c) {
  switch (c) {
    case 'a':
      return '\a';
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return c;  // a backslash or a quote
  }
}

}  // namespace

base::Result<double> NumberValue(std::string_view text, bool is_duration) {
  if (is_duration) {
    AZX_ASSIGN_OR_RETURN(const std::int64_t ms, base::ParseDurationMs(text));
    return static_cast<double>(ms) / 1000;
  }
  std::string digits(text);
  std::erase(digits, '_');  // where they may stand, the lexer saw to
  double value = 0;
  if (PrefixedInteger(digits, value)) return value;
  auto parsed = base::ParseFloat(digits);
  const bool spelled = text[0] == 'i' || text[0] == 'I';
  if (!parsed) {
    return base::BadData(fmt::format(
        "error parsing number: strconv.ParseFloat: parsing \"{}\": invalid syntax", text));
  }
  if (std::isinf(*parsed) && !spelled) {
    return base::BadData(fmt::format(
        "error parsing number: strconv.ParseFloat: parsing \"{}\": value out of range", text));
  }
  return *parsed;
}

std::string Unquote(std::string_view quoted) {
  const std::string_view inside = quoted.substr(1, quoted.size() - 2);
  if (quoted[0] == '`') {
    std::string raw(inside);
    std::erase(raw, '\r');
    return raw;
  }
  std::string out;
  out.reserve(inside.size());
  for (std::size_t i = 0; i < inside.size();) {
    if (inside[i] != '\\') {
      out += inside[i++];
      continue;
    }
    const char c = inside[i + 1];
    const bool octal = c >= '0' && c <= '7';
    const std::size_t digits = octal ? 3 : c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) {
      out += PlainEscape(c);
      i += 2;
      continue;
    }
    i += octal ? 1 : 2;
    std::uint32_t value = 0;
    std::from_chars(inside.data() + i, inside.data() + i + digits, value, octal ? 8 : 16);
    i += digits;
    if (octal || c == 'x') {
      out += static_cast<char>(value);
    } else {
      base::AppendUtf8(out, value);
    }
  }
  return out;
}

std::string Quoted(std::string_view text) {
  std::string out;
  model::AppendQuoted(out, text);
  return out;
}

tl::unexpected<base::Error> ParseErrorAt(std::string_view query, const PositionRange& position,
                                         std::string_view message) {
  if (query.empty()) {
    return base::BadData(fmt::format("unknown position: parse error: {}", message));
  }
  return base::BadData(
      fmt::format("{}:{}: parse error: {}", position.line, position.column, message));
}

}  // namespace azexporter::promql
