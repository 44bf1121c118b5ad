// The functions that Prometheus adds to Go's.
// Semantics: prometheus/template/template.go.

#include "template_functions.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "azexporter/base/duration.h"
#include "azexporter/base/text.h"
#include "azexporter/base/utf8.h"
#include "azexporter/model/regexp.h"
#include "template_format.h"
#include "template_number.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

using base::Result;

const std::string& Text(const Value& value) { return std::get<std::string>(value); }

// What Prometheus takes as a number of its humanize functions and times.
Result<double> Number(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* text = std::get_if<std::string>(&value)) return ParseFloat(*text);
  if (const auto* duration = std::get_if<Duration>(&value); duration && !duration->is_pointer) {
    return static_cast<double>(duration->ns) / 1e9;
  }
  const auto* whole = std::get_if<Integer>(&value);
  const bool plain = whole != nullptr &&
                     (whole->type == Integer::Type::kInt || whole->type == Integer::Type::kInt64);
  if (plain) return static_cast<double>(whole->value);
  return Failure("can't convert " + TypeName(value) + " to float");
}

template <std::string (*Humanized)(double)>
Result<Value> OfNumber(Context&, Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(const double number, Number(arguments[0]));
  return Value(Humanized(number));
}

// Cut to milliseconds, as Prometheus's times are.
Result<Time> TimeOf(double seconds) {
  constexpr double kFirstTooLarge = 9'223'372'036'854'775'808.0;
  const double ns = seconds * 1e9;
  if (!(ns < kFirstTooLarge && ns >= -kFirstTooLarge)) {
    return Failure(ShortestFloat(seconds) +
                   " cannot be represented as a nanoseconds timestamp since it overflows int64");
  }
  const std::int64_t ms = static_cast<std::int64_t>(ns) / 1'000'000;
  const std::int64_t whole = ms / 1'000 - (ms % 1'000 < 0 ? 1 : 0);
  return Time{whole, static_cast<std::int32_t>((ms - whole * 1'000) * 1'000'000), false};
}

Result<Value> HumanizeTimestamp(Context&, Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(const double seconds, Number(arguments[0]));
  if (!std::isfinite(seconds)) return Value(ShortestFloat(seconds));
  AZX_ASSIGN_OR_RETURN(const Time time, TimeOf(seconds));
  return Value(TimeText(time));
}

Result<Value> ToTime(Context&, Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(const double seconds, Number(arguments[0]));
  if (!std::isfinite(seconds)) return Failure("value is NaN or Inf");
  AZX_ASSIGN_OR_RETURN(Time time, TimeOf(seconds));
  time.is_pointer = true;
  return Value(time);
}

Result<Value> ToDuration(Context&, Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(const double seconds, Number(arguments[0]));
  constexpr double kFirstTooLarge = 9'223'372'036'854'775'808.0;
  const double ns = seconds * 1e9;
  // Where Go does not say what becomes of a number too large, x86 takes the smallest.
  const bool fits = ns < kFirstTooLarge && ns >= -kFirstTooLarge;
  return Value(Duration{fits ? static_cast<std::int64_t>(ns) : INT64_MIN, true});
}

Result<Value> ParseDuration(Context&, Arguments& arguments) {
  const std::string& text = Text(arguments[0]);
  const bool negative = text.starts_with('-');
  const auto ms = base::ParseDurationMs(std::string_view(text).substr(negative ? 1 : 0));
  if (!ms) {
    return Failure(text.empty() ? "empty duration string"
                                : "not a valid duration string: " + Quote(text, {}));
  }
  return Value(static_cast<double>(negative ? -*ms : *ms) / 1e3);
}

Result<Value> Query(Context& context, Arguments& arguments) {
  if (!context.data.query) return Failure("there is nothing to query");
  // So that a range over many samples cannot ask without end.
  constexpr std::size_t kSteps = 2'000;
  if (!context.budget.Take(kSteps)) return Failure("too many queries");
  AZX_ASSIGN_OR_RETURN(promql::Vector samples, context.data.query(Text(arguments[0])));
  auto result = std::make_shared<std::vector<Sample>>();
  for (model::Sample& sample : samples) {
    result->push_back(std::make_shared<const model::Sample>(std::move(sample)));
  }
  return Value(Vector(std::move(result)));
}

Result<Value> First(Context&, Arguments& arguments) {
  const auto& vector = std::get<Vector>(arguments[0]);
  if (vector && !vector->empty()) return Value(vector->front());
  return Failure("first() called on vector with no elements");
}

Result<Value> LabelOf(const Value& value, std::string_view name) {
  const auto& sample = std::get<Sample>(value);
  if (sample) return Value(std::string(sample->labels.Get(name)));
  return Failure("runtime error: invalid memory address or nil pointer dereference");
}

Result<Value> ValueOf(Context&, Arguments& arguments) {
  const auto& sample = std::get<Sample>(arguments[0]);
  if (sample) return Value(sample->f);
  return Failure("runtime error: invalid memory address or nil pointer dereference");
}

Result<Value> SortByLabel(Context&, Arguments& arguments) {
  const auto& vector = std::get<Vector>(arguments[1]);
  if (!vector) return arguments[1];
  auto sorted = std::make_shared<std::vector<Sample>>(*vector);
  std::ranges::stable_sort(
      *sorted, {}, [&](const Sample& sample) { return sample->labels.Get(Text(arguments[0])); });
  return Value(Vector(std::move(sorted)));
}

Result<Value> MakeArgs(Context&, Arguments& arguments) {
  constexpr int kMostDepth = 50;
  auto args = std::make_shared<ArgsMap>();
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (const auto* inner = std::get_if<Args>(&arguments[i])) {
      args->depth = std::max(args->depth, (*inner)->depth + 1);
    }
    args->values.emplace("arg" + std::to_string(i), std::move(arguments[i]));
  }
  if (args->depth > kMostDepth) return Failure("maps are nested too deeply");
  return Value(Args(std::move(args)));
}

// A dot does not match the end of a line, other than in PromQL.
std::string GoPattern(const std::string& pattern) { return "(?-s)" + pattern; }

// To compile a pattern costs more than to use it.
bool TakeRegexp(Context& context, const std::string& pattern) {
  constexpr std::size_t kSteps = 200;
  constexpr std::size_t kStepsAByte = 50;
  return context.budget.Take(kSteps + pattern.size() * kStepsAByte);
}

// The error of the pattern alone.
tl::unexpected<base::Error> BadPattern(const std::string& pattern, const base::Error& error,
                                       const std::string& prefix) {
  const auto alone = model::AnchoredRegexp::Create(pattern);
  const std::string& why = alone ? error.message() : alone.error().message();
  return Failure(prefix + why);
}

Result<Value> Match(Context& context, Arguments& arguments) {
  const std::string& pattern = Text(arguments[0]);
  if (!TakeRegexp(context, pattern)) return Failure("too many regular expressions");
  const auto found = model::FindsMatch(GoPattern(pattern), Text(arguments[1]));
  if (!found) return BadPattern(pattern, found.error(), "");
  return Value(*found);
}

Result<Value> ReReplaceAll(Context& context, Arguments& arguments) {
  const std::string& pattern = Text(arguments[0]);
  if (!TakeRegexp(context, pattern)) return Failure("too many regular expressions");
  // Each of the matches may look through all of the text.
  constexpr std::size_t kSquareBytesAStep = 4'096;
  const std::size_t size = Text(arguments[2]).size();
  if (!context.budget.Take(size * size / kSquareBytesAStep)) {
    return Failure("too much text to replace in");
  }
  auto text =
      model::ReplaceAll(GoPattern(pattern), Text(arguments[1]), Text(arguments[2]), kMaxTextBytes);
  if (text) return Value(std::move(*text));
  if (text.error().code() != base::ErrorCode::kBadData) return Failure(text.error().message());
  FormatSpec backquoted;
  backquoted.sharp = true;
  return BadPattern(pattern, text.error(), "regexp: Compile(" + Quote(pattern, backquoted) + "): ");
}

template <char32_t (*Change)(char32_t)>
Result<Value> InCase(Context&, Arguments& arguments) {
  std::string_view rest = Text(arguments[0]);
  std::string out;
  while (!rest.empty()) {
    const Rune rune = FirstRune(rest);
    base::AppendUtf8(out, Change(rune.code));
    rest.remove_prefix(rune.bytes);
  }
  return Value(std::move(out));
}

// The first letter of each word. A mark within a word, as in "don't" and "a.b", starts none.
Result<Value> Title(Context&, Arguments& arguments) {
  std::string_view rest = Text(arguments[0]);
  std::string out;
  bool in_word = false;
  while (!rest.empty()) {
    const Rune rune = FirstRune(rest);
    rest.remove_prefix(rune.bytes);
    base::AppendUtf8(out, in_word ? rune.code : UpperOf(rune.code));
    const bool letter = IsLetterOrDigit(rune.code) || rune.code == '_';
    const bool mark =
        rune.code == '\'' || rune.code == '.' || rune.code == ':' || rune.code == 0x2019;
    in_word = letter || (mark && in_word && IsLetterOrDigit(FirstRune(rest).code));
  }
  return Value(std::move(out));
}

std::string GraphLink(std::string_view expr, int tab) {
  return fmt::format("/graph?g0.expr={}&g0.tab={}", base::QueryEscape(expr), tab);
}

// Go's net.SplitHostPort; false where it fails.
bool SplitHostPort(std::string_view text, std::string_view& host, std::string_view& port) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return false;
  std::string_view after = text;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || close + 1 != colon) return false;
    host = text.substr(1, close - 1);
    if (host.find('[') != std::string_view::npos) return false;
    after = text.substr(close + 1);
  } else {
    host = text.substr(0, colon);
    if (host.find(':') != std::string_view::npos) return false;
  }
  if (after.find_first_of("[]") != std::string_view::npos) return false;
  port = text.substr(colon + 1);
  return true;
}

bool IsIpAddress(std::string_view text) {
  const std::string address(text);
  unsigned char bytes[16];
  return address.find('\0') == std::string::npos &&
         (inet_pton(AF_INET, address.c_str(), bytes) == 1 ||
          inet_pton(AF_INET6, address.c_str(), bytes) == 1);
}

Result<Value> StripPort(Context&, Arguments& arguments) {
  std::string_view host;
  std::string_view port;
  if (!SplitHostPort(Text(arguments[0]), host, port)) return arguments[0];
  return Value(std::string(host));
}

Result<Value> StripDomain(Context&, Arguments& arguments) {
  const std::string& text = Text(arguments[0]);
  std::string_view host;
  std::string_view port;
  if (!SplitHostPort(text, host, port)) {
    host = text;
    port = "";
  }
  if (IsIpAddress(host)) return arguments[0];
  std::string name(host.substr(0, host.find('.')));
  if (port.empty()) return Value(std::move(name));
  if (name.find_first_of(":%") != std::string::npos) name = "[" + name + "]";
  return Value(name + ":" + std::string(port));
}

// The path of a URL, unescaped.
Result<Value> PathPrefix(Context& context, Arguments&) {
  std::string_view url = context.data.external_url;
  url = url.substr(0, url.find_first_of("?#"));
  if (const std::size_t host = url.find("://"); host != std::string_view::npos) {
    const std::size_t slash = url.find('/', host + 3);
    url = slash == std::string_view::npos ? "" : url.substr(slash);
  }
  std::string path;
  for (std::size_t i = 0; i < url.size(); ++i) {
    unsigned byte = 0;
    const bool escaped =
        url[i] == '%' && i + 2 < url.size() &&
        std::from_chars(url.data() + i + 1, url.data() + i + 3, byte, 16).ptr == url.data() + i + 3;
    path += escaped ? static_cast<char>(byte) : url[i];
    i += escaped ? 2 : 0;
  }
  return Value(std::move(path));
}

constexpr Function kFunctions[] = {
    TakesMore(Takes0("args", &MakeArgs)),
    Takes0("externalURL",
           [](Context& c, Arguments&) -> Result<Value> { return Value(c.data.external_url); }),
    Takes("first", Type::kVector, &First),
    Takes("graphLink", Type::kString,
          [](Context&, Arguments& a) -> Result<Value> { return Value(GraphLink(Text(a[0]), 0)); }),
    Takes("humanize", Type::kAny, &OfNumber<&Humanize>),
    Takes("humanize1024", Type::kAny, &OfNumber<&Humanize1024>),
    Takes("humanizeDuration", Type::kAny, &OfNumber<&HumanizeDuration>),
    Takes("humanizePercentage", Type::kAny, &OfNumber<&HumanizePercentage>),
    Takes("humanizeTimestamp", Type::kAny, &HumanizeTimestamp),
    Takes("label", Type::kString, Type::kSample,
          [](Context&, Arguments& a) -> Result<Value> { return LabelOf(a[1], Text(a[0])); }),
    Takes("match", Type::kString, Type::kString, &Match),
    Takes0("now",
           [](Context& c, Arguments&) -> Result<Value> {
             return Value(static_cast<double>(c.data.now) / 1e3);
           }),
    Takes("parseDuration", Type::kString, &ParseDuration),
    Takes0("pathPrefix", &PathPrefix),
    Takes("query", Type::kString, &Query),
    Takes("reReplaceAll", Type::kString, Type::kString, Type::kString, &ReReplaceAll),
    Takes("safeHtml", Type::kString,
          [](Context&, Arguments& a) -> Result<Value> { return Value(Html{Text(a[0])}); }),
    Takes("sortByLabel", Type::kString, Type::kVector, &SortByLabel),
    Takes("stripDomain", Type::kString, &StripDomain),
    Takes("stripPort", Type::kString, &StripPort),
    Takes("strvalue", Type::kSample,
          [](Context&, Arguments& a) -> Result<Value> { return LabelOf(a[0], "__value__"); }),
    Takes("tableLink", Type::kString,
          [](Context&, Arguments& a) -> Result<Value> { return Value(GraphLink(Text(a[0]), 1)); }),
    Takes("title", Type::kString, &Title),
    Takes("toDuration", Type::kAny, &ToDuration),
    Takes("toLower", Type::kString, &InCase<&LowerOf>),
    Takes("toTime", Type::kAny, &ToTime),
    Takes("toUpper", Type::kString, &InCase<&UpperOf>),
    Takes("urlQueryEscape", Type::kString,
          [](Context&, Arguments& a) -> Result<Value> {
            return Value(base::QueryEscape(Text(a[0])));
          }),
    Takes("value", Type::kSample, &ValueOf),
};

}  // namespace

std::span<const Function> PrometheusFunctions() { return kFunctions; }

std::string_view TypeName(Type type) {
  switch (type) {
    case Type::kAny:
      return "interface {}";
    case Type::kString:
      return "string";
    case Type::kInt:
      return "int";
    case Type::kDuration:
      return "time.Duration";
    case Type::kTime:
      return "time.Time";
    case Type::kSample:
      return "*template.sample";
    case Type::kVector:
      return "template.queryResult";
  }
  return "";
}

tl::unexpected<base::Error> Failure(std::string why) {
  return base::Fail(base::ErrorCode::kExecution, std::move(why));
}

}  // namespace azexporter::rules::text_template
