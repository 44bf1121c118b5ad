#pragma once

// A template as it was read: texts, actions and conditions. Private to `rules`.
//
//   template  = { text | "{{" action "}}" }
//   action    = pipeline | "if" pipeline ... { "else" "if" pipeline ... } [ "else" ... ] "end"
//   pipeline  = command { "|" command }          the value before "|" becomes the last argument
//   command   = operand { operand }              a function with arguments, or one operand alone
//   operand   = ( "(" pipeline ")" | variable | "." | literal | function ) { "." field }
//
// Thread safety: values; immutable once read.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "azexporter/base/result.h"
#include "template_functions.h"

namespace azexporter::rules {

struct Pipeline;

struct Operand {
  enum class Kind { kLiteral, kVariable, kFunction, kPipeline };
  Kind kind = Kind::kLiteral;
  TemplateValue literal;
  std::string name;  // of a variable ("$labels", "." for the data) or a function
  std::shared_ptr<Pipeline> pipeline;
  std::vector<std::string> fields;
};

struct Command {
  std::vector<Operand> operands;
};

struct Pipeline {
  std::vector<Command> commands;
};

struct Node;
using Nodes = std::vector<Node>;

struct Branch {
  std::optional<Pipeline> condition;  // none: else
  std::shared_ptr<Nodes> body;
};

struct Node {
  std::variant<std::string, Pipeline, std::vector<Branch>> content;
};

// kBadData when the text is no template, or names a function or variable that there is not.
base::Result<Nodes> ReadTemplate(std::string_view text);

}  // namespace azexporter::rules
