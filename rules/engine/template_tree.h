#pragma once

// A template as it was read. Private to `rules`.
//
//   template   = { text | "{{" action "}}" }
//   action     = pipeline
//              | "if" pipeline "}}" ... { "{{else if" pipeline "}}" ... } [ "{{else}}" ... ]
//              "{{end" | "with" ..., "range" ...        the same; with "with" and "range", the dot
//              is theirs | "break" | "continue"           within a range | "define" name "}}" ...
//              "{{end" | "block" name pipeline "}}" ... "{{end" | "template" name [ pipeline ]
//   pipeline   = [ variable [ "," variable ] ( ":=" | "=" ) ] command { "|" command }
//   command    = operand { operand }            a function with arguments, or one operand alone
//   operand    = term { "." field }
//   term       = literal | "nil" | "." | field | variable | function | "(" pipeline ")"
//
// Thread safety: values; immutable once read.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"

namespace azexporter::rules::text_template {

struct Pipeline;

// Where something stands and how it is written, for errors.
struct Place {
  std::size_t position = 0;  // in bytes
  std::string text;
};

struct Operand {
  enum class Kind {
    kBool,
    kNil,
    kNumber,
    kString,
    kDot,
    kField,       // of the dot
    kVariable,    // and fields of it
    kIdentifier,  // a function
    kPipeline,    // in parentheses
    kChain,       // fields of `inner`
  };
  Kind kind = Kind::kDot;
  Place place;
  bool flag = false;
  // Of a number: as a whole one where it is, and as it reads otherwise.
  std::optional<std::int64_t> whole;
  double number = 0;
  bool is_float = false;            // it is written as one: 3.0, 3e0
  std::string text;                 // of a string; the name of a variable ("$x") or function
  std::vector<std::string> fields;  // of kField, kVariable, kChain
  std::shared_ptr<Operand> inner;   // of kChain
  std::shared_ptr<Pipeline> pipeline;
};

struct Command {
  Place place;
  std::vector<Operand> operands;
};

struct Pipeline {
  Place place;
  std::vector<std::string> variables;  // that take its value
  bool assigns = false;                // to variables there are; else they are new
  std::vector<Command> commands;
};

struct Node;
using Nodes = std::vector<Node>;

struct Node {
  enum class Kind { kText, kAction, kIf, kWith, kRange, kTemplate, kBreak, kContinue };
  Kind kind = Kind::kText;
  Place place;       // of kText: the text itself
  std::string name;  // of kTemplate
  std::shared_ptr<Pipeline> pipeline;
  std::shared_ptr<Nodes> body;
  std::shared_ptr<Nodes> otherwise;
};

struct Tree {
  std::string name;
  std::string source;
  // The template itself under `name`, and those it defines.
  std::map<std::string, Nodes, std::less<>> templates;
};

// kBadData, as Go has it, "template: NAME:LINE: ...", when the text is no template, or names a
// function or variable that there is not.
base::Result<Tree> ReadTemplate(std::string_view name, std::string text);

}  // namespace azexporter::rules::text_template
