#pragma once

// The second half of parsing: whether the pieces of a tree fit each other.
// Semantics: prometheus/promql/parser/parse.go, checkAST.

#include <string_view>

#include "azexporter/base/result.h"
#include "azexporter/promql/ast.h"

namespace azexporter::promql {

// kBadData with Prometheus's message for the first node, children first, that does not fit.
base::Result<void> CheckTypes(std::string_view query, const Expr& expr);

}  // namespace azexporter::promql
