// The functions that every Go template has.
// Semantics: golang.org/src/text/template/funcs.go.

#include <algorithm>
#include <optional>

#include "azexporter/base/text.h"
#include "template_format.h"
#include "template_functions.h"
#include "template_quote.h"

namespace azexporter::rules::text_template {
namespace {

using base::Result;

// Kinds of values that compare with their own kind only.
enum class Kind { kNone, kBool, kInteger, kFloat, kString };

Kind KindOf(const Value& value) {
  if (std::holds_alternative<bool>(value)) return Kind::kBool;
  if (std::holds_alternative<double>(value)) return Kind::kFloat;
  if (TextOf(value) != nullptr) return Kind::kString;
  const auto* duration = std::get_if<Duration>(&value);
  const bool whole = std::holds_alternative<Integer>(value) || (duration && !duration->is_pointer);
  return whole ? Kind::kInteger : Kind::kNone;
}

std::optional<std::int64_t> WholeOf(const Value& value) {
  if (const auto* whole = std::get_if<Integer>(&value)) return whole->value;
  if (const auto* duration = std::get_if<Duration>(&value); duration && !duration->is_pointer) {
    return duration->ns;
  }
  return std::nullopt;
}

bool IsNil(const Value& value) {
  if (const auto* sample = std::get_if<Sample>(&value)) return *sample == nullptr;
  return std::holds_alternative<Nil>(value);
}

Result<bool> EqualsOther(const Value& a, const Value& b) {
  const auto comparable = [](const Value& value) {
    return !std::holds_alternative<model::Labels>(value) && !std::holds_alternative<Args>(value) &&
           !std::holds_alternative<Vector>(value) && !std::holds_alternative<Root>(value);
  };
  if (IsNil(a) || IsNil(b)) return IsNil(a) == IsNil(b);
  if (!comparable(a) || !comparable(b)) {
    const Value& bad = comparable(a) ? b : a;
    return Failure("non-comparable type " + PlainText(bad) + ": " + TypeName(bad));
  }
  if (const auto* time = std::get_if<Time>(&a); time && std::holds_alternative<Time>(b)) {
    const Time other = std::get<Time>(b);
    return !time->is_pointer && !other.is_pointer && Compare(*time, other) == 0;
  }
  const auto* sample = std::get_if<Sample>(&a);
  return sample && std::holds_alternative<Sample>(b) && *sample == std::get<Sample>(b);
}

Result<bool> Equals(const Value& a, const Value& b) {
  const Kind kind = KindOf(a);
  if (kind != KindOf(b)) {
    if (IsNil(a) || IsNil(b)) return false;
    return Failure("incompatible types for comparison");
  }
  switch (kind) {
    case Kind::kBool:
      return std::get<bool>(a) == std::get<bool>(b);
    case Kind::kInteger:
      return WholeOf(a) == WholeOf(b);
    case Kind::kFloat:
      return std::get<double>(a) == std::get<double>(b);
    case Kind::kString:
      return *TextOf(a) == *TextOf(b);
    case Kind::kNone:
      return EqualsOther(a, b);
  }
  return false;
}

Result<bool> Less(const Value& a, const Value& b) {
  const Kind kind = KindOf(a);
  const Kind other = KindOf(b);
  const auto fail = [] { return Failure("invalid type for comparison"); };
  if (kind == Kind::kNone || other == Kind::kNone) return fail();
  if (kind != other) return Failure("incompatible types for comparison");
  if (kind == Kind::kInteger) return *WholeOf(a) < *WholeOf(b);
  if (kind == Kind::kFloat) return std::get<double>(a) < std::get<double>(b);
  if (kind == Kind::kString) return *TextOf(a) < *TextOf(b);
  return fail();
}

Result<bool> LessOrEqual(const Value& a, const Value& b) {
  AZX_ASSIGN_OR_RETURN(const bool less, Less(a, b));
  return less ? Result<bool>(true) : Equals(a, b);
}

// Whether the first is equal to any of the others.
Result<Value> EqualsAny(Context&, Arguments& arguments) {
  if (arguments.size() < 2) return Failure("missing argument for comparison");
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    AZX_ASSIGN_OR_RETURN(const bool equal, Equals(arguments[0], arguments[i]));
    if (equal) return Value(true);
  }
  return Value(false);
}

// With NaN the opposite of false is true, as in Go.
template <Result<bool> (*Compare)(const Value&, const Value&), bool Opposite>
Result<Value> Comparison(Context&, Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(const bool holds, Compare(arguments[0], arguments[1]));
  return Value(holds != Opposite);
}

Result<Value> Not(Context&, Arguments& arguments) { return Value(!IsTrue(arguments[0])); }

// How long a text or list is; nothing of other values.
std::optional<std::size_t> LengthOf(const Value& value) {
  if (const std::string* text = TextOf(value)) return text->size();
  if (const auto* vector = std::get_if<Vector>(&value)) return *vector ? (*vector)->size() : 0;
  return std::nullopt;
}

Result<Value> Len(Context&, Arguments& arguments) {
  const Value& value = arguments[0];
  std::optional<std::size_t> length = LengthOf(value);
  if (const auto* labels = std::get_if<model::Labels>(&value)) length = labels->size();
  if (const auto* args = std::get_if<Args>(&value)) length = (*args)->values.size();
  if (length) return Value(Integer{static_cast<std::int64_t>(*length)});
  if (IsNil(value)) return Failure("len of nil pointer");
  return Failure("len of type " + TypeName(value));
}

// An index of at most `length`.
Result<std::size_t> IndexOf(const Value& index, std::size_t length) {
  const auto whole = WholeOf(index);
  if (std::holds_alternative<Nil>(index)) return Failure("cannot index slice/array with nil");
  if (!whole) return Failure("cannot index slice/array with type " + TypeName(index));
  if (*whole < 0 || static_cast<std::uint64_t>(*whole) > length) {
    return Failure("index out of range: " + std::to_string(*whole));
  }
  return static_cast<std::size_t>(*whole);
}

Result<Value> ElementOf(const Value& value, const Value& index) {
  if (const auto length = LengthOf(value)) {
    AZX_ASSIGN_OR_RETURN(const std::size_t at, IndexOf(index, *length));
    const std::string* text = TextOf(value);
    if (at == *length) {
      return Failure(std::string("reflect: ") + (text ? "string" : "slice") +
                     " index out of range");
    }
    if (text == nullptr) return Value((*std::get<Vector>(value))[at]);
    return Value(Integer{static_cast<unsigned char>((*text)[at]), Integer::Type::kUint8});
  }
  const auto* labels = std::get_if<model::Labels>(&value);
  const auto* args = std::get_if<Args>(&value);
  if (labels == nullptr && args == nullptr) {
    if (IsNil(value)) return Failure("index of nil pointer");
    return Failure("can't index item of type " + TypeName(value));
  }
  if (std::holds_alternative<Nil>(index)) return Failure("value is nil; should be of type string");
  const auto* name = std::get_if<std::string>(&index);
  if (name == nullptr) return Failure("value has type " + TypeName(index) + "; should be string");
  if (labels != nullptr) return Value(std::string(labels->Get(*name)));
  const auto found = (*args)->values.find(*name);
  return found == (*args)->values.end() ? Value(Nil{true}) : found->second;
}

// index x 1 2 is the 2nd of the 1st of x.
Result<Value> Index(Context&, Arguments& arguments) {
  if (std::holds_alternative<Nil>(arguments[0])) return Failure("index of untyped nil");
  Value value = arguments[0];
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    AZX_ASSIGN_OR_RETURN(Value element, ElementOf(value, arguments[i]));
    value = std::move(element);
  }
  return value;
}

// slice x 1 3 is x[1:3].
Result<Value> Slice(Context&, Arguments& arguments) {
  const Value& value = arguments[0];
  if (std::holds_alternative<Nil>(value)) return Failure("slice of untyped nil");
  const std::size_t count = arguments.size() - 1;
  if (count > 3) return Failure("too many slice indexes: " + std::to_string(count));
  const auto length = LengthOf(value);
  if (!length) return Failure("can't slice item of type " + TypeName(value));
  const std::string* text = TextOf(value);
  if (text != nullptr && count == 3) return Failure("cannot 3-index slice a string");
  std::array<std::size_t, 3> bounds = {0, *length, *length};
  for (std::size_t i = 0; i < count; ++i) {
    AZX_ASSIGN_OR_RETURN(bounds[i], IndexOf(arguments[i + 1], *length));
  }
  for (std::size_t i = 0; i + 1 < bounds.size(); ++i) {
    if (bounds[i] <= bounds[i + 1]) continue;
    return Failure("invalid slice index: " + std::to_string(bounds[i]) + " > " +
                   std::to_string(bounds[i + 1]));
  }
  if (text != nullptr) return Value(text->substr(bounds[0], bounds[1] - bounds[0]));
  const auto& vector = std::get<Vector>(value);
  if (vector == nullptr) return value;
  const auto begin = vector->begin();
  return Value(
      std::make_shared<const std::vector<Sample>>(begin + static_cast<std::ptrdiff_t>(bounds[0]),
                                                  begin + static_cast<std::ptrdiff_t>(bounds[1])));
}

Result<Value> Call(Context&, Arguments& arguments) {
  if (std::holds_alternative<Nil>(arguments[0])) return Failure("call of nil");
  return Failure("non-function of type " + TypeName(arguments[0]));
}

template <Result<std::string> (*Print)(std::span<const Value>)>
Result<Value> Printed(Context&, Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(std::string text, Print(arguments));
  return Value(std::move(text));
}

Result<Value> Printf(Context&, Arguments& arguments) {
  AZX_ASSIGN_OR_RETURN(std::string text, Sprintf(std::get<std::string>(arguments[0]),
                                                 std::span(arguments).subspan(1)));
  return Value(std::move(text));
}

std::string EscapeHtml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '\0':
        out += "\xef\xbf\xbd";
        break;
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string EscapeJs(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Rune rune = FirstRune(text);
    const std::string_view bytes = text.substr(0, rune.bytes);
    text.remove_prefix(rune.bytes);
    if (bytes == "\\" || bytes == "'" || bytes == "\"") {
      out += "\\";
      out += bytes;
    } else if (rune.code < ' ' || bytes == "<" || bytes == ">" || bytes == "&" || bytes == "=") {
      out += "\\u" + UnicodeText(rune.code, {}).substr(2);
    } else {
      out += bytes;
    }
  }
  return out;
}

template <std::string (*Escape)(std::string_view)>
Result<Value> Escaped(Context&, Arguments& arguments) {
  for (Value& argument : arguments) {
    // As an action prints them.
    const bool pointer = std::holds_alternative<Sample>(argument);
    if (pointer || std::holds_alternative<Nil>(argument)) argument = ActionText(argument);
  }
  AZX_ASSIGN_OR_RETURN(const std::string text, Sprint(arguments));
  return Value(Escape(text));
}

constexpr Function kFunctions[] = {
    TakesMore(Takes("and", Type::kAny, nullptr)),
    TakesMore(Takes("call", Type::kAny, &Call)),
    TakesMore(Takes("eq", Type::kAny, &EqualsAny)),
    Takes("ge", Type::kAny, Type::kAny, &Comparison<&Less, true>),
    Takes("gt", Type::kAny, Type::kAny, &Comparison<&LessOrEqual, true>),
    TakesMore(Takes0("html", &Escaped<&EscapeHtml>)),
    TakesMore(Takes("index", Type::kAny, &Index)),
    TakesMore(Takes0("js", &Escaped<&EscapeJs>)),
    Takes("le", Type::kAny, Type::kAny, &Comparison<&LessOrEqual, false>),
    Takes("len", Type::kAny, &Len),
    Takes("lt", Type::kAny, Type::kAny, &Comparison<&Less, false>),
    Takes("ne", Type::kAny, Type::kAny, &Comparison<&Equals, true>),
    Takes("not", Type::kAny, &Not),
    TakesMore(Takes("or", Type::kAny, nullptr)),
    TakesMore(Takes0("print", &Printed<&Sprint>)),
    TakesMore(Takes("printf", Type::kString, &Printf)),
    TakesMore(Takes0("println", &Printed<&Sprintln>)),
    TakesMore(Takes("slice", Type::kAny, &Slice)),
    TakesMore(Takes0("urlquery", &Escaped<&base::QueryEscape>)),
};

}  // namespace

std::span<const Function> Builtins() { return kFunctions; }

}  // namespace azexporter::rules::text_template
