#pragma once

// Takes a query apart: every sub-expression with the value it had at one time, so that one sees
// where a vector became empty.
//
// Each node is evaluated by itself, by the same engine at the same time. What lies in a subquery is
// evaluated at the newest of the subquery's own steps.
//
// Thread safety: may be called from any thread.

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "azexporter/base/clock.h"
#include "azexporter/base/result.h"
#include "azexporter/promql/ast.h"
#include "azexporter/promql/engine.h"
#include "azexporter/storage/storage.h"

namespace azexporter::promql {

// One sub-expression.
struct Explanation {
  std::string text;  // on one line
  ValueType type = ValueType::kVector;
  model::TimestampMs t = 0;  // when it was evaluated

  struct Value {
    model::Labels labels;                     // empty for a scalar
    std::size_t points = 1;                   // of a range vector
    double value = 0;                         // the newest of them
    model::HistogramPtr histogram = nullptr;  // that, where it is one
  };
  std::optional<std::size_t> series;  // nothing where there is no value; 1 for a scalar or string
  std::vector<Value> values;          // the first of them, of strings none
  std::string note;                   // what is worth a look: "became empty here"
  std::string error;                  // why there is no value
  std::vector<Explanation> children;  // in the order of the text
};

struct ExplainOptions {
  model::TimestampMs t = 0;
  std::size_t max_values = 5;  // shown of each node
};

// What an explanation is made with. All of them must outlive the call.
struct ExplainDeps {
  const Engine& engine;
  const base::Clock& clock;
  const storage::Queryable& store;
};

// Expressions of more nodes are refused.
inline constexpr std::size_t kMaxExplainedNodes = 500;

// The engine's timeout holds for the whole. kBadData where the expression is too large, kTimeout,
// kCanceled; the error of a single node stands in the node.
base::Result<Explanation> Explain(const ExplainDeps& deps, const Expr& expr,
                                  const ExplainOptions& options, std::stop_token stop = {});

// The tree for people: a line a node, its values below it.
std::string FormatExplanation(const Explanation& explanation);

}  // namespace azexporter::promql
