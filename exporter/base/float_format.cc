#include "azexporter/base/float_format.h"
#include "azexporter/base/text.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <optional>

namespace azexporter::base {
namespace {

std::optional<std::string_view> SpecialText(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return std::nullopt;
}

// Parses the unsigned part of a number. Returns nullopt when any byte is left over.
std::optional<double> ParseUnsigned(const std::string& lower) {
  if (lower == "inf" || lower == "infinity") return std::numeric_limits<double>::infinity();
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  std::string_view digits = lower;
  auto format = std::chars_format::general;
  if (digits.starts_with("0x")) {
    digits.remove_prefix(2);
    format = std::chars_format::hex;
  }
  const bool starts_well =
      !digits.empty() &&
      (digits[0] == '.' || (digits[0] >= '0' && digits[0] <= '9') ||
       (format == std::chars_format::hex && digits[0] >= 'a' && digits[0] <= 'f'));
  if (!starts_well) return std::nullopt;
  double value = 0;
  const char* end = digits.data() + digits.size();
  const auto [ptr, error] = std::from_chars(digits.data(), end, value, format);
  if (ptr != end) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // from_chars leaves the value alone; the exponent's sign tells zero from infinity.
    const char mark = format == std::chars_format::hex ? 'p' : 'e';
    const std::size_t exponent = digits.find(mark);
    const bool tiny = (exponent != std::string_view::npos && exponent + 1 < digits.size() &&
                       digits[exponent + 1] == '-') ||
                      digits.starts_with("0.") || digits.starts_with(".");
    return tiny ? 0.0 : std::numeric_limits<double>::infinity();
  }
  if (error != std::errc()) return std::nullopt;
  return value;
}

// Writes the shortest digits that read back as `value`, without an exponent. std::to_chars in fixed
// form would print every digit of a large double's exact value instead.
// REQUIRES: value is finite.
void AppendPositional(std::string& out, double value) {
  std::array<char, 32> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::scientific);
  std::string_view text(buffer.data(), static_cast<std::size_t>(result.ptr - buffer.data()));
  if (text[0] == '-') {
    out += '-';
    text.remove_prefix(1);
  }
  const std::size_t mark = text.find('e');
  int exponent = 0;
  const char* exponent_begin = text.data() + mark + (text[mark + 1] == '+' ? 2 : 1);
  std::from_chars(exponent_begin, text.data() + text.size(), exponent);
  std::string digits(1, text[0]);
  if (mark > 1) digits += text.substr(2, mark - 2);
  const int count = static_cast<int>(digits.size());
  if (exponent < 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-exponent - 1), '0');
    out += digits;
  } else if (exponent + 1 >= count) {
    out += digits;
    out.append(static_cast<std::size_t>(exponent + 1 - count), '0');
  } else {
    const auto whole = static_cast<std::size_t>(exponent + 1);
    out.append(digits, 0, whole);
    out += '.';
    out.append(digits, whole);
  }
}

}  // namespace

void AppendFloatG(std::string& out, double value) {
  if (auto special = SpecialText(value)) {
    out += *special;
    return;
  }
  const double magnitude = std::fabs(value);
  if (magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e21)) {
    AppendPositional(out, value);
    return;
  }
  std::array<char, 32> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::scientific);
  out.append(buffer.data(), result.ptr);
}

std::string FormatFloatG(double value) {
  std::string out;
  AppendFloatG(out, value);
  return out;
}

std::string FormatFloatF(double value) {
  if (auto special = SpecialText(value)) return std::string(*special);
  std::string out;
  AppendPositional(out, value);
  return out;
}

Result<double> ParseFloat(std::string_view text) {
  std::string_view rest = text;
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  if (auto value = ParseUnsigned(Lower(std::string(rest)))) return negative ? -*value : *value;
  return BadData("not a number: \"" + std::string(text) + "\"");
}

}  // namespace azexporter::base
