#pragma once

// How values become text: Go's package fmt for the values of templates. Private to `rules`.
// Semantics: pkg.go.dev/fmt.
//
// Thread safety: Formatter is thread-compatible; the rest are pure functions.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "azexporter/base/result.h"
#include "template_value.h"

namespace azexporter::rules::text_template {

// What stands between '%' and the verb.
struct FormatSpec {
  bool minus = false;
  bool plus = false;
  bool sharp = false;
  bool space = false;
  bool zero = false;
  bool names = false;                // of %+v: the fields of structs have theirs
  std::optional<std::size_t> width;  // in characters; at most a million, as in Go
  std::optional<std::size_t> precision;
};

// Writes values to the end of a text. Once that is longer than kMaxTextBytes it writes no more
// values: the text is for the caller to refuse then.
class Formatter {
 public:
  // `out` must outlive this.
  explicit Formatter(std::string& out) : out_(out) {}

  // `verb` is a code point: 'v', 'd', ... A value it does not go with comes out as Go has it:
  // "%!d(string=x)".
  void Print(const Value& value, char32_t verb, const FormatSpec& spec, int depth = 0);
  // "type=value", as in "%!d(string=x)" and "%!(EXTRA string=x)"; "<nil>" of nil.
  void PrintWithType(const Value& value, const FormatSpec& spec);

 private:
  void PrintAs(const Value& value, char32_t verb, const FormatSpec& spec, int depth);
  void PrintInDetail(const Value& value, const FormatSpec& spec, int depth);
  void PrintBadVerb(const Value& value, char32_t verb, const FormatSpec& spec);
  void PrintInteger(const Integer& value, char32_t verb, const FormatSpec& spec);
  void PrintFloat(double value, char32_t verb, const FormatSpec& spec);
  bool PrintString(std::string_view text, char32_t verb, const FormatSpec& spec);
  void PrintTimeOrDuration(const Value& value, char32_t verb, const FormatSpec& spec);
  void PrintLabels(const model::Labels& labels, char32_t verb, const FormatSpec& spec, int depth);
  void PrintArgs(const ArgsMap& args, char32_t verb, const FormatSpec& spec, int depth);
  void PrintSample(const Sample& sample, char32_t verb, const FormatSpec& spec, int depth);
  void PrintRoot(Root root, char32_t verb, const FormatSpec& spec, int depth);
  void Digits(std::int64_t value, unsigned base, char32_t verb, const FormatSpec& spec);
  void Pad(std::string_view text, const FormatSpec& spec);

  std::string& out_;
};

// Go's Sprintf, Sprint (a space between two operands of which neither is a string) and Sprintln.
// kExecution where the text grows beyond kMaxTextBytes.
base::Result<std::string> Sprintf(std::string_view format, std::span<const Value> operands);
base::Result<std::string> Sprint(std::span<const Value> operands);
base::Result<std::string> Sprintln(std::span<const Value> operands);

// What the action {{ value }} prints: no value is "<no value>", a pointer what it points at.
std::string ActionText(const Value& value);
// %v of it.
std::string PlainText(const Value& value);

// strconv.FormatFloat(value, 'g', -1, 64): the shortest text that reads back, with an exponent
// below 1e-4 and from a million on: "100000", "1e+06", "+Inf".
std::string ShortestFloat(double value);

}  // namespace azexporter::rules::text_template
