#include "template_functions.h"

#include <fmt/format.h>
#include <fmt/printf.h>

#include <algorithm>
#include <array>
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
  if (const auto* text = std::get_if<std::string>(&value)) return base::ParseFloat(*text);
  return Fail(ErrorCode::kExecution, "expected a number");
}

// %.4g, as Prometheus's humanize functions print.
std::string FourDigits(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{:.4g}", value);
}

std::string Scaled(double value, double factor, std::string_view large, std::string_view small) {
  if (value == 0 || !std::isfinite(value)) return FourDigits(value);
  std::string_view prefix;
  if (std::fabs(value) >= 1) {
    for (std::size_t i = 0; i < large.size() && std::fabs(value) >= factor; ++i) {
      prefix = large.substr(i, 1);
      value /= factor;
    }
  } else {
    for (std::size_t i = 0; i < small.size() && std::fabs(value) < 1; ++i) {
      prefix = small.substr(i, 1);
      value *= factor;
    }
  }
  return FourDigits(value) + std::string(prefix);
}

std::string HumanizeTimestamp(double seconds) {
  if (!std::isfinite(seconds)) return FourDigits(seconds);
  constexpr double kYear10000 = 253402300800;
  if (std::fabs(seconds) >= kYear10000) return FourDigits(seconds);
  const auto ms = static_cast<std::int64_t>(std::llround(seconds * 1000));
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
  return text + " +0000 UTC";
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
    start = c == ' ';
  }
  return text;
}

// One verb of Go's fmt: %[flags][width][.precision]verb.
Result<std::string> FormatVerb(const std::string& spec, const TemplateValue& value) {
  const char verb = spec.back();
  const std::string head = spec.substr(0, spec.size() - 1);
  switch (verb) {
    case 'v':
    case 's':
      return fmt::sprintf(head + "s", ValueText(value));
    case 'q': {
      std::string quoted;
      model::AppendQuoted(quoted, ValueText(value));
      return quoted;
    }
    case 'd': {
      AZX_ASSIGN_OR_RETURN(const double number, Number(value));
      if (number != std::floor(number)) return "%!d(float64=" + ValueText(value) + ")";
      return fmt::sprintf(head + "d", static_cast<long long>(number));
    }
    case 'e':
    case 'f':
    case 'g': {
      AZX_ASSIGN_OR_RETURN(const double number, Number(value));
      if (!std::isfinite(number)) return base::FormatFloatG(number);
      if (verb == 'g' && head == "%") return base::FormatFloatG(number);
      return fmt::sprintf(spec, number);
    }
    default:
      return "%!" + std::string(1, verb) + "(" + ValueText(value) + ")";
  }
}

Result<TemplateValue> Printf(const Arguments& arguments) {
  const std::string format = ValueText(arguments[0]);
  std::string out;
  std::size_t next = 1;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    const std::size_t end = format.find_first_not_of("+-# 0123456789.", i + 1);
    if (end == std::string::npos) {
      out += "%!(NOVERB)";
      break;
    }
    const std::string spec = format.substr(i, end - i + 1);
    i = end;
    if (spec.back() == '%') {
      out += '%';
    } else if (next >= arguments.size()) {
      out += "%!" + std::string(1, spec.back()) + "(MISSING)";
    } else {
      AZX_ASSIGN_OR_RETURN(const std::string text, FormatVerb(spec, arguments[next++]));
      out += text;
    }
  }
  return TemplateValue(std::move(out));
}

template <std::string (*Function)(double)>
Result<TemplateValue> OfNumber(const Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(const double number, Number(arguments[0]));
  return TemplateValue(Function(number));
}

// Text and numbers compare by value; two of different kinds never are equal.
Result<int> Compare(const Arguments& arguments) {
  const TemplateValue& a = arguments[0];
  const TemplateValue& b = arguments[1];
  if (std::holds_alternative<double>(a) && std::holds_alternative<double>(b)) {
    const double x = std::get<double>(a);
    const double y = std::get<double>(b);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (std::holds_alternative<std::string>(a) && std::holds_alternative<std::string>(b)) {
    return std::get<std::string>(a).compare(std::get<std::string>(b));
  }
  return Fail(ErrorCode::kExecution, "incompatible types for comparison");
}

template <class Accept>
Result<TemplateValue> Comparison(const Arguments& arguments, Accept accept) {
  AZX_ASSIGN_OR_RETURN(const int order, Compare(arguments));
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

std::string Humanize1024(double value) { return Scaled(value, 1024, "kMGTPEZY", ""); }

// One row a function. `Index` and the functions that query come with range and with.
constexpr std::array kFunctions = {
    TemplateFunction{"and", 1, -1, &And},
    TemplateFunction{
        "eq", 2, 2, [](const Arguments& a) { return Comparison(a, [](int o) { return o == 0; }); }},
    TemplateFunction{
        "ge", 2, 2, [](const Arguments& a) { return Comparison(a, [](int o) { return o >= 0; }); }},
    TemplateFunction{"gt", 2, 2,
                     [](const Arguments& a) { return Comparison(a, [](int o) { return o > 0; }); }},
    TemplateFunction{"humanize", 1, 1, &OfNumber<Humanize>},
    TemplateFunction{"humanize1024", 1, 1, &OfNumber<Humanize1024>},
    TemplateFunction{"humanizeDuration", 1, 1, &OfNumber<HumanizeDuration>},
    TemplateFunction{"humanizePercentage", 1, 1, &OfNumber<HumanizePercentage>},
    TemplateFunction{"humanizeTimestamp", 1, 1, &OfNumber<HumanizeTimestamp>},
    TemplateFunction{
        "le", 2, 2, [](const Arguments& a) { return Comparison(a, [](int o) { return o <= 0; }); }},
    TemplateFunction{"lt", 2, 2,
                     [](const Arguments& a) { return Comparison(a, [](int o) { return o < 0; }); }},
    TemplateFunction{
        "ne", 2, 2, [](const Arguments& a) { return Comparison(a, [](int o) { return o != 0; }); }},
    TemplateFunction{"not", 1, 1,
                     [](const Arguments& a) -> Result<TemplateValue> { return !IsTruthy(a[0]); }},
    TemplateFunction{"or", 1, -1, &Or},
    TemplateFunction{"printf", 1, -1, &Printf},
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

std::string Humanize(double value) { return Scaled(value, 1000, "kMGTPEZY", "munpfazy"); }

std::string HumanizeDuration(double seconds) {
  if (!std::isfinite(seconds)) return FourDigits(seconds);
  if (seconds == 0) return "0s";
  const std::string sign = seconds < 0 ? "-" : "";
  const double magnitude = std::fabs(seconds);
  if (magnitude < 1) return Scaled(seconds, 1000, "", "munpfazy") + "s";
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
                "wrong number of args for " + name + ": got " + std::to_string(count));
  }
  auto result = function->call(arguments);
  if (!result) return Fail(result.error().WithContext("error calling " + name));
  return result;
}

std::string ValueText(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<double>(&value)) return base::FormatFloatG(*number);
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
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* labels = std::get_if<model::Labels>(&value)) return !labels->empty();
  return true;
}

}  // namespace azexporter::rules
