#pragma once

// The values and functions of templates. Private to `rules`.

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/model/labels.h"

namespace azexporter::rules {

// The "." of a template: its fields are Labels, ExternalLabels, ExternalURL and Value.
struct RootData {};

using TemplateValue = std::variant<std::string, double, bool, model::Labels, RootData>;

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

// As Go prints it.
std::string ValueText(const TemplateValue& value);
// Go's truth: not empty, not zero, not false.
bool IsTruthy(const TemplateValue& value);

}  // namespace azexporter::rules
