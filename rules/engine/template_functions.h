#pragma once

// The values and functions of templates. Private to `rules`.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"

namespace azexporter::rules {

// The "." of a template: its fields are Labels, ExternalLabels, ExternalURL and Value.
struct RootData {};

// int64: a whole number written in the template. As in Go it is another kind than the double of
// $value: `gt $value 3` is an error, `gt $value 3.0` is not.
using TemplateValue =
    std::variant<std::string, double, std::int64_t, bool, model::Labels, RootData>;

using TemplateArguments = std::vector<TemplateValue>;

struct TemplateFunction {
  std::string_view name;
  int min_arguments;
  int max_arguments;  // -1: any number
  base::Result<TemplateValue> (*call)(const TemplateArguments&);
};

// nullptr where there is none of that name.
const TemplateFunction* FindTemplateFunction(std::string_view name);
base::Result<TemplateValue> CallTemplateFunction(const std::string& name,
                                                 const TemplateArguments& arguments);

// Go's printf, as far as these values go. In a row of the table.
base::Result<TemplateValue> TemplatePrintf(const TemplateArguments& arguments);

// Go's name of the value's type: "float64".
std::string_view KindName(const TemplateValue& value);
// Go's %v of a float64, strconv.FormatFloat(value, 'g', -1, 64): the shortest text that reads back,
// with an exponent below 1e-4 and from 1e6 up: "100000", "1e+06", "1.7e+09", "+Inf".
std::string FloatText(double value);
// As Go prints it.
std::string ValueText(const TemplateValue& value);
// Go's truth: not empty, not zero, not false.
bool IsTruthy(const TemplateValue& value);

}  // namespace azexporter::rules
