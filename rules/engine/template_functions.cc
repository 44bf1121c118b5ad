#include "template_functions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "azexporter/base/float_format.h"
#include "azexporter/model/regexp.h"
#include "azexporter/rules/template.h"

namespace azexporter::rules {
namespace {

using base::ErrorCode;
using base::Fail;
using base::Result;
using Arguments = TemplateArguments;

Result<double> Number(const TemplateValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* text = std::get_if<std::string>(&value)) return base::ParseFloat(*text);
  return Fail(ErrorCode::kExecution, "can't convert " + std::string(KindName(value)) + " to float");
}

constexpr std::string_view kSmallPrefixes = "munpfazy";

// %.4g, as Prometheus's humanize functions print.
std::string FourDigits(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{:.4g}", value);
}

// `unit` follows each of the large prefixes: the i of Mi.
std::string Scaled(double value, double factor, std::string_view small, std::string_view unit) {
  constexpr std::string_view kLarge = "kMGTPEZY";
  if (value == 0 || !std::isfinite(value)) return FourDigits(value);
  std::string_view prefix;
  if (std::fabs(value) < 1) {
    for (std::size_t i = 0; i < small.size() && std::fabs(value) < 1; ++i) {
      prefix = small.substr(i, 1);
      value *= factor;
    }
    return FourDigits(value).append(prefix);
  }
  for (std::size_t i = 0; i < kLarge.size() && std::fabs(value) >= factor; ++i) {
    prefix = kLarge.substr(i, 1);
    value /= factor;
  }
  std::string text = FourDigits(value);
  if (!prefix.empty()) text.append(prefix).append(unit);
  return text;
}

Result<TemplateValue> HumanizeTimestamp(const Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(const double seconds, Number(arguments[0]));
  if (!std::isfinite(seconds)) return TemplateValue(FourDigits(seconds));
  // The same steps as there, so that the last digit is the same too.
  const double ns = seconds * 1e9;
  constexpr double kMostNs = 9223372036854775807.0;
  if (std::fabs(ns) >= kMostNs) {
    return Fail(ErrorCode::kExecution, FloatText(seconds) +
                                           " cannot be represented as a nanoseconds timestamp "
                                           "since it overflows int64");
  }
  const std::int64_t ms = static_cast<std::int64_t>(ns) / 1'000'000;
  const std::chrono::sys_time<std::chrono::milliseconds> when{std::chrono::milliseconds(ms)};
  const auto day = std::chrono::floor<std::chrono::days>(when);
  const std::chrono::year_month_day date(day);
  const std::int64_t in_day = (when - day).count();
  std::string text =
      fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  in_day / 3'600'000, in_day / 60'000 % 60, in_day / 1000 % 60);
  if (in_day % 1000 != 0) {
    std::string fraction = fmt::format(".{:03}", in_day % 1000);
    while (fraction.back() == '0') fraction.pop_back();
    text += fraction;
  }
  return TemplateValue(text + " +0000 UTC");
}

std::string MapAscii(std::string text, bool upper) {
  for (char& c : text) {
    if (upper && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (!upper && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

std::string Title(std::string text) {
  bool start = true;
  for (char& c : text) {
    if (start && c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    // Go's strings.Title: a word begins behind whatever is no letter, digit or underscore.
    const bool ascii = static_cast<unsigned char>(c) < 0x80;
    const bool in_word =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    start = ascii && !in_word;
  }
  return text;
}

template <std::string (*Function)(double)>
Result<TemplateValue> OfNumber(const Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(const double number, Number(arguments[0]));
  return TemplateValue(Function(number));
}

template <class T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

// Only values of one kind compare, as in Go.
Result<int> Compare(const TemplateValue& a, const TemplateValue& b) {
  if (a.index() != b.index())
    return Fail(ErrorCode::kExecution, "incompatible types for comparison");
  if (const auto* number = std::get_if<double>(&a)) return Order(*number, std::get<double>(b));
  if (const auto* whole = std::get_if<std::int64_t>(&a)) {
    return Order(*whole, std::get<std::int64_t>(b));
  }
  if (const auto* text = std::get_if<std::string>(&a)) {
    return text->compare(std::get<std::string>(b));
  }
  return Fail(ErrorCode::kExecution, "invalid type for comparison");
}

Result<bool> Equal(const TemplateValue& a, const TemplateValue& b) {
  if (std::holds_alternative<bool>(a) && std::holds_alternative<bool>(b)) {
    return std::get<bool>(a) == std::get<bool>(b);
  }
  AZX_ASSIGN_OR_RETURN(const int order, Compare(a, b));
  return order == 0;
}

// Whether the first is equal to any of the others.
Result<TemplateValue> EqualsAny(const Arguments& arguments) {
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    AZX_ASSIGN_OR_RETURN(const bool equal, Equal(arguments[0], arguments[i]));
    if (equal) return TemplateValue(true);
  }
  return TemplateValue(false);
}

template <class Accept>
Result<TemplateValue> Comparison(const Arguments& arguments, Accept accept) {
  AZX_ASSIGN_OR_RETURN(const int order, Compare(arguments[0], arguments[1]));
  return TemplateValue(static_cast<bool>(accept(order)));
}

Result<TemplateValue> And(const Arguments& arguments) {
  for (const TemplateValue& value : arguments) {
    if (!IsTruthy(value)) return value;
  }
  return arguments.back();
}

Result<TemplateValue> Or(const Arguments& arguments) {
  for (const TemplateValue& value : arguments) {
    if (IsTruthy(value)) return value;
  }
  return arguments.back();
}

Result<TemplateValue> ReReplaceAll(const Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(
      const std::string text,
      model::ReplaceAll(ValueText(arguments[0]), ValueText(arguments[1]), ValueText(arguments[2])));
  return TemplateValue(text);
}

std::string Humanize1024(double value) { return Scaled(value, 1024, "", "i"); }

// One row a function. Those that query, and index, come with range and with.
constexpr std::array kFunctions = {
    TemplateFunction{"and", 1, -1, &And},
    TemplateFunction{"eq", 2, -1, &EqualsAny},
    TemplateFunction{
        "ge", 2, 2, [](const Arguments& a) { return Comparison(a, [](int o) { return o >= 0; }); }},
    TemplateFunction{"gt", 2, 2,
                     [](const Arguments& a) { return Comparison(a, [](int o) { return o > 0; }); }},
    TemplateFunction{"humanize", 1, 1, &OfNumber<Humanize>},
    TemplateFunction{"humanize1024", 1, 1, &OfNumber<Humanize1024>},
    TemplateFunction{"humanizeDuration", 1, 1, &OfNumber<HumanizeDuration>},
    TemplateFunction{"humanizePercentage", 1, 1, &OfNumber<HumanizePercentage>},
    TemplateFunction{"humanizeTimestamp", 1, 1, &HumanizeTimestamp},
    TemplateFunction{
        "le", 2, 2, [](const Arguments& a) { return Comparison(a, [](int o) { return o <= 0; }); }},
    TemplateFunction{"lt", 2, 2,
                     [](const Arguments& a) { return Comparison(a, [](int o) { return o < 0; }); }},
    TemplateFunction{"ne", 2, 2,
                     [](const Arguments& a) -> Result<TemplateValue> {
                       AZX_ASSIGN_OR_RETURN(const bool equal, Equal(a[0], a[1]));
                       return TemplateValue(!equal);
                     }},
    TemplateFunction{"not", 1, 1,
                     [](const Arguments& a) -> Result<TemplateValue> { return !IsTruthy(a[0]); }},
    TemplateFunction{"or", 1, -1, &Or},
    TemplateFunction{"printf", 1, -1, &TemplatePrintf},
    TemplateFunction{"reReplaceAll", 3, 3, &ReReplaceAll},
    TemplateFunction{"title", 1, 1,
                     [](const Arguments& a) -> Result<TemplateValue> {
                       return TemplateValue(Title(ValueText(a[0])));
                     }},
    TemplateFunction{"toLower", 1, 1,
                     [](const Arguments& a) -> Result<TemplateValue> {
                       return TemplateValue(MapAscii(ValueText(a[0]), false));
                     }},
    TemplateFunction{"toUpper", 1, 1,
                     [](const Arguments& a) -> Result<TemplateValue> {
                       return TemplateValue(MapAscii(ValueText(a[0]), true));
                     }},
};

}  // namespace

std::string Humanize(double value) { return Scaled(value, 1000, kSmallPrefixes, ""); }

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) return FourDigits(seconds);
  if (seconds == 0) return "0s";
  const std::string sign = seconds < 0 ? "-" : "";
  const double magnitude = std::fabs(seconds);
  if (magnitude < 1) return Scaled(seconds, 1000, kSmallPrefixes, "") + "s";
  if (magnitude < 60) return FourDigits(seconds) + "s";
  const auto whole = static_cast<std::int64_t>(magnitude);
  const std::int64_t days = whole / 86400;
  const std::int64_t hours = whole / 3600 % 24;
  const std::int64_t minutes = whole / 60 % 60;
  if (days > 0) return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, whole % 60);
  if (hours > 0) return fmt::format("{}{}h {}m {}s", sign, hours, minutes, whole % 60);
  return fmt::format("{}{}m {}s", sign, minutes, whole % 60);
}

std::string HumanizePercentage(double ratio) { return FourDigits(ratio * 100) + "%"; }

const TemplateFunction* FindTemplateFunction(std::string_view name) {
  const auto found = std::find_if(kFunctions.begin(), kFunctions.end(),
                                  [&](const TemplateFunction& f) { return f.name == name; });
  return found == kFunctions.end() ? nullptr : found;
}

Result<TemplateValue> CallTemplateFunction(const std::string& name, const Arguments& arguments) {
  const TemplateFunction* function = FindTemplateFunction(name);
  if (function == nullptr) return base::BadData("function \"" + name + "\" not defined");
  const int count = static_cast<int>(arguments.size());
  if (count < function->min_arguments ||
      (function->max_arguments >= 0 && count > function->max_arguments)) {
    return Fail(ErrorCode::kExecution,
                fmt::format("wrong number of args for {}: want {}{} got {}", name,
                            function->max_arguments < 0 ? "at least " : "", function->min_arguments,
                            count));
  }
  auto result = function->call(arguments);
  if (result) return result;
  return Fail(ErrorCode::kExecution, "error calling " + name + ": " + result.error().message());
}

std::string_view KindName(const TemplateValue& value) {
  if (std::holds_alternative<std::string>(value)) return "string";
  if (std::holds_alternative<double>(value)) return "float64";
  if (std::holds_alternative<std::int64_t>(value)) return "int";
  if (std::holds_alternative<bool>(value)) return "bool";
  if (std::holds_alternative<model::Labels>(value)) return "map[string]string";
  return "struct";
}

std::string FloatText(double value) {
  constexpr double kFirstWithExponent = 1e6;
  if (!std::isfinite(value) || std::fabs(value) < kFirstWithExponent) {
    return base::FormatFloatG(value);
  }
  std::array<char, 32> buffer;
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::scientific);
  return std::string(buffer.data(), result.ptr);
}

std::string ValueText(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return FloatText(*number);
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return std::to_string(*whole);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  const auto* labels = std::get_if<model::Labels>(&value);
  if (labels == nullptr) return "<no value>";
  std::string text = "map[";
  for (const model::Label label : *labels) {
    if (text.size() > 4) text += ' ';
    text += std::string(label.name) + ":" + std::string(label.value);
  }
  return text + "]";
}

bool IsTruthy(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
  if (const auto* number = std::get_if<double>(&value)) return *number != 0;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return *whole != 0;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* labels = std::get_if<model::Labels>(&value)) return !labels->empty();
  return true;
}

}  // namespace azexporter::rules
