#pragma once

// The functions of templates by name: Go's own (template_builtins.cc) and Prometheus's
// (template_functions.cc), and the methods of times and durations (template_methods.cc). Private to
// `rules`.
//
// Thread safety: pure functions; a Context is one execution's.

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "azexporter/base/result.h"
#include "azexporter/rules/template.h"
#include "template_value.h"

namespace azexporter::rules::text_template {

// What a parameter takes. Go refuses an argument of another type before it calls.
enum class Type { kAny, kString, kInt, kDuration, kTime, kSample, kVector };
std::string_view TypeName(Type type);

// What an execution may still do. Each node, operand and call takes a step, and more where it goes
// through long texts.
class Budget {
 public:
  // False once it is used up.
  bool Take(std::size_t steps) {
    left_ = steps > left_ ? 0 : left_ - steps;
    return left_ > 0;
  }

 private:
  std::size_t left_ = 2'000'000;
};

struct Context {
  const TemplateData& data;
  Budget budget = {};
};

using Arguments = std::vector<Value>;

struct Function {
  std::string_view name;
  std::array<Type, 4> parameters;
  std::size_t count;  // of parameters
  bool variadic;      // any number of arguments of any type behind them
  // Of a method the first argument is the value it is called on. nullptr: `and` and `or`, which do
  // not evaluate all their arguments.
  base::Result<Value> (*call)(Context& context, Arguments& arguments);
};

// How a row of a table says what a function takes.
constexpr Function Takes0(std::string_view name, decltype(Function::call) call) {
  return {name, {}, 0, false, call};
}
constexpr Function Takes(std::string_view name, Type a, decltype(Function::call) call) {
  return {name, {a}, 1, false, call};
}
constexpr Function Takes(std::string_view name, Type a, Type b, decltype(Function::call) call) {
  return {name, {a, b}, 2, false, call};
}
constexpr Function Takes(std::string_view name, Type a, Type b, Type c,
                         decltype(Function::call) call) {
  return {name, {a, b, c}, 3, false, call};
}
constexpr Function TakesMore(Function function) {
  function.variadic = true;
  return function;
}

// nullptr where there is none of that name.
const Function* FindFunction(std::string_view name);
const Function* FindMethod(const Value& receiver, std::string_view name);

std::span<const Function> Builtins();
std::span<const Function> PrometheusFunctions();

// kExecution with Go's words.
tl::unexpected<base::Error> Failure(std::string why);

}  // namespace azexporter::rules::text_template
