#pragma once

// The values that flow through a template, with Go's names and notions of them: what type a value
// has, whether it is true, how it is printed. Private to `rules`.
//
// Thread safety: values; what they share is immutable.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "azexporter/model/labels.h"
#include "azexporter/model/sample.h"
#include "template_time.h"

namespace azexporter::rules {
struct TemplateData;
}

namespace azexporter::rules::text_template {

// No text is longer: neither one that a function makes, nor what a template comes to.
inline constexpr std::size_t kMaxTextBytes = 1 << 20;

// Go tells an interface that holds nothing (`(args).arg0`) from no value at all: a field of the
// former is an error, a field of the latter is no value again.
struct Nil {
  bool of_interface = false;
};

// A whole number. As in Go it is another kind than the float64 of $value: `gt $value 3` is an
// error, `gt $value 3.0` is not.
struct Integer {
  enum class Type { kInt, kInt64, kUint8, kMonth, kWeekday };
  std::int64_t value = 0;
  Type type = Type::kInt;
};

// What safeHtml makes of a string.
struct Html {
  std::string text;
};

// The "." of a rule's template: Labels, ExternalLabels, ExternalURL, Value.
struct Root {
  const TemplateData* data = nullptr;
};

// An element of what `query` returns; nullptr is Go's nil pointer.
using Sample = std::shared_ptr<const model::Sample>;
// What `query` returns; nullptr is Go's nil slice.
using Vector = std::shared_ptr<const std::vector<Sample>>;

// What `args` returns: a map of any values.
struct ArgsMap;
using Args = std::shared_ptr<const ArgsMap>;

using Value = std::variant<Nil, bool, Integer, double, std::string, Html, model::Labels, Args,
                           Sample, Vector, Time, Duration, Root>;

struct ArgsMap {
  std::map<std::string, Value> values;
  int depth = 1;  // of the maps in it
};

// Go's name of the value's type: "float64", "map[string]string", "<nil>".
std::string TypeName(const Value& value);
// Go's truth: not empty, not zero, not false, not nil.
bool IsTrue(const Value& value);
// A string or what Go counts as one; nullptr of other values.
const std::string* TextOf(const Value& value);
// How much there is to copy, print or go through in it, in steps of an execution.
std::size_t Weight(const Value& value);

}  // namespace azexporter::rules::text_template
