#include "azexporter/promql/functions.h"

#include <algorithm>
#include <iterator>

#include "function_body.h"

namespace azexporter::promql {
namespace {

const std::vector<Function>& Table() {
  static const std::vector<Function> table = [] {
    std::vector<Function> all;
    for (auto rows : {HistogramFunctions, InfoFunctions, LabelFunctions, MathFunctions,
                      OverTimeFunctions, RateFunctions, TimeFunctions}) {
      std::ranges::move(rows(), std::back_inserter(all));
    }
    std::ranges::sort(all, {}, &Function::name);
    return all;
  }();
  return table;
}

}  // namespace

const Function* FindFunction(std::string_view name) {
  const std::vector<Function>& table = Table();
  const auto found = std::ranges::lower_bound(table, name, {}, &Function::name);
  return found == table.end() || found->name != name ? nullptr : &*found;
}

std::span<const Function> AllFunctions() { return Table(); }

Function Experimental(Function function) {
  function.experimental = true;
  return function;
}

Function MapFunction(std::string_view name, Types args, FunctionBody::Map map, int variadic) {
  return {name, std::move(args), variadic, ValueType::kVector,
          std::make_shared<FunctionBody>(FunctionBody{.map = map})};
}

Function RangeFunction(std::string_view name, Types args, FunctionBody body) {
  return {name, std::move(args), 0, ValueType::kVector, std::make_shared<FunctionBody>(body)};
}

Function VectorFunction(std::string_view name, Types args, ValueType type,
                        FunctionBody::OnVectors run, int variadic, bool depends_on_step) {
  return {name, std::move(args), variadic, type,
          std::make_shared<FunctionBody>(
              FunctionBody{.on_vectors = run, .depends_on_step = depends_on_step})};
}

}  // namespace azexporter::promql
