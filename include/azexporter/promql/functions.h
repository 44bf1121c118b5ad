#pragma once

// The functions of PromQL: one table, a row a function, with the types the parser checks, and the
// code the engine runs (whose form is the engine's own business).
//
// Thread safety: the table is constant.
// Semantics: prometheus.io/docs/prometheus/latest/querying/functions.

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "azexporter/promql/ast.h"

namespace azexporter::promql {

struct FunctionBody;  // rules/promql/function_body.h

struct Function {
  std::string_view name;
  // The types of the arguments; the last one is that of all further ones where variadic.
  std::vector<ValueType> arg_types;
  // 0: exactly arg_types. n > 0: the last is optional, and n of it may stand there.
  // -1: the last is optional, and any number of it may stand there.
  int variadic = 0;
  ValueType return_type = ValueType::kVector;
  std::shared_ptr<const FunctionBody> body;  // never null in the table
  // Refused by the parser unless ParserOptions::experimental_functions.
  bool experimental = false;
};

// nullptr where there is none of that name. Names are case-sensitive.
const Function* FindFunction(std::string_view name);

// Sorted by name.
std::span<const Function> AllFunctions();

}  // namespace azexporter::promql
