#include "azexporter/promql/functions.h"

#include <algorithm>

namespace azexporter::promql {
namespace {

using enum ValueType;

const std::vector<Function>& Table() {
  static const std::vector<Function> table = {
      {"abs", {kVector}, 0, kVector, nullptr},
      {"absent", {kVector}, 0, kVector, nullptr},
      {"absent_over_time", {kMatrix}, 0, kVector, nullptr},
      {"acos", {kVector}, 0, kVector, nullptr},
      {"acosh", {kVector}, 0, kVector, nullptr},
      {"asin", {kVector}, 0, kVector, nullptr},
      {"asinh", {kVector}, 0, kVector, nullptr},
      {"atan", {kVector}, 0, kVector, nullptr},
      {"atanh", {kVector}, 0, kVector, nullptr},
      {"avg_over_time", {kMatrix}, 0, kVector, nullptr},
      {"ceil", {kVector}, 0, kVector, nullptr},
      {"changes", {kMatrix}, 0, kVector, nullptr},
      {"clamp", {kVector, kScalar, kScalar}, 0, kVector, nullptr},
      {"clamp_max", {kVector, kScalar}, 0, kVector, nullptr},
      {"clamp_min", {kVector, kScalar}, 0, kVector, nullptr},
      {"cos", {kVector}, 0, kVector, nullptr},
      {"cosh", {kVector}, 0, kVector, nullptr},
      {"count_over_time", {kMatrix}, 0, kVector, nullptr},
      {"day_of_month", {kVector}, 1, kVector, nullptr},
      {"day_of_week", {kVector}, 1, kVector, nullptr},
      {"day_of_year", {kVector}, 1, kVector, nullptr},
      {"days_in_month", {kVector}, 1, kVector, nullptr},
      {"deg", {kVector}, 0, kVector, nullptr},
      {"delta", {kMatrix}, 0, kVector, nullptr},
      {"deriv", {kMatrix}, 0, kVector, nullptr},
      {"exp", {kVector}, 0, kVector, nullptr},
      {"first_over_time", {kMatrix}, 0, kVector, nullptr},
      {"floor", {kVector}, 0, kVector, nullptr},
      {"histogram_avg", {kVector}, 0, kVector, nullptr},
      {"histogram_count", {kVector}, 0, kVector, nullptr},
      {"histogram_fraction", {kScalar, kScalar, kVector}, 0, kVector, nullptr},
      {"histogram_quantile", {kScalar, kVector}, 0, kVector, nullptr},
      {"histogram_stddev", {kVector}, 0, kVector, nullptr},
      {"histogram_stdvar", {kVector}, 0, kVector, nullptr},
      {"histogram_sum", {kVector}, 0, kVector, nullptr},
      {"hour", {kVector}, 1, kVector, nullptr},
      {"idelta", {kMatrix}, 0, kVector, nullptr},
      {"increase", {kMatrix}, 0, kVector, nullptr},
      {"irate", {kMatrix}, 0, kVector, nullptr},
      {"label_join", {kVector, kString, kString, kString}, -1, kVector, nullptr},
      {"label_replace", {kVector, kString, kString, kString, kString}, 0, kVector, nullptr},
      {"last_over_time", {kMatrix}, 0, kVector, nullptr},
      {"ln", {kVector}, 0, kVector, nullptr},
      {"log10", {kVector}, 0, kVector, nullptr},
      {"log2", {kVector}, 0, kVector, nullptr},
      {"max_over_time", {kMatrix}, 0, kVector, nullptr},
      {"min_over_time", {kMatrix}, 0, kVector, nullptr},
      {"minute", {kVector}, 1, kVector, nullptr},
      {"month", {kVector}, 1, kVector, nullptr},
      {"pi", {}, 0, kScalar, nullptr},
      {"predict_linear", {kMatrix, kScalar}, 0, kVector, nullptr},
      {"present_over_time", {kMatrix}, 0, kVector, nullptr},
      {"quantile_over_time", {kScalar, kMatrix}, 0, kVector, nullptr},
      {"rad", {kVector}, 0, kVector, nullptr},
      {"rate", {kMatrix}, 0, kVector, nullptr},
      {"resets", {kMatrix}, 0, kVector, nullptr},
      {"round", {kVector, kScalar}, 1, kVector, nullptr},
      {"scalar", {kVector}, 0, kScalar, nullptr},
      {"sgn", {kVector}, 0, kVector, nullptr},
      {"sin", {kVector}, 0, kVector, nullptr},
      {"sinh", {kVector}, 0, kVector, nullptr},
      {"sort", {kVector}, 0, kVector, nullptr},
      {"sort_desc", {kVector}, 0, kVector, nullptr},
      {"sqrt", {kVector}, 0, kVector, nullptr},
      {"stddev_over_time", {kMatrix}, 0, kVector, nullptr},
      {"stdvar_over_time", {kMatrix}, 0, kVector, nullptr},
      {"sum_over_time", {kMatrix}, 0, kVector, nullptr},
      {"tan", {kVector}, 0, kVector, nullptr},
      {"tanh", {kVector}, 0, kVector, nullptr},
      {"time", {}, 0, kScalar, nullptr},
      {"timestamp", {kVector}, 0, kVector, nullptr},
      {"vector", {kScalar}, 0, kVector, nullptr},
      {"year", {kVector}, 1, kVector, nullptr},
  };
  return table;
}

}  // namespace

const Function* FindFunction(std::string_view name) {
  const std::vector<Function>& table = Table();
  const auto found = std::ranges::lower_bound(table, name, {}, &Function::name);
  return found == table.end() || found->name != name ? nullptr : &*found;
}

std::span<const Function> AllFunctions() { return Table(); }

}  // namespace azexporter::promql
