#include "template_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "azexporter/base/float_format.h"
#include "azexporter/base/utf8.h"
#include "azexporter/rules/template.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

void ToUpper(std::string& text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
}

// "1.8p+1" as Go has it: "0x1.8p+01".
std::string HexFloat(double value, std::optional<std::size_t> precision) {
  std::array<char, 2048> buffer;
  char* end = buffer.data() + buffer.size();
  const double magnitude = std::fabs(value);
  constexpr std::size_t kMost = 1'000;
  const auto result = precision
                          ? std::to_chars(buffer.data(), end, magnitude, std::chars_format::hex,
                                          static_cast<int>(std::min(*precision, kMost)))
                          : std::to_chars(buffer.data(), end, magnitude, std::chars_format::hex);
  std::string text(buffer.data(), result.ptr);
  const std::size_t sign = text.find('p') + 1;
  if (text.size() == sign + 2) text.insert(sign + 1, "0");
  return (std::signbit(value) ? "-0x" : "0x") + text;
}

// Mantissa and power of two: "4503599627370496p-52".
std::string BinaryFloat(double value) {
  int exponent = 0;
  const double mantissa = std::frexp(value, &exponent);
  constexpr int kMantissaBits = 53;
  return fmt::format("{:.0f}p{:+d}", std::ldexp(mantissa, kMantissaBits), exponent - kMantissaBits);
}

// strconv.FormatFloat, but for the sign of positive numbers. `verb` is one of e f g x b, small.
std::string FloatDigits(double value, char verb, const FormatSpec& spec) {
  if (!std::isfinite(value)) return base::FormatFloatG(value);
  if (verb == 'x') return HexFloat(value, spec.precision);
  if (verb == 'b') return BinaryFloat(value);
  if (verb == 'g' && !spec.precision && !spec.sharp) return ShortestFloat(value);
  std::size_t precision = spec.precision.value_or(6);
  if (verb == 'g' && precision == 0) precision = 1;
  const std::string layout = fmt::format("{{:{}.{}{}}}", spec.sharp ? "#" : "", precision, verb);
  return fmt::format(fmt::runtime(layout), value);
}

bool IsStringVerb(char32_t verb) {
  return verb == 'v' || verb == 's' || verb == 'x' || verb == 'X' || verb == 'q';
}

}  // namespace

std::string ShortestFloat(double value) {
  constexpr double kFirstWithExponent = 1e6;
  if (!std::isfinite(value) || std::fabs(value) < kFirstWithExponent) {
    return base::FormatFloatG(value);
  }
  std::array<char, 32> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::scientific);
  return std::string(buffer.data(), result.ptr);
}

void Formatter::Pad(std::string_view text, const FormatSpec& spec) {
  const std::size_t length = spec.width ? RuneCount(text) : 0;
  const std::size_t missing = spec.width && *spec.width > length ? *spec.width - length : 0;
  if (spec.minus) {
    out_.append(text).append(missing, ' ');
  } else {
    out_.append(missing, spec.zero ? '0' : ' ').append(text);
  }
}

void Formatter::Print(const Value& value, char32_t verb, const FormatSpec& spec, int depth) {
  if (out_.size() > kMaxTextBytes) return;
  if (verb == 'T') return Pad(TypeName(value), spec);
  if (verb == 'v' && (spec.plus || spec.sharp)) return PrintInDetail(value, spec, depth);
  PrintAs(value, verb, spec, depth);
}

// %+v is for the names of fields, %#v for quotes around strings; numbers know neither.
void Formatter::PrintInDetail(const Value& value, const FormatSpec& spec, int depth) {
  FormatSpec plain = spec;
  plain.plus = plain.sharp = false;
  plain.names = spec.plus || spec.names;
  const bool quotes = spec.sharp && TextOf(value) != nullptr;
  PrintAs(value, quotes ? 'q' : 'v', plain, depth);
}

void Formatter::PrintAs(const Value& value, char32_t verb, const FormatSpec& spec, int depth) {
  if (const std::string* text = TextOf(value)) {
    if (!PrintString(*text, verb, spec)) PrintBadVerb(value, verb, spec);
  } else if (const auto* number = std::get_if<double>(&value)) {
    PrintFloat(*number, verb, spec);
  } else if (const auto* whole = std::get_if<Integer>(&value)) {
    PrintInteger(*whole, verb, spec);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    if (verb != 't' && verb != 'v') return PrintBadVerb(value, verb, spec);
    Pad(*flag ? "true" : "false", spec);
  } else if (const auto* labels = std::get_if<model::Labels>(&value)) {
    PrintLabels(*labels, verb, spec, depth);
  } else if (const auto* args = std::get_if<Args>(&value)) {
    PrintArgs(**args, verb, spec, depth);
  } else if (const auto* sample = std::get_if<Sample>(&value)) {
    PrintSample(*sample, verb, spec, depth);
  } else if (const auto* vector = std::get_if<Vector>(&value)) {
    out_ += '[';
    for (std::size_t i = 0; *vector && i < (*vector)->size(); ++i) {
      if (i > 0) out_ += ' ';
      Print((**vector)[i], verb, spec, depth + 1);
    }
    out_ += ']';
  } else if (const auto* root = std::get_if<Root>(&value)) {
    PrintRoot(*root, verb, spec, depth);
  } else if (std::holds_alternative<Nil>(value)) {
    if (verb != 'v') return PrintBadVerb(value, verb, spec);
    Pad("<nil>", spec);
  } else {
    PrintTimeOrDuration(value, verb, spec);
  }
}

void Formatter::PrintWithType(const Value& value, const FormatSpec& spec) {
  out_ += TypeName(value);
  if (std::holds_alternative<Nil>(value)) return;
  out_ += '=';
  Print(value, 'v', spec);
}

void Formatter::PrintBadVerb(const Value& value, char32_t verb, const FormatSpec& spec) {
  out_ += "%!";
  base::AppendUtf8(out_, verb);
  out_ += '(';
  PrintWithType(value, spec);
  out_ += ')';
}

// Any but the verbs of strings are for the number itself.
void Formatter::PrintTimeOrDuration(const Value& value, char32_t verb, const FormatSpec& spec) {
  const auto* duration = std::get_if<Duration>(&value);
  if (IsStringVerb(verb)) {
    PrintString(duration != nullptr ? DurationText(*duration) : TimeText(std::get<Time>(value)),
                verb, spec);
  } else if (duration != nullptr && !duration->is_pointer) {
    PrintInteger({duration->ns, Integer::Type::kInt64}, verb, spec);
  } else {
    PrintBadVerb(value, verb, spec);
  }
}

bool Formatter::PrintString(std::string_view text, char32_t verb, const FormatSpec& spec) {
  if (!IsStringVerb(verb)) return false;
  if (verb == 'x' || verb == 'X') {
    FormatSpec padding = spec;
    padding.zero = false;
    Pad(HexBytes(text.substr(0, spec.precision.value_or(text.size())), spec, verb == 'X'), padding);
    return true;
  }
  const std::string_view shown = spec.precision ? FirstRunes(text, *spec.precision) : text;
  if (verb == 'q') {
    Pad(Quote(shown, spec), spec);
  } else {
    Pad(shown, spec);
  }
  return true;
}

void Formatter::PrintFloat(double value, char32_t verb, const FormatSpec& spec) {
  constexpr std::u32string_view kVerbs = U"vbeEfFgGxX";
  if (kVerbs.find(verb) == std::u32string_view::npos) return PrintBadVerb(value, verb, spec);
  const bool upper = verb == 'E' || verb == 'G' || verb == 'X';
  char letter = static_cast<char>(verb == 'v' ? 'g' : verb);
  if (letter < 'a') letter = static_cast<char>(letter - 'A' + 'a');
  std::string text = FloatDigits(value, letter, spec);
  if (upper && std::isfinite(value)) ToUpper(text);
  std::string sign;
  if (text[0] == '-' || text[0] == '+') {
    sign = text.substr(0, 1);
    text.erase(0, 1);
  }
  if (sign.empty() || sign == "+") {
    const bool shown = std::isinf(value) || spec.plus;
    sign = spec.plus ? "+" : spec.space ? " " : shown ? "+" : "";
  }
  FormatSpec padding = spec;
  if (!std::isfinite(value)) padding.zero = false;
  if (padding.zero && !padding.minus && padding.width && *padding.width > sign.size()) {
    padding.width = *padding.width - sign.size();
    out_ += sign;
    sign.clear();
  }
  Pad(sign + text, padding);
}

void Formatter::PrintInteger(const Integer& value, char32_t verb, const FormatSpec& spec) {
  const bool named = value.type == Integer::Type::kMonth || value.type == Integer::Type::kWeekday;
  if (named && IsStringVerb(verb)) {
    PrintString(
        value.type == Integer::Type::kMonth ? MonthName(value.value) : WeekdayName(value.value),
        verb, spec);
    return;
  }
  switch (verb) {
    case 'v':
    case 'd':
      return Digits(value.value, 10, verb, spec);
    case 'b':
      return Digits(value.value, 2, verb, spec);
    case 'o':
    case 'O':
      return Digits(value.value, 8, verb, spec);
    case 'x':
    case 'X':
      return Digits(value.value, 16, verb, spec);
    case 'c': {
      std::string rune;
      base::AppendUtf8(rune, RuneOf(value.value));
      return Pad(rune, spec);
    }
    case 'q':
      return Pad(QuoteRune(RuneOf(value.value), spec), spec);
    case 'U': {
      FormatSpec padding = spec;
      padding.zero = false;
      return Pad(UnicodeText(value.value, spec), padding);
    }
    default:
      return PrintBadVerb(value, verb, spec);
  }
}

void Formatter::Digits(std::int64_t value, unsigned base, char32_t verb, const FormatSpec& spec) {
  FormatSpec padding = spec;
  padding.zero = false;
  if (spec.precision && *spec.precision == 0 && value == 0) return Pad("", padding);
  const bool negative = value < 0;
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  std::array<char, 65> buffer;
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude,
                                 static_cast<int>(base));
  std::string digits(buffer.data(), end.ptr);
  const std::string sign = negative ? "-" : spec.plus ? "+" : spec.space ? " " : "";
  std::size_t at_least = spec.precision.value_or(0);
  if (!spec.precision && spec.zero && spec.width && !spec.minus) {
    at_least = *spec.width > sign.size() ? *spec.width - sign.size() : 0;
  }
  if (digits.size() < at_least) digits.insert(0, at_least - digits.size(), '0');
  std::string prefix;
  if (spec.sharp && base == 2) prefix = "0b";
  if (spec.sharp && base == 8 && digits[0] != '0') prefix = "0";
  if (spec.sharp && base == 16) prefix = "0x";
  if (verb == 'O') prefix = "0o";
  std::string text = prefix + digits;
  if (verb == 'X') ToUpper(text);
  Pad(sign + text, padding);
}

void Formatter::PrintLabels(const model::Labels& labels, char32_t verb, const FormatSpec& spec,
                            int depth) {
  out_ += "map[";
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (i > 0) out_ += ' ';
    Print(std::string(labels[i].name), verb, spec, depth + 1);
    out_ += ':';
    Print(std::string(labels[i].value), verb, spec, depth + 1);
  }
  out_ += ']';
}

void Formatter::PrintArgs(const ArgsMap& args, char32_t verb, const FormatSpec& spec, int depth) {
  out_ += "map[";
  bool first = true;
  for (const auto& [name, value] : args.values) {
    if (out_.size() > kMaxTextBytes) return;
    if (!first) out_ += ' ';
    first = false;
    Print(name, verb, spec, depth + 1);
    out_ += ':';
    Print(value, verb, spec, depth + 1);
  }
  out_ += ']';
}

void Formatter::PrintSample(const Sample& sample, char32_t verb, const FormatSpec& spec,
                            int depth) {
  if (sample == nullptr) return Pad("<nil>", spec);
  const bool names = verb == 'v' && spec.names;
  out_ += names ? "&{Labels:" : "&{";
  PrintLabels(sample->labels, verb, spec, depth + 1);
  out_ += names ? " Value:" : " ";
  Print(sample->f, verb, spec, depth + 1);
  out_ += '}';
}

void Formatter::PrintRoot(Root root, char32_t verb, const FormatSpec& spec, int depth) {
  const bool names = verb == 'v' && spec.names;
  const auto field = [&](std::string_view name, const Value& value) {
    out_ += out_.empty() || out_.back() != '{' ? " " : "";
    if (names) out_.append(name).append(":");
    Print(value, verb, spec, depth + 1);
  };
  out_ += '{';
  field("Labels", root.data->labels);
  field("ExternalLabels", root.data->external_labels);
  field("ExternalURL", root.data->external_url);
  field("Value", root.data->value);
  out_ += '}';
}

std::string PlainText(const Value& value) {
  std::string text;
  Formatter(text).Print(value, 'v', {});
  return text;
}

std::string ActionText(const Value& value) {
  if (std::holds_alternative<Nil>(value)) return "<no value>";
  std::string text = PlainText(value);
  const bool pointer = std::holds_alternative<Sample>(value) && text.starts_with('&');
  return pointer ? text.substr(1) : text;
}

}  // namespace azexporter::rules::text_template
