// Go's fmt.Sprintf for the values of templates: %[flags][width][.precision]verb.
// Source: pkg.go.dev/fmt.

#include <fmt/printf.h>

#include <algorithm>
#include <cmath>

#include "azexporter/model/labels.h"
#include "template_functions.h"

namespace azexporter::rules {
namespace {

// "%-8.3f" in its parts; none of them is longer than fmt can take.
struct Verb {
  std::string flags;      // of "+-# 0"
  std::string width;      // digits
  std::string precision;  // ".3"; empty where there is none
  std::string letter;     // one code point; empty at the end of the format

  std::string Spec(std::string_view conversion) const {
    return "%" + flags + width + precision + std::string(conversion);
  }
  // Text padded to the width.
  std::string Padded(const std::string& text) const {
    const std::string left = flags.find('-') != std::string::npos ? "-" : "";
    return fmt::sprintf("%" + left + width + "s", text);
  }
};

std::string_view TakeWhile(std::string_view& text, std::string_view accepted) {
  const std::size_t end = std::min(text.find_first_not_of(accepted), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(end);
  return taken;
}

// Reads behind the '%'.
Verb TakeVerb(std::string_view& text) {
  constexpr std::string_view kDigits = "0123456789";
  Verb verb;
  for (char flag : TakeWhile(text, "+-# 0")) {
    if (verb.flags.find(flag) == std::string::npos) verb.flags += flag;
  }
  verb.width = TakeWhile(text, kDigits);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    verb.precision = ".";
    verb.precision += TakeWhile(text, kDigits);
  }
  std::size_t length = text.empty() ? 0 : 1;
  while (length < text.size() && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
    ++length;
  verb.letter = text.substr(0, length);
  text.remove_prefix(length);
  return verb;
}

// "%!d(float64=3)": the verb does not go with the value.
std::string Mismatch(const Verb& verb, const TemplateValue& value) {
  return "%!" + verb.letter + "(" + std::string(KindName(value)) + "=" + ValueText(value) + ")";
}

std::string FormatDouble(const Verb& verb, double value, const TemplateValue& whole) {
  const bool general = verb.letter == "v" || verb.letter == "g";
  if (!general && verb.letter != "e" && verb.letter != "f" && verb.letter != "F") {
    return Mismatch(verb, whole);
  }
  // Without a precision %g is the shortest text that reads back as the same number.
  if (!std::isfinite(value) || (general && verb.precision.empty())) {
    std::string text = FloatText(value);
    const bool plus = verb.flags.find('+') != std::string::npos;
    if (plus && value >= 0 && std::isfinite(value)) text.insert(0, "+");
    return verb.Padded(text);
  }
  return fmt::sprintf(verb.Spec(general ? "g" : verb.letter), value);
}

std::string FormatText(const Verb& verb, const TemplateValue& value) {
  const std::string text = ValueText(value);
  if (verb.letter == "q" && std::holds_alternative<std::string>(value)) {
    std::string quoted;
    model::AppendQuoted(quoted, text);
    return verb.Padded(quoted);
  }
  if (verb.letter != "v" && verb.letter != "s") return Mismatch(verb, value);
  return verb.Padded(verb.precision.empty() ? text
                                            : fmt::sprintf("%" + verb.precision + "s", text));
}

std::string FormatOne(const Verb& verb, const TemplateValue& value) {
  if (verb.letter == "T") return verb.Padded(std::string(KindName(value)));
  if (const auto* number = std::get_if<double>(&value)) return FormatDouble(verb, *number, value);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    const bool known = verb.letter == "d" || verb.letter == "x" || verb.letter == "X" ||
                       verb.letter == "o" || verb.letter == "v";
    if (!known) return Mismatch(verb, value);
    return fmt::sprintf(verb.Spec(verb.letter == "v" ? "d" : verb.letter),
                        static_cast<long long>(*whole));
  }
  if (std::holds_alternative<bool>(value)) {
    if (verb.letter != "t" && verb.letter != "v") return Mismatch(verb, value);
    return verb.Padded(ValueText(value));
  }
  return FormatText(verb, value);
}

}  // namespace

base::Result<TemplateValue> TemplatePrintf(const TemplateArguments& arguments) {
  if (!std::holds_alternative<std::string>(arguments[0])) {
    return base::Fail(base::ErrorCode::kExecution, "wrong type for value; expected string; got " +
                                                       std::string(KindName(arguments[0])));
  }
  std::string_view format = std::get<std::string>(arguments[0]);
  std::string out;
  std::size_t next = 1;
  while (!format.empty()) {
    const std::size_t percent = std::min(format.find('%'), format.size());
    out += format.substr(0, percent);
    format.remove_prefix(percent);
    if (format.empty()) break;
    format.remove_prefix(1);
    const Verb verb = TakeVerb(format);
    constexpr std::size_t kMostDigits = 4;
    if (verb.letter.empty()) {
      out += "%!(NOVERB)";
    } else if (verb.letter == "%") {
      out += '%';
    } else if (next >= arguments.size()) {
      out += "%!" + verb.letter + "(MISSING)";
    } else if (verb.width.size() > kMostDigits || verb.precision.size() > kMostDigits) {
      ++next;
      out += "%!(BADWIDTH)";
    } else {
      out += FormatOne(verb, arguments[next++]);
    }
  }
  if (next < arguments.size()) {
    out += "%!(EXTRA ";
    for (std::size_t i = next; i < arguments.size(); ++i) {
      if (i > next) out += ", ";
      out += std::string(KindName(arguments[i])) + "=" + ValueText(arguments[i]);
    }
    out += ")";
  }
  return TemplateValue(std::move(out));
}

}  // namespace azexporter::rules
